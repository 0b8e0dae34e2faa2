"""Figures: the funnel by channel, and by day."""

from datetime import date
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from chalicelib.metrics import rules, service
from chalicelib.metrics.types import DayRow, FunnelRow
from chalicelib.platform import clock, http
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.lists import Page, Tabular
from chalicelib.platform.paging import Id
from chalicelib.platform.userids import fold_fields

door = http.Door(__name__, tag="Metrics")

_DEFAULT_DAYS = 30


class PeriodQuery(Tabular, kw_only=True):
    from_: (
        Annotated[date, Meta(description="First day (Asia/Shanghai); default: 29 days before `to`")]
        | UnsetType
    ) = field(name="from", default=UNSET)
    to: Annotated[date, Meta(description="Last day, included; default: today")] | UnsetType = UNSET


class FunnelQuery(PeriodQuery, kw_only=True):
    by: Annotated[Literal["channel"], Meta(description="What a row is")] = "channel"


class DaysQuery(PeriodQuery, kw_only=True):
    channel: Annotated[Id | None, Meta(description="Of this channel")] = None
    staff_id: Annotated[Id | None, Meta(description="Of this guide, in their present store")] = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


@door.route(
    "GET",
    "/api/metrics/funnel",
    permission="metrics.read",
    query=FunnelQuery,
    summary="Scans to money, by channel",
    answer=Page[FunnelRow],
)
def funnel(call: http.Call) -> Page[FunnelRow]:
    rows = service.funnel(*period(call.query), call.principal)
    return Page(rows, len(rows))


@door.route(
    "GET",
    "/api/metrics/days",
    permission="metrics.read",
    query=DaysQuery,
    summary="All figures, day by day",
    answer=Page[DayRow],
)
def days(call: http.Call) -> Page[DayRow]:
    rows = service.days(*period(call.query), call.principal, call.query.channel, call.query.staff_id)
    return Page(rows, len(rows))


def period(query: PeriodQuery) -> tuple[date, date]:
    """First and last day. Invalid."""
    end = query.to or rules.day_of(clock.now())
    start = query.from_ or date.fromordinal(max(1, end.toordinal() - _DEFAULT_DAYS + 1))
    if start > end:
        raise Invalid(issue("from", "after", other="to"))
    if (end - start).days >= rules.MAX_DAYS:
        raise Invalid(issue("from", "range_days", days=rules.MAX_DAYS))
    return start, end
