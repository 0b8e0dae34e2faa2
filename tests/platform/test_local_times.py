"""Local times as instants, over every zone that there is."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.platform import clock, local_times

ZONES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
MOMENTS = st.datetimes(datetime(1975, 1, 1), datetime(2045, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
CLOCK = st.builds(time, st.integers(0, 23), st.integers(0, 59))
NEW_YORK, LORD_HOWE = ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        (NEW_YORK, "2026-11-01", "01:30", ["2026-11-01T05:30", "2026-11-01T06:30"]),
        (NEW_YORK, "2026-11-01", "02:00", ["2026-11-01T07:00"]),
        (NEW_YORK, "2026-03-08", "02:30", ["2026-03-08T07:00"]),  # skipped: 03:00, when the gap ends
        (NEW_YORK, "2026-03-08", "03:00", ["2026-03-08T07:00"]),
        (LORD_HOWE, "2026-04-05", "01:45", ["2026-04-04T14:45", "2026-04-04T15:15"]),  # half an hour back
        (LORD_HOWE, "2026-10-04", "02:15", ["2026-10-03T15:30"]),  # and forward
        (ZoneInfo("Pacific/Apia"), "2011-12-30", "10:00", ["2011-12-30T10:00"]),  # a day that never was
        (ZoneInfo("America/Havana"), "2026-11-01", "00:30", ["2026-11-01T04:30", "2026-11-01T05:30"]),
        (clock.SHANGHAI, "2026-11-01", "01:30", ["2026-10-31T17:30"]),
    ],
)
def test_what_a_wall_clock_shows(zone: ZoneInfo, day: str, at: str, expected: list[str]) -> None:
    found = local_times.instants(date.fromisoformat(day), time.fromisoformat(at), zone)
    assert found == [utc(text) for text in expected]


@given(MOMENTS, CLOCK, st.sampled_from(ZONES))
@settings(max_examples=300)
def test_the_next_such_time_is_shown_then_and_never_before(moment: datetime, at: time, name: str) -> None:
    zone = ZoneInfo(name)
    found = local_times.first_after(moment, at, zone)
    changed = list(local_times.changes(moment - timedelta(hours=26), found + timedelta(hours=1), zone))
    shifts = [abs(_offset(t, zone) - _offset(t - timedelta(seconds=1), zone)) for t in changed]
    assert moment <= found <= moment + timedelta(days=1) + sum(shifts, timedelta())
    shown = found.astimezone(zone)
    assert shown.time() == at or found in changed  # what a gap swallows
    # No earlier instant is the first of its day's.
    for n in range(-1, 2):
        first = local_times.instants(shown.date() + timedelta(days=n), at, zone)[0]
        assert not moment <= first < found


@given(MOMENTS, st.sampled_from(ZONES))
@settings(max_examples=100)
def test_every_minute_that_is_shown_has_its_instant(moment: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    moment = moment.replace(second=0, microsecond=0)
    shown = moment.astimezone(zone).replace(tzinfo=None)
    assert moment in local_times.instants(shown.date(), shown.time(), zone)


def test_changes_of_a_year_are_those_that_a_zone_has() -> None:
    start = utc("2026-01-01T00:00")
    hours = [start + timedelta(hours=n) for n in range(0, 365 * 24 + 1)]
    for zone in map(ZoneInfo, ZONES[::7]):
        found = list(local_times.changes(start, hours[-1], zone))
        for t in found:
            assert _offset(t, zone) != _offset(t - timedelta(seconds=1), zone)
        offsets = [_offset(hour, zone) for hour in hours]
        assert len(found) == sum(a != b for a, b in pairwise(offsets))


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def test_a_day_in_shanghai_is_the_same_when_it_had_summer_time() -> None:
    """1986 to 1991 clocks there were put forward; a day of birth is kept as a day, and stays it."""
    zone = clock.zone("Asia/Shanghai")
    for day in (date(1988, 4, 10), date(1988, 7, 1), date(1991, 9, 15)):
        (midnight,) = local_times.instants(day, time(0, 0), zone)
        assert midnight.astimezone(zone).date() == day
        assert (midnight + timedelta(hours=23, minutes=59)).astimezone(zone).date() == day
