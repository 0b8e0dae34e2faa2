"""养号, ageing of accounts: how many customers a guide's account may get on a day of its life.

WeCom looks askance at a new account that adds many people at once. A day is one in Shanghai, since the
account is one over all codes, whatever their time zones.
"""

from collections.abc import Sequence
from datetime import date, datetime

from chalicelib.platform import clock
from chalicelib.staff.types import RampStep

UNKNOWN, NOT_ACTIVATED, NOT_CHECKED = "member_unknown", "member_not_activated", "member_not_checked"
NOT_REAL_NAMED, NOT_SERVING, INVISIBLE = "member_not_real_named", "member_not_serving", "member_invisible"
LEFT, DISABLED = "member_left", "member_disabled"
BY_STATUS = {2: DISABLED, 4: NOT_ACTIVATED, 5: LEFT}
LASTING = (NOT_REAL_NAMED, NOT_SERVING)  # what no event and no status of WeCom's ends
GONE = (2, 5)  # of WeCom's states: disabled, left. Whoever scans their code reaches nobody
DEFAULT = (RampStep(3, 20), RampStep(7, 50), RampStep(14, 100))  # while the operator has set no other


def problem_of(problem: str | None, status: int, named: bool) -> str | None:
    """Why a member gets no customers. Whoever had a name, and is not there any more, has left."""
    if problem == UNKNOWN and named and status in GONE:
        problem = None
    return problem or BY_STATUS.get(status)


def today(now: datetime) -> date:
    """The day whose places an account takes."""
    return now.astimezone(clock.SHANGHAI).date()


def cap(steps: Sequence[RampStep], started_at: date | None, daily_cap: int | None, day: date) -> int | None:
    """The account's cap on that day; None: none. daily_cap: its own, at any age.

    One that begins later is taken for one on its first day.
    """
    caps = [daily_cap] if daily_cap is not None else []
    if started_at is not None:
        age = max(1, (day - started_at).days + 1)
        caps += [step.daily_cap for step in steps if age <= step.until_day][:1]
    return min(caps, default=None)


def out_of_order(steps: Sequence[RampStep]) -> list[int]:
    """The numbers of the steps whose day is not later than that of the step before."""
    return [n for n in range(1, len(steps)) if steps[n].until_day <= steps[n - 1].until_day]
