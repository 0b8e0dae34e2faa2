"""Workers that are killed at every point of a try, over hundreds of customers: nobody is lost while there is time.

The queue is SQS's, in a word: a message that was not finished is handed out again when its visibility is
over, one group's in order; time is simulated. WeCom's codes are good once, for 20 s.
"""

import heapq
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.messaging import service
from chalicelib.messaging.rules import Welcome
from chalicelib.platform import clock, queues, timeline
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost, WeComError
from infra import package
from tests.support.sops_world import Killed, load

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PATH = "externalcontact/send_welcome_msg"
SPEC = package.parsed("stack.yaml")["functions"]["welcome"]
POINTS = ("before", "lost", "carried_out", "after", "recorded", "hangs")


class World:
    """`kills`: code → where each of its next tries ends; None: it is let through."""

    def __init__(self, at: Callable[[datetime], None]) -> None:
        self.at = at
        self.kills: dict[str, list[str | None]] = {}
        self.welcomed: Counter[tuple[str, str]] = Counter()  # (code, text)
        self.used: set[str] = set()
        self.greets: set[str] = set()
        self.messages: list[tuple[datetime, int, dict[str, Any], int]] = []
        self.numbers = iter(range(10**9))
        self.point: str | None = None

    def offer(self, when: datetime, message: dict[str, Any], times: int = 1) -> None:
        heapq.heappush(self.messages, (when, next(self.numbers), message, times))

    def send(self, queue: str, message: Any, *, group: str | None = None, key: str | None = None) -> None:
        if queue == "notify":
            self.greets.add(message["external_userid"])
        else:
            assert (queue, group) == ("welcome", message["external_userid"])
            self.offer(clock.now(), json.loads(json.dumps(message)))

    def send_welcome_msg(self, code: str, text: str, attachments: Any, *, deadline: datetime) -> None:
        if self.point == "before":
            raise Killed
        if self.point == "hangs":  # the answer never comes: the call ends at its deadline
            self.at(deadline)
            raise AnswerLost(PATH)
        if self.point == "lost":
            raise Killed
        if code in self.used:
            raise WeComError(PATH, 41051)
        if clock.now() > NOW + timedelta(seconds=20):
            raise WeComError(PATH, 41050)
        self.used.add(code)
        self.welcomed[code, text] += 1
        if self.point == "carried_out":
            raise Killed

    def run(self) -> None:
        handler = load("welcome").handler
        record, busy = timeline.record, defaultdict(lambda: NOW)
        while self.messages:
            when, _, message, times = heapq.heappop(self.messages)
            subject = message["external_userid"]
            if when < busy[subject]:  # of a FIFO group one message is out
                self.offer(busy[subject], message, times)
                continue
            left = self.kills.get(message["code"])
            self.point = left.pop(0) if left else None
            self.at(when)

            def recorded(line: Any, real: Any = record) -> bool:
                if self.point == "after":
                    raise Killed
                done = bool(real(line))
                if self.point == "recorded":
                    raise Killed
                return done

            timeline.record = recorded  # type: ignore[assignment]
            attributes = {"ApproximateReceiveCount": str(times), "MessageGroupId": subject}
            event = {"messageId": "m", "body": json.dumps(message), "attributes": attributes}
            try:
                answer = handler({"Records": [event | {"eventSourceARN": "welcome.fifo"}]}, None)
                assert answer == {"batchItemFailures": []}
                assert clock.now() - when <= timedelta(seconds=SPEC["seconds"])
                busy[subject] = clock.now()
            except Killed:
                busy[subject] = when + timedelta(seconds=SPEC["queue"]["hidden"])
                assert times < SPEC["queue"]["attempts"], "it would lie in the dead-letter queue"
                self.offer(busy[subject], message, times + 1)
            finally:
                timeline.record = record


@pytest.fixture
def world(tables: None, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(at)
    at(NOW)
    monkeypatch.setattr(queues, "send", made.send)
    monkeypatch.setattr(wecom, "default_client", lambda: made)
    monkeypatch.setattr(service.time, "sleep", lambda seconds: at(clock.now() + timedelta(seconds=seconds)))
    service.set_default_welcome(Welcome("您好"))
    return made


def arrive(world: World, number: int, kills: list[str | None]) -> None:
    code = f"code-{number}"
    world.kills[code] = list(kills)
    at = clock.iso(NOW)
    message = {"code": code, "external_userid": f"wm{number}", "staff_id": "lihua", "state": None}
    world.offer(NOW, message | {"at": at, "received_at": at})


def end_of(number: int) -> str:
    (line,) = timeline.read(f"wm{number}")[0]
    return str(line["type"])


def test_nobody_is_lost_while_there_is_time_and_nobody_welcomed_twice(world: World) -> None:
    """300 customers, whose first one to four tries end at every point that there is."""
    chosen = random.Random(8)
    plans: list[list[str | None]] = [[point] * times for point in POINTS for times in (1, 2, 3, 4)]
    plans += [[chosen.choice([*POINTS, None]) for _ in range(4)] for _ in range(300 - len(plans))]
    for number, kills in enumerate(plans):
        arrive(world, number, kills)
    world.run()
    assert world.welcomed == {(f"code-{n}", "您好"): 1 for n in range(300)}
    assert {end_of(n) for n in range(300)} == {"welcome_sent"}
    assert world.greets == set()


def test_who_is_killed_until_the_code_is_over_is_the_guides(world: World) -> None:
    """Whether it arrived, nobody can tell: no second welcome, and a word to the guide."""
    for number, point in enumerate(("before", "lost", "hangs")):
        arrive(world, number, [point] * (12 if point == "hangs" else 6))
    arrive(world, 3, ["carried_out"] * 6)  # the second try is answered: it went out
    world.run()
    assert [end_of(n) for n in range(4)] == ["welcome_unknown"] * 3 + ["welcome_sent"]
    assert world.welcomed == {("code-3", "您好"): 1}
    assert world.greets == {"wm0", "wm1", "wm2"}


def test_what_is_handed_out_twice_welcomes_once(world: World) -> None:
    arrive(world, 1, [])
    arrive(world, 1, [])
    world.run()
    assert world.welcomed == {("code-1", "您好"): 1} and end_of(1) == "welcome_sent"
