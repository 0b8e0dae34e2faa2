"""What the tests of imports share: the sandbox as WeCom, steps as the queue and the ticker hand them out."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.customers import models as customers
from chalicelib.customers.rules import Customer
from chalicelib.imports import models, service
from chalicelib.imports.types import ImportOut
from chalicelib.platform import due, jobs, timeline
from chalicelib.platform.due import DueItem
from tests.support.group_world import Sent, World
from tests.support.sops_world import Killed, load

WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}


class ImportWorld(World):
    """`hear`: a callback comes. `finish`: the import goes on until nothing is left to do."""

    def __init__(self, sent: Sent, at: Callable[[datetime], None], keys: dict[str, str]) -> None:
        super().__init__(sent, at, keys)
        self.corp.calls = self.corp.wire.calls

    def add(self, staff_id: str, who: str, heard: bool = False, **more: Any) -> None:
        done = self.actions.add(staff_id, external_userid=who, welcome=False, **more)
        if heard:
            self.hear(done)
        self.at(self.now + timedelta(seconds=10))

    def steps(self) -> list[dict[str, Any]]:
        """What is sent to the queue, taken from it."""
        mine = [message for queue, message, _ in self.sent if queue == "imports"]
        self.sent[:] = [one for one in self.sent if one[0] != "imports"]
        return mine

    def hand_out(self) -> None:
        """What fell due, as the ticker does."""
        for row in list(DueItem.scan()):
            if row.kind == "import_step" and datetime.fromisoformat(row.due_at) <= self.now:
                due.remove([row])
                self.sent.append(("imports", {"kind": row.kind, **row.work}, None))

    def work(self, message: dict[str, Any], times: int = 1) -> list[Any]:
        """One message, as the function gets it; what of it failed."""
        event = {
            "messageId": "m",
            "body": json.dumps(message),
            "attributes": {"ApproximateReceiveCount": str(times)},
            "eventSourceARN": "arn:aws:sqs:cn-north-1:1:test-imports",
        }
        failed: list[Any] = load("imports").handler({"Records": [event]}, None)["batchItemFailures"]
        return failed

    def finish(self) -> dict[str, Any]:
        """The result of the import that is running."""
        for _ in range(300):
            for message in self.steps():
                assert self.work(message) == []
            self.at(self.now + timedelta(seconds=20))
            self.hand_out()
            newest = models.current()
            assert newest is not None
            job = jobs.get(newest.job_id)
            if job.status not in ("queued", "running"):
                assert job.status == "finished", job.error
                assert job.result is not None
                return job.result
        raise AssertionError("it does not end")

    def run_import(self) -> dict[str, Any]:
        service.start()
        return self.finish()


class Killer:
    """The process is killed at one of its writes, before it or after it; then nothing of it works any more."""

    def __init__(self, client: Any) -> None:
        self.writes, self.at, self.after, self.dead = 0, 0, False, False
        client.meta.events.register("before-call.dynamodb", self._before)
        client.meta.events.register("after-call.dynamodb", self._after)

    def aim(self, at: int, after: bool) -> None:
        """Kill at that write from now on, 1 is the next; 0: none."""
        self.writes, self.at, self.after, self.dead = 0, at, after, False

    def _before(self, model: Any, **_: Any) -> None:
        if self.dead:
            raise Killed
        if model.name in WRITES:
            self.writes += 1
            self._kill(not self.after)

    def _after(self, model: Any, **_: Any) -> None:
        if model.name in WRITES:
            self._kill(self.after)

    def _kill(self, here: bool) -> None:
        if here and self.writes == self.at:
            self.dead = True
            raise Killed


def customer(who: str) -> Customer:
    return customers.load(who)


def types_of(who: str) -> list[str]:
    """Types of the lines of somebody, the oldest first."""
    return [row["type"] for row in reversed(timeline.read(who)[0])]


def shown() -> ImportOut:
    newest = models.current()
    assert newest is not None
    return service.get(newest.import_id, "zh")
