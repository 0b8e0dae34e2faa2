"""The funnel: counted exactly once, however the stream hands its batches out again."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st

from app import app as product
from chalicelib.metrics import models, service
from chalicelib.platform import auth, consumers
from chalicelib.platform.timeline import Line

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 22)
SHARD = "shardId-00000001668890000000-7c1e0b6e"


def scanned(n: int, channel: str = "parcel", at: datetime = NOW) -> tuple[Line, str]:
    return Line(f"scan#{n}", "scanned", at, str(n), {"channel": channel}), str(n).zfill(40)


def scans(channel: str = "parcel") -> int:
    rows = {row.channel: row for row in service.funnel(DAY, DAY)}
    return rows[channel].scans if channel in rows else 0


def test_a_batch_is_one_update_for_each_day_and_channel(
    tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    real = models.add
    monkeypatch.setattr(models, "add", lambda *args: calls.append(args[0]) or real(*args))
    tomorrow = NOW + timedelta(days=1)
    lines = [scanned(n, ("parcel", "poster")[n % 2]) for n in range(100)] + [scanned(100, "poster", tomorrow)]
    service.project(lines, SHARD)
    assert sorted(calls) == [
        ("funnel#2026-11-22", "channel#parcel"),
        ("funnel#2026-11-22", "channel#poster"),
        ("funnel#2026-11-23", "channel#poster"),
    ]
    assert (scans("parcel"), scans("poster")) == (50, 50)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12)), max_size=8))
@runs(max_examples=40)
def test_batches_that_come_again_and_overlap_count_once(tables: None, batches: list[tuple[int, int]]) -> None:
    """A stream is read forward from wherever its reader has come to; then again from further back."""
    models.CounterItem("funnel#2026-11-22", "channel#parcel").delete()
    reached = 0
    for start, length in batches:
        lines = [scanned(n) for n in range(min(start, reached), min(start, reached) + length)]
        service.project(lines, SHARD)
        reached = max(reached, min(start, reached) + length)
    assert scans() == reached


def test_a_batch_cut_in_half_by_a_crash_is_finished_by_its_repeat(
    tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [scanned(n, ("a", "b", "c")[n % 3]) for n in range(30)]
    for survives in range(3):
        with monkeypatch.context() as patch:
            real, left = models.add, [survives]

            def count(*args: Any, real: Any = real, left: list[int] = left) -> bool:
                if not left[0]:
                    raise ConnectionError("killed")
                left[0] -= 1
                return bool(real(*args))

            patch.setattr(models, "add", count)
            with pytest.raises(ConnectionError):
                service.project(lines, SHARD)
    service.project(lines, SHARD)
    assert [scans(channel) for channel in "abc"] == [10, 10, 10]


def test_shards_count_apart(tables: None) -> None:
    """The sequences of two shards say nothing of each other."""
    service.project([scanned(900)], "shard-a")
    service.project([scanned(5)], "shard-b")
    service.project([scanned(5)], "shard-b")
    assert scans() == 2


def record(n: int, **data: str) -> dict[str, Any]:
    line = scanned(n)[0]
    image = {
        "subject": {"S": line.subject},
        "sort": {"S": line.sort},
        "type": {"S": line.type},
        "at": {"S": line.at.isoformat()},
        "data": {"S": '{"channel": "parcel"}'},
    }
    arn = "arn:aws:dynamodb:cn-north-1:1:table/timeline/stream/2026-11-22T00:00:00.000"
    return {
        "eventName": "INSERT",
        "eventSourceARN": arn,
        "dynamodb": {"SequenceNumber": str(n), "NewImage": image},
    }


def test_the_handler_answers_as_a_tumbling_window_wants(tables: None) -> None:
    handler = consumers.stream(service.project)
    event = {"Records": [record(9), record(10)], "shardId": SHARD, "state": {}}
    done = {"state": {}, "batchItemFailures": []}
    assert handler(event, None) == done
    assert handler(event, None) == done
    assert (
        handler({"Records": [], "shardId": SHARD, "state": {}, "isFinalInvokeForWindow": True}, None) == done
    )
    assert scans() == 2  # 9 < 10 as numbers, though not as the text that came


@pytest.fixture
def client(tables: None, at: Callable[[datetime], None]) -> Iterator[Client]:
    at(NOW)
    with Client(product) as client:
        yield client


def get(client: Client, query: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {auth.create_key('test', 'auditor')}"}
    answer = client.http.get(f"/api/metrics/funnel?{query}", headers=headers)
    return answer.status_code, answer.json_body


def test_the_funnel_by_http(client: Client) -> None:
    lines = [
        scanned(1)[0],
        Line("wm1", "customer_added", NOW, "a", {"channel": "parcel", "begins": True, "ends": False}),
        Line("wm2", "customer_added", NOW, "b", {"channel": "parcel", "begins": True, "ends": False}),
        Line("wm2", "customer_lost", NOW, "c", {"channel": "parcel", "ends": True, "by": "customer"}),
        Line("wm1", "order_paid", NOW, "d", {"channel": "parcel", "paid_fen": 9900, "first_order": True}),
        Line("wm1", "order_refunded", NOW, "e", {"channel": "parcel", "refunded_fen": 4950}),
        Line("order#9", "order_paid", NOW, "f", {"channel": None, "paid_fen": 100, "first_order": False}),
    ]
    service.project([(line, str(n).zfill(40)) for n, line in enumerate(lines)], SHARD)
    parcel = {"scans": 1, "adds": 2, "kept": 1, "buyers": 1, "orders": 1, "gmv_fen": 4950}
    unknown = {"scans": 0, "adds": 0, "kept": 0, "buyers": 0, "orders": 1, "gmv_fen": 100}
    wanted = {
        "items": [{"channel": "parcel", **parcel}, {"channel": "unknown", **unknown}],
        "next_cursor": None,
        "total": 2,
        "total_is": "exact",
    }
    assert get(client, "from=2026-11-22&to=2026-11-22&by=channel") == (200, wanted)
    assert get(client, "") == (200, wanted)
    assert get(client, "from=2026-11-23&to=2026-11-24")[1]["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-13-01", "from"),
        ("to=tomorrow", "to"),
        ("from=2026-11-23&to=2026-11-22", "from"),
        ("from=2025-11-21&to=2026-11-22", "from"),
        ("from=2024-01-01", "from"),
        ("by=staff", "by"),
    ],
)
def test_a_wrong_question(client: Client, query: str, field: str) -> None:
    status, problem = get(client, query)
    assert (status, problem["errors"][0]["field"]) == (422, field)


def test_a_year_is_the_longest(client: Client) -> None:
    assert get(client, "from=2025-11-22&to=2026-11-22")[0] == 200
