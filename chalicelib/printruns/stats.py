"""Figures of a print run, from the timeline's stream: one counter for each thousand of cards and day.

One update a batch and (thousand, day) counts scans and adds and keeps which cards were scanned, so that
a card counts once however often it is scanned; all else is summed up when it is asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib.metrics import service as metrics
from chalicelib.platform import clock
from chalicelib.platform.timeline import Line
from chalicelib.printruns import rules

BY = ("total", "day", "thousand")
Row = tuple[int, str, dict[str, int], frozenset[int]]  # thousand, day, figures, cards scanned


def project(lines: Sequence[tuple[Line, str]], shard: str) -> None:
    """Count lines, each with its sequence number in `shard`; what is counted already is left out."""
    counted: dict[tuple[str, str], list[tuple[str, dict[str, int], frozenset[int]]]] = defaultdict(list)
    for line, sequence in lines:
        run, card = line.data.get("print_run_id"), line.data.get("card")
        if not run or not isinstance(card, int):
            continue
        thousand = rules.thousand(card)
        key = (_hash(run), f"{thousand:04}#{line.at.astimezone(clock.SHANGHAI).date().isoformat()}")
        if line.type == "scanned":
            counted[key].append((sequence, {"scans": 1}, frozenset((card,))))
        elif line.type == "customer_added" and line.data.get("begins"):
            counted[key].append((sequence, {"adds": 1}, frozenset()))
    for key, entries in counted.items():
        metrics.add(key, shard, sorted(entries, key=lambda entry: entry[0]))


def figures(print_run_id: str, by: str) -> list[dict[str, Any]]:
    """Rows of scans, cards (different ones scanned) and adds: one in all, or one a day or thousand."""
    return rows(_read(print_run_id), by)


def rows(counted: Iterable[Row], by: str) -> list[dict[str, Any]]:
    """`{"day"?,"from"?,"to"?,"scans","cards","adds"}`, in order; without empty ones."""
    sums: dict[Any, dict[str, int]] = defaultdict(lambda: {"scans": 0, "adds": 0})
    cards: dict[Any, set[int]] = defaultdict(set)
    for thousand, day, figures, seen in counted:
        key = {"total": None, "day": day, "thousand": thousand}[by]
        for name in ("scans", "adds"):
            sums[key][name] += figures.get(name, 0)
        cards[key] |= seen
    if by == "total":
        sums[None]
    return [
        {**_named(key, by), "scans": found["scans"], "cards": len(cards[key]), "adds": found["adds"]}
        for key, found in sorted(sums.items(), key=lambda item: (item[0] is not None, item[0]))
    ]


def _named(key: Any, by: str) -> dict[str, Any]:
    if by == "day":
        return {"day": key}
    first = (key or 0) * rules.THOUSAND
    return {"from": first + 1, "to": first + rules.THOUSAND} if by == "thousand" else {}


def _read(print_run_id: str) -> Iterable[Row]:
    for what, figures, seen in metrics.rows(_hash(print_run_id)):
        thousand, _, day = what.partition("#")
        yield int(thousand), day, figures, seen


def _hash(print_run_id: str) -> str:
    return f"print_run#{print_run_id}"
