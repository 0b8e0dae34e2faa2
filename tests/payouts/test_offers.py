"""Money that came back is offered once more under a new number: by whom ever, however often, cut off anywhere."""

from collections.abc import Callable
from typing import Any

import botocore.client
import pytest

from chalicelib.distribution import distributors
from chalicelib.distribution.types import Distributor, DistributorPatch
from chalicelib.orders.types import OrderLine
from chalicelib.payouts import offers, payout_list, settlement_list
from chalicelib.payouts import transfers as payouts
from chalicelib.payouts.models import PayoutItem
from chalicelib.payouts.taxes import TaxMonthItem
from chalicelib.platform import queues, timeline
from chalicelib.platform.errors import Conflict, NotFound
from chalicelib.wechatpay.client import State
from tests.payouts.test_settlement_kills import _WRITES, Death
from tests.support.money_world import Killed, World, check_books, figures, message, paid, refund, statuses


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


def earn(world: World, who: Distributor, order: str = "o1") -> None:
    """1,890 fen more are available."""
    world.tell(paid(order, who.share_code), message(order, "completed", 1))
    world.move(days=9)


def lapse(world: World) -> str:
    """A settlement's one payout is offered, and not collected: its number."""
    (payout,) = world.settle().payouts
    world.pay.close(payout.payout_id)
    world.move(hours=25)
    return payout.payout_id


@pytest.fixture
def who(world: World) -> Distributor:
    found = world.distributor(world.plan(), "wm1")
    earn(world, found)
    return found


def test_what_lapsed_is_offered_again_under_a_new_number_and_paid(world: World, who: Distributor) -> None:
    old = lapse(world)
    shown = payout_list.get(old)
    assert (shown.status, shown.reason, figures(who.distributor_id)) == (
        "failed",
        "OVERDUE_CLOSE",
        {"available": 1_890},
    )
    made = offers.offer(old)
    assert made.payout_id != old
    assert figures(who.distributor_id) == {"in_payout": 1_890}
    world.work()
    assert payout_list.get(made.payout_id).status == "wait_user_confirm"
    assert payout_list.get(made.payout_id).replaces == old
    assert payout_list.get(old).replaced_by == made.payout_id
    world.pay.pay(made.payout_id)
    world.move(hours=1)
    assert figures(who.distributor_id) == {"paid": 1_890}
    assert {status for *_, status in statuses("o1")} == {"paid"}
    assert world.pay.moved == {made.payout_id: [1_890]}
    told = [row["data"]["status"] for row in timeline.read(f"distributor#{who.distributor_id}")[0]]
    assert told.count("planned") == 2
    check_books()


def test_the_receivers_day_runs_from_when_wechat_took_it_in(world: World, who: Distributor) -> None:
    (payout,) = world.settle().payouts
    shown = payout_list.get(payout.payout_id)
    assert shown.offered_at == "2026-12-01T02:00:00.000000+00:00"
    assert shown.expires_at == "2026-12-02T02:00:00.000000+00:00"
    assert shown.scene_id == "1005"


def test_asked_twice_it_is_offered_once(world: World, who: Distributor) -> None:
    old = lapse(world)
    first, second = offers.offer(old), offers.offer(old)
    assert first.payout_id == second.payout_id
    world.work()
    assert figures(who.distributor_id) == {"in_payout": 1_890}
    assert len(world.pay.bills) == 2


def test_only_what_failed_is_offered_again(world: World, who: Distributor) -> None:
    (payout,) = world.settle().payouts
    with pytest.raises(Conflict, match="wait_user_confirm"):
        offers.offer(payout.payout_id)
    world.pay.pay(payout.payout_id)
    world.move(hours=1)
    with pytest.raises(Conflict, match="paid"):
        offers.offer(payout.payout_id)
    with pytest.raises(NotFound):
        offers.offer("nobodys")
    assert figures(who.distributor_id) == {"paid": 1_890}


def test_what_a_settlement_has_taken_since_is_not_offered(world: World, who: Distributor) -> None:
    old = lapse(world)
    world.settle()
    with pytest.raises(Conflict, match="later settlement"):
        offers.offer(old)
    offers.offer_again(old)  # as the receiver's page asks for it: nothing happens
    assert figures(who.distributor_id) == {"in_payout": 1_890}
    check_books()


def test_what_matured_since_stays_for_the_next_settlement(world: World, who: Distributor) -> None:
    old = lapse(world)
    earn(world, who, "o2")
    made = offers.offer(old)
    assert int(made.amount_fen) == 1_890
    assert figures(who.distributor_id) == {"in_payout": 1_890, "available": 1_890}
    world.work()
    world.pay.pay(made.payout_id)
    world.move(hours=1)
    assert {s for *_, s in statuses("o1")} == {"paid"}
    assert {s for *_, s in statuses("o2")} == {"available"}
    world.pay.state = State.SUCCESS
    world.settle()
    assert figures(who.distributor_id) == {"paid": 3_780}
    check_books()


