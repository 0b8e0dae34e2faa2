"""What goes out to whom: how much, less which tax, under which number, and when to ask what became of it."""

from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import Struct

from chalicelib.distribution.types import Tax
from chalicelib.platform import clock, ids

MINIMUM_FEN = 10  # WeChat transfers nothing below 0.1 yuan; less stays available
PLANNED, CALLING, PROCESSING, PAID, FAILED = "planned", "calling", "processing", "paid", "failed"
FINAL = (PAID, FAILED)
LAPSED = "OVERDUE_CLOSE"  # WeChat's reason when the receiver did not collect in time
# WeChat's state of a transfer → ours
STATUS = {
    "ACCEPTED": "accepted",
    "PROCESSING": PROCESSING,
    "WAIT_USER_CONFIRM": "wait_user_confirm",
    "TRANSFERING": "transfering",
    "CANCELING": "canceling",
    "SUCCESS": PAID,
    "FAIL": FAILED,
    "CANCELLED": FAILED,
}
# "No such transfer" is believed so long after the intent. WeChat asks for a minute after the call; and
# the caller, who may have stalled before it, is stopped by the payout function's time-out: 60 s.
CERTAIN_AFTER = timedelta(minutes=2)
# A refusal ends a payout when WeChat has said so often in a row that it knows no such number, the last
# time so long after the call: it was seen to refuse what it had done, and to show it only later.
ABSENT_TIMES, ABSENT_FOR = 3, timedelta(minutes=30)
OFFERED_FOR = timedelta(hours=24)  # the receiver's time to collect, from the offer on
LOOK_AGAIN = timedelta(hours=1)  # after a payout was planned, should its message have been parked
_POLL_MOST = timedelta(hours=1)
WhyNot = Literal["debt", "nothing", "below_minimum", "tax_leaves_too_little"]
EVERY = ("P1D", "P7D", "P1M")

# Withholding on pay for services (劳务报酬预扣率表二): upper bound of the taxable sum in yuan, rate %, quick
# deduction in yuan. Source: State Taxation Administration, Announcement 2018 No. 61, Article 8 and table 2.
_BRACKETS = ((20_000, 20, 0), (50_000, 30, 2_000), (None, 40, 7_000))
_FREE, _FLAT_UNTIL = 80_000, 400_000  # fen


class Sums(Struct, frozen=True):
    """A payout's sums: `available_fen` leaves the account, of it the debt is settled and tax withheld."""

    available_fen: int
    debt_fen: int
    tax_fen: int

    @property
    def gross_fen(self) -> int:
        return self.available_fen - self.debt_fen

    @property
    def net_fen(self) -> int:
        return self.gross_fen - self.tax_fen


class Month(Struct, frozen=True):
    """What one person was paid, or is being paid, in a calendar month under `labour_month`, and its tax."""

    gross_fen: int = 0
    tax_fen: int = 0


def tax(gross_fen: int) -> int:
    """Tax withheld on pay for services that counts as one payment, rounded down to the fen.

    Up to ¥800 nothing; up to ¥4,000 20 % of what is above ¥800; beyond that 20, 30 or 40 % of 80 % of
    it, less the quick deduction.
    """
    if gross_fen <= _FREE:
        return 0
    # in hundredths of a fen, so that 80 % and the rates stay whole
    taxable = (gross_fen - _FREE) * 100 if gross_fen <= _FLAT_UNTIL else gross_fen * 80
    for bound, rate, deduction in _BRACKETS:
        if bound is None or taxable <= bound * 100 * 100:
            return (taxable * rate - deduction * 100 * 100 * 100) // 10_000
    raise AssertionError("the last bracket has no bound")


def tax_in_month(gross_fen: int, month: Month) -> int:
    """Tax withheld on a payment to somebody who had `month` before it.

    Pay for services that goes on is one payment a calendar month: 《个人所得税法实施条例》 (State Council
    Order No. 707), Article 14 (1): 属于同一项目连续性收入的，以一个月内取得的收入为一次. So it is the tax on
    the month's whole, less what was withheld of it. A tax adviser must confirm for the brand that its
    distributors' commission is such pay, and that they are individuals without a registered business.

    Never below zero: of a payment that failed its part goes back to the month, and more may have been
    withheld by then than is owed; the next payments of the month make up for it, or the annual return.
    """
    return max(tax(month.gross_fen + gross_fen) - month.tax_fen, 0)


def month_of(at: datetime) -> str:
    """The calendar month, in China, whose pay is one payment: `2026-11`."""
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m}"


def sums(available_fen: int, debt_fen: int, minimum_fen: int, kind: Tax, month: Month) -> Sums | None:
    """What to pay out; None when it is below the plan's minimum, or what is left of it below WeChat's."""
    gross = available_fen - debt_fen
    if gross < max(minimum_fen, MINIMUM_FEN):
        return None
    withheld = {"none": 0, "labour_once": tax(gross), "labour_month": tax_in_month(gross, month)}[kind]
    found = Sums(available_fen, debt_fen, withheld)
    return found if found.net_fen >= MINIMUM_FEN else None


def why_not_paid(available_fen: int, debt_fen: int, minimum_fen: int) -> WhyNot:
    """Why `sums` is None."""
    gross = available_fen - debt_fen
    if gross <= 0:
        return "debt" if debt_fen else "nothing"
    return "below_minimum" if gross < max(minimum_fen, MINIMUM_FEN) else "tax_leaves_too_little"


def payout_id(settlement_id: str, distributor_id: str) -> str:
    """The payout's number, here and at WeChat: the same for the same settlement and distributor."""
    return ids.derived("payout", settlement_id, distributor_id, length=32)


def scheduled_id(every: str, day: date) -> str:
    """The settlement of the period that `day` lies in: one a day, a week (from Monday) or a month."""
    year, week, _ = day.isocalendar()
    period = {"P1D": f"{day:%Y%m%d}", "P7D": f"{year}w{week:02d}", "P1M": f"{day:%Y%m}"}[every]
    return f"st_{every.lower()}_{period}"


def is_absent(times: int, since_call: timedelta) -> bool:
    """Whether WeChat certainly does not know a number that it refused."""
    return times >= ABSENT_TIMES and since_call >= ABSENT_FOR


def next_poll(called_at: datetime, now: datetime) -> datetime:
    """When to ask next: 1, 3, 7, … minutes after the call, at last each hour.

    A time after `now` that depends on nothing else, so that asking twice makes no second series.
    """
    step = timedelta(minutes=1)
    at = called_at + step
    while at <= now:
        step = min(step * 2, _POLL_MOST)
        at += step
    return at
