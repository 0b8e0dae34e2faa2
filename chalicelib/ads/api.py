"""Doors of ad campaigns: the landing page, the campaigns, their figures and conversions, the quota."""

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from chalicelib.ads import rules, service
from chalicelib.ads.types import AdCampaignPatch, AdQuota, ConversionStatus, NewAdCampaign
from chalicelib.platform import clock, http
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Paging
from chalicelib.web import frame
from chalicelib.web.landing import page as landing

door = http.Door(__name__, tag="Ad campaigns")

_DEFAULT_DAYS = 30


class Days(Struct, kw_only=True):
    from_: (
        Annotated[date, Meta(description="First day (Asia/Shanghai); default: 29 days before `to`")]
        | UnsetType
    ) = field(name="from", default=UNSET)
    to: Annotated[date, Meta(description="Last day, included; default: today")] | UnsetType = UNSET


class ConversionsQuery(Paging, kw_only=True):
    ad_campaign_id: Annotated[str, Meta(min_length=1)]
    status: (
        Annotated[ConversionStatus, Meta(description="unknown: an answer was lost; unreported: only counted")]
        | UnsetType
    ) = UNSET


@door.route("GET", "/h5/a/{code}", summary="An ad's landing page", gives="text/html", page=frame.problem)
def visit(call: Call, code: str) -> Answer:
    view = service.visit(code, call.strings)
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
    query=Paging,
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
    query=Days,
    summary="Views to money and reports, day by day",
)
def stats(call: Call, ad_campaign_id: str) -> dict[str, Any]:
    end = call.query.to or clock.now().astimezone(clock.SHANGHAI).date()
    start = call.query.from_ or date.fromordinal(max(1, end.toordinal() - _DEFAULT_DAYS + 1))
    if start > end:
        raise Invalid(issue("from", "after", other="to"))
    if (end - start).days >= rules.MAX_DAYS:
        raise Invalid(issue("from", "range_days", days=rules.MAX_DAYS))
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
    query=ConversionsQuery,
    summary="A campaign's conversions and whether its platform knows of them, newest first in each status",
)
def conversions(call: Call) -> dict[str, Any]:
    status = call.query.status or None
    return http.listing(*service.conversion_page(call.query.ad_campaign_id, status, *call.page()))


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
