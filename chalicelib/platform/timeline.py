"""The timeline: whatever happened, one immutable line. Its stream is the bus of the product.

A line is written in the transaction that changes the state it tells of, under a natural key, so
an event that comes twice leaves one line. functions/route reads the stream for all listeners,
functions/project for the day's counters. What lines there are: platform/events.py.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.platform import clock, events, lists, settings, storage
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.storage import Base, BaseMeta, Transaction
from chalicelib.platform.timeline_line import Line as Line  # for those who write lines


class TimelineItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("timeline")

    subject = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)
    type = UnicodeAttribute()
    at = UnicodeAttribute()
    data = JSONAttribute()


def _item(line: Line) -> TimelineItem:
    events.check(line.type, line.data)
    return TimelineItem(
        subject=line.subject,
        sort=line.sort,
        type=line.type,
        at=clock.iso(line.at),
        data=line.data,
    )


def add(tx: Transaction, line: Line) -> None:
    """Add the line to a transaction as the item `line:<type>`; it fails if the line is there. NotAnEvent."""
    tx.put(f"line:{line.type}", _item(line), TimelineItem.subject.does_not_exist())


def record(line: Line) -> bool:
    """Write the line alone, for what has no other state. False when it was there already. NotAnEvent."""
    return storage.put_once(_item(line), TimelineItem.subject.does_not_exist())


def happened(*lines: Line) -> bool:
    """Whether one of these very lines is there; one request for all."""
    keys = [(line.subject, line.sort) for line in lines]
    return next(iter(TimelineItem.batch_get(keys, consistent_read=True)), None) is not None


def find(lines: Sequence[Line]) -> list[Line]:
    """Those of these very lines that are there, as they were written; read consistently."""
    keys = [(line.subject, line.sort) for line in lines]
    return [_line(item) for item in TimelineItem.batch_get(keys, consistent_read=True)]


def read(subject: str, limit: int = 50, cursor: str | None = None) -> tuple[list[dict[str, Any]], str | None]:
    """A subject's lines, newest first: `{"type","at","data"}`, and the next cursor."""
    query = partial(TimelineItem.query, subject, scan_index_forward=False, limit=limit)
    rows, following = storage.page(query, cursor)
    return [{"type": row.type, "at": row.at, "data": row.data} for row in rows], following


def page(subject: str, paging: Paging) -> Page[Line]:
    """A page of a subject's lines, newest first. Invalid for another list's cursor."""
    query = partial(TimelineItem.query, subject, scan_index_forward=False)
    return lists.history(query, paging).map(_line)


def since(subject: str, at: datetime) -> Iterator[Line]:
    """A subject's lines from a time on, oldest first, read consistently."""
    return map(_line, TimelineItem.query(subject, TimelineItem.sort >= clock.iso(at), consistent_read=True))


def until(subject: str, at: datetime, limit: int) -> list[Line]:
    """A subject's newest lines up to a time, at most so many, newest first."""
    earlier = TimelineItem.sort < f"{clock.iso(at)}~"  # "~" sorts after what follows the time
    rows = TimelineItem.query(subject, earlier, scan_index_forward=False, limit=limit)
    return [_line(row) for row in rows]


def _line(item: TimelineItem) -> Line:
    key = item.sort.split("#", 2)[2]
    return Line(item.subject, item.type, clock.parse(item.at), key, dict(item.data))


def from_stream(record: dict[str, Any]) -> Line | None:
    """The line in a DynamoDB stream record; None for anything but a new line."""
    if record.get("eventName") != "INSERT":
        return None
    image = record["dynamodb"]["NewImage"]
    sort = image["sort"]["S"]
    return Line(
        subject=image["subject"]["S"],
        type=image["type"]["S"],
        at=clock.parse(image["at"]["S"]),
        key=sort.split("#", 2)[2],
        data=json.loads(image["data"]["S"]),
    )
