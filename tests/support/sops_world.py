"""A small world for SOP tests: a WeCom that records, a queue in memory, a clock, and a death to deal out.

Real are the services, the handlers' work and DynamoDB. An effect is a write to DynamoDB, a message
to a queue or a call that makes something at WeCom; `kill_at` counts them and ends the process
before or after the n-th, and with it every one that would have come after.
"""

import importlib.util
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.client
import msgspec
import pytest

from chalicelib.customers import models as customer_models
from chalicelib.customers.rules import Customer, Follow
from chalicelib.platform import clock, due, queues, ticker, works
from chalicelib.platform.clock import SHANGHAI
from chalicelib.platform.timeline import Line, TimelineItem
from chalicelib.sops import calls, results, service
from chalicelib.sops.types import Plan
from chalicelib.tags import service as tags
from tests.support.wecom import FakeWeCom

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 11, 22, 10, 0, 7, tzinfo=SHANGHAI)
RETRY = timedelta(minutes=12)  # the push queue's visibility
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}


class Killed(BaseException):
    """The process is gone: nothing catches this."""


def load(function: str) -> Any:
    """A function's handler module."""
    spec = importlib.util.spec_from_file_location(
        f"{function}_handler", ROOT / f"functions/{function}/handler.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plan(**changes: Any) -> Plan:
    """Two steps: at once, and the next day at 10:00."""
    steps = [
        {"step_id": "intro", "delivery": "mass_send", "content": [{"type": "text", "text": "第一条"}]},
        {
            "step_id": "second",
            "after": "P1D",
            "at": "10:00",
            "delivery": "mass_send",
            "content": [{"type": "text", "text": "第二条"}],
        },
    ]
    data = {"name": "新客", "trigger": {"event": "customer_added"}, "steps": steps}
    return msgspec.convert(data | changes, Plan)


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: Callable[[datetime], None]) -> None:
        self.wecom = FakeWeCom(self.effect)
        self.waiting: list[
            tuple[datetime, dict[str, Any]]
        ] = []  # messages to push, and when they are handed out
        self.elsewhere: list[tuple[str, dict[str, Any], str | None]] = []
        self.tags: list[dict[str, Any]] = []
        self.requests: Counter[str] = Counter()
        self.units = 0.0
        self.effects = 0
        self.kill_at: int | None = None
        self.kill_after = False
        self._dead = False
        self._launching = False  # the local stack's doing, not the product's
        self._lock = threading.Lock()
        self._at = at
        self.set(START)
        monkeypatch.setattr(calls, "default_client", lambda: self.wecom)
        monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: self.wecom)
        monkeypatch.setattr(results, "default_client", lambda: self.wecom)
        monkeypatch.setattr(queues, "send_all", self._send_all)
        monkeypatch.setattr(tags, "apply", lambda *args: self.tags.append(args))
        through = botocore.client.BaseClient._make_api_call

        def call(client: Any, operation: str, arguments: Any) -> Any:
            arguments = (
                {**arguments, "ReturnConsumedCapacity": "TOTAL"} if operation != "ListTables" else arguments
            )
            if operation in WRITES and not self._launching:
                return self.effect(lambda: self._count(operation, through(client, operation, arguments)))
            return self._count(operation, through(client, operation, arguments))

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
        due.advance("due", START - timedelta(minutes=3))

    def _count(self, operation: str, answer: Any) -> Any:
        with self._lock:
            self.requests[operation] += 1
            told = answer.get("ConsumedCapacity") or []
            self.units += sum(one["CapacityUnits"] for one in (told if isinstance(told, list) else [told]))
        return answer

    def effect(self, make: Callable[[], Any]) -> Any:
        """Do something that outlives the process, unless it has been killed by then."""
        with self._lock:
            if self._dead:
                raise Killed
            self.effects += 1
            last = self.effects == self.kill_at
            if last:
                self._dead = True
            if last and not self.kill_after:
                raise Killed
        answer = make()
        if last:
            raise Killed
        return answer

    def _send_all(self, queue: str, messages: Any) -> None:
        for message, group in messages:
            if queue == "push":
                self.effect(lambda message=message: self.waiting.append((self.now, message)))
            else:
                self.effect(lambda q=queue, m=message, g=group: self.elsewhere.append((q, m, g)))

    def set(self, moment: datetime) -> None:
        self.now = moment
        self._at(moment)

    def survive(self, work: Callable[[], Any]) -> bool:
        """Run a process; False when it was killed."""
        try:
            work()
            return True
        except Killed:
            self._dead, self.kill_at = False, None
            return False

    def add(self, subject: str, staff_id: str = "lihua", **data: Any) -> Line:
        """A customer is added now; the line that tells it, already reacted to."""
        line = Line(subject, "customer_added", self.now, f"add-{subject}", {"staff_id": staff_id, **data})
        while not self.survive(lambda: service.on_line(line)):
            pass
        return line

    def tell(self, subject: str, type_: str, **data: Any) -> None:
        service.on_line(Line(subject, type_, self.now, f"{type_}-{subject}", data))

    def tick(self) -> None:
        """A tick of now, and again if it dies; then all messages."""
        while not self.survive(lambda: ticker.tick(lambda: 60_000)):
            pass
        self.work()

    def work(self) -> None:
        """Hand out the messages whose time has come; one whose consumer dies comes again later."""
        while ready := [one for one in self.waiting if one[0] <= self.now]:
            self.waiting.remove(ready[0])
            message = ready[0][1]
            if not self.survive(lambda message=message: works.do(message)):
                self.waiting.append((self.now + RETRY, message))

    def run(self, length: timedelta) -> None:
        """Let time pass: from one instant at which something happens to the next."""
        end = self.now + length
        while (moment := self._next()) is not None and moment <= end:
            self.set(max(moment, self.now))
            mark = self.now.astimezone(clock.timezone.utc)
            self._launching = True
            due.advance("due", mark)
            self._launching = False
            self.tick()
        self.set(end)

    def _next(self) -> datetime | None:
        times = [self._tick_after(clock.parse(item.due_at)) for item in due.DueItem.scan()]
        times += [moment for moment, _ in self.waiting]
        return min(times, default=None)

    @staticmethod
    def _tick_after(moment: datetime) -> datetime:
        """The schedule fires at full minutes."""
        floor = moment.replace(second=0, microsecond=0)
        return floor if floor == moment else floor + timedelta(minutes=1)


def know(external_userid: str, *tags: str, name: str = "小王", staff_id: str = "lihua") -> None:
    """Store a customer."""
    follows = {staff_id: Follow("active", START, START)}
    assert customer_models.save(Customer(external_userid, name=name, follows=follows, tags=tags))


def lines(subject: str) -> list[tuple[str, str | None]]:
    """The touches on a person's timeline: (type, reason)."""
    return [(row.type, row.data.get("reason")) for row in TimelineItem.query(subject)]
