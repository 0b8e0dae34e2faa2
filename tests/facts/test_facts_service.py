"""Facts follow the timeline, whatever the order, number and fate of its messages."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.customers import models as customer_models
from chalicelib.customers import rules as customer_rules
from chalicelib.customers.rules import Source
from chalicelib.facts import models, rules, service
from chalicelib.facts.models import DatedFactsItem, FactsItem
from chalicelib.facts.rule_reader import read
from chalicelib.facts.sources import event_types
from chalicelib.facts.types import Facts
from chalicelib.orders import service as orders
from chalicelib.orders.types import Message, OrderLine, Refund
from chalicelib.platform import storage
from chalicelib.platform.timeline import Line, TimelineItem

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
WHO = "wm1"


@pytest.fixture(autouse=True)
def world(tables: None, keys: None, sent: Any, at: Callable[[datetime], None]) -> None:
    at(NOW)


def add(staff_id: str, minutes: int, source: Source | None = None) -> None:
    at = NOW + timedelta(minutes=minutes)
    write(
        customer_rules.added(customer_models.load(WHO), staff_id, at, False, source).customer,
        "customer_added",
        at,
        {"staff_id": staff_id},
    )


def lose(staff_id: str, minutes: int) -> None:
    at = NOW + timedelta(minutes=minutes)
    data = {"staff_id": staff_id, "by": "customer", "ends": True, "last": False}
    write(customer_rules.lost(customer_models.load(WHO), staff_id, at).customer, "customer_lost", at, data)


def write(customer: customer_rules.Customer, type_: str, at: datetime, data: dict[str, Any]) -> None:
    from chalicelib.platform import timeline

    customer_models.save(customer)
    assert timeline.record(Line(WHO, type_, at, f"{type_}{at}", data))


def group(type_: str, minutes: int) -> None:
    from chalicelib.platform import timeline

    timeline.record(
        Line(WHO, type_, NOW + timedelta(minutes=minutes), f"{type_}{minutes}", {"chat_id": "wr1"})
    )


def order(order_id: str, status: str, hours: float, **more: Any) -> None:
    lines = (OrderLine("1", "BOX", "礼盒", 2, 5_000), OrderLine("2", "BAG", "袋", 1, 900))
    told = (
        {"lines": lines, "external_userid": WHO, "paid_fen": 10_900}
        if status != "refunded"
        else {"external_userid": WHO}
    )
    orders.take(Message(order_id, status, NOW + timedelta(hours=hours), **{**told, **more}).to_queue())


def live() -> None:
    """A customer's life."""
    add("ann", 0, Source(NOW, "counter", "lc1"))
    add("bob", 5)
    lose("ann", 10)
    add("ann", 20)
    lose("ann", 25)
    group("joined_group", 30)
    group("left_group", 31)
    group("joined_group", 40)
    order("M1", "created", 1)
    order("M1", "paid", 2)
    order("M2", "paid", 3, paid_fen=500)
    order("M1", "refunded", 4, refund=Refund("r1", 1_000))


def lines() -> list[Line]:
    from chalicelib.platform import timeline

    return [timeline._line(item) for item in TimelineItem.scan() if item.type in event_types()]


EXPECTED = Facts(
    external_userid=WHO,
    staff_ids=("bob",),
    groups=("wr1",),
    channel="counter",
    live_code_id="lc1",
    added_at=NOW,
    first_order_at=NOW + timedelta(hours=2),
    last_order_at=NOW + timedelta(hours=3),
    orders=2,
    paid_fen=11_400,
    refunded_fen=1_000,
)


@pytest.mark.parametrize("seed", range(5))
def test_lines_twice_and_in_any_order_give_the_same_facts(seed: int) -> None:
    live()
    heard = lines() * 2
    random.Random(seed).shuffle(heard)
    for line in heard:
        service.on_line(line)
    assert service.get(WHO) == EXPECTED


def test_facts_are_right_after_each_line_of_a_life() -> None:
    add("ann", 0)
    [line] = lines()
    service.on_line(line)
    assert service.get(WHO) == Facts(external_userid=WHO, staff_ids=("ann",), added_at=NOW)
    lose("ann", 10)
    for line in lines():
        service.on_line(line)
    facts = service.get(WHO)
    assert facts is not None and facts.lost_at == NOW + timedelta(minutes=10) and facts.staff_ids == ()


def test_a_line_heard_while_another_is_worked_on_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """| ours | another's |
    |---|---|
    | reads the rows, without M2 | |
    | | writes M2's row and the record |
    | writes: refused, reads anew | |
    """
    add("ann", 0)
    order("M1", "paid", 2)
    first = lines()
    order("M2", "paid", 3)
    rest = [line for line in lines() if line not in first]
    dated = models.dated_facts

    def read_then_interrupted(external_userid: str) -> Any:
        rows = dated(external_userid)
        while rest:
            service.on_line(rest.pop())
        return rows

    monkeypatch.setattr(models, "dated_facts", read_then_interrupted)
    for line in first:
        service.on_line(line)
    facts = service.get(WHO)
    assert facts is not None and facts.orders == 2


def dying(left: list[int], put: Callable[..., bool], *args: Any) -> bool:
    """Puts, until `left` puts are done: then the process dies once."""
    left[0] -= 1
    if left[0] == -1:
        raise KeyboardInterrupt
    return put(*args)


def test_killed_at_any_write_the_message_comes_again_and_all_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live()
    storage_put = storage.put_once
    for last in range(60):
        for item in [*FactsItem.scan(), *DatedFactsItem.scan()]:
            item.delete()
        left = [last]
        monkeypatch.setattr(storage, "put_once", partial(dying, left, storage_put))
        for line in lines():
            try:
                service.on_line(line)
            except KeyboardInterrupt:
                service.on_line(line)
        assert service.get(WHO) == EXPECTED
        if left[0] >= 0:
            return
    raise AssertionError("a life has fewer writes than that")


def test_a_rule_is_asked_of_the_customer_as_they_are_now() -> None:
    live()
    for line in lines():
        service.on_line(line)
    later = NOW + timedelta(hours=5)
    for asked, fits in (
        ({"bought": {"any": ["BAG"], "within": "PT4H"}}, True),
        ({"bought": {"any": ["BAG"], "within": "PT1H"}}, False),
        ({"orders": {"eq": 1, "within": "PT3H"}}, True),
        ({"average_fen": {"eq": 5_700}}, True),
        (
            {
                "all": [
                    {"group": {"in": ["wr1"]}},
                    {"staff_id": {"in": ["bob"]}},
                    {"not": {"rfm": {"in": ["A"]}}},
                ]
            },
            True,
        ),
        ({"rfm": {"not_in": ["A"]}}, False),
    ):
        assert service.judge(WHO, read(asked), later) is fits, asked
    assert not rules.asks_dated(read({"group": {"in": ["wr1"]}}))


def test_who_never_was_a_customer_has_no_facts() -> None:
    group("joined_group", 0)
    for line in lines():
        service.on_line(line)
    assert service.get(WHO) is None and FactsItem.count() == 0
