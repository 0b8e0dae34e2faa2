"""What a live code's definition means, pure: its members, their hours and caps, its schedule, its welcome."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from msgspec import Struct

from chalicelib.platform import clock, durations, local_times
from chalicelib.platform.userids import fold, fold_all, fold_row

MAX_LISTED = 100  # WeCom: members of one contact way


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
        """The member, or fallback, of that id."""
        wanted = fold(staff_id)
        return next((m for m in (*self.members, *self.fallback) if m.staff_id == wanted), None)


def rule_of(definition: Mapping[str, Any]) -> Rule:
    """The rule in a live code's definition (the contract's JSON, validated and complete)."""
    assignment, schedule = definition["assignment"], definition["schedule"]
    members = tuple(_member(row) for row in assignment["members"])
    known = {m.staff_id: m for m in members}
    return Rule(
        strategy=assignment["strategy"],
        members=members,
        # A fallback who is a member too keeps the member's caps.
        fallback=tuple(known.get(s) or Member(s) for s in fold_all(assignment["fallback_staff_ids"])),
        sticky=assignment["sticky"],
        reserve_for=durations.parse(assignment["reserve_for"]),
        zone=clock.zone(definition["timezone"]),
        opens=_time(schedule["from"]),
        closes=_time(schedule["until"]),
        hours=_hours(schedule.get("hours")),
    )


def with_folded_ids(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition with its members' userids as keys have them: a stored one may be older than that."""
    assignment = fold_row(definition["assignment"], "fallback_staff_ids")
    assignment["members"] = [fold_row(member, "staff_id") for member in assignment["members"]]
    return {**definition, "assignment": assignment}


def _member(row: Mapping[str, Any]) -> Member:
    caps = row["daily_cap"], row["total_cap"]
    return Member(fold(row["staff_id"]), row["weight"], *caps, _hours(row["hours"]))


def _hours(rows: Sequence[Mapping[str, Any]] | None) -> tuple[Hours, ...]:
    return tuple(
        Hours(frozenset(row["weekdays"]), minutes(row["from"]), minutes(row["to"])) for row in rows or ()
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def minutes(text: str) -> int:
    """`09:30` as minutes of the day; `24:00` is 1440."""
    return int(text[:2]) * 60 + int(text[3:])


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


def day_of(rule: Rule, at: datetime) -> str:
    """The day whose caps `at` counts against, in the code's time zone."""
    return at.astimezone(rule.zone).date().isoformat()


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
    today = after.astimezone(rule.zone).date()
    starts = [
        instant
        for number in range(-1, 9)
        for hours in rule.hours
        for instant in _instants(today + timedelta(days=number), hours.start, rule.zone)
    ]
    starts += local_times.changes(after, after + timedelta(days=8), rule.zone)
    return min((at for at in starts if at > after and is_open(rule, at)), default=None)


def _instants(day: date, minute: int, zone: tzinfo) -> list[datetime]:
    days, rest = divmod(minute, 24 * 60)
    return local_times.instants(day + timedelta(days=days), time(rest // 60, rest % 60), zone)


def welcome_at(definition: Mapping[str, Any], at: datetime) -> dict[str, Any] | None:
    """`{"text","attachments"}` for an add at that moment; None for the house's."""
    welcome = definition["welcome"]
    if welcome is None:
        return None
    local = at.astimezone(clock.zone(definition["timezone"]))
    timed = welcome.get("by_time") or ()
    chosen = next((row for row in timed if covers(_hours([row]), local)), welcome)
    return {"text": chosen["text"], "attachments": chosen["attachments"]}
