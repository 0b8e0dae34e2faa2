"""What a line adds to the figures of its day, and to which counters.

scans: scans of a live code. adds: bonds between a customer and a member of staff that began; the
whole add after a half one, a repeated add and a transfer begin none. lost: such bonds that a
customer or a member of staff ended. kept = adds - lost, so it is what stands, in whatever order the
events came. joins: customers who joined a group. buyers: customers whose first order was paid. orders,
gmv_fen: paid orders, and their money less refunds up to it, each on its own day. welcomes, touches: what
was sent, beside it what was not. Days are Shanghai's.

A line of a live code also counts for the code, by month, store, guide and group: `lapsed` (what a scan
reserved, and nobody used) counts there alone.

A line counts twice: for the corp under its day, by channel, and for its store (a guide's who is of none:
the guide) under its month, by day, guide and channel. A counter also keeps the newest line of each kind,
written by the update that counts: what a screen shows as it happens costs no write of its own.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta

from msgspec import Struct

from chalicelib.metrics.types import DayRow, FunnelRow, GuideRow
from chalicelib.platform.clock import SHANGHAI, parse
from chalicelib.platform.timeline_line import Line

FUNNEL = ("scans", "adds", "lost", "buyers", "orders", "gmv_fen")
STORED = (
    *FUNNEL,
    "joins",
    "welcomes",
    "welcomes_missed",
    "welcomes_unknown",
    "touches",
    "touches_failed",
)
_OF_GUIDES = (  # orders are a store's
    "scans",
    "adds",
    "lost",
    "welcomes",
    "welcomes_missed",
    "welcomes_unknown",
    "touches",
    "touches_failed",
)
UNKNOWN = "unknown"  # the channel of what came through no live code
MAX_DAYS = 366
_CHANNEL = "channel#"
_CODE = "code#"
_OF_CODES = frozenset(
    {
        *("scanned", "customer_added", "customer_lost", "joined_group", "assignment_lapsed"),
        *("order_paid", "order_refunded", "order_corrected"),
    }
)
OF_CODE = ("scans", "adds", "lost", "joins", "lapsed", "buyers", "orders", "gmv_fen")
_OTHERS = {  # lines that know no channel, under a name of their own
    "welcome_sent": "welcomes",
    "welcome_missed": "welcomes",
    "welcome_unknown": "welcomes",
    "touch_sent": "touches",
    "touch_failed": "touches",
}

Key = tuple[str, str]  # of a counter: hash, range
Figures = dict[str, int]
StoreOf = Callable[[str], str | None]  # a guide's store


class Entry(Struct, frozen=True):
    """What one line adds to a counter. newest: kind → the line in short; seen: numbers to keep as a set."""

    sequence: str
    figures: Figures
    seen: frozenset[int] = frozenset()
    newest: Mapping[str, str] = {}


class Newest(Struct, frozen=True):
    """The newest line of a kind that a counter has seen. thing: the assignment, customer or order.

    chat_id: the group that a scan led to, or that somebody joined.
    """

    kind: str
    at: int
    live_code_id: str
    staff_id: str
    thing: str
    fen: int
    chat_id: str = ""


class Cell(Struct, frozen=True):
    """One counter as it is read."""

    what: str
    figures: Figures
    newest: tuple[Newest, ...] = ()


def figures(line: Line) -> Figures:
    """What the line adds, by counter; only what is not zero."""
    data = line.data
    if line.type == "scanned":
        counted = {"scans": 1}
    elif line.type == "customer_added":
        counted = {"adds": int(data["begins"]), "lost": int(data["ends"])}
    elif line.type == "customer_lost":
        counted = {"lost": int(data["ends"] and data["by"] != "transfer")}
    elif line.type == "assignment_lapsed":
        counted = {"lapsed": 1}
    elif line.type == "joined_group":
        counted = {"joins": int(not data.get("staff_id"))}
    elif line.type == "order_paid":
        counted = {"orders": 1, "gmv_fen": data["paid_fen"], "buyers": int(bool(data.get("first_order")))}
    elif line.type == "order_refunded":
        counted = {"gmv_fen": -data["refunded_fen"]}
    elif line.type == "order_corrected":
        counted = {"gmv_fen": data["counted_fen"]}
    elif line.type in _OTHERS:
        whole, _, fate = line.type.partition("_")
        name = {"welcome": "welcomes", "touch": "touches"}[whole]
        counted = {name if fate == "sent" else f"{name}_{fate}": 1}
    else:
        counted = {}
    return {name: value for name, value in counted.items() if value}


def keys(line: Line, store_of: StoreOf) -> list[Key]:
    """The counters that the line counts in: the corp's, its store's or its guide's, where it has one, and its
    live code's.
    """
    day, channel = day_of(line.at).isoformat(), line.data.get("channel")
    what = _OTHERS.get(line.type) or _CHANNEL + (channel or UNKNOWN)
    counters = [(of_day(day), what)]
    staff_id = line.data.get("staff_id") or ""
    store_id = line.data.get("store_id") or (store_of(staff_id) if staff_id else None)
    of_codes = []
    if line.type in _OF_CODES and line.data.get("live_code_id"):
        parts = (day[:7], store_id or "", staff_id, line.data.get("chat_id") or "")
        of_codes = [(of_code(line.data["live_code_id"]), "#".join(parts))]
    if line.type == "assignment_lapsed":
        return of_codes
    if store_id or staff_id:
        whose = of_store(store_id, day) if store_id else of_guide(staff_id, day)
        counters.append((whose, f"{day}#{staff_id}#{channel or ''}"))
    return counters + of_codes


def of_day(day: str) -> str:
    return f"funnel#{day}"


def of_store(store_id: str, day: str) -> str:
    """A store's counters of the month in which the day is."""
    return f"store#{store_id}#{day[:7]}"


