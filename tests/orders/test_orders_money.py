"""An order's messages and what they earn whom, through the services on stored tables."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.distribution import distributors
from chalicelib.distribution import service as distribution
from chalicelib.distribution.models import DistributorItem
from chalicelib.distribution.types import Distributor, NewDistributor
from chalicelib.ledger import service as ledger
from chalicelib.ledger.models import BalanceItem, JournalItem
from chalicelib.ledger.types import Difference
from chalicelib.orders import models
from chalicelib.orders import service as orders
from chalicelib.platform import timeline
from chalicelib.platform.due import DueItem
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.timeline import TimelineItem
from tests.support.money_world import LINES, T0, World, check_books, figures, message, paid, refund, statuses


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


@pytest.fixture
def pair(world: World) -> tuple[Distributor, Distributor]:
    plan = world.plan()
    parent = world.distributor(plan, "wm-parent")
    return world.distributor(plan, "wm-child", parent.distributor_id), parent


Pair = tuple[Distributor, Distributor]


def test_commission_is_there_the_moment_the_order_is_paid(world: World, pair: Pair) -> None:
    child, parent = pair
    world.tell(message("o1", "created", lines=LINES))
    assert statuses("o1") == []
    world.tell(paid("o1", child.share_code))
    assert statuses("o1") == [
        (1, "1", 990, "pending"),
        (1, "2", 900, "pending"),
        (2, "1", 297, "pending"),
        (2, "2", 270, "pending"),
    ]
    assert figures(child.distributor_id) == {"pending": 1_890}
    assert figures(parent.distributor_id) == {"pending": 567}
    attribution = orders.get("o1").attribution
    assert attribution.by == "share_code" and attribution.distributor_id == child.distributor_id
    check_books()


def test_repeats_write_nothing(world: World, pair: Pair) -> None:
    history = [paid("o1", pair[0].share_code), message("o1", "completed", 1), refund("o1", "R", 2, 500)]
    world.tell(*history)
    tables = (JournalItem, BalanceItem, TimelineItem, models.OrderItem)
    before = [sorted(map(str, (row.to_dynamodb_dict() for row in table.scan()))) for table in tables]
    world.tell(*history, *reversed(history))
    assert before == [sorted(map(str, (row.to_dynamodb_dict() for row in t.scan()))) for t in tables]


def test_the_lines_of_the_timeline(world: World, pair: Pair) -> None:
    world.tell(message("o1", "created", lines=LINES), refund("o1", "R", 2, 500))
    assert [row["type"] for row in timeline.read("order#o1")[0]] == ["order_refunded", "order_created"]
    world.tell(paid("o1", pair[0].share_code), paid("o2", pair[0].share_code))
    lines, _ = timeline.read("wm-buyer")
    told = {row["data"]["order_id"]: row["data"] for row in lines}
    assert [row["type"] for row in lines] == ["order_paid", "order_paid"]
    assert told["o1"]["paid_fen"] == 18_900 and told["o1"]["share_code"] == pair[0].share_code
    assert [told["o1"]["first_order"], told["o2"]["first_order"]] == [True, False]
    earned, _ = timeline.read(f"distributor#{pair[0].distributor_id}")
    assert {(row["type"], row["data"]["delta_fen"]) for row in earned} == {
        ("commission_changed", 1_890),
        ("commission_changed", 1_839),  # o1: of 9,900 and 9,000 a refund of 500 took 262 and 238
    }


class Known:
    """A customer."""

    channel, live_code_id, unionid = "parcel", "lc_1", None
    staff_ids: tuple[str, ...] = ()


def test_a_buyer_whose_add_comes_after_the_order_has_the_channel_when_it_is_paid(
    world: World, pair: Pair, monkeypatch: Any
) -> None:
    world.tell(message("o1", "created", external_userid="wm9"))
    monkeypatch.setattr(orders.customers, "get", {"wm9": Known}.get)
    world.tell(paid("o1", pair[0].share_code, external_userid="wm9"))
    assert [row["data"]["channel"] for row in timeline.read("wm9")[0]] == ["parcel", None]


def test_a_refund_counts_in_the_channel_of_its_payment(world: World, pair: Pair, monkeypatch: Any) -> None:
    world.tell(paid("o1", pair[0].share_code, external_userid=None, unionid="u1"))
    monkeypatch.setattr(orders.customers, "find_by_unionid", {"u1": "wm9"}.get)
    monkeypatch.setattr(orders.customers, "get", {"wm9": Known}.get)
    world.tell(refund("o1", "R", 2, 500))
    told = [row["data"] for subject in ("order#o1", "wm9") for row in timeline.read(subject)[0]]
    assert [(data["refunded_fen"], data["channel"]) for data in told] == [(None, None), (500, None)]


def test_the_buyer_is_found_by_unionid_with_the_channel(world: World, pair: Pair, monkeypatch: Any) -> None:
    monkeypatch.setattr(orders.customers, "find_by_unionid", {"u1": "wm9"}.get)
    monkeypatch.setattr(orders.customers, "get", {"wm9": Known}.get)
    world.tell(paid("o1", pair[0].share_code, external_userid=None, unionid="u1"))
    (line,), _ = timeline.read("wm9")
    assert (line["data"]["channel"], line["data"]["live_code_id"]) == ("parcel", "lc_1")


def test_maturing_falls_due_seven_days_after_completion(world: World, pair: Pair) -> None:
    child, _ = pair
    world.tell(paid("o1", child.share_code), message("o1", "completed", 1))
    assert [item.due_at[:10] for item in DueItem.scan()] == ["2026-11-30"]
    world.move(days=7)
    assert figures(child.distributor_id) == {"pending": 1_890}
    world.move(days=1)
    assert figures(child.distributor_id) == {"available": 1_890}
    assert {status for *_, status in statuses("o1")} == {"available"}
    distribution.mature("o1")
    assert figures(child.distributor_id) == {"available": 1_890}
    check_books()


def test_a_refund_before_maturity_and_one_after(world: World, pair: Pair) -> None:
    child, parent = pair
    world.tell(paid("o1", child.share_code), refund("o1", "R1", 1, 4_951, [("1", 4_951)]))
    assert statuses("o1")[0] == (1, "1", 494, "pending")
    assert figures(child.distributor_id) == {"pending": 1_394}
    world.tell(message("o1", "completed", 1))
    world.move(days=9)
    world.tell(refund("o1", "R2", 9, 9_000, [("2", 9_000)]))
    assert statuses("o1")[1] == (1, "2", 0, "reversed")
    assert figures(child.distributor_id) == {"available": 494}
    assert figures(parent.distributor_id) == {"available": 148}
    check_books()


def test_a_refund_before_the_payment_counts(world: World, pair: Pair) -> None:
    world.tell(refund("o1", "R1", 1, 9_900, [("1", 9_900)]))
    assert statuses("o1") == []
    world.tell(paid("o1", pair[0].share_code))
    assert statuses("o1")[0] == (1, "1", 0, "reversed")
    assert figures(pair[0].distributor_id) == {"pending": 900}


def test_a_closed_order_earns_nothing(world: World, pair: Pair) -> None:
    world.tell(paid("o1", pair[0].share_code), message("o1", "closed", 1))
    assert {status for *_, status in statuses("o1")} == {"reversed"}
    assert figures(pair[0].distributor_id) == {}
    assert orders.get("o1").cancelled is True
    check_books()


def test_an_unknown_share_code_earns_nobody_anything_and_says_so(world: World) -> None:
    world.tell(paid("o1", "nobody99"))
    attribution = orders.get("o1").attribution
    assert (attribution.by, attribution.share_code, attribution.distributor_id) == (None, "nobody99", None)
    assert (attribution.reason, attribution.why) == ("credit_unknown_code", "没有分销员使用这个分享码")
    assert statuses("o1") == []


def test_the_rate_is_that_of_the_day_and_the_scope_too(world: World) -> None:
    plan = world.plan(rates=(500,), skus=("CREAM",))
    who = world.distributor(plan, "wm1")
    world.tell(paid("o1", who.share_code))
    assert statuses("o1") == [(1, "2", 450, "pending")]


def test_forty_lines_go_into_one_transaction(world: World, pair: Pair) -> None:
    lines = tuple(
        type(LINES[0])(f"line-{i:059}", "S" * 64, "题" * 200, 1, 999) for i in range(orders.MAX_LINES)
    )
    world.tell(paid("o1", pair[0].share_code, lines=lines), message("o1", "completed", 1))
    assert figures(pair[0].distributor_id) == {"pending": 99 * orders.MAX_LINES}


def test_a_person_is_a_distributor_once(world: World, pair: Pair) -> None:
    with pytest.raises(Conflict):
        world.distributor(pair[0].plan_id, "wm-child")
    with pytest.raises(Invalid) as told:
        distributors.create(NewDistributor(name="n", openid="o", plan_id="p", parent_id="d_x"))
    assert [field for field, _ in told.value.errors] == ["external_userid", "plan_id", "parent_id"]
    assert {who.distributor_id for who in distribution.page_of_distributors(50, None)[0]} == {
        who.distributor_id for who in pair
    }
    marks = sorted(row.distributor_id for row in DistributorItem.scan() if "#" in row.distributor_id)
    assert marks[:2] == ["identity#external_userid:wm-child", "identity#external_userid:wm-parent"]
    assert [mark.partition(":")[0] for mark in marks[2:4]] == ["identity#openid"] * 2
    with pytest.raises(NotFound):
        distribution.distributor(marks[0])


def test_an_audit_finds_a_changed_journal_and_a_changed_sum(world: World, pair: Pair) -> None:
    child, _ = pair
    world.tell(paid("o1", child.share_code))
    (row,) = JournalItem.query(child.distributor_id)
    row.update(actions=[JournalItem.reason.set({"order_id": "another"})])
    BalanceItem(child.distributor_id).update(actions=[BalanceItem.cr_pending.add(1)])
    found = ledger.audit(child.distributor_id)
    assert not found.ok and found.altered == [row.journal]
    assert found.differences == [
        Difference(account="liability:pending", journals_fen=1_890, balance_fen=1_891)
    ]


def test_due_at_is_never_before_completion(world: World, pair: Pair) -> None:
    world.tell(message("o1", "completed", 3))
    world.tell(paid("o1", pair[0].share_code))  # comes late
    (item,) = DueItem.scan()
    assert item.due_at.startswith(f"{T0 + timedelta(days=10):%Y-%m-%d}")
