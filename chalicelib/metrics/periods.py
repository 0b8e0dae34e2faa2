"""From which day to which figures are asked for."""

from datetime import date
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from chalicelib.metrics import rules
from chalicelib.platform import clock
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.lists import Searching, Tabular

_DEFAULT_DAYS = 30


First = (
    Annotated[date, Meta(description="First day (Asia/Shanghai); default: 29 days before `to`")] | UnsetType
)
Last = Annotated[date, Meta(description="Last day, included; default: today")] | UnsetType


class PeriodQuery(Tabular, kw_only=True):
    from_: First = field(name="from", default=UNSET)
    to: Last = UNSET


class PeriodSearch(Searching, kw_only=True):
    """Of a list that has pages, too."""

    from_: First = field(name="from", default=UNSET)
    to: Last = UNSET


def period(query: PeriodQuery | PeriodSearch) -> tuple[date, date]:
    """First and last day. Invalid."""
    end = query.to or rules.day_of(clock.now())
    start = query.from_ or date.fromordinal(max(1, end.toordinal() - _DEFAULT_DAYS + 1))
    if start > end:
        raise Invalid(issue("from", "after", other="to"))
    if (end - start).days >= rules.MAX_DAYS:
        raise Invalid(issue("from", "range_days", days=rules.MAX_DAYS))
    return start, end
