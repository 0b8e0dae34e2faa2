"""Tax withheld by the month: over settlements, plans and the two that turned out to be one person."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from chalicelib.customers import models as customers
from chalicelib.customers.rules import Customer
from chalicelib.distribution import persons, plans
from chalicelib.distribution.types import Distributor
from chalicelib.orders.types import OrderLine
from chalicelib.payouts import rules, settlement, settlement_list, taxes
from chalicelib.payouts.models import PayoutItem
from chalicelib.payouts.taxes import TaxMonthItem
from tests.support.money_world import T0, World, check_books, figures, message, paid

NOVEMBER = "2026-11"


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


def plan_of(world: World, **more: Any) -> str:
    return world.plan(rates=(10_000,), mature_after="PT0S", **{"tax": "labour_month", **more})


def earn(world: World, who: Distributor, order_id: str, fen: int) -> None:
    """So much becomes available at once."""
    line = OrderLine("1", "S", "T", 1, fen)
    world.tell(paid(order_id, who.share_code, lines=(line,)), message(order_id, "completed", 0.02))
    world.move(hours=1)


def months() -> dict[tuple[str, str], tuple[int, int]]:
    return {(row.person, row.month): (row.gross_fen, row.tax_fen) for row in TaxMonthItem.scan()}


@pytest.mark.parametrize(("fen", "tax_fen"), [(70_000, 26_000), (79_900, 31_940)])
def test_three_settlements_of_a_day_are_taxed_as_one(world: World, fen: int, tax_fen: int) -> None:
    who = world.distributor(plan_of(world), "wm1")
    for n in range(3):
        earn(world, who, f"o{n}", fen)
        assert len(world.settle().payouts) == 1
    assert figures(who.distributor_id)["tax_withheld"] == tax_fen
    assert months() == {(who.person_id, NOVEMBER): (3 * fen, tax_fen)}
    check_books()


def test_each_payment_on_its_own_and_none_at_all(world: World) -> None:
    once = world.distributor(plan_of(world, tax="labour_once"), "wm1")
    none = world.distributor(plan_of(world, tax="none"), "wm2")
    for n in range(2):
        earn(world, once, f"a{n}", 90_000)
        earn(world, none, f"b{n}", 90_000)
        world.settle()
    assert figures(once.distributor_id)["tax_withheld"] == 2 * 2_000
    assert "tax_withheld" not in figures(none.distributor_id)
    assert months() == {}


def test_the_next_month_begins_anew_in_china(world: World) -> None:
    who = world.distributor(plan_of(world), "wm1")
    earn(world, who, "o1", 70_000)
    world.settle()
    world.now = datetime(2026, 11, 30, 15, 59, tzinfo=timezone.utc)  # 23:59
    world.at(world.now)
    earn(world, who, "o2", 70_000)
    run = settlement.start(None).settlement_id  # an hour later: December in China
    world.work()
    assert settlement_list.get(run).tax_fen == 0
    assert months() == {(who.person_id, month): (70_000, 0) for month in (NOVEMBER, "2026-12")}


def test_one_person_over_two_plans(world: World) -> None:
    first, second = (plan_of(world) for _ in range(2))
    one = world.distributor(first, "wm1")
    other = world.distributor(second, "wm1")
    assert one.person_id == other.person_id
    earn(world, one, "o1", 70_000)
    earn(world, other, "o2", 70_000)
    assert world.settle().tax_fen == 12_000
    assert months() == {(one.person_id, NOVEMBER): (140_000, 12_000)}
    check_books()


def test_two_who_turn_out_to_be_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a unionid that their customer has later; each has been paid already."""
    one, other = (world.distributor(plan_of(world), person) for person in ("wm1", "wm2"))
    earn(world, one, "o1", 70_000)
    earn(world, other, "o2", 70_000)
    assert world.settle().tax_fen == 0
    for person in ("wm1", "wm2"):
        customers.save(Customer(person, unionid="u1"))
    monkeypatch.setattr("chalicelib.customers.service.get", customers.load)
    earn(world, one, "o3", 5_000)
    earn(world, other, "o4", 5_000)
    # Whoever is looked at second would be withheld 140.00 of 50.00: that waits for more, or for the next month.
    assert len(world.settle().payouts) == 1
    earn(world, one, "o5", 95_000)
    earn(world, other, "o6", 95_000)
    world.settle()
    assert sum(gross for gross, _ in months().values()) == 340_000
    assert sum(tax for _, tax in months().values()) == rules.tax(340_000) == 52_000
    both = persons.of_distributor(one)
    assert both == persons.of_distributor(other) and set(both.distributor_ids) == {
        one.distributor_id,
        other.distributor_id,
    }
    check_books()


