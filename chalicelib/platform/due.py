"""Time is a table: what falls due is an item in `due`, and a ticker works the minutes off.

Partition: minute and shard (`202611221001#3`), so that a minute's work is a handful of queries
however many million wait. The ticker (functions/sop, each minute) reads every bucket up to the
present one, from a little before its watermark: what arrived late, and what was not due yet when
its minute was read. It hands the work to the queue of its kind and only then removes it: twice is
harmless, since every consumer has its own natural key, and lost is impossible. After an outage it
works through the missed minutes in their order.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.platform import clock, ids, settings, storage
from chalicelib.platform.storage import Base, BaseMeta, Transaction

SHARDS = 8
LOOK_BACK = 3  # minutes up to the watermark that are read again; no writer is slower than that
_MINUTE = timedelta(minutes=1)


class DueItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("due")

    bucket = UnicodeAttribute(hash_key=True)
    sort = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    due_at = UnicodeAttribute()
    work = JSONAttribute()


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
    found: list[DueItem] = []
    by_now = DueItem.sort < f"{clock.iso(now)}~"  # "~" sorts after what follows the time
    for shard in range(SHARDS):
        found += DueItem.query(f"{minute:%Y%m%d%H%M}#{shard}", by_now, consistent_read=True)
    return sorted(found, key=lambda row: row.sort)


def remove(items: list[DueItem]) -> None:
    """Remove work that its queue has taken."""
    with DueItem.batch_write() as batch:
        for row in items:
            batch.delete(row)


def watermark(name: str, now: datetime) -> datetime:
    """Up to which minute all is handed out. A first start begins an hour back."""
    found = Watermark.find(name)
    if found is None:
        return _floor(now) - timedelta(hours=1)
    return datetime.strptime(found.minute, "%Y%m%d%H%M").replace(tzinfo=UTC)


def advance(name: str, minute: datetime) -> None:
    """Move the watermark on; never back."""
    text = f"{_floor(minute):%Y%m%d%H%M}"
    later = Watermark.name.does_not_exist() | (Watermark.minute < text)
    storage.update_if(Watermark(name), [Watermark.minute.set(text)], later)


def _floor(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)
