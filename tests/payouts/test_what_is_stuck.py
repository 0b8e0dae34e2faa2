"""Payouts that don't go on by themselves say what they need; a settlement's preview is what it then does."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.distribution import distributors
from chalicelib.distribution.types import DistributorPatch
from chalicelib.ledger import service as ledger
from chalicelib.payouts import offers, payout_list, settlement, settlement_list
from chalicelib.payouts.payout_list import PayoutsQuery
from chalicelib.payouts.settlement_list import PreviewQuery
from chalicelib.platform import auth
from chalicelib.platform.principal import SYSTEM
from chalicelib.wechatpay.client import State
from tests.support.money_world import World, message, paid, refund

Ask = Callable[..., Any]


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


@pytest.fixture
def ask() -> Iterator[Ask]:
    with Client(app) as client:

        def call(method: str, path: str, role: str = "finance", status: int = 200, body: Any = None) -> Any:
            headers = {
                "Authorization": f"Bearer {auth.create_key(role, role)}",
                "Content-Type": "application/json",
            }
            raw = b"" if body is None else json.dumps(body).encode()
            answer = client.http.request(method, path, headers=headers, body=raw)
            assert answer.status_code == status, answer.body
            return json.loads(answer.body)

        yield call


def sold(world: World, people: int = 1, **plan: Any) -> list[str]:
    """So many distributors, each with one matured sale."""
    plan_id = world.plan(**plan)
    made = [world.distributor(plan_id, f"wm{number}") for number in range(people)]
    for number, who in enumerate(made):
        world.tell(paid(f"o{number}", who.share_code), message(f"o{number}", "completed", 1))
    world.move(days=9)
    return [who.distributor_id for who in made]


@pytest.mark.parametrize(
    ("fault", "needs"),
    [
        ("refused NOT_ENOUGH", "top_up"),
        ("refused NO_AUTH", "mend"),
        ("refused A_NEW_CODE", "mend"),
        ("refused FREQUENCY_LIMITED", None),
        ("never arrives", None),
    ],
)
def test_what_a_payout_needs(world: World, ask: Ask, fault: str, needs: str | None) -> None:
    sold(world)
    world.pay.faults = [fault]
    world.settle()
    (row,) = ask("GET", "/api/payouts")["items"]
    assert (row["needs"], bool(row["cure"])) == (needs, True)
    assert [one["payout_id"] for one in ask("GET", "/api/payouts?stuck=true")["items"]] == (
        [row["payout_id"]] if needs else []
    )
    stuck = ask("GET", "/api/payouts/figures")["stuck"]
    assert [(one["needs"], one["count"], one["amount_fen"]) for one in stuck] == (
        [(needs, 1, row["amount_fen"])] if needs else []
    )


def test_what_lapsed_is_offered_again_and_needs_nothing_then(world: World, ask: Ask) -> None:
    sold(world)
    world.settle()
    (number,) = world.pay.bills
    world.pay.close(number)
    world.move(hours=2)
    assert ask("GET", f"/api/payouts/{number}")["needs"] == "offer"
    offers.offer(number)
    again = ask("GET", f"/api/payouts/{number}")
    assert (again["needs"], again["cure"]) == (None, "已用新的单号重新发放")
    made = ask("GET", f"/api/payouts/{number}/commissions")
    assert sum(row["amount_fen"] for row in made["items"]) == again["gross_fen"] == 1_890


def test_figures_by_status_are_the_sums_of_the_lists_and_of_the_ledger(world: World) -> None:
    sold(world, people=3)
    world.pay.faults = ["", "refused NOT_ENOUGH"]
    world.settle()
    world.pay.pay(next(iter(world.pay.bills)))
    world.move(hours=2)
    figures = payout_list.figures()
    for row in figures.statuses:
        listed = payout_list.page(PayoutsQuery(status=row.status, limit=200)).items
        assert (row.count, row.amount_fen) == (len(listed), sum(one.amount_fen for one in listed))
    sums = {row.account: row.balance_fen for row in ledger.trial_balance().accounts}
    by_status = {row.status: row.amount_fen for row in figures.statuses}
    assert by_status["paid"] == sums["asset:merchant"] > 0
    ended = by_status["paid"] + by_status["failed"]
    assert sum(by_status.values()) - ended == sums["liability:in_payout"] > 0


def test_a_payouts_commissions_are_its_sum_until_something_is_given_back(world: World, ask: Ask) -> None:
    sold(world)
    world.pay.state = State.SUCCESS
    (row,) = world.settle().payouts
    path = f"/api/payouts/{row.payout_id}/commissions"
    rows = ask("GET", path)["items"]
    assert sum(one["amount_fen"] for one in rows) == row.amount_fen
    assert {(one["status"], one["distributor_name"], one["plan_name"]) for one in rows} == {
        ("paid", "王小明", "P")
    }
    world.tell(refund("o0", "R1", 10, 9_900, [("1", 9_900)]))
    assert sum(one["amount_fen"] for one in ask("GET", path)["items"]) == row.amount_fen - 990
    ask("GET", "/api/payouts/nothing/commissions", status=404)
    ask("GET", path, role="operator", status=403)


def test_a_preview_is_what_the_settlement_then_does(world: World) -> None:
    plan = {"withhold_tax": True, "minimum_payout_fen": 1_000, "rates": (1_000,)}
    people = sold(world, people=6, **plan)
    distributors.change(people[1], DistributorPatch(status="frozen"))
    world.pay.state = State.SUCCESS
    world.settle()
    for number in (2, 3, 4):  # big enough for tax, some of it later than the rest
        world.tell(*(_big(f"b{number}", world, people[number], 10 + number)))
    world.tell(refund("o5", "R1", 10, 18_900))
    world.move(days=12)
    rows = settlement_list.preview(PreviewQuery(), SYSTEM).items
    before = {row.distributor_id: row for row in rows}
    assert before[people[1]].outcome == "frozen" and before[people[5]].outcome == "debt"
    assert before[people[4]].outcome in ("nothing", "paid") and before[people[2]].tax_fen > 0
    run = settlement.start(None).settlement_id
    world.work()
    found = settlement_list.get(run)
    paid_rows = [row for row in rows if row.outcome == "paid"]
    assert {row.distributor_id: row.net_fen for row in paid_rows} == {
        row.distributor_id: row.amount_fen for row in found.payouts or []
    }
    assert (sum(row.tax_fen for row in paid_rows), sum(row.net_fen for row in paid_rows)) == (
        found.tax_fen,
        found.net_fen,
    )
    assert found.net_fen > 0


@pytest.mark.parametrize("limit", [1, 100])
def test_a_preview_counts_one_month_over_all_plans_of_a_person(world: World, limit: int) -> None:
    """Three plans of one person, ¥9,900 each: the month's free part and its steps are one, on any page."""
    taxed = [world.distributor(world.plan(rates=(10_000,), withhold_tax=True), "wm2") for _ in range(3)]
    free = world.distributor(world.plan(rates=(10_000,)), "wm2")
    for number, who in enumerate((*taxed, free)):
        world.tell(*_big(f"b{number}", world, who.distributor_id, number))
    world.move(days=20)
    rows, cursor = [], None
    while not rows or cursor:
        page = settlement_list.preview(PreviewQuery(limit=limit, cursor=cursor), SYSTEM)
        rows += page.items
        cursor = page.next_cursor
    world.pay.state = State.SUCCESS
    run = settlement.start(None).settlement_id
    world.work()
    found = settlement_list.get(run)
    assert {row.distributor_id: row.net_fen for row in rows if row.outcome == "paid"} == {
        row.distributor_id: row.amount_fen for row in found.payouts or []
    }
    assert sum(row.tax_fen for row in rows) == found.tax_fen > 0
    assert len({row.tax_fen for row in rows}) == 4  # each takes up where the one before ended


