"""Scans over 32 threads, up to a thousand: caps hold, turns are fair, nobody is left without staff.

On an engine whose transactions hold under threads, with what DynamoDB does on a bad day put between:
TransactionConflict, throttles, and answers that are lost after the write was made.
"""

import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from chalicelib.assignments import lapse as lapses
from chalicelib.assignments import types as assignment_types
from chalicelib.contactways import rows
from chalicelib.contactways import service as contactways
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import due, storage
from chalicelib.scans import service as scan_service
from tests.support.scan_support import NOON, FakeWeCom, definition, new_process, statuses, taken

pytestmark = pytest.mark.slow
SCANS, THREADS = 400, 32


@pytest.fixture
def wecom(
    engine: str, at: Callable[[datetime], None], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeWeCom]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    monkeypatch.setattr(rows, "_WAIT_SECONDS", 60)
    at(NOON)
    yield fake
    new_process()


class Body:
    def __init__(self, content: bytes):
        self.content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.content


class BadDay:
    """A botocore hook: some requests are refused as DynamoDB refuses them, some answers get lost.

    What botocore tries again by itself does not hit a thread twice on end: it gives up after three.
    """

    def __init__(self, seed: int, refuse: float, lose: float):
        self.random, self.refuse, self.lose = random.Random(seed), refuse, lose
        self.counts: Counter[str] = Counter()
        self.last = threading.local()
        self.client = storage.connection().client
        self.client.meta.events.register("before-send.dynamodb", self)

    def __call__(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rsplit(".", 1)[-1]
        dice, spared, self.last.hurt = self.random.random(), getattr(self.last, "hurt", False), False
        if dice < self.refuse and (operation == "TransactWriteItems" or not spared):
            self.counts[f"refused {operation}"] += 1
            self.last.hurt = operation != "TransactWriteItems"
            return refusal(request.url, operation)
        if self.refuse <= dice < self.refuse + self.lose and not spared:
            self.counts[f"lost {operation}"] += 1
            self.client._endpoint.http_session.send(request)
            self.last.hurt = True
            raise ConnectionClosedError(endpoint_url=request.url)
        return None


class LostAnswer:
    """A botocore hook: the answer to write number `number` is lost after it was carried out."""

    def __init__(self, number: int):
        self.left = number
        self.client = storage.connection().client
        self.client.meta.events.register("before-send.dynamodb", self)

    def __call__(self, request: Any, event_name: str, **_: Any) -> None:
        if event_name.rsplit(".", 1)[-1] in ("UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems"):
            self.left -= 1
            if self.left == -1:
                self.client._endpoint.http_session.send(request)
                raise ConnectionClosedError(endpoint_url=request.url)

    def stop(self) -> None:
        self.client.meta.events.unregister("before-send.dynamodb", self)


def refusal(url: str, operation: str) -> AWSResponse:
    code = "ProvisionedThroughputExceededException"
    body: dict[str, Any] = {"message": "injected"}
    if operation == "TransactWriteItems":
        code = "TransactionCanceledException"
        reasons = [{"Code": "TransactionConflict", "Message": "injected"}] + [{"Code": "None"}] * 4
        body |= {"Message": "[TransactionConflict]", "CancellationReasons": reasons}
    body["__type"] = f"com.amazonaws.dynamodb.v20120810#{code}"
    content = Body(json.dumps(body).encode())
    return AWSResponse(url, 400, {"content-type": "application/x-amz-json-1.0"}, content)


def scans(code: livecodes.LiveCode, count: int = SCANS) -> list[assignment_types.Scan]:
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(lambda _: scan_service.scan(code.code), range(count)))


def members(caps: dict[str, int | None]) -> list[dict[str, Any]]:
    return [{"staff_id": staff_id, "daily_cap": cap} for staff_id, cap in caps.items()]


def agree(code: livecodes.LiveCode, got: list[assignment_types.Scan]) -> Counter[str | None]:
    """What was answered, what is stored and what is counted are the same; the answers by staff."""
    by_staff = Counter(scan.staff_id for scan in got)
    for staff_id in code.rule.staff_ids:
        assert statuses(code.live_code_id, staff_id)["reserved"] == by_staff[staff_id]
        assert taken(code.live_code_id, staff_id) == by_staff[staff_id]
        assert taken(code.live_code_id, staff_id, "total") == by_staff[staff_id]
    ids = [scan.assignment_id for scan in got if scan.assignment_id]
    assert len(set(ids)) == len(ids)
    return by_staff


def test_turns_are_within_one(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition(*members(dict.fromkeys("abcdefg"))))
    by_staff = agree(code, scans(code))
    assert sum(by_staff.values()) == SCANS
    assert max(by_staff.values()) - min(by_staff.values()) <= 1
    assert set(by_staff) == set("abcdefg")


def test_weights_are_exact(wecom: FakeWeCom) -> None:
    weighted = [
        {"staff_id": "a", "weight": 5},
        {"staff_id": "b", "weight": 3},
        {"staff_id": "c", "weight": 2},
    ]
    code = livecodes.create(definition(*weighted, strategy="weighted"))
    assert agree(code, scans(code)) == {"a": 200, "b": 120, "c": 80}