def of_guide(staff_id: str, day: str) -> str:
    return f"guide#{staff_id}#{day[:7]}"


def of_code(live_code_id: str) -> str:
    return _CODE + live_code_id


def by_key(lines: Iterable[tuple[Line, str]], store_of: StoreOf) -> dict[Key, list[Entry]]:
    """What the lines add to each counter, in order of sequence; only lines that count."""
    counters: dict[Key, list[Entry]] = {}
    for line, sequence in lines:
        if counted := figures(line):
            newest = _in_short(line)
            for key in keys(line, store_of):
                shown = {} if key[0].startswith(_CODE) else newest
                counters.setdefault(key, []).append(Entry(sequence, counted, newest=shown))
    return {key: sorted(entries, key=lambda entry: entry.sequence) for key, entries in counters.items()}


_OF_GROUPS = ("scanned", "joined_group")


def _in_short(line: Line) -> dict[str, str]:
    data = line.data
    thing = {
        "scanned": data.get("assignment_id"),
        "order_paid": data.get("order_id"),
        "order_refunded": data.get("order_id"),
    }.get(line.type, line.subject)
    if line.type in _OF_GROUPS and data.get("chat_id"):
        thing = f"{thing}|{data['chat_id']}"
    fen = data.get("paid_fen" if line.type == "order_paid" else "refunded_fen") or 0
    parts = (int(line.at.timestamp()), data.get("live_code_id"), data.get("staff_id"), thing, fen)
    return {line.type: "|".join(str(part or "") for part in parts)}


def newest_of(kind: str, short: str) -> Newest:
    at, live_code_id, staff_id, rest = short.split("|", 3)
    thing, _, fen = rest.rpartition("|")
    chat_id = ""
    if kind in _OF_GROUPS:
        thing, _, chat_id = thing.partition("|")
    return Newest(kind, int(at), live_code_id, staff_id, thing, int(fen or 0), chat_id)


def total(parts: Iterable[Figures]) -> Figures:
    """The sum, counter by counter."""
    sums: Counter[str] = Counter()
    for part in parts:
        sums.update(part)  # update adds, and keeps what is negative
    return dict(sums)


def merged(entries: Iterable[Entry]) -> tuple[Figures, frozenset[int], dict[str, str]]:
    """What entries, in their order, add together: figures, numbers, the newest of each kind."""
    listed = list(entries)
    newest: dict[str, str] = {}
    for entry in listed:
        newest |= entry.newest
    seen = frozenset[int]().union(*(entry.seen for entry in listed))
    return total(entry.figures for entry in listed), seen, newest


def day_of(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()


def days(start: date, end: date) -> list[date]:
    """From `start` to `end`, both included."""
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def months(start: date, end: date) -> list[str]:
    return sorted({day.isoformat()[:7] for day in days(start, end)})


def channel_of(what: str) -> str | None:
    """The channel of one of the corp's counters; None of one that knows none."""
    return what.removeprefix(_CHANNEL) if what.startswith(_CHANNEL) else None


def parts_of(what: str) -> tuple[str, str, str]:
    """Of a store's or guide's counter: day, staff_id, channel."""
    day, staff_id, channel = what.split("#", 2)
    return day, staff_id, channel


def row(channel: str, sums: Figures) -> FunnelRow:
    """One channel's row of the funnel."""
    figures = {name: sums.get(name, 0) for name in FUNNEL}
    lost = figures.pop("lost")
    return FunnelRow(channel=channel, kept=figures["adds"] - lost, **figures)


def day_row(day: str, sums: Figures) -> DayRow:
    figures = {name: sums.get(name, 0) for name in STORED}
    return DayRow(day=day, kept=figures["adds"] - figures["lost"], **figures)


def guide_row(staff_id: str, name: str | None, sums: Figures) -> GuideRow:
    figures = {field: sums.get(field, 0) for field in _OF_GUIDES}
    return GuideRow(staff_id=staff_id, name=name, kept=figures["adds"] - figures["lost"], **figures)


def parse_day(text: str) -> date:
    """`2026-11-22`, or the day of a time with its offset. ValueError."""
    if len(text) == 10:
        return datetime.strptime(text, "%Y-%m-%d").date()
    return day_of(parse(text))
