"""What a line adds to the figures of its day and channel.

scans: scans of a live code. adds: bonds between a customer and a member of staff that began; the
whole add after a half one, a repeated add and a transfer begin none. lost: such bonds that a
customer or a member of staff ended. kept = adds - lost, so it is what stands, in whatever order the
events came. buyers: customers whose first order was paid. orders, gmv_fen: paid orders, and their
money less refunds, each on its own day. Days are Shanghai's.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from chalicelib.metrics.types import FunnelRow
from chalicelib.platform.clock import SHANGHAI, parse
from chalicelib.platform.timeline_line import Line

STORED = ("scans", "adds", "lost", "buyers", "orders", "gmv_fen")
UNKNOWN = "unknown"  # the channel of what came through no live code
MAX_DAYS = 366

Cell = tuple[str, str]  # day, channel
Key = tuple[str, str]  # of a counter: hash, range
Figures = dict[str, int]


def figures(line: Line) -> Figures:
    """What the line adds, by counter; only what is not zero."""
    data = line.data
    if line.type == "scanned":
        counted = {"scans": 1}
    elif line.type == "customer_added":
        counted = {"adds": int(data["begins"]), "lost": int(data["ends"])}
    elif line.type == "customer_lost":
        counted = {"lost": int(data["ends"] and data["by"] != "transfer")}
    elif line.type == "order_paid":
        counted = {"orders": 1, "gmv_fen": data["paid_fen"], "buyers": int(bool(data.get("first_order")))}
    elif line.type == "order_refunded":
        counted = {"gmv_fen": -data["refunded_fen"]}
    else:
        counted = {}
    return {name: value for name, value in counted.items() if value}


def cell(line: Line) -> Cell:
    """The day and the channel that the line counts for."""
    return day_of(line.at).isoformat(), line.data.get("channel") or UNKNOWN


def by_cell(lines: Iterable[tuple[Line, str]]) -> dict[Cell, list[tuple[str, Figures]]]:
    """(sequence, figures) of the lines that count, in order of sequence, for each cell."""
    cells: dict[Cell, list[tuple[str, Figures]]] = {}
    for line, sequence in lines:
        if counted := figures(line):
            cells.setdefault(cell(line), []).append((sequence, counted))
    return {key: sorted(entries, key=lambda entry: entry[0]) for key, entries in cells.items()}


def total(parts: Iterable[Figures]) -> Figures:
    """The sum, counter by counter."""
    sums: Counter[str] = Counter()
    for part in parts:
        sums.update(part)  # update adds, and keeps what is negative
    return dict(sums)


def day_of(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()


def days(start: date, end: date) -> list[date]:
    """From `start` to `end`, both included."""
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def row(channel: str, sums: Figures) -> FunnelRow:
    """One channel's row of the funnel."""
    figures = {name: sums.get(name, 0) for name in STORED}
    lost = figures.pop("lost")
    return FunnelRow(channel=channel, kept=figures["adds"] - lost, **figures)


def parse_day(text: str) -> date:
    """`2026-11-22`, or the day of a time with its offset. ValueError."""
    if len(text) == 10:
        return datetime.strptime(text, "%Y-%m-%d").date()
    return day_of(parse(text))
