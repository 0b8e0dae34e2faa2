"""Figures of a print run, from the timeline's stream: one counter for each thousand of cards and day.

One update a batch and (thousand, day) counts scans and adds and keeps which cards were scanned, so that
a card counts once however often it is scanned; all else is summed up when it is asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from chalicelib.metrics import service as metrics
from chalicelib.platform import clock
from chalicelib.platform.timeline import Line
from chalicelib.printruns import rules
from chalicelib.printruns.runs import Run
from chalicelib.printruns.types import FiguresRow

By = Literal["total", "day", "thousand"]
Counted = tuple[int, str, dict[str, int], frozenset[int]]  # thousand, day, figures, cards scanned


def project(lines: Sequence[tuple[Line, str]], shard: str) -> None:
    """Count lines, each with its sequence number in `shard`; what is counted already is left out."""
    counted: dict[tuple[str, str], list[tuple[str, dict[str, int], frozenset[int]]]] = defaultdict(list)
    for line, sequence in lines:
        run, card = line.data.get("print_run_id"), line.data.get("card")
        if not run or not isinstance(card, int):
            continue
        thousand = rules.thousand(card)
        key = (_counter(run), f"{thousand:04}#{line.at.astimezone(clock.SHANGHAI).date().isoformat()}")
        if line.type == "scanned":
            counted[key].append((sequence, {"scans": 1}, frozenset((card,))))
        elif line.type == "customer_added" and line.data.get("begins"):
            counted[key].append((sequence, {"adds": 1}, frozenset()))
    for key, entries in counted.items():
        metrics.add(key, shard, sorted(entries, key=lambda entry: entry[0]))


def read(run: Run, by: By) -> list[FiguresRow]:
    """One row in all, or one a day or thousand, in order; without empty ones."""
    return sum_up(_read_counters(run.print_run_id), by, run.count)


def sum_up(counted: Iterable[Counted], by: By, count: int) -> list[FiguresRow]:
    """count: cards of the run."""
    sums: dict[Any, dict[str, int]] = defaultdict(lambda: {"scans": 0, "adds": 0})
    cards: dict[Any, set[int]] = defaultdict(set)
    for thousand, day, counters, scanned in counted:
        key = {"total": 0, "day": day, "thousand": thousand}[by]
        for name in ("scans", "adds"):
            sums[key][name] += counters.get(name, 0)
        cards[key] |= scanned
    if by == "total":
        sums[0]
    return [
        FiguresRow(**_name(key, by, count), scans=row["scans"], cards=len(cards[key]), adds=row["adds"])
        for key, row in sorted(sums.items())
    ]


def _name(key: Any, by: By, count: int) -> dict[str, Any]:
    if by == "day":
        return {"day": key}
    first = key * rules.THOUSAND
    return {"from_": first + 1, "to": min(first + rules.THOUSAND, count)} if by == "thousand" else {}


def _read_counters(print_run_id: str) -> Iterable[Counted]:
    for what, counters, scanned in metrics.rows(_counter(print_run_id)):
        thousand, _, day = what.partition("#")
        yield int(thousand), day, counters, scanned


def _counter(print_run_id: str) -> str:
    return f"print_run#{print_run_id}"
