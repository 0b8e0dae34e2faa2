"""Who gets the customer: the decision at a scan, pure.

A decision is a function of the rule, the scan's ticket (1, 2, 3 … per live code) and the time. While
the same members are there, round robin and weighted are exact by the ticket alone, whichever process
decides, with nothing read. Never a customer with nobody as long as one place is free: members on
duty, else fallback staff, else members off duty (they answer when they are back).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from math import gcd
from typing import Any

from msgspec import Struct

from chalicelib.platform import clock, durations

MAX_LISTED = 100  # WeCom: members of one contact way
_TOLD = 20  # staff ids that an explanation lists of each sort


class Hours(Struct, frozen=True):
    """On duty on these weekdays (1 = Monday … 7) from `start` to `end`, in minutes of the day.

    `start` > `end` runs over midnight and belongs to the weekday on which it began.
    """

    weekdays: frozenset[int]
    start: int
    end: int


class Member(Struct, frozen=True):
    """One who may get customers. A cap of None: none; no hours: always on duty."""

    staff_id: str
    weight: int = 1
    daily_cap: int | None = None
    total_cap: int | None = None
    hours: tuple[Hours, ...] = ()


class Rule(Struct, frozen=True):
    """A live code's assignment and schedule. `opens`, `closes`: None for no limit; no `hours`: always on."""

    strategy: str  # round_robin, weighted, random, least_loaded
    members: tuple[Member, ...]
    fallback: tuple[Member, ...] = ()
    sticky: bool = True
    reserve_for: timedelta = timedelta(minutes=10)
    zone: tzinfo = clock.SHANGHAI
    opens: datetime | None = None
    closes: datetime | None = None
    hours: tuple[Hours, ...] = ()

    @property
    def staff_ids(self) -> list[str]:
        """Everybody in it, each once: members, then fallback."""
        return list(dict.fromkeys(member.staff_id for member in (*self.members, *self.fallback)))

    def find(self, staff_id: str) -> Member | None:
        """The member, or fallback, of that id; WeCom's userids are the same in capitals and small letters."""
        wanted = staff_id.lower()
        return next((m for m in (*self.members, *self.fallback) if m.staff_id.lower() == wanted), None)


class Decision(Struct, frozen=True):
    """`kind`: member, fallback, off_hours, or closed (then no staff). `candidates`: how many it chose from.

    `why`: `{"kind","rule","ticket","candidates"[],"off"[],"full"[]}`, lists cut to 20; `reason` when closed.
    """

    kind: str
    staff_id: str | None
    candidates: int
    why: dict[str, Any]


def decide(
    rule: Rule,
    ticket: int,
    now: datetime,
    full: frozenset[str] = frozenset(),
    *,
    loads: Mapping[str, int] | None = None,
    chance: float = 0.0,
    preferred: str | None = None,
) -> Decision:
    """Who gets the scan numbered `ticket`.

    full: staff known to have no place left. loads: places taken today (for least_loaded).
    chance: a random number in [0, 1) (for random). preferred: taken when available (a returning person).
    """
    if not is_open(rule, now):
        return closed("schedule", ticket)
    local = now.astimezone(rule.zone)
    free = [m for m in rule.members if _has_room(m, full)]
    on = [m for m in free if on_duty(m, local)]
    off = [m for m in free if m not in on]
    fallback = [m for m in rule.fallback if _has_room(m, full)]
    taken = [m.staff_id for m in rule.members if m not in free]
    kind, pool = next(
        ((kind, pool) for kind, pool in (("member", on), ("fallback", fallback), ("off_hours", off)) if pool),
        ("closed", []),
    )
    why: dict[str, Any] = {
        "kind": kind,
        "rule": rule.strategy if kind == "member" else "round_robin",
        "ticket": ticket,
        "candidates": _ids(pool),
        "off": _ids(off),
        "full": taken[:_TOLD],
    }
    if not pool:
        return Decision("closed", None, 0, {**why, "reason": "nobody"})
    chosen = next((m for m in pool if m.staff_id == preferred), None)
    if chosen is not None:
        why["rule"] = "sticky"
    elif kind == "member":
        chosen = _choose(rule.strategy, pool, ticket, loads or {}, chance)
    else:
        chosen = pool[(ticket - 1) % len(pool)]
    return Decision(kind, chosen.staff_id, len(pool), why)


