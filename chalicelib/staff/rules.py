"""养号, ageing of accounts: how many customers a guide's account may get on a day of its life.

WeCom looks askance at a new account that adds many people at once. A day is one in Shanghai, since the
account is one over all codes, whatever their time zones.
"""

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import Struct

from chalicelib.platform import clock


class Step(Struct, frozen=True):
    """Up to this day of the account's life (its first is 1), so many new customers a day."""

    until_day: int
    daily_cap: int


GONE = (2, 5)  # of WeCom's states: disabled, left. Whoever scans their code reaches nobody
DEFAULT = (Step(3, 20), Step(7, 50), Step(14, 100))  # while the operator has set no other


def today(now: datetime) -> date:
    """The day whose places an account takes."""
    return now.astimezone(clock.SHANGHAI).date()


def cap(steps: Sequence[Step], started_at: date | None, daily_cap: int | None, day: date) -> int | None:
    """The account's cap on that day; None: none. daily_cap: its own, at any age.

    One that begins later is taken for one on its first day.
    """
    caps = [daily_cap] if daily_cap is not None else []
    if started_at is not None:
        age = max(1, (day - started_at).days + 1)
        caps += [step.daily_cap for step in steps if age <= step.until_day][:1]
    return min(caps, default=None)


def problems(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """What is wrong with a table: (field, message) pairs."""
    return [
        (f"steps[{n}].until_day", "is not later than that of the step before")
        for n in range(1, len(steps))
        if steps[n].until_day <= steps[n - 1].until_day
    ]
