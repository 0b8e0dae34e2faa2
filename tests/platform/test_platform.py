"""The platform against a DynamoDB: transactions by name, retries, idempotency, the due table."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.platform import due, idempotency, ids, lists, queues, settings, storage, timeline
from chalicelib.platform.errors import Conflict, Invalid
from chalicelib.platform.storage import Base, BaseMeta, Busy, ConditionFailed, Transaction
from chalicelib.platform.timeline import Line

NOW = datetime(2026, 11, 22, 10, 0, 30, tzinfo=UTC)


class Thing(Base):
    class Meta(BaseMeta):
        table_name = settings.table("things")

    name = UnicodeAttribute(hash_key=True)
    count = NumberAttribute(default=0)


def answers(*codes: str | None) -> Callable[..., Any]:
    """A botocore hook: the next TransactWriteItems calls answer with these cancellation reasons."""
    left = list(codes)

    def before_call(model: Any, **_: Any) -> Any:
        if model.name != "TransactWriteItems" or not left:
            return None
        code = left.pop(0)
        if code is None:
            return None
        reasons = [{"Code": code, "Message": "injected"}, {"Code": "None"}]
        parsed = {
            "Error": {"Code": "TransactionCanceledException", "Message": f"[{code}, None]"},
            "CancellationReasons": reasons,
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }
        response = type("Response", (), {"status_code": 400})()
        return response, parsed

    return before_call


@pytest.fixture
def inject(tables: None) -> Callable[..., None]:
    def register(*codes: str | None) -> None:
        storage.connection().client.meta.events.register("before-call.dynamodb", answers(*codes))

    return register


def test_a_transaction_names_the_condition_that_failed(tables: None) -> None:
    Thing("there").save()
    Thing("also there").save()
    tx = Transaction()
    # Called in another order than the one in which PynamoDB sends them.
    tx.update("update", Thing("new"), [Thing.count.add(1)])
    tx.put("put", Thing("there"), Thing.name.does_not_exist())
    tx.check("check", Thing("also there"), Thing.name.exists())
    with pytest.raises(ConditionFailed) as failed:
        tx.commit()
    assert failed.value.names == {"put"}
    assert Thing.find("new") is None


def test_an_empty_transaction_writes_nothing_and_a_large_one_is_refused(tables: None) -> None:
    Transaction().commit()
    tx = Transaction()
    for n in range(101):
        tx.put(str(n), Thing(str(n)))
    with pytest.raises(Invalid):
        tx.commit()


def test_a_key_that_dynamodb_refuses_is_no_items(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    Thing("x" * 2048).save()
    assert Thing.find("x" * 2048)
    monkeypatch.setattr(Thing, "get", None)  # AWS answers with an error, moto does not: nothing is asked
    for key in ("", "x" * 2049, "店" * 683):
        assert Thing.find(key) is None


def test_conflicts_and_throttles_are_tried_again(inject: Callable[..., None]) -> None:
    inject("TransactionConflict", "ThrottlingError", None)
    tx = Transaction()
    tx.put("one", Thing("one"))
    tx.put("two", Thing("two"))
    tx.commit()
    assert Thing.find("one") and Thing.find("two")


def test_a_conflict_that_does_not_end_is_busy(inject: Callable[..., None]) -> None:
    inject(*["TransactionConflict"] * 20)
    tx = Transaction()
    tx.put("one", Thing("one"))
    with pytest.raises(Busy):
        tx.commit()


def test_a_failed_condition_is_never_tried_again(inject: Callable[..., None]) -> None:
    inject("ConditionalCheckFailed", None)
    tx = Transaction()
    tx.put("one", Thing("one"))
    with pytest.raises(ConditionFailed):
        tx.commit()


def test_a_line_is_written_once(tables: None) -> None:
    line = Line("wm1", "customer_added", NOW, "digest", {"staff_id": "lihua"})
    assert timeline.record(line) is True
    assert timeline.record(line) is False
    items, cursor = timeline.read("wm1")
    assert [item["type"] for item in items] == ["customer_added"] and cursor is None


def test_idempotency_gives_the_first_answer_and_refuses_another_body(tables: None) -> None:
    calls = []

    def work() -> tuple[int, str]:
        calls.append(1)
        return 201, '{"id":1}'

    assert idempotency.once("key", "/api/x", "k1", b"{}", work) == (201, '{"id":1}', False)
    assert idempotency.once("key", "/api/x", "k1", b"{}", work) == (201, '{"id":1}', True)
    assert len(calls) == 1
    with pytest.raises(Conflict):
        idempotency.once("key", "/api/x", "k1", b'{"a":1}', work)
    idempotency.once("another key", "/api/x", "k1", b'{"a":1}', work)
    assert len(calls) == 2


def test_idempotency_frees_the_key_of_a_call_that_failed(tables: None) -> None:
    def broken() -> tuple[int, str]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        idempotency.once("key", "/api/x", "k1", b"{}", broken)
    assert idempotency.once("key", "/api/x", "k1", b"{}", lambda: (200, "1"))[2] is False


def test_a_call_that_was_killed_is_never_done_a_second_time(
    tables: None, at: Callable[[datetime], None]
) -> None:
    class Killed(BaseException):
        pass

    made = []

    def killed_after_its_write() -> tuple[int, str]:
        made.append(1)
        raise Killed

    at(NOW)
    with pytest.raises(Killed):
        idempotency.once("key", "/api/x", "k1", b"{}", killed_after_its_write)
    for later in (timedelta(0), timedelta(minutes=5), timedelta(hours=23)):
        at(NOW + later)
        with pytest.raises(Conflict):
            idempotency.once("key", "/api/x", "k1", b"{}", killed_after_its_write)
    assert made == [1]
    at(NOW + timedelta(days=2))  # the key has expired, whether DynamoDB has removed it or not
    assert idempotency.once("key", "/api/x", "k1", b"{}", lambda: (201, "1")) == (201, "1", False)


def test_a_lost_answer_to_taking_the_key_is_no_other_call(
    tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    through = storage._write_single

    def lost(write: Callable[[], Any]) -> bool:
        through(write)
        raise storage.Unsure("sent again, and met itself")

    monkeypatch.setattr(storage, "_write_single", lost)
    assert idempotency.once("key", "/api/x", "k1", b"{}", lambda: (201, "1")) == (201, "1", False)
    assert idempotency.once("key", "/api/x", "k1", b"{}", lambda: (201, "2")) == (201, "1", True)


def test_a_secret_in_an_answer_is_kept_sealed(tables: None, keys: None) -> None:
    first = idempotency.once("key", "/api/x", "k1", b"{}", lambda: (201, '"mr_s3cret"'), secret=True)
    assert first == (201, '"mr_s3cret"', False)
    assert "s3cret" not in str([row.answer for row in idempotency.IdempotencyItem.scan()])
    assert idempotency.once("key", "/api/x", "k1", b"{}", lambda: (201, "2"), secret=True) == (
        *first[:2],
        True,
    )


def test_an_answer_too_large_to_be_kept_is_given_once(tables: None) -> None:
    made = []

    def work() -> tuple[int, str]:
        made.append(1)
        return 200, "客" * 150_000

    assert idempotency.once("key", "/api/x", "k1", b"{}", work)[0] == 200
    with pytest.raises(Conflict, match="was done"):
        idempotency.once("key", "/api/x", "k1", b"{}", work)
    assert made == [1]


def test_due_work_is_read_once_its_time_has_come(tables: None, at: Callable[[datetime], None]) -> None:
    at(NOW)
    minute, later = NOW.replace(second=0), NOW.replace(second=0) + timedelta(minutes=5)
    due.put("step", NOW - timedelta(hours=2), "past", {"n": 1})  # into the present minute
    due.put("step", NOW + timedelta(minutes=5), "e2", {"n": 2})
    due.put("step", NOW + timedelta(minutes=5), "e2", {"n": 2})
    assert [row.work for row in due.read(minute, NOW)] == [{"n": 1}]
    assert due.read(later, NOW + timedelta(minutes=4, seconds=59)) == []
    found = due.read(later, NOW + timedelta(minutes=5))
    assert [row.work for row in found] == [{"n": 2}]
    due.remove(found)
    assert due.read(later, NOW + timedelta(minutes=5)) == []


def test_the_watermark_never_goes_back(tables: None) -> None:
    assert due.watermark("due", NOW) == NOW.replace(second=0) - timedelta(hours=1)
    due.advance("due", NOW)
    due.advance("due", NOW - timedelta(minutes=3))
    assert due.watermark("due", NOW) == NOW.replace(second=0)
    first, *_, last = due.minutes(due.watermark("due", NOW), NOW)
    assert (first, last) == (NOW.replace(second=0) - timedelta(minutes=2), NOW.replace(second=0))


def test_a_strange_group_becomes_one_that_sqs_takes() -> None:
    assert queues._plain("wmABC") == "wmABC"
    for group in ("", "with space", "中文", "x" * 200):
        plain = queues._plain(group)
        assert len(plain) == 64 and plain != group


def test_cursors_are_opaque_and_foreign_ones_are_refused() -> None:
    key = {"subject": {"S": "wm1"}}
    assert storage.key_of(storage.cursor_of(key)) == key
    for bad in ("x", "e30x", "WzFd", "eyJhIjoxfQ"):
        with pytest.raises(Invalid):
            storage.key_of(bad)


def test_ids_sort_by_time_and_derive_the_same() -> None:
    assert ids.ulid(NOW) < ids.ulid(NOW + timedelta(milliseconds=2))
    assert ids.ulid_floor(NOW) <= ids.ulid(NOW)
    assert ids.derived("a", "b") == ids.derived("a", "b") != ids.derived("ab", "")


def test_a_lost_connection_is_busy_for_one_write_and_tried_again_in_a_transaction(inject: Any) -> None:
    events = storage.connection().client.meta.events
    left = [2]

    def cut(**_: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise EndpointConnectionError(endpoint_url="http://cut")

    events.register("before-call.dynamodb.TransactWriteItems", lambda **_: cut())
    tx = Transaction()
    tx.put("one", Thing("one"))
    tx.commit()
    assert Thing.find("one") is not None and left == [0]
    events.register(
        "before-call.dynamodb.PutItem",
        lambda **_: (_ for _ in ()).throw(EndpointConnectionError(endpoint_url="http://cut")),
    )
    with pytest.raises(Busy):
        storage.put_once(Thing("two"), Thing.name.does_not_exist())


def lose(event: str, lost: Callable[..., Any]) -> None:
    """The first answer to an update is lost: `lost` is called where botocore has it."""
    left = [1]

    def first(**told: Any) -> Any:
        return lost(**told) if left and left.pop() else None

    storage.connection().client.meta.events.register_first(f"{event}.dynamodb.UpdateItem", first)


def not_read(**_: Any) -> None:
    raise ReadTimeoutError(endpoint_url="http://cut")


@pytest.mark.parametrize(("event", "lost"), [("after-call", not_read), ("needs-retry", lambda **_: 0)])
def test_a_write_that_meets_itself_is_not_somebody_elses(
    tables: None, event: str, lost: Callable[..., Any]
) -> None:
    """Sent again by us, or by botocore: whoever takes it for another's drops work that nobody does."""
    Thing("one").save()
    lose(event, lost)
    with pytest.raises(storage.Unsure):
        storage.update_if(Thing("one"), [Thing.count.set(1)], Thing.count == 0)
    assert Thing.get("one").count == 1
    assert not storage.update_if(Thing("one"), [Thing.count.set(2)], Thing.count == 0)


