"""Counters: an item for each thing counted (of the funnel: each day and channel), added to with one update.

`new_<type>` is the newest line of that type that was counted, in short (rules.py).

`last_<shard>` is the sequence number of the last line counted from that shard of the stream. It is
set by the very update that counts, so a batch that comes again finds itself counted.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pynamodb.attributes import NumberSetAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action

from chalicelib.metrics.rules import Cell, Figures, Key, newest_of
from chalicelib.platform import ids, settings, storage
from chalicelib.platform.storage import Base, BaseMeta

_NEW = "new_"
_SEEN: NumberSetAttribute = NumberSetAttribute(attr_name="seen")


class CounterItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("counters")

    day = UnicodeAttribute(hash_key=True)
    what = UnicodeAttribute(range_key=True)


def add(
    key: Key,
    shard: str,
    first: str,
    final: str,
    sums: Figures,
    seen: frozenset[int] = frozenset(),
    newest: Mapping[str, str] = {},
) -> bool:
    """Add what the shard's lines from sequence `first` to `final` come to; False when `first` is counted.

    seen: numbers that the counter keeps as a set. newest: by type, in place of what it has.
    """
    mark = Path(_mark(shard))
    actions: list[Action] = [Path(name).add(Value(value)) for name, value in sums.items()]
    actions += [Path(_NEW + kind).set(Value(short)) for kind, short in newest.items()]
    actions.append(mark.set(Value(final)))
    if seen:
        actions.append(_SEEN.add(seen))
    return storage.update_if(CounterItem(*key), actions, mark.does_not_exist() | (mark < first))


def last(key: Key, shard: str) -> str:
    """The sequence number of the last line counted from that shard; "" for none."""
    answer = CounterItem._get_connection().get_item(*key, consistent_read=True) or {}
    return str(answer.get("Item", {}).get(_mark(shard), {}).get("S", ""))


def cells(of: str, first: str = "", final: str = "") -> Iterable[Cell]:
    """The counters under one hash key, by `what`; those between the two texts, where they are given."""
    between = CounterItem.what.between(first, final) if final else None
    for item in _rows(of, between):
        newest = (
            newest_of(name.removeprefix(_NEW), value["S"])
            for name, value in sorted(item.items())
            if name.startswith(_NEW)
        )
        yield Cell(item["what"]["S"], _figures(item), tuple(newest))


def rows(of: str) -> Iterable[tuple[str, Figures, frozenset[int]]]:
    """(what, counters, numbers seen) of all counters under one hash key, by `what`."""
    for item in _rows(of):
        seen = frozenset(int(number) for number in item.get("seen", {}).get("NS", ()))
        yield item["what"]["S"], _figures(item), seen


def _figures(item: dict[str, dict[str, Any]]) -> Figures:
    return {name: int(value["N"]) for name, value in item.items() if "N" in value}


def _rows(of: str, between: Condition | None = None) -> Iterable[dict[str, dict[str, Any]]]:
    table, start = CounterItem._get_connection(), None
    while True:
        page = table.query(of, range_key_condition=between, exclusive_start_key=start)
        yield from page["Items"]
        start = page.get("LastEvaluatedKey")
        if not start:
            return


def _mark(shard: str) -> str:
    """Shards have long names and a new one every few hours: hashed, to keep the item small."""
    return "last_" + ids.derived(shard, length=10)