def _big(order_id: str, world: World, distributor_id: str, days: int) -> list[Any]:
    code = distributor_id.removeprefix("d_")
    told = paid(order_id, code)
    lines = tuple(type(line)(line.line_id, line.sku, line.title, 200, 9_900) for line in told.lines)
    values = {"lines": lines, "paid_fen": sum(line.paid_fen for line in lines), "share_code": code}
    return [message(order_id, "paid", days, **values), message(order_id, "completed", days)]


def test_a_plan_is_tried_by_the_rule_that_orders_go_by(world: World, ask: Ask) -> None:
    plan = {
        "name": "x",
        "levels": [{"rate_bps": 1_000}, {"rate_bps": 333}],
        "paid_fen": 9_999,
        "refunded_fen": 1,
    }
    path = "/api/distribution/plans/example"
    assert ask("POST", path, body=plan) == {
        "base_fen": 9_998,
        "levels": [
            {"level": 1, "rate_bps": 1_000, "amount_fen": 999},
            {"level": 2, "rate_bps": 333, "amount_fen": 332},
        ],
        "total_fen": 1_331,
    }
    other = {**plan, "scope": {"skus": ["A"]}, "sku": "B"}
    assert ask("POST", path, body=other)["total_fen"] == 0
    third = ask(
        "POST", path, status=422, body={**plan, "levels": [{"rate_bps": 1}] * 3, "refunded_fen": 10_000}
    )
    assert [one["field"] for one in third["errors"]] == ["levels", "refunded_fen"]
    ask("POST", path, role="operator", status=403, body=plan)


def test_of_more_than_are_read_for_one_answer_the_count_is_exact_and_the_sum_says_what_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(world, people=3)
    world.settle()
    monkeypatch.setattr(payout_list, "_MOST_READ", 2)
    (waiting,) = (row for row in payout_list.figures().statuses if row.count)
    assert (waiting.count, waiting.amount_is) == (3, "at_least")
    monkeypatch.setattr(payout_list, "_MOST_READ", 3)
    (whole,) = (row for row in payout_list.figures().statuses if row.count)
    assert (whole.count, whole.amount_is) == (3, "exact") and whole.amount_fen > waiting.amount_fen
