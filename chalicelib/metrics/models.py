"""Counters: an item for each day and channel, added to with one update.

`last_<shard>` is the sequence number of the last line counted from that shard of the stream. It is
set by the very update that counts, so a batch that comes again finds itself counted.
"""

from collections.abc import Iterable
from datetime import date

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action

from chalicelib.metrics.rules import STORED, Cell, Figures
from chalicelib.platform import ids, settings, storage
from chalicelib.platform.storage import Base, BaseMeta


class CounterItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("counters")

    day = UnicodeAttribute(hash_key=True)
    what = UnicodeAttribute(range_key=True)


def count(cell: Cell, shard: str, first: str, final: str, sums: Figures) -> bool:
    """Add `sums` of the shard's lines from sequence `first` to `final`; False when `first` is counted."""
    mark = Path(_mark(shard))
    actions: list[Action] = [Path(name).add(Value(value)) for name, value in sums.items()]
    actions.append(mark.set(Value(final)))
    return storage.update_if(_item(cell), actions, mark.does_not_exist() | (mark < first))


def last(cell: Cell, shard: str) -> str:
    """The sequence number of the last line counted from that shard; "" for none."""
    item = _item(cell)
    found = item._get_connection().get_item(item.day, item.what, consistent_read=True) or {}
    return str(found.get("Item", {}).get(_mark(shard), {}).get("S", ""))


def read(day: date) -> Iterable[tuple[str, Figures]]:
    """(channel, counters) of a day, by channel."""
    for item in _rows(day):
        yield item["what"]["S"].partition("#")[2], {n: int(item[n]["N"]) for n in STORED if n in item}


def _rows(day: date) -> Iterable[dict[str, dict[str, str]]]:
    table, start = CounterItem._get_connection(), None
    while True:
        page = table.query(_day(day.isoformat()), exclusive_start_key=start)
        yield from page["Items"]
        start = page.get("LastEvaluatedKey")
        if not start:
            return


def _item(cell: Cell) -> CounterItem:
    return CounterItem(_day(cell[0]), f"channel#{cell[1]}")


def _day(day: str) -> str:
    return f"funnel#{day}"


def _mark(shard: str) -> str:
    """Shards have long names and a new one every few hours: hashed, to keep the item small."""
    return "last_" + ids.derived(shard, length=10)
