"""When live segments are looked at: at fixed minutes, so that however often it is ordered it is one look."""

from datetime import UTC, datetime, timedelta

from chalicelib.platform import clock, due

LOOK = "segments_look"
_EVERY = timedelta(minutes=5)


def order() -> None:
    """Have all of them looked at in the next of those minutes. Twice is once."""
    seconds = int(_EVERY.total_seconds())
    at = (int(clock.now().timestamp()) // seconds + 1) * seconds
    due.put(LOOK, datetime.fromtimestamp(at, UTC), "all", {})
