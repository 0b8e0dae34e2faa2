"""Contact ways over the sandbox's own wire: what the tests of making them and keeping them in step share."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.platform import clock, due, settings, ticker
from chalicelib.wecom import client as wecom
from functions.assign import handler as assign
from infra.sandbox import Config, Sandbox
from infra.sandbox.config import new_private_key
from tests.support.scan_support import NOON, new_process

KEY = new_private_key()  # of a merchant, whom nobody asks here
At = Callable[[datetime], None]


class World:
    """The sandbox, our queue, and time that moves on to what falls due next."""

    def __init__(self, sandbox: Sandbox, sent: list[Any], at: At):
        self.sandbox, self.sent, self._at = sandbox, sent, at
        self.now = NOON
        at(NOON)

    def work(self) -> list[str]:
        """What is in the queue `assign`; the ids of messages that failed."""
        failed: list[str] = []
        while messages := [message for queue, message, _ in self.sent if queue == "assign"]:
            self.sent.clear()
            failed += deliver(*messages)
        return failed

    def until(self, moment: datetime) -> None:
        while waiting := [row for row in due.DueItem.scan() if clock.parse(row.due_at) <= moment]:
            self.now = max(self.now, min(clock.parse(row.due_at) for row in waiting))
            self._at(self.now)
            ticker.hand_out([row for row in waiting if clock.parse(row.due_at) <= self.now], "m")
            self.work()
        self.now = moment
        self._at(moment)

    def calls(self, path: str = "contact_way") -> list[dict[str, Any]]:
        return self.sandbox.recorder.calls(f"externalcontact/{path}")

    def way(self) -> dict[str, Any]:
        (made,) = self.sandbox.world.state.ways.values()
        return made.fields

    @property
    def users(self) -> list[str]:
        return self.way()["user"]  # type: ignore[no-any-return]

    def staff(self, staff_id: str, status: int) -> None:
        self.sandbox.world.add_staff(staff_id, status=status)


def deliver(*messages: dict[str, Any]) -> list[str]:
    records = [
        {
            "messageId": str(number),
            "body": json.dumps(message),
            "attributes": {},
            "eventSourceARN": "arn:aws-cn:sqs:cn-north-1:1:assign",
        }
        for number, message in enumerate(messages)
    ]
    answer = assign.handler({"Records": records}, SimpleNamespace())
    return [row["itemIdentifier"] for row in answer["batchItemFailures"]]


def in_sandbox(at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """At noon, with nothing there yet. After `tables`."""
    new_process()
    at(NOON)
    made = {"merchant_private_key": KEY, "platform_private_key": KEY}
    sandbox = Sandbox(Config(now=lambda: clock.now(), run_by_itself=False, **made))
    sandbox.start()
    secrets = {"secret": sandbox.config.secret, "contact_secret": ""}
    monkeypatch.setattr(settings, "secret", lambda group, name, default=None: secrets[name])
    monkeypatch.setenv("WECOM_API_BASE", sandbox.base_url)
    monkeypatch.setenv("WECOM_CORP_ID", sandbox.config.corp_id)
    monkeypatch.setenv("WECOM_AGENT_ID", str(sandbox.config.agent_id))
    wecom.default_client.cache_clear()
    try:
        yield World(sandbox, sent, at)
    finally:
        wecom.default_client.cache_clear()
        sandbox.stop()
        new_process()
