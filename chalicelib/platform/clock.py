"""The one clock. Everything that asks for the time asks here, so that the local stack can move it.

On AWS no `MILLRACE_CLOCK_FILE` is set and this is the system's clock. In the local stack the
file holds an offset in seconds, written by the launcher when `/local/clock` is called.
"""

import os
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")  # no summer time since 1991


def offset() -> float:
    """Seconds the clock runs ahead of the system's."""
    path = os.environ.get("MILLRACE_CLOCK_FILE")
    if not path:
        return 0.0
    try:
        return float(Path(path).read_text() or 0)
    except FileNotFoundError:
        return 0.0


def now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC) + timedelta(seconds=offset())


def iso(at: datetime) -> str:
    """`2026-11-22T10:00:00.000000+00:00`: UTC with microseconds, so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def parse(text: str) -> datetime:
    """An ISO 8601 time with its offset. ValueError for one without an offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time needs its UTC offset: {text}")
    return at


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name. ValueError for one there is not."""
    if name == "Asia/Shanghai":
        return SHANGHAI
    from zoneinfo import ZoneInfo  # 4 ms of a cold start, for those elsewhere

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"not a time zone: {name}") from error
