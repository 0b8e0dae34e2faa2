"""One person is one distributor in a plan, nobody's own parent, and earns nothing on what they buy themselves."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.customers import models as customers
from chalicelib.customers import service as known_customers
from chalicelib.customers.rules import Customer
from chalicelib.distribution import distributors, payees, persons
from chalicelib.distribution import service as distribution
from chalicelib.distribution.models import DistributorItem
from chalicelib.distribution.types import Distributor, DistributorPatch, NewDistributor
from chalicelib.migrations import service as migrations
from chalicelib.orders import service as orders
from chalicelib.platform.errors import Conflict, Invalid
from chalicelib.platform.principal import SYSTEM
from tests.support.money_world import World, check_books, figures, message, paid, statuses

get, find_by_unionid = known_customers.get, known_customers.find_by_unionid


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(at, sent, monkeypatch)
    monkeypatch.setattr(known_customers, "get", get)
    monkeypatch.setattr(known_customers, "find_by_unionid", find_by_unionid)
    return world


def enlist(plan_id: str, openid: str, parent_id: str | None = None, **ids: str) -> Distributor:
    new = NewDistributor(name="王小明", openid=openid, plan_id=plan_id, parent_id=parent_id, **ids)
    return distributors.create(new)


def refused(plan_id: str, openid: str, **ids: Any) -> tuple[str, str]:
    """Whom they are already, and by what."""
    with pytest.raises(Conflict) as told:
        enlist(plan_id, openid, **ids)
    assert told.value.params["distributor_id"] in told.value.detail("zh")
    return told.value.params["distributor_id"], told.value.params["by"]


def test_by_whatever_id_a_second_is_refused_and_told_which(world: World) -> None:
    plan = world.plan()
    customers.save(Customer("wm1", unionid="u1"))
    first = enlist(plan, "o1", external_userid="wm1")
    assert refused(plan, "o2", external_userid="wm1") == (first.distributor_id, "external_userid")
    assert refused(plan, "o2", unionid="u1") == (first.distributor_id, "external_userid")
    assert refused(plan, "o1", external_userid="wm2") == (first.distributor_id, "openid")
    assert refused(plan, "o2", unionid="u1", parent_id=first.distributor_id)[0] == first.distributor_id
    second = enlist(plan, "o2", unionid="u2")
    customers.save(Customer("wm2", unionid="u2"))
    assert refused(plan, "o3", external_userid="wm2") == (second.distributor_id, "unionid")
    assert len(distribution.page_of_distributors(50, None)[0]) == 2


def test_ids_as_they_are_pasted(world: World) -> None:
    plan = world.plan()
    first = enlist(plan, " o1\u200b", external_userid=" wm1\u3000")
    assert (first.external_userid, distribution.payee(first).openid) == ("wm1", "o1")
    assert refused(plan, "o2", external_userid="wm1")[0] == first.distributor_id
    with pytest.raises(Invalid) as told:
        enlist(plan, "\u3000", external_userid=" ")
    assert [field for field, _ in told.value.errors] == ["external_userid", "openid"]


def test_a_real_name_as_it_is_pasted(world: World) -> None:
    new = NewDistributor(
        name="\u3000王 小明\u200b\n", openid="o1", plan_id=world.plan(), external_userid="wm1"
    )
    who = distributors.create(new)
    assert distribution.payee(who).name == "王 小明"
    who = distributors.change(who.distributor_id, DistributorPatch(name=" 李雷\ufeff"))
    assert distribution.payee(who).name == "李雷"
    with pytest.raises(Invalid):
        distributors.change(who.distributor_id, DistributorPatch(name="\u200b"))


def test_two_ids_that_are_two_persons(world: World) -> None:
    customers.save(Customer("wm1", unionid="u1"))
    with pytest.raises(Invalid) as told:
        enlist(world.plan(), "o1", external_userid="wm1", unionid="u2")
    assert [field for field, _ in told.value.errors] == ["unionid"]


def test_over_plans_they_are_one_person_and_nobody_s_own_parent(world: World) -> None:
    first, second = world.plan(), world.plan()
    customers.save(Customer("wm1", unionid="u1"))
    one = enlist(first, "o1", external_userid="wm1")
    child = enlist(second, "o9", one.distributor_id, external_userid="wm9")
    for parent in (one, child):
        with pytest.raises(Invalid) as told:
            enlist(second, "o5", parent.distributor_id, unionid="u1")
        assert [field for field, _ in told.value.errors] == ["parent_id"]
    other = enlist(second, "o5", unionid="u1")
    assert persons.of_distributor(one) == persons.of_distributor(other)
    assert distributors.show_in_detail(one, SYSTEM).same_person[0].plan_id == second


def test_an_openid_that_makes_a_child_its_own_parent_is_refused(world: World) -> None:
    first, second = world.plan(), world.plan()
    parent = enlist(first, "o1", external_userid="wm1")
    child = enlist(second, "o2", parent.distributor_id, external_userid="wm2")
    for who, openid in ((child, "o1"), (parent, "o2")):
        with pytest.raises(Invalid) as told:
            distributors.change(who.distributor_id, DistributorPatch(openid=openid))
        assert [field for field, _ in told.value.errors] == ["openid"]
    assert distribution.payee(distribution.distributor(child.distributor_id)).openid == "o2"


def test_a_third_distributor_does_not_make_one_of_a_parent_and_their_child(world: World) -> None:
    first, second = world.plan(), world.plan()
    parent = enlist(first, "o1", external_userid="wm1")
    child = enlist(first, "o2", parent.distributor_id, external_userid="wm2")
    with pytest.raises(Invalid) as told:
        enlist(second, "o2", external_userid="wm1")
    assert [field for field, _ in told.value.errors] == ["openid"]
    assert persons.of_distributor(parent) != persons.of_distributor(child)


def test_ids_that_are_too_long_in_half_width(world: World) -> None:
    longer = "\ufdfa" * 120  # one sign, which is fifteen letters
    for ids in ({"external_userid": longer}, {"unionid": longer}):
        with pytest.raises(Invalid) as told:
            enlist(world.plan(), "o1", **ids)
        assert [field for field, _ in told.value.errors] == list(ids)
    who = enlist(world.plan(), "o1", external_userid="wm1")
    with pytest.raises(Invalid):
        distributors.change(who.distributor_id, DistributorPatch(openid=longer))
    assert distribution.of_share_code(longer) is None


def test_another_openid_is_free_once_it_is_nobody_s(world: World) -> None:
    plan = world.plan()
    first = enlist(plan, "o1", external_userid="wm1")
    other = enlist(plan, "o2", external_userid="wm2")
    with pytest.raises(Conflict):
        distributors.change(first.distributor_id, DistributorPatch(openid="o2"))
    distributors.change(first.distributor_id, DistributorPatch(openid="o3"))
    distributors.change(other.distributor_id, DistributorPatch(openid="o1"))
    now = [distribution.distributor(who.distributor_id) for who in (first, other)]
    assert [distribution.payee(who).openid for who in now] == ["o3", "o1"]


def test_own_purchases_earn_nothing_by_whatever_id_the_buyer_is_named(world: World) -> None:
    plan = world.plan()
    parent = enlist(plan, "o0", external_userid="wm0")
    customers.save(Customer("wm1", unionid="u1"))
    by_userid = enlist(plan, "o1", parent.distributor_id, external_userid="wm1")
    by_unionid = enlist(plan, "o2", parent.distributor_id, unionid="u2")
    customers.save(Customer("wm2", unionid="u2"))
    buyers: list[dict[str, Any]] = [
        {"external_userid": "wm1"},
        {"external_userid": None, "unionid": "u1"},
        {"external_userid": "wm2"},
        {"external_userid": None, "unionid": "u2"},
    ]
    for n, buyer in enumerate(buyers):
        who = by_userid if n < 2 else by_unionid
        world.tell(paid(f"own{n}", who.share_code, **buyer))
        assert statuses(f"own{n}") == []
        attribution = orders.get(f"own{n}").attribution
        assert (attribution.by, attribution.own_purchase) == (None, True)
        world.tell(paid(f"others{n}", who.share_code, **buyers[n - 2]))
        assert len(statuses(f"others{n}")) == 4
    assert figures(parent.distributor_id) == {"pending": 4 * 567}
    check_books()


def test_own_purchases_by_another_code_of_one_s_own(world: World) -> None:
    """A person with a code in each of two plans, and a parent who buys with a child's code."""
    first, second = world.plan(), world.plan()
    enlist(first, "o1", external_userid="wm1")
    other = enlist(second, "o1", external_userid="wm1")
    world.tell(paid("own", other.share_code, external_userid="wm1"))
    assert statuses("own") == []
    child = enlist(second, "o2", other.distributor_id, external_userid="wm2")
    world.tell(paid("parents", child.share_code, external_userid="wm1"))
    assert {level: fen > 0 for level, _, fen, _ in statuses("parents")} == {1: True, 2: False}


