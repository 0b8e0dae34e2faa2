"""Counters: an item for each thing counted (of the funnel: each day and channel), added to with one update.

`last_<shard>` is the sequence number of the last line counted from that shard of the stream. It is
set by the very update that counts, so a batch that comes again finds itself counted.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from pynamodb.attributes import NumberSetAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action

from chalicelib.metrics.rules import STORED, Cell, Figures, Key
from chalicelib.platform import ids, settings, storage
from chalicelib.platform.storage import Base, BaseMeta

_SEEN: NumberSetAttribute = NumberSetAttribute(attr_name="seen")


class CounterItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("counters")

    day = UnicodeAttribute(hash_key=True)
    what = UnicodeAttribute(range_key=True)


def count(cell: Cell, shard: str, first: str, final: str, sums: Figures) -> bool:
    """Add `sums` of the shard's lines from sequence `first` to `final`; False when `first` is counted."""
    return add(key_of(cell), shard, first, final, sums)


def add(
    key: Key, shard: str, first: str, final: str, sums: Figures, seen: frozenset[int] = frozenset()
) -> bool:
    """The same for any counter. seen: numbers that the counter keeps as a set."""
    mark = Path(_mark(shard))
    actions: list[Action] = [Path(name).add(Value(value)) for name, value in sums.items()]
    actions.append(mark.set(Value(final)))
    if seen:
        actions.append(_SEEN.add(seen))
    return storage.update_if(CounterItem(*key), actions, mark.does_not_exist() | (mark < first))


def last(key: Key, shard: str) -> str:
    """The sequence number of the last line counted from that shard; "" for none."""
    answer = CounterItem._get_connection().get_item(*key, consistent_read=True) or {}
    return str(answer.get("Item", {}).get(_mark(shard), {}).get("S", ""))


def read(day: date) -> Iterable[tuple[str, Figures]]:
    """(channel, counters) of a day, by channel."""
    for what, sums, _ in rows(_day(day.isoformat())):
        yield what.partition("#")[2], {name: sums[name] for name in STORED if name in sums}


def rows(of: str) -> Iterable[tuple[str, Figures, frozenset[int]]]:
    """(what, counters, numbers seen) of all counters under one hash key, by `what`."""
    for item in _rows(of):
        sums = {name: int(value["N"]) for name, value in item.items() if "N" in value}
        yield item["what"]["S"], sums, frozenset(int(n) for n in item.get("seen", {}).get("NS", ()))


def _rows(of: str) -> Iterable[dict[str, dict[str, Any]]]:
    table, start = CounterItem._get_connection(), None
    while True:
        page = table.query(of, exclusive_start_key=start)
        yield from page["Items"]
        start = page.get("LastEvaluatedKey")
        if not start:
            return


def key_of(cell: Cell) -> Key:
    return _day(cell[0]), f"channel#{cell[1]}"


def _day(day: str) -> str:
    return f"funnel#{day}"


def _mark(shard: str) -> str:
    """Shards have long names and a new one every few hours: hashed, to keep the item small."""
    return "last_" + ids.derived(shard, length=10)
