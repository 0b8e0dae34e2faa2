"""Who gets the customer: fairness, caps, hours, and never nobody."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.assignments.rules import Decision, decide
from chalicelib.livecodes import rules
from chalicelib.livecodes.rules import Hours, Member, Rule, closure, is_open
from chalicelib.platform import clock

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # Monday, 12:00 in Shanghai
names = st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=12, unique=True)


def rule(members: list[Member], strategy: str = "round_robin", **rest: Any) -> Rule:
    return Rule(strategy=strategy, members=tuple(members), **rest)


def chosen(rule: Rule, ticket: int, now: datetime = NOON, **known: Any) -> str | None:
    return decide(rule, ticket, now, **known).staff_id


@given(names, st.integers(1, 10_000), st.integers(1, 200))
def test_round_robin_is_within_one_from_any_ticket_on(staff: list[str], start: int, scans: int) -> None:
    r = rule([Member(s) for s in staff])
    got = Counter(chosen(r, t) for t in range(start, start + scans))
    counts = [got[s] for s in staff]
    assert max(counts) - min(counts) <= 1


@given(names, st.data())
def test_round_robin_is_within_one_among_those_who_are_left(staff: list[str], data: st.DataObject) -> None:
    full = frozenset(data.draw(st.sets(st.sampled_from(staff), max_size=len(staff) - 1)))
    r = rule([Member(s) for s in staff])
    got = Counter(chosen(r, t, full=full) for t in range(1, 100))
    assert not full & set(got)
    counts = [got[s] for s in staff if s not in full]
    assert max(counts) - min(counts) <= 1


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(0, 5), st.integers(1, 1000))
def test_weights_are_exact_over_a_cycle_wherever_it_begins(
    weights: list[int], cycles: int, start: int
) -> None:
    r = rule([Member(f"s{i}", weight=w) for i, w in enumerate(weights)], "weighted")
    total = sum(weights)
    got = Counter(chosen(r, t) for t in range(start, start + cycles * total))
    assert all(got[f"s{i}"] == cycles * w for i, w in enumerate(weights))


def test_weighted_turns_are_spread_and_not_in_a_row() -> None:
    r = rule([Member("a", weight=6), Member("b", weight=3)], "weighted")
    assert [chosen(r, t) for t in range(1, 7)] == ["a", "b", "a", "a", "b", "a"]


@given(names, st.floats(0, 1, exclude_max=True))
def test_random_takes_the_chance_it_is_given(staff: list[str], chance: float) -> None:
    r = rule([Member(s) for s in staff], "random")
    assert chosen(r, 1, chance=chance) == staff[int(chance * len(staff))]


@given(names, st.data(), st.integers(1, 1000))
def test_a_posters_guide_is_taken_when_there_and_changes_nothing_when_not(
    staff: list[str], data: st.DataObject, ticket: int
) -> None:
    full = frozenset(data.draw(st.sets(st.sampled_from(staff), max_size=len(staff))))
    poster = data.draw(st.sampled_from([*staff, "nobody"]))
    r = rule([Member(s) for s in staff])
    got, without = (decide(r, ticket, NOON, full, poster=p) for p in (poster.upper(), None))
    if poster in staff and poster not in full:
        assert (got.staff_id, got.why["rule"], got.why["poster"]["reason"]) == (poster, "poster", None)
    else:
        assert (got.kind, got.staff_id, got.candidates) == (
            without.kind,
            without.staff_id,
            without.candidates,
        )
        assert got.why["poster"]["reason"] == ("full" if poster in staff else "not_in_code")


@given(names, st.data(), st.integers(1, 1000))
def test_least_loaded_takes_one_with_the_fewest(staff: list[str], data: st.DataObject, ticket: int) -> None:
    loads = data.draw(st.dictionaries(st.sampled_from(staff), st.integers(0, 5)))
    r = rule([Member(s) for s in staff], "least_loaded")
    got = chosen(r, ticket, loads=loads)
    assert loads.get(str(got), 0) == min(loads.get(s, 0) for s in staff)


def test_least_loaded_turns_among_equals() -> None:
    r = rule([Member("a"), Member("b"), Member("c")], "least_loaded")
    assert {chosen(r, t, loads={"a": 1}) for t in range(1, 7)} == {"b", "c"}


hours = st.builds(
    Hours, st.frozensets(st.integers(1, 7), min_size=1), st.integers(0, 1439), st.integers(1, 1440)
).filter(lambda h: h.start != h.end)
members = st.lists(
    st.builds(
        Member,
        st.sampled_from("abcdef"),
        st.integers(1, 5),
        st.none() | st.integers(0, 3),
        st.none() | st.integers(0, 3),
        st.lists(hours, max_size=2).map(tuple),
    ),
    max_size=6,
    unique_by=lambda m: m.staff_id,
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


@given(
    members,
    st.lists(st.sampled_from("abcxyz"), max_size=3, unique=True),
    st.sampled_from(["round_robin", "weighted", "random", "least_loaded"]),
    moments,
    st.frozensets(st.sampled_from("abcdefxyz")),
    st.integers(1, 500),
)
def test_never_nobody_while_one_place_is_free_and_never_one_who_is_full(
    staff: list[Member], fallback: list[str], strategy: str, now: datetime, full: frozenset[str], ticket: int
) -> None:
    known = {m.staff_id: m for m in staff}
    r = rule(staff, strategy, fallback=tuple(known.get(s) or Member(s) for s in fallback))
    free = {
        m.staff_id
        for m in (*r.members, *r.fallback)
        if m.staff_id not in full and 0 not in (m.daily_cap, m.total_cap)
    }
    got = decide(r, ticket, now, full, chance=0.5)
    assert (got.staff_id in free) if free else (got.kind == "closed" and got.staff_id is None)
    if got.kind == "member":
        member = r.find(str(got.staff_id))
        assert member is not None and rules.on_duty(member, now.astimezone(r.zone))


@given(hours, moments)
def test_hours_agree_with_walking_through_every_shift(shift: Hours, now: datetime) -> None:
    local = now.astimezone(rule([]).zone).replace(tzinfo=None)
    expected = False
    for back in (0, 1):
        day = (local - timedelta(days=back)).replace(hour=0, minute=0, second=0, microsecond=0)
        length = (shift.end - shift.start) % 1440 or 1440
        begin = day + timedelta(minutes=shift.start)
        if day.isoweekday() in shift.weekdays and begin <= local < begin + timedelta(minutes=length):
            expected = True
    assert rules.on_duty(Member("a", hours=(shift,)), local) is expected


@pytest.mark.parametrize(
    ("utc", "there"),
    [
        (datetime(2026, 11, 23, 14, 0, tzinfo=UTC), True),  # Monday 22:00 in Shanghai
        (datetime(2026, 11, 23, 17, 59, tzinfo=UTC), True),  # Tuesday 01:59, still Monday's shift
        (datetime(2026, 11, 23, 18, 0, tzinfo=UTC), False),  # Tuesday 02:00
        (datetime(2026, 11, 24, 14, 0, tzinfo=UTC), False),  # Tuesday 22:00
        (datetime(2026, 11, 22, 17, 0, tzinfo=UTC), False),  # Monday 01:00 belongs to Sunday
    ],
)
def test_a_shift_over_midnight_belongs_to_the_day_it_began(utc: datetime, there: bool) -> None:
    night = Member("a", hours=(Hours(frozenset({1}), 22 * 60, 2 * 60),))
    got = decide(rule([night]), 1, utc)
    assert got.kind == ("member" if there else "off_hours")


def test_fallback_before_those_off_duty_and_in_turn() -> None:
    away = Member("away", hours=(Hours(frozenset({7}), 0, 1440),))
    r = rule([away], fallback=(Member("x"), Member("y")))
    assert [chosen(r, t) for t in (1, 2, 3)] == ["x", "y", "x"]
    got = decide(r, 1, NOON, frozenset({"x", "y"}))
    assert (got.kind, got.staff_id, got.why["off"]) == ("off_hours", "away", ["away"])


def test_a_person_who_returns_gets_the_same_guide_when_there_is_room() -> None:
    r = rule([Member("a"), Member("b"), Member("c")])
    assert {chosen(r, t, preferred="b") for t in range(1, 9)} == {"b"}
    assert "b" not in {chosen(r, t, preferred="b", full=frozenset("b")) for t in range(1, 9)}


def test_outside_the_schedule_it_is_closed() -> None:
    r = rule([Member("a")], opens=NOON, closes=NOON + timedelta(hours=1))
    assert decide(r, 1, NOON).kind == "member"
    for at in (NOON - timedelta(microseconds=1), NOON + timedelta(hours=1)):
        assert decide(r, 1, at) == Decision(
            "closed", None, 0, {"kind": "closed", "reason": "schedule", "ticket": 1}
        )


def test_a_decision_explains_itself() -> None:
    away = Member("away", hours=(Hours(frozenset({7}), 0, 1440),))
    got = decide(rule([Member("a"), Member("b"), away, Member("c", daily_cap=0)]), 5, NOON, frozenset("b"))
    assert got.why == {
        "kind": "member",
        "rule": "round_robin",
        "ticket": 5,
        "candidates": ["a"],
        "off": ["away"],
        "full": ["b", "c"],
    }


def test_a_day_is_the_codes_own() -> None:
    late = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert rules.day_of(rule([]), late) == "2026-11-23"
    assert rules.day_of(rule([], zone=clock.zone("Europe/Berlin")), late) == "2026-11-22"


@pytest.mark.parametrize(
    ("opens", "closes", "hours", "reason", "opens_at"),
    [
        (None, -60, (), "ended", None),
        (60, None, (), "not_yet", NOON + timedelta(hours=1)),
        (None, None, (Hours(frozenset({1}), 9 * 60, 11 * 60),), "hours", NOON + timedelta(days=6, hours=21)),
        (None, None, (Hours(frozenset({2}), 9 * 60, 11 * 60),), "hours", NOON + timedelta(hours=21)),
        (None, 120, (Hours(frozenset({2}), 9 * 60, 11 * 60),), "ended", None),
        (60, None, (Hours(frozenset({3}), 9 * 60, 11 * 60),), "not_yet", NOON + timedelta(days=1, hours=21)),
        (None, None, (), "full", None),
    ],
)
def test_a_closed_code_says_why_and_when_to_come_again(
    opens: int | None, closes: int | None, hours: tuple[Hours, ...], reason: str, opens_at: datetime | None
) -> None:
    """NOON is a Monday, in the code's zone."""
    moments = [None if m is None else NOON + timedelta(minutes=m) for m in (opens, closes)]
    rule = Rule("round_robin", (Member("a"),), opens=moments[0], closes=moments[1], hours=hours)
    told = closure(rule, True, NOON)
    assert (told.reason, told.opens_at) == (reason, opens_at)
    assert closure(rule, False, NOON).reason == "ended"
    if told.opens_at:
        assert is_open(rule, told.opens_at)


@pytest.mark.parametrize(
    ("start", "end", "now", "opens_at"),
    [
        (75, 105, "2026-11-01T05:50", "2026-11-01T06:15"),  # 01:15 comes a second time that night
        (75, 105, "2026-11-01T06:50", "2026-11-02T06:15"),
        (150, 240, "2026-03-08T06:50", "2026-03-08T07:00"),  # 02:30 never comes
    ],
)
def test_a_code_says_when_it_opens_in_the_night_when_clocks_are_changed(
    start: int, end: int, now: str, opens_at: str
) -> None:
    hours = (Hours(frozenset(range(1, 8)), start, end),)
    rule = Rule("random", (Member("a"),), zone=clock.zone("America/New_York"), hours=hours)
    told = closure(rule, True, datetime.fromisoformat(f"{now}+00:00"))
    assert told.opens_at is not None and told.opens_at.tzinfo is rule.zone
    assert f"{told.opens_at.astimezone(UTC):%Y-%m-%dT%H:%M}" == opens_at
