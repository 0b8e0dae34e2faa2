"""Figures: the funnel by channel, and by day."""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.metrics import by_guide, service
from chalicelib.metrics.by_guide import GuidesQuery
from chalicelib.metrics.periods import PeriodQuery, period
from chalicelib.metrics.types import DayRow, FunnelRow, GuideRow
from chalicelib.platform import http
from chalicelib.platform.lists import Page
from chalicelib.platform.paging import Id
from chalicelib.platform.userids import fold_fields

door = http.Door(__name__, tag="Metrics")


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
    channels = None if call.query.channel is None else {call.query.channel}
    rows = service.days(*period(call.query), call.principal, channels, call.query.staff_id)
    return Page(rows, len(rows))


@door.route(
    "GET",
    "/api/metrics/guides",
    permission="metrics.read",
    query=GuidesQuery,
    summary="What each guide did, over some days",
    answer=Page[GuideRow],
)
def guides(call: http.Call) -> Page[GuideRow]:
    return by_guide.page(call.query, call.principal)