def test_own_purchases_earn_by_the_plan_s_switch(world: World) -> None:
    plan = world.plan(self_purchase=True)
    parent = enlist(plan, "o0", external_userid="wm0")
    child = enlist(plan, "o1", parent.distributor_id, external_userid="wm1")
    world.tell(paid("own", child.share_code, external_userid="wm1"))
    assert figures(child.distributor_id) == {"pending": 1_890}
    assert figures(parent.distributor_id) == {"pending": 567}


@pytest.mark.parametrize("known_first", [True, False])
def test_it_does_not_matter_when_the_buyer_becomes_known(world: World, known_first: bool) -> None:
    plan = world.plan()
    parent = enlist(plan, "o0", external_userid="wm0")
    child = enlist(plan, "o1", parent.distributor_id, external_userid="wm1")
    history = [
        message("own", "created", external_userid="wm1"),
        paid("own", child.share_code, external_userid=None),
    ]
    world.tell(*history if known_first else reversed(history))
    assert sum(fen for _, _, fen, _ in statuses("own")) == 0
    assert figures(child.distributor_id) == figures(parent.distributor_id) == {}
    # A newer message names another buyer.
    world.tell(message("own", "completed", 1, external_userid="wm9"))
    assert sum(fen for _, _, fen, _ in statuses("own")) == 1_890 + 567
    check_books()