class Listing(Struct, frozen=True):
    """Whom WeCom's own code of several members gives customers to. `kind`: as a decision's."""

    kind: str
    staff_ids: tuple[str, ...]


def listing(rule: Rule, now: datetime, full: frozenset[str] = frozenset()) -> Listing:
    """Who stands in a native code at this moment: those among whom a scan's decision would choose.

    full: staff with no place left, or whom WeCom refuses. WeCom takes no empty list and its code can't
    be closed: when nobody is to get customers it is the fallback staff, and without any, nobody is
    named and the last list stands.
    """
    free = [m for m in rule.members if _has_room(m, full)]
    local = now.astimezone(rule.zone)
    on = [m for m in free if on_duty(m, local)]
    fallback = [m for m in rule.fallback if _has_room(m, full)]
    pools = [("member", on), ("fallback", fallback), ("off_hours", free)] if is_open(rule, now) else []
    pools.append(("closed", fallback or list(rule.fallback)))
    kind, pool = next((pair for pair in pools if pair[1]), ("closed", []))
    return Listing(kind, tuple(m.staff_id for m in pool[:MAX_LISTED]))


def next_change(rule: Rule, now: datetime, within: timedelta) -> datetime | None:
    """The first moment after `now`, not after now + `within`, at which time alone may change the listing.

    That is where hours, the schedule or the day (of daily caps) begin or end in the code's time zone,
    on the days too when its clocks are put forward or back.
    """
    was, end = _times(rule, now), now + within
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    moments = [at for at in (rule.opens, rule.closes) if at is not None and now < at <= end]
    while minute <= end:
        moments.append(minute)
        minute += timedelta(minutes=1)
    return next((at for at in sorted(moments) if _times(rule, at) != was), None)


def _times(rule: Rule, at: datetime) -> tuple[Any, ...]:
    """All that a listing takes from the clock."""
    local = at.astimezone(rule.zone)
    return is_open(rule, at), local.date(), [on_duty(m, local) for m in rule.members]


def closed(reason: str, ticket: int) -> Decision:
    """Nobody gets this scan. `reason`: archived, schedule, nobody."""
    return Decision("closed", None, 0, {"kind": "closed", "reason": reason, "ticket": ticket})


class Closure(Struct, frozen=True):
    """Why a code gives nobody. `reason`: not_yet, ended, hours, full. `opens_at`: in its zone, if known."""

    reason: str
    opens_at: datetime | None = None


def closure(rule: Rule, active: bool, now: datetime) -> Closure:
    """What to tell somebody whom the code gave nobody at `now`."""
    if not active or (rule.closes is not None and rule.closes <= now):
        return Closure("ended")
    if is_open(rule, now):
        return Closure("full")
    begins = max(now, rule.opens or now)
    opening = begins if is_open(rule, begins) else _next_opening(rule, begins)
    if opening is None and rule.closes is not None:  # its hours never come before its end
        return Closure("ended")
    reason = "not_yet" if rule.opens is not None and now < rule.opens else "hours"
    return Closure(reason, opening.astimezone(rule.zone) if opening else None)


