"""Orders and commissions, newest first: pages, filters, and those that were stored before there were lists."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.distribution import commission_list
from chalicelib.distribution import models as distribution_models
from chalicelib.distribution.commission_list import CommissionsQuery
from chalicelib.distribution.models import CommissionItem
from chalicelib.distribution.types import Distributor
from chalicelib.orders import models, order_list
from chalicelib.orders.models import OrderItem
from chalicelib.orders.order_list import OrdersQuery
from chalicelib.platform.errors import NotFound
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import SYSTEM
from tests.support.money_world import T0, World, message, paid, refund


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


@pytest.fixture
def pair(world: World) -> tuple[Distributor, Distributor]:
    plan = world.plan()
    parent = world.distributor(plan, "wm-parent")
    return world.distributor(plan, "wm-child", parent.distributor_id), parent


Pair = tuple[Distributor, Distributor]


def through(page_of: Callable[[str | None], Page[Any]]) -> list[Any]:
    """All items, page by page; the last page's total is their number."""
    items, cursor = [], None
    while True:
        page = page_of(cursor)
        items += page.items
        cursor = page.next_cursor
        assert page.total_is == ("at_least" if cursor else "exact")
        if cursor is None:
            return items


def listed(limit: int = 2, **filters: Any) -> list[str]:
    return [
        row.order_id
        for row in through(
            lambda cursor: order_list.page(OrdersQuery(limit=limit, cursor=cursor, **filters), SYSTEM)
        )
    ]


def test_orders_come_newest_first_over_months_and_once(world: World) -> None:
    days = {"o1": -400, "o2": -70, "o3": -40, "o4": -1, "o5": -0.5, "o6": 0}
    for order_id, day in days.items():
        world.tell(message(order_id, "created", day))
    world.tell(message("o2", "completed", -1), message("o7", "paid", 300))  # a mall's clock is ahead
    assert listed() == listed(50) == ["o7", "o6", "o5", "o4", "o3", "o2", "o1"]
    assert listed(status="completed") == ["o2"] and listed(status="closed") == []
    page = order_list.page(OrdersQuery(limit=3), SYSTEM)
    assert (page.total, page.total_is) == (3, "at_least")


def test_a_message_from_before_moves_an_order_back(world: World) -> None:
    world.tell(message("o1", "completed", 0), message("o2", "created", -1), message("o1", "created", -60))
    assert listed() == ["o2", "o1"]


def test_a_buyers_orders_are_one_list_from_before_they_were_a_customer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.tell(message("o1", "paid", -3, unionid="u1"), message("o2", "paid", -2, unionid="u2"))
    monkeypatch.setattr(order_list.customers, "find_by_unionid", {"u1": "wm1"}.get)
    known = type("Known", (), {"unionid": "u1", "channel": None, "live_code_id": None, "staff_ids": ()})
    monkeypatch.setattr(order_list.customers, "get", {"wm1": known}.get)
    world.tell(message("o3", "paid", -1, unionid="u1"), message("o4", "paid", 0, external_userid="wm1"))
    assert listed(unionid="u1") == listed(external_userid="wm1") == ["o4", "o3", "o1"]
    assert listed(unionid="u2") == ["o2"] and listed(external_userid="wm9") == []
    assert listed(unionid="u1", status="created") == []


def test_what_a_distributor_earns_on(world: World, pair: Pair) -> None:
    for n in range(5):
        world.at(T0 + timedelta(minutes=n))
        world.tell(paid(f"o{n}", pair[n % 2].share_code))
    assert listed(distributor_id=pair[0].distributor_id) == ["o4", "o2", "o0"]
    assert listed(distributor_id=pair[1].distributor_id) == ["o4", "o3", "o2", "o1", "o0"]
    assert listed(distributor_id=pair[1].distributor_id, external_userid="wm-nobody") == []


def commissions(limit: int = 2, **filters: Any) -> list[tuple[str, int, str]]:
    rows = through(
        lambda cursor: commission_list.page(CommissionsQuery(limit=limit, cursor=cursor, **filters), SYSTEM)
    )
    return [(row.order_id, row.level, row.line_id) for row in rows]


def test_commissions_by_all_that_a_screen_asks(world: World, pair: Pair) -> None:
    child, parent = pair
    for n in range(3):
        world.at(T0 + timedelta(minutes=n))
        world.tell(paid(f"o{n}", child.share_code))
    world.tell(refund("o1", "R", 1, 9_900, [("1", 9_900)]))
    whole = [(f"o{n}", level, line) for n in (2, 1, 0) for level in (2, 1) for line in ("1", "2")]
    assert commissions() == commissions(50) == whole
    assert commissions(distributor_id=child.distributor_id) == [row for row in whole if row[1] == 1]
    assert commissions(status="reversed") == [("o1", 2, "1"), ("o1", 1, "1")]
    assert commissions(status="reversed", distributor_id=parent.distributor_id) == [("o1", 2, "1")]
    assert commissions(order_id="o1", status="pending") == [("o1", 1, "2"), ("o1", 2, "2")]
    assert commissions(order_id="o1", distributor_id=parent.distributor_id, status="paid") == []
    with pytest.raises(NotFound):
        commissions(distributor_id="d_nobody")
    page = commission_list.page(CommissionsQuery(limit=1), SYSTEM)
    assert (len(page.items), page.total) == (2, 1)  # of one order and level: two lines


def test_what_was_stored_before_there_were_lists_is_entered_once(world: World, pair: Pair) -> None:
    world.tell(paid("o1", pair[0].share_code), paid("o2", pair[0].share_code))
    for order in OrderItem.scan():
        order.update([getattr(OrderItem, n).remove() for n in ("month_shard", "listed_at", "buyer_id")])
    for row in CommissionItem.scan():
        row.update([CommissionItem.month_shard.remove(), CommissionItem.listed_at.remove()])
    assert listed() == [] and commissions() == []  # and nothing breaks
    assert len(commissions(distributor_id=pair[0].distributor_id)) == 4
    world.tell(message("o1", "completed", 1))  # its next message lists it
    assert listed() == ["o1"]
    for _ in range(2):
        for order in OrderItem.scan():
            models.enter_in_lists(order)
        for row in CommissionItem.scan():
            distribution_models.enter_in_list(row)
        assert sorted(listed()) == sorted(listed(external_userid="wm-buyer")) == ["o1", "o2"]
        assert len(commissions()) == 8
    assert [order.month_shard for order in OrderItem.scan() if order.first_order_id] == [None]


def test_an_order_that_is_written_while_it_is_entered_stays_as_it_was_written(world: World) -> None:
    world.tell(message("o1", "created", -60))
    stale = OrderItem.get("o1")
    stale.listed_at = None
    world.tell(message("o1", "created", -90), message("o1", "paid", -1))
    before = OrderItem.get("o1").attribute_values
    models.enter_in_lists(stale)
    assert OrderItem.get("o1").attribute_values == before