def test_another_lists_cursor_is_refused(engine: str) -> None:
    timeline.record(Line("wm1", "follow_edited", NOW, "d1", {"staff_id": "lihua"}))
    timeline.record(Line("wm1", "follow_edited", NOW, "d2", {"staff_id": "lihua"}))
    first, cursor = timeline.read("wm1", limit=1)
    second, _ = timeline.read("wm1", limit=1, cursor=cursor)
    assert len(first) == len(second) == 1 and cursor
    with pytest.raises(Invalid):
        timeline.read("wm1", cursor=storage.cursor_of({"name": {"S": "x"}}))


def test_a_history_is_read_page_by_page_and_counts_what_it_has_seen(tables: None) -> None:
    lines = [
        Line("wm1", "coupon_given", NOW + timedelta(seconds=n), str(n), {"pool_id": "p"}) for n in range(7)
    ]
    for line in lines:
        timeline.record(line)
    query = partial(timeline.TimelineItem.query, "wm1", scan_index_forward=False)

    seen, cursor, told = [], None, []
    while True:
        page = lists.history(
            query, lists.Paging(limit=2, cursor=cursor), lambda row: row.sort.rsplit("#", 1)[1] != "3"
        )
        seen += [row.sort.rsplit("#", 1)[1] for row in page.items]
        told.append((page.total, page.total_is))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["6", "5", "4", "2", "1", "0"]
    assert told[:2] == [(2, "at_least"), (4, "at_least")]
    assert told[-1] == (6, "exact")


def test_an_optimistic_write_reads_anew_until_nobody_was_first(
    tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.time, "sleep", lambda _: None)
    Thing("counter", count=0).save()
    rivals = [1, 2, 3]

    @storage.retrying("somebody keeps counting", attempts=5)
    def count() -> int:
        seen = Thing.get("counter", consistent_read=True).count
        if rivals:
            Thing("counter", count=rivals.pop(0) * 10).save()
        tx = Transaction()
        tx.update("counter", Thing("counter"), [Thing.count.set(seen + 1)], Thing.count == seen)
        tx.commit()
        return int(seen) + 1

    assert count() == 31
    rivals[:] = list(range(10, 20))
    with pytest.raises(Busy, match="somebody keeps counting"):
        count()
