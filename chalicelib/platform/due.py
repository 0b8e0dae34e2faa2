"""Time is a table: what falls due is an item in `due`, and a ticker works the minutes off.

Partition: minute and shard (`202611221001#3`), so that a minute's work is a handful of queries
however many million wait. The ticker (functions/tick, each minute) reads every bucket up to the
present one, from a little before its watermark: what arrived late, and what was not due yet when
its minute was read. It hands the work to the queue of its kind and only then removes it: twice is
harmless, since every consumer has its own natural key, and lost is impossible. After an outage it
works through the missed minutes in their order.

Work of a kind that the running version does not know is parked under `unknown#<kind>`, with one item
for each such kind under `unknown` (its `stamp` new with each parking). One Query of that a minute
finds what a version has come to know.

| ticker that knows the kind | older ticker, still running |
|---|---|
| reads the kind's item, stamp 1 | |
| reads what is parked, hands it out, removes it | parks more: the work, then the item, stamp 2 |
| deletes the item if its stamp is 1: it is not | |
| the next minute: reads stamp 2 … | |
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.platform import clock, ids, settings, storage
from chalicelib.platform.storage import Base, BaseMeta, Transaction

SHARDS = 8
LOOK_BACK = 3  # minutes up to the watermark that are read again; no writer is slower than that
_MINUTE = timedelta(minutes=1)
_UNKNOWN = "unknown"
_BATCH = 1000  # rows of parked work that are handed out together


class DueItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("due")

    bucket = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    due_at = UnicodeAttribute()
    work = JSONAttribute()
    stamp = UnicodeAttribute(null=True)


class Watermark(Base):
    class Meta(BaseMeta):
        table_name = settings.table("watermarks")

    name = UnicodeAttribute(hash_key=True)
    minute = UnicodeAttribute()


def item(kind: str, at: datetime, key: str, work: Mapping[str, Any], now: datetime) -> DueItem:
    """An item of work for time `at`; for now, when that is past.

    The same (kind, at, key) is the same item. `work` is JSON; its consumer gets it as it is.
    """
    minute = max(_floor(at), _floor(now))
    return DueItem(
        bucket=f"{minute:%Y%m%d%H%M}#{ids.shard(key, SHARDS)}",
        sort=f"{clock.iso(at)}#{kind}#{key}",
        kind=kind,
        due_at=clock.iso(at),
        work=dict(work),
    )


def put(kind: str, at: datetime, key: str, work: Mapping[str, Any]) -> None:
    """Write an item of work alone."""
    storage.put_once(item(kind, at, key, work, clock.now()), DueItem.bucket.does_not_exist())


def add(tx: Transaction, kind: str, at: datetime, key: str, work: Mapping[str, Any]) -> None:
    """Add an item of work to a transaction, as `due:<kind>`."""
    tx.put(f"due:{kind}", item(kind, at, key, work, clock.now()))


def minutes(watermark: datetime, now: datetime) -> Iterator[datetime]:
    """The minutes to read, in order: from a little before the watermark to the present one."""
    minute = _floor(watermark) - (LOOK_BACK - 1) * _MINUTE
    while minute <= now:
        yield minute
        minute += _MINUTE


def read(minute: datetime, now: datetime) -> list[DueItem]:
    """What of a minute is due by now, in order of time."""
    rows: list[DueItem] = []
    by_now = DueItem.sort < f"{clock.iso(now)}~"  # "~" sorts after what follows the time
    for shard in range(SHARDS):
        rows += DueItem.query(f"{minute:%Y%m%d%H%M}#{shard}", by_now, consistent_read=True)
    return sorted(rows, key=lambda row: row.sort)


def remove(items: list[DueItem]) -> None:
    """Remove work that its queue has taken."""
    with DueItem.batch_write() as batch:
        for row in items:
            batch.delete(row)


def park(items: list[DueItem]) -> None:
    """Keep work of unknown kinds until a version knows them. Twice is harmless."""
    if not items:
        return
    with DueItem.batch_write() as batch:
        for row in items:
            batch.save(
                DueItem(f"{_UNKNOWN}#{row.kind}", row.sort, kind=row.kind, due_at=row.due_at, work=row.work)
            )
    for row in {row.kind: row for row in items}.values():  # after its work: whoever reads it finds that
        DueItem(_UNKNOWN, row.kind, kind=row.kind, due_at=row.due_at, work={}, stamp=ids.short()).save()
    remove(items)


def read_parkings() -> list[DueItem]:
    """The kinds of which work is parked, one item each."""
    return list(DueItem.query(_UNKNOWN, consistent_read=True))


def read_parked(parking: DueItem) -> Iterator[list[DueItem]]:
    """The work that is parked of a kind, in order of time, a batch at a time."""
    rows = DueItem.query(f"{_UNKNOWN}#{parking.kind}", consistent_read=True)
    while batch := list(islice(rows, _BATCH)):
        yield batch


def close_parking(parking: DueItem) -> None:
    """Forget a kind of which nothing is parked any more, unless something was since."""
    storage.delete_if(parking, DueItem.stamp == parking.stamp)


def watermark(name: str, now: datetime) -> datetime:
    """Up to which minute all is handed out. A first start begins an hour back."""
    mark = Watermark.find(name)
    if mark is None:
        return _floor(now) - timedelta(hours=1)
    return datetime.strptime(mark.minute, "%Y%m%d%H%M").replace(tzinfo=UTC)


def advance(name: str, minute: datetime) -> None:
    """Move the watermark on; never back."""
    text = f"{_floor(minute):%Y%m%d%H%M}"
    later = Watermark.name.does_not_exist() | (Watermark.minute < text)
    storage.update_if(Watermark(name), [Watermark.minute.set(text)], later)


def _floor(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)