def _next_opening(rule: Rule, after: datetime) -> datetime | None:
    """The first moment within eight days at which one of the code's hours lets somebody in."""
    midnight = after.astimezone(rule.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = (
        midnight + timedelta(days=number, minutes=hours.start) for number in range(9) for hours in rule.hours
    )
    return min((at for at in starts if at > after and is_open(rule, at)), default=None)


def is_open(rule: Rule, now: datetime) -> bool:
    """Whether the schedule lets `now` in: from its first moment to before its last, in its hours."""
    if (rule.opens is not None and now < rule.opens) or (rule.closes is not None and rule.closes <= now):
        return False
    return not rule.hours or covers(rule.hours, now.astimezone(rule.zone))


def on_duty(member: Member, local: datetime) -> bool:
    """Whether the member's hours cover the local time."""
    return not member.hours or covers(member.hours, local)


def covers(several: Iterable[Hours], local: datetime) -> bool:
    """Whether any of the hours covers the local time."""
    minute, today = local.hour * 60 + local.minute, local.isoweekday()
    yesterday = today - 1 or 7
    for hours in several:
        if hours.start < hours.end:
            if today in hours.weekdays and hours.start <= minute < hours.end:
                return True
        elif (today in hours.weekdays and minute >= hours.start) or (
            yesterday in hours.weekdays and minute < hours.end
        ):
            return True
    return False


def day(rule: Rule, at: datetime) -> str:
    """The day whose caps `at` counts against, in the code's time zone."""
    return at.astimezone(rule.zone).date().isoformat()


def _choose(
    strategy: str, pool: Sequence[Member], ticket: int, loads: Mapping[str, int], chance: float
) -> Member:
    if strategy == "weighted":
        turns = _turns(tuple(m.weight for m in pool))
        return pool[turns[(ticket - 1) % len(turns)]]
    if strategy == "random":
        return pool[int(chance * len(pool))]
    if strategy == "least_loaded":
        # Among equals the ticket decides, so that scans of one moment don't all go to the first.
        turned = [pool[(ticket + i) % len(pool)] for i in range(len(pool))]
        return min(turned, key=lambda m: loads.get(m.staff_id, 0))
    return pool[(ticket - 1) % len(pool)]


@lru_cache(maxsize=64)
def _turns(weights: tuple[int, ...]) -> list[int]:
    """One cycle in which index i has weights[i] turns, evenly spread.

    The k-th of w turns stands at (2k + 1) / 2w of the cycle.
    """
    common = gcd(*weights)
    spread = [
        ((2 * k + 1) / (w // common), index) for index, w in enumerate(weights) for k in range(w // common)
    ]
    return [index for _, index in sorted(spread)]


def _has_room(member: Member, full: frozenset[str]) -> bool:
    # A cap of 0 is told here: the first place of a day has no counter yet whose value could be compared.
    return member.staff_id not in full and member.daily_cap != 0 and member.total_cap != 0


def _ids(members: Iterable[Member]) -> list[str]:
    return [m.staff_id for m in members][:_TOLD]


def rule_of(definition: Mapping[str, Any]) -> Rule:
    """The rule in a live code's definition (the contract's JSON, validated and complete)."""
    assignment, schedule = definition["assignment"], definition["schedule"]
    members = tuple(_member(row) for row in assignment["members"])
    known = {m.staff_id.lower(): m for m in members}
    return Rule(
        strategy=assignment["strategy"],
        members=members,
        # A fallback who is a member too keeps the member's caps.
        fallback=tuple(known.get(s.lower()) or Member(s) for s in assignment["fallback_staff_ids"]),
        sticky=assignment["sticky"],
        reserve_for=durations.parse(assignment["reserve_for"]),
        zone=clock.zone(definition["timezone"]),
        opens=_time(schedule["from"]),
        closes=_time(schedule["until"]),
        hours=_hours(schedule.get("hours")),
    )


def _member(row: Mapping[str, Any]) -> Member:
    caps = row["daily_cap"], row["total_cap"]
    return Member(row["staff_id"], row["weight"], *caps, _hours(row["hours"]))


def _hours(rows: Sequence[Mapping[str, Any]] | None) -> tuple[Hours, ...]:
    return tuple(
        Hours(frozenset(row["weekdays"]), minutes(row["from"]), minutes(row["to"])) for row in rows or ()
    )


def welcome_at(definition: Mapping[str, Any], at: datetime) -> dict[str, Any] | None:
    """`{"text","attachments"}` for an add at that moment; None for the house's."""
    welcome = definition["welcome"]
    if welcome is None:
        return None
    local = at.astimezone(clock.zone(definition["timezone"]))
    timed = welcome.get("by_time") or ()
    chosen = next((row for row in timed if covers(_hours([row]), local)), welcome)
    return {"text": chosen["text"], "attachments": chosen["attachments"]}


def minutes(text: str) -> int:
    """`09:30` as minutes of the day; `24:00` is 1440."""
    return int(text[:2]) * 60 + int(text[3:])


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
