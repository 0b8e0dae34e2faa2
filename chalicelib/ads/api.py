"""Doors of ad campaigns: the landing page, the campaigns, their figures and conversions, the quota."""

from datetime import date, datetime
from typing import Any

import msgspec

from chalicelib.ads import rules, service
from chalicelib.ads.types import AdCampaignPatch, AdQuota, NewAdCampaign
from chalicelib.platform import clock, http
from chalicelib.platform.errors import Invalid
from chalicelib.platform.http import Answer, Call
from chalicelib.web import frame
from chalicelib.web.landing import page as landing

door = http.Door(__name__, tag="Ad campaigns")

_DAYS = {
    "from": "First day (Asia/Shanghai), e.g. 2026-11-01; default: 29 days before `to`",
    "to": "Last day, included; default: today",
}
_CONVERSIONS = {
    "ad_campaign_id": "Of this campaign; needed",
    "status": "waiting, sent, refused, failed, unknown (an answer was lost) or unreported (only counted)",
}
_DEFAULT_DAYS = 30


@door.route("GET", "/h5/a/{code}", summary="An ad's landing page", gives="text/html", page=frame.problem)
def visit(call: Call, code: str) -> Answer:
    view = service.visit(code, call.query)
    return (landing.campaign(view.page, view.button_url) if view.button_url else landing.closed()).answer()


@door.route(
    "POST",
    "/api/ad-campaigns",
    body=NewAdCampaign,
    status=201,
    permission="ad_campaigns.write",
    summary="A new ad campaign",
)
def create(call: Call) -> dict[str, Any]:
    return service.create(_builtins(call.body))


@door.route(
    "GET",
    "/api/ad-campaigns",
    permission="ad_campaigns.read",
    summary="Ad campaigns, newest first, without archived ones",
    paged=True,
)
def listing(call: Call) -> dict[str, Any]:
    return http.listing(*service.page(*call.page()))


@door.route(
    "GET", "/api/ad-campaigns/{ad_campaign_id}", permission="ad_campaigns.read", summary="One ad campaign"
)
def get(call: Call, ad_campaign_id: str) -> dict[str, Any]:
    return service.get(ad_campaign_id)


@door.route(
    "PATCH",
    "/api/ad-campaigns/{ad_campaign_id}",
    body=AdCampaignPatch,
    permission="ad_campaigns.write",
    summary="Change an ad campaign: its page at once, its acquisition link within the minute",
)
def change(call: Call, ad_campaign_id: str) -> dict[str, Any]:
    def complete(definition: Any) -> dict[str, Any]:
        return _builtins(http.convert(definition, NewAdCampaign))

    return service.change(ad_campaign_id, call.json(), complete)


@door.route(
    "DELETE",
    "/api/ad-campaigns/{ad_campaign_id}",
    permission="ad_campaigns.write",
    summary="Archive: its page leads to the fallback, its acquisition link is deleted",
)
def archive(call: Call, ad_campaign_id: str) -> dict[str, Any]:
    return service.archive(ad_campaign_id)


@door.route(
    "GET",
    "/api/ad-campaigns/{ad_campaign_id}/stats",
    permission="ad_campaigns.read",
    query=_DAYS,
    summary="Views to money and reports, day by day",
)
def stats(call: Call, ad_campaign_id: str) -> dict[str, Any]:
    end = _day(call, "to") or clock.now().astimezone(clock.SHANGHAI).date()
    start = _day(call, "from") or date.fromordinal(max(1, end.toordinal() - _DEFAULT_DAYS + 1))
    if start > end:
        raise Invalid(("from", "is after to"))
    if (end - start).days >= rules.MAX_DAYS:
        raise Invalid(("from", f"at most {rules.MAX_DAYS} days up to `to`"))
    return http.listing(service.stats(ad_campaign_id, start, end))


@door.route(
    "GET",
    "/api/ad-quota",
    permission="ad_campaigns.read",
    answer=AdQuota,
    summary="What is left for acquisition links",
)
def quota(call: Call) -> dict[str, Any]:
    return service.quota_now()


@door.route(
    "GET",
    "/api/ad-conversions",
    permission="ad_conversions.read",
    query=_CONVERSIONS,
    paged=True,
    summary="A campaign's conversions and whether its platform knows of them, newest first in each status",
)
def conversions(call: Call) -> dict[str, Any]:
    ad_campaign_id = call.query.get("ad_campaign_id")
    if not ad_campaign_id:
        raise Invalid(("ad_campaign_id", "is needed"))
    status = call.query.get("status") or None
    return http.listing(*service.conversion_page(ad_campaign_id, status, *call.page()))


@door.route(
    "POST",
    "/api/ad-conversions/{conversion_id}/retry",
    permission="ad_conversions.retry",
    summary="Tell the platform again of a conversion that is refused, failed or unknown",
)
def retry(call: Call, conversion_id: str) -> dict[str, Any]:
    return service.again(conversion_id)


@door.route(
    "POST",
    "/api/ad-conversions/{conversion_id}/sent",
    permission="ad_conversions.write",
    summary="Say of an unknown one that the platform has it (seen in its console): it is not told again",
)
def sent(call: Call, conversion_id: str) -> dict[str, Any]:
    return service.arrived(conversion_id)


def _builtins(value: Any) -> dict[str, Any]:
    return dict(msgspec.to_builtins(value))


def _day(call: Call, name: str) -> date | None:
    text = call.query.get(name)
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise Invalid((name, "a day, e.g. 2026-11-22")) from None