def test_what_was_refunded_meanwhile_is_not_offered(world: World, who: Distributor) -> None:
    old = lapse(world)
    world.tell(refund("o1", "R1", 10, 9_000, [("2", 9_000)]))
    assert figures(who.distributor_id) == {"available": 990}
    made = offers.offer(old)
    assert int(made.amount_fen) == 990
    assert figures(who.distributor_id) == {"in_payout": 990}
    check_books()
    other = lapse_again(world, made.payout_id)
    world.tell(message("o1", "closed", 20))
    with pytest.raises(Conflict):
        offers.offer(other)
    check_books()


def lapse_again(world: World, payout_id: str) -> str:
    world.work()
    world.pay.close(payout_id)
    world.move(hours=25)
    return payout_id


def test_tax_is_withheld_anew(world: World) -> None:
    found = world.distributor(world.plan(rates=(10_000,), withhold_tax=True), "wm2")
    lines = (type(paid("o", "c").lines[0])("1", "S", "T", 1, 100_000),)
    world.tell(paid("o9", found.share_code, lines=lines), message("o9", "completed", 0.5))
    world.move(days=9)
    old = lapse(world)
    assert figures(found.distributor_id) == {"available": 100_000}
    made = offers.offer(old)
    assert (int(made.gross_fen), int(made.tax_fen), int(made.amount_fen)) == (100_000, 4_000, 96_000)
    assert figures(found.distributor_id) == {"in_payout": 96_000, "tax_withheld": 4_000}
    check_books()


def test_a_settlement_between_reading_and_writing(
    world: World, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = lapse(world)
    sums = offers._sums

    def late(*args: Any) -> Any:
        found = sums(*args)
        monkeypatch.setattr(offers, "_sums", sums)
        world.settle()
        return found

    monkeypatch.setattr(offers, "_sums", late)
    with pytest.raises(Conflict, match="later settlement"):
        offers.offer(old)
    assert figures(who.distributor_id) == {"in_payout": 1_890}
    check_books()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_offer_with_a_death_at_every_step(
    engine: str, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    death = Death()
    call = death.around(botocore.client.BaseClient._make_api_call, lambda _, name, *__: name in _WRITES)
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    world = World(at, sent, monkeypatch)
    monkeypatch.setattr(queues, "send", death.around(queues.send))
    monkeypatch.setattr(world.pay, "transfer", death.around(world.pay.transfer))
    plan = world.plan()
    step = 0
    while True:
        step += 1
        world.pay.state = State.WAIT_USER_CONFIRM
        found = world.distributor(plan, f"wm{step}")
        order = f"o{step}"
        world.tell(paid(order, found.share_code), message(order, "completed", 0.02))
        world.move(days=8)
        settled = world.settle()
        (old,) = [p.payout_id for p in settled.payouts if p.distributor_id == found.distributor_id]
        world.pay.close(old)
        world.move(hours=25)
        world.pay.state = State.SUCCESS
        death.arm(step, after)
        try:
            offers.offer(old)
            world.work()
        except Killed:
            pass
        died = death.left <= 0
        death.arm(-1, after)
        world.sent.clear()  # the worst: what was in the queue is lost, too
        offers.offer(old)  # the person asks again
        world.work()
        world.move(hours=2)
        assert figures(found.distributor_id) == {"paid": 1_890}, step
        assert len(PayoutItem.find(old).replaced_by) == 32
        check_books()
        if not died:
            break
    assert step == 7


def test_a_poll_that_comes_for_the_old_number_changes_nothing(world: World, who: Distributor) -> None:
    old = lapse(world)
    offers.offer(old)
    world.work()
    payouts.advance(old)
    payouts.retry(old)
    assert figures(who.distributor_id) == {"in_payout": 1_890}
    settled = settlement_list.get(payout_list.get(old).settlement_id)
    assert (settled.net_fen, len(settled.payouts)) == (1_890, 2)  # its totals count that money once


def test_an_offer_is_taxed_in_the_month_of_its_settlement(world: World) -> None:
    plan = world.plan(rates=(10_000,), tax="labour_month", mature_after="PT0S")
    found = world.distributor(plan, "wm1")
    old = ""
    for order in ("o1", "o2"):
        line = OrderLine("1", "S", "T", 1, 70_000)
        world.tell(paid(order, found.share_code, lines=(line,)), message(order, "completed", 0.02))
        world.move(hours=1)
        (payout,) = world.settle().payouts
        old = payout.payout_id
    world.pay.close(old)
    world.move(days=12)  # December
    (month,) = TaxMonthItem.query(found.person_id)
    assert (month.month, month.gross_fen, month.tax_fen) == ("2026-11", 70_000, 0)
    made = offers.offer(old)
    (month,) = TaxMonthItem.query(found.person_id)
    assert (int(made.tax_fen), month.gross_fen, month.tax_fen) == (12_000, 140_000, 12_000)
    world.work()
    assert world.pay.bills[made.payout_id]["asked"]["openid"] == "openid-wm1"
    assert "openid-wm1" not in str([row.to_dynamodb_dict() for row in PayoutItem.scan()])
    check_books()


def test_nothing_is_offered_to_who_is_frozen(world: World, who: Distributor) -> None:
    old = lapse(world)
    distributors.change(who.distributor_id, DistributorPatch(status="frozen"))
    with pytest.raises(Conflict):
        offers.offer(old)
    distributors.change(who.distributor_id, DistributorPatch(status="left"))
    assert offers.offer(old).amount_fen == 1_890
