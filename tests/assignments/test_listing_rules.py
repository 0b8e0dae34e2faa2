"""Who stands in WeCom's own code at a moment, when that changes, and which welcome goes with a moment."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.assignments.rules import Listing, decide, listing, next_change
from chalicelib.livecodes import rules
from chalicelib.livecodes.rules import Hours, Member, Rule

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # Monday, 12:00 in Shanghai
HOUR = timedelta(hours=1)
DAILY = frozenset(range(1, 8))
# Clocks go forward and back in these within a day or two of the moments below; Lord Howe's by half an hour.
ZONES = ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
MOMENTS = [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC),
           datetime(2026, 10, 3, tzinfo=UTC)]  # fmt: skip

minutes = st.integers(0, 95).map(lambda quarter: quarter * 15)
hours = st.builds(
    Hours, st.frozensets(st.integers(1, 7), min_size=1), minutes, st.integers(1, 96).map(lambda q: q * 15)
)
moments = st.builds(
    lambda base, seconds: base + timedelta(seconds=seconds),
    st.sampled_from(MOMENTS),
    st.integers(0, 2 * 86_400),
)


@st.composite
def timed_rules(draw: st.DrawFn) -> Rule:
    shifts = draw(st.lists(st.lists(hours, max_size=2), min_size=1, max_size=4))
    opens = draw(st.none() | moments)
    closes = draw(st.none() | moments)
    return Rule(
        "round_robin",
        tuple(Member(f"s{i}", hours=tuple(shift)) for i, shift in enumerate(shifts)),
        tuple(Member(s) for s in draw(st.lists(st.sampled_from("xyz"), max_size=2, unique=True))),
        zone=ZoneInfo(draw(st.sampled_from(ZONES))),
        opens=opens,
        closes=closes,
        hours=tuple(draw(st.lists(hours, max_size=2))),
    )


@given(timed_rules(), moments, st.floats(0, 1, exclude_max=True))
def test_between_two_boundaries_the_listed_staff_never_change(rule: Rule, now: datetime, part: float) -> None:
    end = next_change(rule, now, HOUR) or now + HOUR
    assert now < end <= now + HOUR
    assert listing(rule, now + part * (end - now)) == listing(rule, now)


@given(timed_rules(), moments)
def test_a_boundary_is_found_from_wherever_one_looks_and_is_one(rule: Rule, now: datetime) -> None:
    found = next_change(rule, now, HOUR)
    if found is None:
        return
    middle = now + (found - now) / 2
    assert next_change(rule, middle, HOUR) == found
    assert next_change(rule, found, HOUR) != found


@given(timed_rules(), moments, st.frozensets(st.sampled_from(["s0", "s1", "x", "y"])))
def test_whoever_a_scan_would_get_is_listed_and_nobody_else(
    rule: Rule, now: datetime, full: frozenset[str]
) -> None:
    listed = listing(rule, now, full)
    got = {decide(rule, ticket, now, full).staff_id for ticket in range(1, 9)} - {None}
    if listed.kind == "closed":
        assert not got
        assert set(listed.staff_ids) <= {m.staff_id for m in rule.fallback}
    else:
        assert got == set(listed.staff_ids)


@pytest.mark.parametrize(
    ("full", "kind", "who"),
    [
        ([], "member", "a"),
        (["a"], "fallback", "f"),
        (["a", "f"], "off_hours", "b"),
        (["a", "b", "f"], "closed", "f"),
    ],
)
def test_members_on_duty_then_fallback_then_members_off_duty(full: list[str], kind: str, who: str) -> None:
    night = (Hours(DAILY, 22 * 60, 6 * 60),)
    rule = Rule("random", (Member("a"), Member("b", hours=night)), (Member("f"),))
    assert listing(rule, NOON, frozenset(full)) == Listing(kind, (who,))


def test_closed_without_fallback_names_nobody() -> None:
    rule = Rule("random", (Member("a"),), closes=NOON)
    assert listing(rule, NOON) == Listing("closed", ())
    assert listing(Rule("random", (Member("a", daily_cap=0),)), NOON) == Listing("closed", ())


def test_never_more_than_wecom_takes() -> None:
    assert len(listing(Rule("random", tuple(Member(str(n)) for n in range(130))), NOON).staff_ids) == 100


def test_midnight_in_the_codes_zone_is_a_boundary() -> None:
    rule = Rule("random", (Member("a", daily_cap=3),), zone=ZoneInfo("America/New_York"))
    before = datetime(2026, 11, 23, 4, 30, 20, tzinfo=UTC)
    assert next_change(rule, before, HOUR) == datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert next_change(rule, before + HOUR, HOUR) is None


# The schedule's hours


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    """In Shanghai; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=rules.clock.SHANGHAI)


def definition(**more: Any) -> dict[str, Any]:
    assignment = {"strategy": "random", "members": [], "fallback_staff_ids": ["a"], "sticky": True}
    return {
        "assignment": {**assignment, "reserve_for": "PT10M"},
        "schedule": {"from": None, "until": None},
        "timezone": "Asia/Shanghai",
        "welcome": None,
        **more,
    }


WEEKDAYS = {"weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00"}
FRIDAY_NIGHT = {"weekdays": [5], "from": "22:00", "to": "02:00"}


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(8, 59), False),
        (at(9), True),
        (at(17, 59), True),
        (at(18), False),
        (at(12, day=28), False),
        (at(23, day=27), True),
        (at(1, 59, day=28), True),
        (at(2, day=28), False),
    ],
)
def test_the_hours_of_the_week_open_and_close(moment: datetime, is_open: bool) -> None:
    schedule = {"from": at(0, day=23).isoformat(), "until": None, "hours": [WEEKDAYS, FRIDAY_NIGHT]}
    rule = rules.rule_of(definition(schedule=schedule))
    assert rules.is_open(rule, moment) is is_open
    decision = decide(rule, 1, moment)
    assert (decision.staff_id, decision.why.get("reason")) == (("a", None) if is_open else (None, "schedule"))


def test_hours_are_on_top_of_from_and_until() -> None:
    schedule = {"from": at(0, day=24).isoformat(), "until": at(12, day=24).isoformat(), "hours": [WEEKDAYS]}
    rule = rules.rule_of(definition(schedule=schedule))
    assert [rules.is_open(rule, m) for m in (at(10), at(10, day=24), at(13, day=24))] == [False, True, False]


# The welcome by time


def test_the_first_welcome_whose_hours_cover_the_add_is_taken() -> None:
    night = {"weekdays": [*DAILY], "from": "22:00", "to": "08:00", "text": "night", "attachments": []}
    late = {"weekdays": [*DAILY], "from": "07:00", "to": "09:00", "text": "late", "attachments": []}
    welcome = {"text": "day", "attachments": [], "by_time": [night, late]}
    made = definition(welcome=welcome)
    texts = [rules.welcome_at(made, at(*m)) for m in ((23,), (7, 30), (8,), (9,))]
    assert [t and t["text"] for t in texts] == ["night", "night", "late", "day"]
    elsewhere = definition(welcome=welcome, timezone="America/New_York")
    assert rules.welcome_at(elsewhere, at(9)) == {"text": "day", "attachments": []}  # 20:00 there
    assert rules.welcome_at(elsewhere, at(12)) == {"text": "night", "attachments": []}
    assert rules.welcome_at(definition(), at(12)) is None
