"""The process dies between any two outside effects, and the message comes again: paid once, nothing lost."""

from collections.abc import Callable
from typing import Any

import botocore.client
import pytest

from chalicelib.distribution.types import Distributor
from chalicelib.orders.types import OrderLine
from chalicelib.payouts.taxes import TaxMonthItem
from chalicelib.platform import queues
from chalicelib.wechatpay.client import State
from tests.support.money_world import Killed, World, check_books, figures, message, paid, statuses

_WRITES = {"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}


class Death:
    """Kills at the n-th outside effect: just before it, or just after (the answer is never seen)."""

    def __init__(self) -> None:
        self.left, self.after = -1, False

    def arm(self, step: int, after: bool) -> None:
        self.left, self.after = step, after

    def around(self, effect: Callable[..., Any], counts: Callable[..., bool] = lambda *a: True) -> Any:
        def run(*args: Any, **named: Any) -> Any:
            if not counts(*args):
                return effect(*args, **named)
            self.left -= 1
            dying = self.left == 0
            if dying and not self.after:
                raise Killed
            answer = effect(*args, **named)
            if dying:
                raise Killed
            return answer

        return run


@pytest.fixture
def death(monkeypatch: pytest.MonkeyPatch, sent: list[Any]) -> Death:
    found = Death()
    call = found.around(botocore.client.BaseClient._make_api_call, lambda _, name, *__: name in _WRITES)
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    monkeypatch.setattr(queues, "send", found.around(queues.send))
    monkeypatch.setattr(queues, "send_all", found.around(queues.send_all))
    return found


@pytest.fixture
def world(
    engine: str, at: Callable[..., None], death: Death, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> World:
    found = World(at, sent, monkeypatch)
    monkeypatch.setattr(found.pay, "transfer", death.around(found.pay.transfer))
    monkeypatch.setattr(found.pay, "query", death.around(found.pay.query))
    return found


def survive(world: World) -> None:
    """Work the queue off as SQS does: what dies is handed out again."""
    while world.sent:
        queue, work, _ = world.sent[0]
        try:
            world.one(queue, work)
        except Killed:
            world.now = world.now.replace(minute=world.now.minute + 7)  # the queue's visibility
            world.at(world.now)
            continue
        world.sent.pop(0)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_settlement_and_payout_with_a_death_at_every_step(world: World, death: Death, after: bool) -> None:
    world.pay.state = State.SUCCESS
    plan = world.plan(rates=(10_000,), withhold_tax=True)
    lines = (OrderLine("1", "S", "T", 1, 100_000),)
    step = 0
    while True:
        step += 1
        who: Distributor = world.distributor(plan, f"wm{step}")
        order = f"o{step}"
        world.tell(paid(order, who.share_code, lines=lines), message(order, "completed", 0.02))
        world.now = world.now.replace(minute=0)
        world.move(days=8)
        calls = len(world.pay.moved)
        world.sent.append(("settle", start(), None))
        death.arm(step, after)
        survive(world)
        died = death.left <= 0
        death.arm(-1, after)
        world.move(hours=1)
        assert figures(who.distributor_id) == {"paid": 96_000, "tax_withheld": 4_000}, step
        (month,) = TaxMonthItem.query(who.person_id)
        assert (month.gross_fen, month.tax_fen) == (100_000, 4_000), step
        assert {status for *_, status in statuses(order)} == {"paid"}, step
        assert len(world.pay.moved) == calls + 1, step
        check_books()
        if not died:
            break
    assert step == 9  # eight effects, and the run without a death


def start() -> dict[str, Any]:
    """A settlement's first message, as the API sends it."""
    from chalicelib.payouts import settlement

    seen: list[dict[str, Any]] = []
    send, queues.send = queues.send, lambda queue, message, **_: seen.append(message)
    try:
        settlement.start(None)
    finally:
        queues.send = send
    return seen[0]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_orders_messages_with_a_death_at_every_step(world: World, death: Death, after: bool) -> None:
    plan = world.plan()
    parent = world.distributor(plan, "parent")
    who = world.distributor(plan, "child", parent.distributor_id)
    for step in range(1, 4):
        history = [paid(f"o{step}", who.share_code), message(f"o{step}", "completed", 1)]
        for one in history:
            death.arm(step, after)
            try:
                world.tell(one)
            except Killed:
                world.tell(one)
            death.arm(-1, after)
        assert figures(who.distributor_id) == {"pending": 1_890 * step}
        assert figures(parent.distributor_id) == {"pending": 567 * step}
    check_books()