@pytest.mark.parametrize("wrong_first", [True, False])
def test_a_parent_who_did_not_buy_after_all_earns(world: World, wrong_first: bool) -> None:
    """The mall named the parent as the buyer, and later somebody else; its messages come in either order."""
    plan = world.plan()
    parent = enlist(plan, "o0", external_userid="wm0")
    child = enlist(plan, "o1", parent.distributor_id, external_userid="wm1")
    history = [
        paid("a", child.share_code, external_userid="wm0"),
        message("a", "completed", 1, external_userid="wm9"),
    ]
    world.tell(*history if wrong_first else reversed(history))
    assert figures(child.distributor_id) == {"pending": 1_890}
    assert figures(parent.distributor_id) == {"pending": 567}
    check_books()


def test_frozen_earns_and_is_not_paid_left_is_paid_and_earns_nothing_new(world: World) -> None:
    plan = world.plan(mature_after="PT0S")
    one, other = (enlist(plan, f"o{n}", external_userid=f"wm{n}") for n in (1, 2))
    for who in (one, other):
        world.tell(paid(f"a-{who.share_code}", who.share_code), message(f"a-{who.share_code}", "completed"))
    world.move(hours=1)
    distributors.change(one.distributor_id, DistributorPatch(status="frozen"))
    distributors.change(other.distributor_id, DistributorPatch(status="left"))
    for who in (one, other):
        world.tell(paid(f"b-{who.share_code}", who.share_code))
    assert orders.get(f"b-{other.share_code}").attribution.reason == "credit_left"
    (payout,) = world.settle().payouts
    assert payout.distributor_id == other.distributor_id
    assert figures(one.distributor_id) == {"available": 1_890, "pending": 1_890}
    assert figures(other.distributor_id) == {"in_payout": 1_890}
    distributors.change(one.distributor_id, DistributorPatch(status="active"))
    assert [one.distributor_id] == [who.distributor_id for who in world.settle().payouts]
    check_books()


def test_names_and_openids_are_sealed_at_rest(world: World) -> None:
    who = enlist(world.plan(), "openid-1", external_userid="wm1")
    distributors.change(who.distributor_id, DistributorPatch(name="李雷", openid="openid-2"))
    stored = str([row.to_dynamodb_dict() for row in DistributorItem.scan()])
    assert not any(text in stored for text in ("王小明", "李雷", "openid-1", "openid-2"))
    assert distribution.payee(distribution.distributor(who.distributor_id)).name == "李雷"


def test_distributors_of_before_work_and_are_sealed_by_the_migration(world: World) -> None:
    plan = world.plan()
    old = {
        "listing": "distributor",
        "name": "王小明",
        "plan_id": plan,
        "status": "active",
        "created_at": "2026",
    }
    for n in (1, 2):
        ids = {"share_code": f"old{n}", "openid": "o1", "external_userid": f"wm{n}"}
        DistributorItem(f"d_old{n}", **old, **ids).save()
        DistributorItem(f"identity#external_userid:wm{n}", is_same_as=f"d_old{n}", created_at="2026").save()
    assert refused(plan, "o9", external_userid="wm1") == ("d_old1", "external_userid")
    world.tell(paid("own", "old1", external_userid="wm1"), paid("o1", "old1"))
    assert (statuses("own"), len(statuses("o1"))) == ([], 2)
    before = distributors.show(distribution.distributor("d_old1"), SYSTEM)
    for _ in range(2):
        migrations.run("seal-distributors", None, 0, "job_1", lambda: 60_000)
    assert "王小明" not in str([row.to_dynamodb_dict() for row in DistributorItem.scan()])
    assert distributors.show(distribution.distributor("d_old1"), SYSTEM) == before
    # They had the same openid all the time: one person, shown as such.
    same = distributors.show_in_detail(distribution.distributor("d_old1"), SYSTEM).same_person
    assert [one.distributor_id for one in same] == ["d_old2"]
    assert refused(plan, "o1", external_userid="wm3")[1] == "openid"
    assert payees.openid_tag("o1") in str([row.distributor_id for row in DistributorItem.scan()])
