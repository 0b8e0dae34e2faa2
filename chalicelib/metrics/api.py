"""The funnel by channel."""

from datetime import date
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from chalicelib.metrics import rules, service
from chalicelib.metrics.types import FunnelRow
from chalicelib.platform import clock, http
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.lists import Page

door = http.Door(__name__, tag="Metrics")

_DEFAULT_DAYS = 30


class FunnelQuery(Struct, kw_only=True):
    from_: (
        Annotated[date, Meta(description="First day (Asia/Shanghai); default: 29 days before `to`")]
        | UnsetType
    ) = field(name="from", default=UNSET)
    to: Annotated[date, Meta(description="Last day, included; default: today")] | UnsetType = UNSET
    by: Annotated[Literal["channel"], Meta(description="What a row is")] = "channel"


@door.route(
    "GET",
    "/api/metrics/funnel",
    permission="metrics.read",
    query=FunnelQuery,
    summary="Scans to money, by channel",
    answer=Page[FunnelRow],
)
def funnel(call: http.Call) -> Page[FunnelRow]:
    end = call.query.to or rules.day_of(clock.now())
    start = call.query.from_ or date.fromordinal(max(1, end.toordinal() - _DEFAULT_DAYS + 1))
    if start > end:
        raise Invalid(issue("from", "after", other="to"))
    if (end - start).days >= rules.MAX_DAYS:
        raise Invalid(issue("from", "range_days", days=rules.MAX_DAYS))
    rows = service.funnel(start, end)
    return Page(rows, len(rows))
