"""What clocks on a wall show, as instants. Pure.

Where clocks go back they show an hour twice: two instants. Where they go forward they skip one: what they
never show counts at the instant at which the gap ends. Instants alone are compared, in UTC: two local times
of one zone compare as if clocks were never changed.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone, tzinfo

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def instants(day: date, at: time, zone: tzinfo) -> list[datetime]:
    """When clocks show `at` on that day: once, twice, or, where it is skipped, when the gap ends."""
    shown = datetime.combine(day, at)
    first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1))
    if first == second:
        return [first]
    if first < second:
        return [first, second]
    return list(changes(second - timedelta(seconds=1), first, zone))[:1]


def first_after(moment: datetime, at: time, zone: tzinfo) -> datetime:
    """The first instant at or after `moment` that is `at` of a day: of two of one night the first."""
    day = moment.astimezone(zone).date() - _DAY
    while True:
        if (instant := instants(day, at, zone)[0]) >= moment:
            return instant
        day += _DAY


def changes(start: datetime, end: datetime, zone: tzinfo) -> Iterator[datetime]:
    """When the zone's clocks are changed, after `start` and up to `end`; to the second."""
    if zone.utcoffset(None) is not None:  # a zone of one offset
        return
    before, last = start.astimezone(timezone.utc), end.astimezone(timezone.utc)
    offset = _offset(before, zone)
    while before < last:
        after = min(before + _HOUR, last)
        if (changed := _offset(after, zone)) != offset:
            yield _change(before, after, zone)
        before, offset = after, changed


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    offset = _offset(before, zone)
    low, high = 0, round((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(before + timedelta(seconds=middle), zone) == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _offset(moment: datetime, zone: tzinfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()
