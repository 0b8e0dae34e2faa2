"""Threads on a real engine: settlements, refunds and an order's messages, all at once."""

import contextlib
import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.distribution import distributors, persons
from chalicelib.distribution import service as distribution
from chalicelib.distribution.types import Distributor, NewDistributor
from chalicelib.orders.types import OrderLine
from chalicelib.payouts import settlement, settlement_list
from chalicelib.payouts.taxes import TaxMonthItem
from chalicelib.platform.errors import Conflict
from chalicelib.platform.storage import Busy
from chalicelib.wechatpay.client import State
from tests.support.money_world import World, check_books, figures, message, paid, refund, statuses


@pytest.fixture
def world(engine: str, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


def at_once(*works: Callable[[], Any]) -> None:
    """All of them at once; what is Busy is handed out again, as its queue would."""

    def persist(work: Callable[[], Any]) -> None:
        for _ in range(50):
            try:
                work()
                return
            except Busy:
                continue
        raise AssertionError("always busy")

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(persist, work) for work in works]:
            future.result()


def matured(world: World, people: Iterable[Distributor], orders: int) -> None:
    for who in people:
        for i in range(orders):
            order = f"{who.share_code}-{i}"
            world.tell(paid(order, who.share_code), message(order, "completed", 0.02))
    world.move(days=8)


def test_two_settlements_at_once_pay_once(world: World) -> None:
    world.pay.state = State.SUCCESS
    plan = world.plan()
    people = [world.distributor(plan, f"wm{i}") for i in range(12)]
    matured(world, people, 2)
    runs = [settlement.start(None).settlement_id for _ in range(4)]
    world.sent.clear()
    at_once(*[lambda run=run: settlement.run_page(run, None, 0) for run in runs])
    payouts = list(world.sent)
    at_once(*[lambda m=m: world.one("payout", m) for _, m, _ in payouts * 2])
    found = [settlement_list.get(run) for run in runs]
    assert sum(run.skipped for run in found) == 0
    assert sum(len(run.payouts) for run in found) == 12
    assert sum(run.net_fen for run in found) == 12 * 2 * 1_890
    assert sum(sum(amounts) for amounts in world.pay.moved.values()) == 12 * 2 * 1_890
    assert all(figures(who.distributor_id) == {"paid": 3_780} for who in people)
    check_books()


def test_a_month_s_tax_is_exact_however_many_settle_it_at_once(world: World) -> None:
    """Six persons with a code in each of three plans; every payout is of 700.00."""
    world.pay.state = State.SUCCESS
    plans = [world.plan(rates=(10_000,), withhold_tax=True) for _ in range(3)]
    people = [[world.distributor(plan, f"wm{i}") for plan in plans] for i in range(6)]
    line = OrderLine("1", "S", "T", 1, 70_000)
    for who in (who for codes in people for who in codes):
        order = f"o-{who.share_code}"
        world.tell(paid(order, who.share_code, lines=(line,)), message(order, "completed", 0.02))
    world.move(days=8)
    runs = [settlement.start(None).settlement_id for _ in range(4)]
    world.sent.clear()
    at_once(*[lambda run=run: settlement.run_page(run, None, 0) for run in runs])
    assert sum(settlement_list.get(run).skipped for run in runs) == 0
    for codes in people:
        (month,) = TaxMonthItem.query(codes[0].person_id)
        assert (month.gross_fen, month.tax_fen) == (210_000, 26_000)
        assert sum(figures(who.distributor_id).get("tax_withheld", 0) for who in codes) == 26_000
    check_books()


def test_refunds_and_new_orders_while_settlements_run(world: World) -> None:
    world.pay.state = State.SUCCESS
    plan = world.plan()
    people = [world.distributor(plan, f"wm{i}") for i in range(4)]
    matured(world, people, 4)
    works: list[Callable[[], Any]] = []
    for who in people:
        for i in range(4):
            order = f"{who.share_code}-{i}"
            part = [
                refund(order, "R1", 8, 4_951, [("1", 4_951)]),
                refund(order, "R2", 8.1, 9_000, [("2", 9_000)]),
            ]
            works += [lambda one=one: world.tell(one) for one in part]
            works.append(lambda o=f"{order}-new", c=who.share_code: world.tell(paid(o, c)))
    for _ in range(3):
        run = settlement.start(None).settlement_id
        works.append(lambda run=run: settlement.run_page(run, None, 0))
    world.sent.clear()
    random.Random(7).shuffle(works)
    at_once(*works)
    world.work()
    for who in people:
        found = figures(who.distributor_id)
        earned = 4 * 494
        assert found.pop("pending") == 4 * 1_890
        assert found.get("paid", 0) + found.get("available", 0) - found.get("debt", 0) == earned
        assert [fen for _, _, fen, _ in statuses(f"{who.share_code}-0")] == [494, 0]
    check_books()


def test_one_orders_messages_all_at_once(world: World) -> None:
    plan = world.plan()
    parent = world.distributor(plan, "parent")
    who = world.distributor(plan, "child", parent.distributor_id)
    history = [
        message("o1", "created"),
        paid("o1", who.share_code),
        message("o1", "completed", 1),
        *[refund("o1", f"R{i}", 2 + i, 1_000, [("1", 1_000)]) for i in range(4)],
    ]
    at_once(*[lambda one=one: world.tell(one) for one in history * 3])
    assert [fen for _, _, fen, _ in statuses("o1")] == [590, 900, 177, 270]
    assert figures(who.distributor_id) == {"pending": 1_490}
    check_books()


def test_maturing_at_once_counts_once(world: World) -> None:
    who = world.distributor(world.plan(), "wm1")
    world.tell(paid("o1", who.share_code), message("o1", "completed", 0.02))
    world.now = world.now.replace(day=30)
    world.at(world.now)
    works: list[Callable[[], Any]] = [lambda: distribution.mature("o1")] * 8
    works += [lambda: distribution.mature_due(who.distributor_id, world.now)] * 8
    at_once(*works)
    assert figures(who.distributor_id) == {"available": 1_890}
    check_books()


def test_a_person_applies_eight_times_at_once_to_two_plans(world: World) -> None:
    """By an external_userid and by the openid that goes with it."""
    plans = [world.plan(), world.plan()]
    made: list[Distributor] = []

    def apply(plan: str, person: str) -> None:
        new = NewDistributor(name="n", openid="o1", plan_id=plan, external_userid=person)
        with contextlib.suppress(Conflict):
            made.append(distributors.create(new))

    works = [lambda p=plan, w=person: apply(p, w) for plan in plans for person in ("wm1", "wm2")]
    at_once(*works * 4)
    assert len(distribution.page_of_distributors(50, None)[0]) == 2 == len({who.plan_id for who in made})
    assert len({persons.of_distributor(who).person_id for who in made}) == 1
