"""ISO 8601 durations: weeks, days, hours, minutes and seconds, as whole numbers."""

import re
from datetime import timedelta

# Eight digits each: any sum of them fits a timedelta.
_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,8})W)?(?:(\d{1,8})D)?(?:T(?=.)(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,8})S)?)?", re.ASCII
)


def parse(text: str) -> timedelta:
    """`PT10M`, `P2D`, `P1DT12H`, `P2W`. ValueError for another: months and years have no fixed length."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"not an ISO 8601 duration such as P7D or PT1H: {text}")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
