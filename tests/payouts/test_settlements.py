"""Settlements: who is paid, when, once; by hand and by schedule."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.distribution import commission_list
from chalicelib.distribution import service as distribution
from chalicelib.distribution.types import Distributor
from chalicelib.ledger import service as ledger
from chalicelib.payouts import settlement, settlement_list
from chalicelib.payouts.models import SettlementItem
from chalicelib.platform import jobs, queues
from chalicelib.platform.due import DueItem
from chalicelib.platform.errors import Upstream
from chalicelib.wechatpay.client import State
from functions.settle import handler
from tests.support.money_world import World, check_books, figures, message, paid, refund, statuses


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


def earn(world: World, who: Distributor, order_id: str) -> None:
    world.tell(paid(order_id, who.share_code), message(order_id, "completed", 1))


def refuse(*_: Any, **__: Any) -> None:
    raise Upstream("no")


def test_pages_a_job_and_its_sums(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement, "_PAGE", 2)
    plan = world.plan()
    people = [world.distributor(plan, f"wm{i}") for i in range(5)]
    for i, who in enumerate(people[:4]):
        earn(world, who, f"o{i}")
    world.move(days=9)
    started = settlement.start(None)
    assert (started.status, started.done) == ("running", 0)
    world.work()
    job = jobs.get(started.job_id)
    assert (job.status, job.done, job.total) == ("finished", 5, 5)
    assert job.result_id == started.settlement_id
    found = settlement_list.get(started.settlement_id)
    assert (found.status, found.distributors, found.skipped) == ("finished", 4, 0)
    assert (found.gross_fen, found.tax_fen, found.net_fen) == (4 * 1_890, 0, 4 * 1_890)
    assert {p.distributor_id for p in found.payouts} == {who.distributor_id for who in people[:4]}
    check_books()


def test_below_the_minimum_stays_available(world: World) -> None:
    who = world.distributor(world.plan(minimum_payout_fen=1_891), "wm1")
    earn(world, who, "o1")
    world.move(days=9)
    assert world.settle().payouts == []
    assert figures(who.distributor_id) == {"available": 1_890}


def test_it_matures_what_the_ticker_left_behind_but_nothing_before_its_time(world: World) -> None:
    who = world.distributor(world.plan(), "wm1")
    earn(world, who, "o1")
    world.now += timedelta(days=7)
    world.at(world.now)
    far = settlement.start(world.now + timedelta(days=400))
    world.work()
    assert settlement_list.get(far.settlement_id).payouts == []
    world.now += timedelta(days=2)
    world.at(world.now)
    for item in DueItem.scan():
        item.delete()
    assert len(world.settle().payouts) == 1
    check_books()


def test_the_same_page_again_pays_nothing_again(world: World) -> None:
    who = world.distributor(world.plan(), "wm1")
    earn(world, who, "o1")
    world.move(days=9)
    started = settlement.start(None)
    (_, first, _) = world.sent[0]
    settlement.run_page(first["settlement_id"], None, 0)
    SettlementItem(started.settlement_id).update(actions=[SettlementItem.status.set("running")])
    settlement.run_page(first["settlement_id"], None, 0)
    assert [message["kind"] for _, message, _ in world.sent] == ["settle", "payout", "payout"]
    world.work()
    found = settlement_list.get(started.settlement_id)
    assert (found.distributors, found.net_fen, len(found.payouts)) == (1, 1_890, 1)
    assert figures(who.distributor_id) == {"in_payout": 1_890}
    assert [call.split()[0] for call in world.pay.calls] == ["transfer", "query"]


def test_one_that_fails_does_not_stop_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = world.plan()
    people = [world.distributor(plan, f"wm{i}") for i in range(3)]
    for i, who in enumerate(people):
        earn(world, who, f"o{i}")
    world.move(days=9)
    settle = settlement._settle

    def failing(run: Any, who: Distributor, plan: Any) -> Any:
        if who.distributor_id == people[1].distributor_id:
            raise KeyError("a bug")
        return settle(run, who, plan)

    monkeypatch.setattr(settlement, "_settle", failing)
    found = world.settle()
    assert (len(found.payouts), found.skipped, found.status) == (2, 1, "finished")
    assert figures(people[1].distributor_id) == {"available": 1_890}


def test_a_page_that_comes_again_counts_its_skipped_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "_PAGE", 1)
    plan = world.plan()
    for i in range(2):
        earn(world, world.distributor(plan, f"wm{i}"), f"o{i}")
    world.move(days=9)
    monkeypatch.setattr(settlement, "_settle", lambda *_: 1 / 0)
    run = settlement.start(None).settlement_id
    while world.sent:
        queue, page, _ = world.sent.pop(0)
        with monkeypatch.context() as broken, pytest.raises(Upstream):
            broken.setattr(settlement, "_progress", refuse)  # before the next page is sent
            world.one(queue, page)
        world.one(queue, page)
    assert settlement_list.get(run).skipped == 2


def test_the_daily_run_settles_plans_that_want_it_once_a_period(world: World) -> None:
    weekly = world.distributor(world.plan(settle_every="P7D"), "wm1")
    by_hand = world.distributor(world.plan(), "wm2")
    earn(world, weekly, "o1")
    earn(world, by_hand, "o2")
    world.now += timedelta(days=9)
    world.at(world.now)
    for _ in range(2):
        settlement.daily(world.now)
        world.work()
    assert figures(weekly.distributor_id) == {"in_payout": 1_890}
    assert figures(by_hand.distributor_id) == {"available": 1_890}  # matured by the sweep
    assert [row.every for row in SettlementItem.scan()] == ["P7D"]


def test_a_queue_that_refuses_leaves_a_failed_settlement(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "send", refuse)
    with pytest.raises(Upstream):
        settlement.start(None)
    (row,) = SettlementItem.scan()
    assert row.status == "failed" and jobs.get(row.job_id).status == "failed"


def two_orders(world: World) -> Distributor:
    """Of one distributor: the first available now, the second three days later."""
    who = world.distributor(world.plan(), "wm1")
    world.tell(paid("o1", who.share_code), message("o1", "completed", 1))
    world.tell(paid("o2", who.share_code), message("o2", "completed", 4))
    world.move(days=9)
    return who


def test_what_matures_while_a_payout_is_on_its_way_is_not_paid_with_it(world: World) -> None:
    who = two_orders(world)
    (first,) = world.settle().payouts
    world.move(days=3)
    world.pay.pay(first.payout_id)
    world.move(hours=2)
    assert {status for *_, status in statuses("o1")} == {"paid"}
    assert {status for *_, status in statuses("o2")} == {"available"}
    assert figures(who.distributor_id) == {"paid": 1_890, "available": 1_890}
    world.pay.state = State.SUCCESS
    world.settle()
    assert {status for *_, status in statuses("o2")} == {"paid"}


def between(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]) -> None:
    """Do `work` right after the next balance was read: the reader decides on what is no longer so."""
    read = ledger.balance

    def stale(subject: str) -> Any:
        monkeypatch.setattr(ledger, "balance", read)
        found = read(subject)
        work()
        return found

    monkeypatch.setattr(ledger, "balance", stale)


def test_a_settlement_in_the_midst_of_maturing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    who = two_orders(world)
    world.now += timedelta(days=3)
    world.at(world.now)
    run = settlement.start(None).settlement_id
    monkeypatch.setattr(distribution, "mature_due", lambda *_: None)
    between(monkeypatch, lambda: settlement.run_page(run, None, 0))
    distribution.mature("o2")
    world.pay.state = State.SUCCESS
    world.work()
    assert figures(who.distributor_id) == {"paid": 1_890, "available": 1_890}
    assert {status for *_, status in statuses("o2")} == {"available"}


def test_a_maturing_in_the_midst_of_a_settlement(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    who = two_orders(world)
    world.now += timedelta(days=3)
    world.at(world.now)
    run = settlement.start(None).settlement_id
    monkeypatch.setattr(distribution, "mature_due", lambda *_: None)
    between(monkeypatch, lambda: distribution.mature("o2"))
    settlement.run_page(run, None, 0)
    world.pay.state = State.SUCCESS
    world.work()
    assert figures(who.distributor_id) == {"paid": 3_780}
    assert {status for *_, status in statuses("o1") + statuses("o2")} == {"paid"}


def test_a_refund_in_the_midst_of_a_settlement(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    who = two_orders(world)
    settlement.start(None)
    between(monkeypatch, lambda: world.tell(refund("o1", "R1", 9, 9_000, [("2", 9_000)])))
    world.work()
    assert figures(who.distributor_id) == {"pending": 1_890, "in_payout": 990}
    check_books()


def test_what_is_earned_after_maturing_is_of_the_present_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pay.state = State.SUCCESS
    who = two_orders(world)
    world.tell(message("o3", "completed", 1, share_code=who.share_code))  # overtakes its payment
    world.move(days=3)
    between(monkeypatch, world.settle)
    world.tell(paid("o3", who.share_code))
    assert figures(who.distributor_id) == {"paid": 3_780, "available": 1_890}
    assert {status for *_, status in statuses("o3")} == {"available"}
    assert {row.payout_id for row in commission_list.of_order("o3")} == {None}
    world.settle()
    assert {status for *_, status in statuses("o3")} == {"paid"}


def test_the_handler_sorts_the_queues_work_from_the_schedule(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = world.distributor(world.plan(), "wm1")
    earn(world, who, "o1")
    world.now += timedelta(days=9)
    world.at(world.now)
    assert handler.handler({"source": "aws.scheduler"}, None) is None
    assert [message["kind"] for _, message, _ in world.sent] == ["sweep"]
    works = [{"kind": "nonsense"}, {"kind": "mature", "order_id": "o1"}]
    records = [
        {
            "messageId": str(n),
            "body": json.dumps(work),
            "eventSourceARN": "arn:aws:sqs:cn-north-1:1:settle.fifo",
            "attributes": {"MessageGroupId": str(n)},
        }
        for n, work in enumerate(works)
    ]
    answer = handler.handler({"Records": records}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert figures(who.distributor_id) == {"available": 1_890}
