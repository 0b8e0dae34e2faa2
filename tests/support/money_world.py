"""A small business for the money tests: a mall's messages in, a WeChat Pay to call, a clock, the queues."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from chalicelib.distribution import commission_list, distributors, plans
from chalicelib.distribution.models import CommissionItem
from chalicelib.distribution.types import Distributor, Level, NewDistributor, NewPlan, Scope
from chalicelib.ledger import service as ledger
from chalicelib.orders import service as orders
from chalicelib.orders.types import Message, OrderLine, Refund
from chalicelib.payouts import settlement, settlement_list
from chalicelib.payouts import transfers as payouts
from chalicelib.payouts.models import PayoutItem
from chalicelib.payouts.types import SettlementWithPayouts
from chalicelib.platform import clock, settings, works
from chalicelib.platform.due import DueItem
from chalicelib.wechatpay.client import Bill, State, TransferRejected, Unknown
from chalicelib.wechatpay.scenes import Scene

T0 = datetime(2026, 11, 22, 2, 0, tzinfo=timezone.utc)
LINES = (OrderLine("1", "MASK-01", "面膜", 2, 4_950), OrderLine("2", "CREAM", "霜", 1, 10_000, 1_000))


class Killed(BaseException):
    """The process dies here. Not an Exception: nothing in the product can catch it."""


class Pay:
    """A WeChat Pay. `moved`: what each number paid, and how often. `balance`: None: enough for all.

    Faults: "refused X": nothing is done; "denied X": it is done, and X is answered.
    """

    def __init__(self) -> None:
        self.bills: dict[str, dict[str, Any]] = {}
        self.moved: dict[str, list[int]] = {}
        self.balance: int | None = None
        self.faults: list[str] = []
        self.state = State.WAIT_USER_CONFIRM
        self.calls: list[str] = []

    def transfer(
        self, number: str, openid: str, amount: int, remark: str, scene: Scene, name: str | None = None
    ) -> Bill:
        self.calls.append(f"transfer {number}")
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "never arrives":
            raise Unknown
        if fault.startswith("refused "):
            raise TransferRejected(fault.removeprefix("refused "))
        asked = {"openid": openid, "amount": amount, "remark": remark, "scene": scene, "name": name}
        state = State.PROCESSING if self.balance is not None else self.state
        bill = self.bills.setdefault(number, {"asked": asked, "state": state})
        assert bill["asked"] == asked, "the same number with other parameters"
        if bill["state"] is State.PROCESSING and self.balance is not None:
            if self.balance < amount:
                raise TransferRejected("NOT_ENOUGH")
            self.balance -= amount
            bill["state"] = self.state
        if bill["state"] is State.SUCCESS:
            self.pay(number)
        if fault.startswith("denied "):
            raise TransferRejected(fault.removeprefix("denied "))
        if fault == "answer lost":
            raise Unknown
        if fault == "killed":
            raise Killed
        return self._bill(number)

    def query(self, number: str) -> Bill | None:
        self.calls.append(f"query {number}")
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "answer lost":
            raise Unknown
        if fault == "not found":
            return None
        return self._bill(number) if number in self.bills else None

    def pay(self, number: str) -> None:
        """The receiver confirms: the money moves, once a bill."""
        self.bills[number]["state"] = State.SUCCESS
        self.moved.setdefault(number, [])
        if not self.moved[number]:
            self.moved[number].append(self.bills[number]["asked"]["amount"])

    def close(self, number: str) -> None:
        """The receiver never confirmed."""
        self.bills[number]["state"] = State.FAIL

    def _bill(self, number: str) -> Bill:
        bill = self.bills[number]
        package = "PKG" if bill["state"] is State.WAIT_USER_CONFIRM else ""
        reason = "OVERDUE_CLOSE" if bill["state"] is State.FAIL else ""
        return Bill(number, f"T{number[:8]}", bill["state"], bill["asked"]["amount"], reason, package)


class World:
    """Drives the functions as the queues would. `sent` collects what goes to queues."""

    def __init__(
        self,
        at: Callable[[datetime], None],
        sent: list[tuple[str, dict[str, Any], str | None]],
        monkeypatch: pytest.MonkeyPatch,
    ):
        self.at, self.sent, self.pay, self.now = at, sent, Pay(), T0
        self.at(T0)
        monkeypatch.setitem(settings._secrets, "keys", (time.monotonic() + 3600, {"master": "m" * 64}))
        monkeypatch.setattr(payouts, "default_client", lambda: self.pay)
        monkeypatch.setattr(orders.customers, "get", lambda external_userid: None)
        monkeypatch.setattr(orders.customers, "find_by_unionid", lambda unionid: None)

    def plan(
        self, rates: Iterable[int] = (1_000, 300), skus: Iterable[str] | None = None, **more: Any
    ) -> str:
        levels = [Level(rate_bps=rate) for rate in rates]
        scope = Scope(skus=None if skus is None else list(skus))
        taxed = {} if "tax" in more or "withhold_tax" in more else {"tax": "none"}
        return plans.create(NewPlan(**{"name": "P", **taxed, **more}, levels=levels, scope=scope)).plan_id

    def distributor(self, plan_id: str, person: str, parent: str | None = None) -> Distributor:
        new = NewDistributor(
            name="王小明",
            openid=f"openid-{person}",
            plan_id=plan_id,
            parent_id=parent,
            external_userid=person,
        )
        return distributors.create(new)

    def tell(self, *messages: Message) -> None:
        for message in messages:
            orders.take(message.to_queue())

    def move(self, **delta: int) -> None:
        """Move the clock, and work off what has fallen due."""
        self.now += timedelta(**delta)
        self.at(self.now)
        for item in sorted(DueItem.scan(), key=lambda row: row.sort):
            if item.due_at <= clock.iso(self.now):
                self.sent.append(("settle" if item.kind == "mature" else "payout", item.work, None))
                item.delete()
        self.work()

    def work(self) -> None:
        """Work the queues off."""
        while self.sent:
            queue, message, _ = self.sent.pop(0)
            self.one(queue, message)

    def one(self, queue: str, message: dict[str, Any]) -> None:
        works.do(message)

    def settle(self) -> SettlementWithPayouts:
        """A settlement by hand, with all that follows at once."""
        settlement_id = settlement.start(None).settlement_id
        self.work()
        return settlement_list.get(settlement_id)

    def payouts(self) -> list[PayoutItem]:
        return sorted(PayoutItem.scan(consistent_read=True), key=lambda row: row.created_at)


def message(order_id: str, status: str, days: float = 0, **more: Any) -> Message:
    return Message(order_id, status, T0 + timedelta(days=days), **more)


def paid(order_id: str, code: str, **more: Any) -> Message:
    values = {"lines": LINES, "share_code": code, "external_userid": "wm-buyer", **more}
    total = sum(line.paid_fen for line in values["lines"])
    return message(order_id, "paid", 0.01, **{"paid_fen": total, **values})


def refund(
    order_id: str, number: str, days: float, fen: int, lines: Iterable[tuple[str, int]] = ()
) -> Message:
    return message(order_id, "refunded", days, refund=Refund(number, fen, tuple(lines)))


def figures(distributor_id: str) -> dict[str, int]:
    """The balance as the API shows it, without what is zero."""
    balance = ledger.balance(distributor_id)
    names = ("pending", "available", "in_payout", "paid", "debt", "tax_withheld")
    found = {name: getattr(balance, f"{name}_fen") for name in names}
    return {name: fen for name, fen in found.items() if fen}


def check_books() -> None:
    """What must hold after each step: the ledger balances, nothing is below zero, sums are as journalled."""
    totals = ledger.trial_balance()
    assert totals.total_debit_fen == totals.total_credit_fen
    for distributor_id in {item.distributor_id for item in CommissionItem.scan()}:
        assert min(figures(distributor_id).values(), default=0) >= 0
        assert ledger.audit(distributor_id).ok


def statuses(order_id: str) -> list[tuple[int, str, int, str]]:
    """(level, line, fen, status) of an order's commissions."""
    found = commission_list.of_order(order_id)
    return [(c.level, c.line_id, c.amount_fen, c.status) for c in found]
