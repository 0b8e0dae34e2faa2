"""Moving the clock: from one instant at which something happens to the next, and quiet before the next.

An instant is the earliest of: the ticker's next run after something falls due (table `due`; it runs
each minute, counted back from where the clock is moved to), a schedule that names a time, a message
that was delayed or failed and may be tried again, the sandbox's next event
(a member confirms, a transfer ends). At each the schedules fire, the sandbox does its part, and all
queues and streams are worked off. What is between two instants is empty, and skipped.
"""

import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import urllib3
from botocore.exceptions import ClientError

from infra.local.deploy import Account
from infra.local.settings import STACK
from infra.sandbox import Sandbox

POLL = 0.005  # seconds, at least, between two looks at whether all is quiet: each takes time from the work
LONGEST_POLL = 0.05
PATIENCE = 300.0  # seconds of real time for one instant's work
TICK = timedelta(minutes=1)
LOOK_BACK = timedelta(minutes=3)  # the ticker reads a little before its watermark


class NotQuiet(RuntimeError):
    """The stack is still working, or waits for a message that failed."""


class Mover:
    """Moves the clock of a stack in the embedded emulator."""

    def __init__(self, account: Account, emulator_port: int, sandbox: Sandbox):
        self.account, self.port, self.sandbox = account, emulator_port, sandbox
        self.lock = threading.Lock()
        self.http = urllib3.HTTPConnectionPool("127.0.0.1", emulator_port, maxsize=4, retries=False)

    def now(self) -> datetime:
        return at(self.emulator("GET", "/_local/state")["now"])

    def advance(self, by: timedelta) -> datetime:
        """Move the clock by `by`; answers the time when all that fell due on the way has been handled."""
        with self.lock:
            now = self.now()
            target = now + by
            self.settle()
            while now < target:
                due = self.due_times()
                # What was due and is there still is stuck: no instant of its own, each tick tries it.
                ahead = [tick_after(t, target) for t in due if t > now - TICK]
                step = min(self.next_instant(now, ahead), target)
                self.skip_empty(min([step, *due]))
                self.emulator("POST", "/_local/clock", {"offset": step.timestamp() - time.time()})
                self.settle()
                now = max(step, self.now())
            return now

    def settle(self) -> None:
        """Do all that is due by now, except for messages that may be tried again only later."""
        self.emulator("POST", "/_local/fire")
        self.drain(hidden=False)

    def drain(self, hidden: bool = True, patience: float = PATIENCE) -> None:
        """Wait until nothing runs and all queues and streams are worked off. NotQuiet after `patience`.

        `hidden`: also for messages that were delayed, which come in a while, and that failed: these are tried
        again at once, so that a poisoned one is given up within moments.
        """
        begun, seen = time.monotonic(), None
        while True:
            self.sandbox.run_due()
            state = self.emulator("GET", "/_local/state")
            at_rest = not state["busy"] and not (hidden and state["next_message"]) and self.sandbox.quiet()
            # Each may have set the other to work after it was looked at: both again, and nothing begun since.
            if at_rest and state["invocations"] == seen:
                return
            seen = state["invocations"] if at_rest else None
            if hidden and state["next_message"] and not state["busy"]:
                self.emulator("POST", "/_local/retry")
            waited = time.monotonic() - begun
            if waited > patience:
                raise NotQuiet(f"still busy: {state['queues'] or 'a function is running'}")
            time.sleep(min(LONGEST_POLL, max(POLL, waited / 10)))

    def next_instant(self, now: datetime, ticks: list[datetime]) -> datetime:
        state = self.emulator("GET", "/_local/state")
        times = [*ticks, *(at(t) for t in (state["next_schedule"], state["next_message"]) if t is not None)]
        times += filter(None, [self.sandbox.next_event_at()])
        return min((t for t in times if t > now), default=datetime.max.replace(tzinfo=timezone.utc))

    def due_times(self) -> list[datetime]:
        """When something falls due. A scan: only here, only locally."""
        pages = self.account.client("dynamodb").get_paginator("scan")
        read = pages.paginate(
            TableName=f"{STACK}-due",
            ProjectionExpression="due_at",
            FilterExpression="NOT begins_with(#b, :parked)",
            ExpressionAttributeNames={"#b": "bucket"},
            ExpressionAttributeValues={":parked": {"S": "unknown"}},
        )
        return [datetime.fromisoformat(item["due_at"]["S"]) for page in read for item in page["Items"]]

    def skip_empty(self, until: datetime) -> None:
        """Move the ticker's watermark over minutes that were seen to be empty; never back."""
        try:
            self.account.client("dynamodb").update_item(
                TableName=f"{STACK}-watermarks",
                Key={"name": {"S": "due"}},
                UpdateExpression="SET #m = :m",
                ConditionExpression="#m < :m",
                ExpressionAttributeNames={"#m": "minute"},
                ExpressionAttributeValues={":m": {"S": f"{until - LOOK_BACK:%Y%m%d%H%M}"}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise

    def emulator(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.http.request(method, path, json=body or {}, timeout=30)
        return dict(answer.json())


def tick_after(moment: datetime, target: datetime) -> datetime:
    """The ticker's first run from `moment` on, when one of its runs is at `target`."""
    return target - (target - moment) // TICK * TICK


def at(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, timezone.utc)