@pytest.mark.parametrize(("strategy", "count"), [("round_robin", 1000), ("least_loaded", 350)])
def test_caps_are_reached_and_never_overshot(wecom: FakeWeCom, strategy: str, count: int) -> None:
    caps = {"a": 7, "b": 40, "c": 100, "d": 133}
    code = livecodes.create(definition(*members(caps), fallback=("x", "y"), strategy=strategy))
    by_staff = agree(code, scans(code, count))
    assert {s: by_staff[s] for s in caps} == caps
    assert by_staff["x"] + by_staff["y"] == count - sum(caps.values())
    assert abs(by_staff["x"] - by_staff["y"]) <= THREADS
    assert None not in by_staff


def test_those_without_a_cap_share_evenly_when_the_others_are_full(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition(*members({"a": 50, "b": 20, "c": None, "d": None, "e": None})))
    by_staff = agree(code, scans(code))
    assert (by_staff["a"], by_staff["b"]) == (50, 20)
    rest = [by_staff[s] for s in "cde"]
    assert sum(rest) == SCANS - 70
    # Each time a member turns out full the round changes under the scans in flight.
    assert max(rest) - min(rest) <= 10


def test_the_last_places_go_to_exactly_as_many(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition(*members({"a": 5, "b": 6})))
    kinds = Counter(scan.kind for scan in scans(code, 100))
    assert kinds == {"staff": 11, "closed": 89}


def test_on_a_bad_day_the_same_holds(wecom: FakeWeCom) -> None:
    caps = {"a": 50, "b": None, "c": None, "d": None}
    code = livecodes.create(definition(*members(caps), fallback=("x",)))
    for staff_id in caps:
        contactways.way(code, staff_id)
    bad = BadDay(seed=1, refuse=0.1, lose=0.05)
    got = scans(code)
    bad.refuse = bad.lose = 0
    assert bad.counts["refused TransactWriteItems"] > 10
    assert bad.counts["lost TransactWriteItems"] > 5
    assert bad.counts["lost UpdateItem"] > 5
    by_staff = agree(code, got)
    assert sum(by_staff.values()) == SCANS
    assert None not in by_staff
    assert by_staff["a"] == 50
    rest = [by_staff[s] for s in "bcd"]
    # A ticket whose answer was lost is a turn that nobody took.
    assert max(rest) - min(rest) <= 10 + bad.counts["lost UpdateItem"]


def test_scans_and_lapses_at_once_lose_no_place(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition(*members({"a": 30, "b": 30}), fallback=("x",)))
    first = scans(code, 60)
    assert Counter(scan.staff_id for scan in first) == {"a": 30, "b": 30}
    BadDay(seed=2, refuse=0.05, lose=0.03)

    def both(number: int) -> None:
        scan = first[number % 60]
        if number < 120:  # each lapse comes twice, by two threads
            lapses.lapse(code.live_code_id, str(scan.staff_id), str(scan.assignment_id))
        else:
            scan_service.scan(code.code)

    jobs = list(range(320))
    random.Random(3).shuffle(jobs)
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(both, jobs))
    for staff_id in "abx":
        reserved = statuses(code.live_code_id, staff_id)["reserved"]
        assert taken(code.live_code_id, staff_id) == reserved
        assert staff_id == "x" or reserved <= 30
    lapsed = sum(statuses(code.live_code_id, staff_id)["lapsed"] for staff_id in "ab")
    assert lapsed == 60


def test_a_first_scan_is_answered_whichever_answer_of_the_store_is_lost(wecom: FakeWeCom) -> None:
    for number in itertools.count():
        new_process()
        code = livecodes.create(definition(*members({f"guide{number}": 3})))
        lost = LostAnswer(number)
        try:
            scan = scan_service.scan(code.code)
        finally:
            lost.stop()
        assert scan.staff_id == f"guide{number}"
        assert scan.qr_url
        if lost.left >= 0:
            break
    assert number >= 4  # ticket, reservation, the way's intent, its answer


def test_a_scan_killed_after_any_request_leaves_nothing_that_lapse_does_not_give_back(
    wecom: FakeWeCom, at: Callable[[datetime], None]
) -> None:
    code = livecodes.create(definition(*members({"a": 3}), fallback=("x",)))
    contactways.way(code, "a")
    client = storage.connection().client

    class Killed(BaseException):
        pass

    def killer(after: int) -> Callable[..., None]:
        left = [after]

        def kill(**_: Any) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        return kill

    for event in ("before-send.dynamodb", "after-call.dynamodb"):
        for after in range(3):
            kill = killer(after)
            client.meta.events.register(event, kill)
            try:
                scan_service.scan(code.code)
            except Killed:
                pass
            finally:
                client.meta.events.unregister(event, kill)
    reserved = statuses(code.live_code_id, "a")["reserved"]
    assert taken(code.live_code_id, "a") == reserved
    assert 0 < reserved <= 3
    # Each has its lapse waiting, also those whose scan never heard of them.
    waiting = [
        row
        for row in due.read(NOON + timedelta(minutes=10), NOON + timedelta(minutes=10))
        if row.work["staff_id"] == "a"
    ]
    assert len(waiting) == reserved
    for row in waiting:
        lapses.lapse(row.work["live_code_id"], row.work["staff_id"], row.work["assignment_id"])
    assert taken(code.live_code_id, "a") == 0
    at(NOON + timedelta(seconds=10))
    assert scan_service.scan(code.code).staff_id == "a"