def test_a_payout_that_fails_gives_its_tax_back_to_the_month(world: World) -> None:
    who = world.distributor(plan_of(world), "wm1")
    for n in range(2):
        earn(world, who, f"o{n}", 70_000)
        (payout,) = world.settle().payouts
    assert months() == {(who.person_id, NOVEMBER): (140_000, 12_000)}
    world.pay.close(payout.payout_id)
    world.move(hours=2)
    assert months() == {(who.person_id, NOVEMBER): (70_000, 0)}
    assert figures(who.distributor_id)["available"] == 70_000
    assert world.settle().tax_fen == 12_000
    check_books()


def test_the_first_of_a_month_fails_and_nothing_negative_is_withheld(world: World) -> None:
    who = world.distributor(plan_of(world), "wm1")
    payouts = []
    for n in range(3):
        earn(world, who, f"o{n}", 70_000)
        payouts += [one.payout_id for one in world.settle().payouts]
    world.pay.close(payouts[0])
    world.move(hours=2)
    assert months() == {(who.person_id, NOVEMBER): (140_000, 26_000)}
    assert world.settle().tax_fen == 0  # of 2,100.00 in all 260.00 are withheld already
    assert months() == {(who.person_id, NOVEMBER): (210_000, 26_000)}
    check_books()


def test_a_payout_of_a_plan_that_is_taxed_otherwise_by_then_gives_back_what_it_took(world: World) -> None:
    plan_id = plan_of(world)
    who = world.distributor(plan_id, "wm1")
    earn(world, who, "o1", 100_000)
    (payout,) = world.settle().payouts
    plans.change(plan_id, {"tax": "none"})
    world.pay.close(payout.payout_id)
    world.move(hours=2)
    assert months() == {(who.person_id, NOVEMBER): (0, 0)}
    assert world.settle().tax_fen == 0 and months() == {(who.person_id, NOVEMBER): (0, 0)}
    check_books()


def test_a_payout_keeps_no_name_and_no_openid_in_plain_text(world: World) -> None:
    who = world.distributor(plan_of(world), "wm1")
    earn(world, who, "o1", 300_000)
    (payout,) = world.settle().payouts
    assert "王小明" not in str([row.to_dynamodb_dict() for row in PayoutItem.scan()])
    assert world.pay.bills[payout.payout_id]["asked"]["name"] == "王小明"
    assert world.pay.bills[payout.payout_id]["asked"]["openid"] == "openid-wm1"


def test_between_the_reading_of_a_month_and_its_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (world.distributor(plan_of(world), "wm1") for _ in range(2))
    earn(world, one, "o1", 70_000)
    earn(world, other, "o2", 70_000)
    open_account, runs = taxes.open_account, [settlement.start(None).settlement_id for _ in range(2)]

    def interrupted(*args: Any) -> Any:
        monkeypatch.setattr(taxes, "open_account", open_account)
        account = open_account(*args)
        settlement.run_page(runs[1], None, 0)  # pays both, in the midst of the first
        return account

    monkeypatch.setattr(taxes, "open_account", interrupted)
    settlement.run_page(runs[0], None, 0)
    assert [settlement_list.get(run).tax_fen for run in runs] == [0, 12_000]
    assert months() == {(one.person_id, NOVEMBER): (140_000, 12_000)}
    assert timedelta(0) < world.now - T0 < timedelta(days=1)
