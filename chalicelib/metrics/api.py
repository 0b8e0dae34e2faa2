"""The funnel by channel."""

from datetime import date
from typing import Any

from chalicelib.metrics import rules, service
from chalicelib.platform import clock, http
from chalicelib.platform.errors import Invalid

door = http.Door(__name__, tag="Metrics")

_QUERY = {
    "from": "First day (Asia/Shanghai), e.g. 2026-11-01; default: 29 days before `to`",
    "to": "Last day, included; default: today",
    "by": "What a row is: channel",
}
_DEFAULT_DAYS = 30


@door.route(
    "GET",
    "/api/metrics/funnel",
    permission="metrics.read",
    query=_QUERY,
    summary="Scans to money, by channel",
)
def funnel(call: http.Call) -> dict[str, Any]:
    if call.query.get("by", "channel") != "channel":
        raise Invalid(("by", "only channel"))
    end = _day(call, "to") or rules.day_of(clock.now())
    start = _day(call, "from") or date.fromordinal(max(1, end.toordinal() - _DEFAULT_DAYS + 1))
    if start > end:
        raise Invalid(("from", "is after to"))
    if (end - start).days >= rules.MAX_DAYS:
        raise Invalid(("from", f"at most {rules.MAX_DAYS} days up to `to`"))
    return http.listing(service.funnel(start, end))


def _day(call: http.Call, name: str) -> date | None:
    text = call.query.get(name)
    if not text:
        return None
    try:
        return rules.parse_day(text)
    except ValueError:
        raise Invalid((name, "a day, e.g. 2026-11-22")) from None
