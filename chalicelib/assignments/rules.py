"""Who gets the customer: the decision at a scan, pure.

A decision is a function of the rule, the scan's ticket (1, 2, 3 … per live code) and the time. While
the same members are there, round robin and weighted are exact by the ticket alone, whichever process
decides, with nothing read. Never a customer with nobody as long as one place is free: members on
duty, else fallback staff, else members off duty (they answer when they are back).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.assignments import strategies
from chalicelib.livecodes.rules import MAX_LISTED, Member, Rule, is_open, on_duty

_SHOWN = 20  # staff ids that an explanation lists of each sort


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
    poster: str | None = None,
) -> Decision:
    """Who gets the scan numbered `ticket`.

    full: staff known to have no place left. loads: places taken today (for least_loaded).
    chance: a random number in [0, 1) (for random). preferred: taken when available (a returning person).
    poster: whose own poster it was: taken when on duty with a place, as member or as fallback staff, and
    before others who are off duty; else `why` says under `poster` what was against it.
    """
    if not is_open(rule, now):
        return closed("schedule", ticket)
    local = now.astimezone(rule.zone)
    free = [m for m in rule.members if _has_room(m, full)]
    on = [m for m in free if on_duty(m, local)]
    off = [m for m in free if m not in on]
    fallback = [m for m in rule.fallback if _has_room(m, full)]
    taken = [m.staff_id for m in rule.members if m not in free]
    pools = [
        (kind, pool) for kind, pool in (("member", on), ("fallback", fallback), ("off_hours", off)) if pool
    ]
    kind, pool = pools[0] if pools else ("closed", [])
    named = _find_named(poster, pools)
    if named is not None:
        kind, pool = named
    why: dict[str, Any] = {
        "kind": kind,
        "rule": rule.strategy if kind == "member" else "round_robin",
        "ticket": ticket,
        "candidates": _ids(pool),
        "off": _ids(off),
        "full": taken[:_SHOWN],
    }
    if poster is not None:
        why["poster"] = {"staff_id": poster, "reason": None if named else _reason(rule, poster, off)}
    if not pool:
        return Decision("closed", None, 0, {**why, "reason": "nobody"})
    chosen = pool[0] if named else next((m for m in pool if m.staff_id == preferred), None)
    if chosen is not None:
        why["rule"] = "poster" if named else "sticky"
    elif kind == "member":
        chosen = strategies.choose(rule.strategy, pool, ticket, loads or {}, chance)
    else:
        chosen = strategies.round_robin(pool, ticket)
    return Decision(kind, chosen.staff_id, len(pool), why)


def keep(rule: Rule, ticket: int, now: datetime, staff_id: str) -> Decision | None:
    """Who has added a person keeps them, full or off duty; None: not in the code, or the code is closed."""
    member = rule.find(staff_id)
    if member is None or not is_open(rule, now):
        return None
    why = {"kind": "member", "rule": "sticky", "ticket": ticket, "candidates": [member.staff_id]}
    return Decision("member", member.staff_id, 1, why)


def _find_named(poster: str | None, pools: list[tuple[str, list[Member]]]) -> tuple[str, list[Member]] | None:
    """The kind of the poster's guide, and them alone; of those off duty only where nobody is on."""
    if poster is None:
        return None
    for kind, pool in pools:
        if kind == "off_hours" and len(pools) > 1:
            continue
        if named := next((m for m in pool if m.staff_id.lower() == poster.lower()), None):
            return kind, [named]
    return None


def _reason(rule: Rule, poster: str, off: Iterable[Member]) -> str:
    """Why not the poster's guide."""
    member = rule.find(poster)
    if member is None:
        return "not_in_code"
    return "off" if member in off else "full"


def closed(reason: str, ticket: int) -> Decision:
    """Nobody gets this scan. `reason`: archived, schedule, nobody."""
    return Decision("closed", None, 0, {"kind": "closed", "reason": reason, "ticket": ticket})


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


def _has_room(member: Member, full: frozenset[str]) -> bool:
    # A cap of 0 is told here: the first place of a day has no counter yet whose value could be compared.
    return member.staff_id not in full and member.daily_cap != 0 and member.total_cap != 0


def _ids(members: Iterable[Member]) -> list[str]:
    return [m.staff_id for m in members][:_SHOWN]
