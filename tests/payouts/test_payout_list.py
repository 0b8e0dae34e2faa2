"""Payouts and settlements, newest first, by all that finance looks for."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.payouts import payout_list, settlement_list
from chalicelib.payouts.payout_list import PayoutsQuery
from chalicelib.payouts.settlement_list import SettlementsQuery
from chalicelib.wechatpay.client import State
from tests.support.money_world import World, message, paid


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


def listed(limit: int = 2, **filters: Any) -> list[tuple[str, str]]:
    rows, cursor = [], None
    while True:
        page = payout_list.page(PayoutsQuery(limit=limit, cursor=cursor, **filters))
        rows += page.items
        cursor = page.next_cursor
        assert page.total == len(rows)
        if cursor is None:
            return [(row.settlement_id, row.distributor_id) for row in rows]


def test_payouts_and_their_settlements(world: World) -> None:
    plan = world.plan()
    people = [world.distributor(plan, f"wm{n}").distributor_id for n in range(3)]
    codes = [person.removeprefix("d_") for person in people]
    runs = []
    for round_, state in enumerate((State.SUCCESS, State.WAIT_USER_CONFIRM, State.SUCCESS)):
        world.pay.state = state
        for n, code in enumerate(codes):
            order_id = f"o{round_}-{n}"
            world.tell(paid(order_id, code), message(order_id, "completed", 1))
        world.move(days=9)
        runs.append(world.settle().settlement_id)
    rows = listed()
    assert listed(50) == rows and len(rows) == 9 and len(set(rows)) == 9
    assert [run for run, _ in rows] == [run for run in reversed(runs) for _ in people]
    assert listed(status="wait_user_confirm") == [row for row in rows if row[0] == runs[1]]
    assert listed(status="failed") == []
    assert listed(distributor_id=people[0]) == [(run, people[0]) for run in reversed(runs)]
    assert listed(distributor_id=people[0], status="paid") == [(runs[2], people[0]), (runs[0], people[0])]
    assert sorted(listed(settlement_id=runs[1])) == sorted((runs[1], person) for person in people)
    assert listed(settlement_id=runs[1], distributor_id=people[2]) == [(runs[1], people[2])]
    assert listed(settlement_id=runs[1], status="paid") == []
    page = settlement_list.page(SettlementsQuery(limit=2))
    assert [row.settlement_id for row in page.items] == [runs[2], runs[1]] and page.total_is == "at_least"
    last = settlement_list.page(SettlementsQuery(limit=2, cursor=page.next_cursor))
    assert ([row.settlement_id for row in last.items], last.total, last.total_is) == ([runs[0]], 3, "exact")
    assert settlement_list.page(SettlementsQuery(status="failed")).items == []
