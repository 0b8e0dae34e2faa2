"""Figures: counted from the timeline's stream, read as a funnel.

A batch is summed up for each (day, channel) and counted by one update, which also notes how far the
shard is counted. When a batch comes again, whole, in halves or with more behind it, what is counted
already is left out.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from chalicelib.metrics import models, rules
from chalicelib.metrics.rules import Cell, Figures, Key
from chalicelib.metrics.types import FunnelRow
from chalicelib.platform.timeline import Line


def project(lines: Sequence[tuple[Line, str]], shard: str) -> None:
    """Count lines, each with its sequence number in `shard` (text that sorts as the numbers do)."""
    for cell, entries in rules.by_cell(lines).items():
        _count(cell, shard, entries)


def funnel(start: date, end: date) -> list[FunnelRow]:
    """Both days included: a row for each channel, by name."""
    channels: dict[str, list[Figures]] = {}
    for day in rules.days(start, end):
        for channel, sums in models.read(day):
            channels.setdefault(channel, []).append(sums)
    return [rules.row(channel, rules.total(parts)) for channel, parts in sorted(channels.items())]


def add(key: Key, shard: str, entries: list[tuple[str, Figures, frozenset[int]]]) -> None:
    """Count into any counter. entries: (sequence, what to add, numbers to keep), in order of sequence."""
    while entries:
        sums = rules.total(figures for _, figures, _ in entries)
        seen = frozenset[int]().union(*(numbers for _, _, numbers in entries))
        if models.add(key, shard, entries[0][0], entries[-1][0], sums, seen):
            return
        last = models.last(key, shard)  # at least the first is counted: add what is behind the mark
        entries = [entry for entry in entries if entry[0] > last]


def rows(of: str) -> Iterable[tuple[str, Figures, frozenset[int]]]:
    """(what, counters, numbers) of every counter whose key begins with `of`."""
    return models.rows(of)


def _count(cell: Cell, shard: str, entries: list[tuple[str, Figures]]) -> None:
    while entries:
        sums = rules.total(figures for _, figures in entries)
        if models.count(cell, shard, entries[0][0], entries[-1][0], sums):
            return
        last = models.last(models.key_of(cell), shard)  # add what is behind the mark
        entries = [entry for entry in entries if entry[0] > last]
