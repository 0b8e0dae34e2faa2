"""Figures: counted from the timeline's stream, read as a funnel, by day, and as what happens now.

A batch is summed up for each counter and counted by one update, which also notes how far the shard is
counted. When a batch comes again, whole, in halves or with more behind it, what is counted already is left
out. (A guide who changes stores between a batch and its repeat is the one exception: of what the first try
counted, the new store counts it too.)
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from chalicelib.metrics import models, rules, views
from chalicelib.metrics.rules import Cell, Entry, Figures, Key
from chalicelib.metrics.types import DayRow, FunnelRow
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.timeline import Line
from chalicelib.stores import guides


def project(lines: Sequence[tuple[Line, str]], shard: str) -> None:
    """Count lines, each with its sequence number in `shard` (text that sorts as the numbers do)."""

    def store_of(staff_id: str) -> str | None:
        return guides.store_of([staff_id])

    for key, entries in rules.by_key(lines, store_of).items():
        _count(key, shard, entries)


def funnel(start: date, end: date, principal: Principal = SYSTEM) -> list[FunnelRow]:
    """Both days included: a row for each channel that the scope has figures of, by name."""
    channels: dict[str, list[Figures]] = {}
    for _, _, channel, sums in figures(start, end, principal):
        if channel is not None and any(name in sums for name in rules.FUNNEL):
            channels.setdefault(channel, []).append(sums)
    return [rules.row(channel, rules.total(parts)) for channel, parts in sorted(channels.items())]


def days(
    start: date,
    end: date,
    principal: Principal = SYSTEM,
    channels: Collection[str] | None = None,
    staff_id: str | None = None,
) -> list[DayRow]:
    """A row for each day, the empty ones too; of some channels, of a guide, where they are given."""
    parts: dict[str, list[Figures]] = {day.isoformat(): [] for day in rules.days(start, end)}
    for day, of, through, sums in figures(start, end, principal, staff_id):
        if (channels is None or through in channels) and staff_id in (None, of):
            parts[day].append(sums)
    return [rules.day_row(day, rules.total(of_day)) for day, of_day in parts.items()]


def today(day: date, principal: Principal) -> list[Cell]:
    """The counters of a day that the principal sees: one read of all for the corp, one of each store."""
    view = views.of(principal)
    if view is None:
        return list(models.cells(rules.of_day(day.isoformat())))
    return [cell for cell, _ in views.read(view, day, day)]


def figures(
    start: date, end: date, principal: Principal, staff_id: str | None = None
) -> Iterator[tuple[str, str, str | None, Figures]]:
    """(day, staff_id, channel, figures) of every counter; the corp's know no guide, and some no channel."""
    view = views.of(principal, staff_id)
    if view is None:
        days = [day.isoformat() for day in rules.days(start, end)]
        for day, cells in zip(days, views.read_all(map(rules.of_day, days)), strict=True):
            for cell in cells:
                yield day, "", rules.channel_of(cell.what), cell.figures
        return
    for cell, (day, guide, channel) in views.read(view, start, end):
        yield day, guide, channel or rules.UNKNOWN, cell.figures


def add(key: Key, shard: str, entries: list[tuple[str, Figures, frozenset[int]]]) -> None:
    """Count into any counter. entries: (sequence, what to add, numbers to keep), in order of sequence."""
    _count(key, shard, [Entry(*entry) for entry in entries])


def rows(of: str) -> Iterable[tuple[str, Figures, frozenset[int]]]:
    """(what, counters, numbers) of every counter whose key begins with `of`."""
    return models.rows(of)


def _count(key: Key, shard: str, entries: list[Entry]) -> None:
    while entries:
        if models.add(key, shard, entries[0].sequence, entries[-1].sequence, *rules.merged(entries)):
            return
        last = models.last(key, shard)  # at least the first is counted: add what is behind the mark
        entries = [entry for entry in entries if entry.sequence > last]
