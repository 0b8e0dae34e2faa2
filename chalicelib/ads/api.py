"""Doors of ad campaigns: the landing page, the campaigns, their figures and conversions, the quota."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from chalicelib.ads import campaigns, conversions, figures, landing, quota
from chalicelib.ads.types import (
    AdCampaign,
    AdCampaignPatch,
    AdCampaignsQuery,
    AdConversion,
    AdConversionsQuery,
    AdDay,
    AdQuota,
    DaysQuery,
    NewAdCampaign,
)
from chalicelib.platform import http, messages, robots
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.staff import problems
from chalicelib.web import frame
from chalicelib.web.landing import page as landing_page

door = http.Door(__name__, tag="Ad campaigns")


@door.route("GET", "/h5/a/{code}", summary="An ad's landing page", gives="text/html", page=frame.problem)
def visit(call: Call, code: str) -> Answer:
    counts = call.method != "HEAD" and not robots.is_robot(call.headers)
    keeps = counts or robots.is_ahead(call.headers)
    view = landing.visit(code, call.strings, counts, keeps)
    if view.button_url is None:
        return landing_page.closed().answer()
    return landing_page.campaign(view.page, view.button_url).answer()


@door.route(
    "POST",
    "/api/ad-campaigns",
    body=NewAdCampaign,
    answer=AdCampaign,
    status=201,
    permission="ad_campaigns.write",
    summary="A new ad campaign",
)
def create(call: Call) -> AdCampaign:
    return _show(call, campaigns.create(call.body, call.principal), problems.ask)


@door.route(
    "GET",
    "/api/ad-campaigns",
    permission="ad_campaigns.read",
    summary="Ad campaigns, newest first; archived ones only when asked for",
    query=AdCampaignsQuery,
    answer=Page[AdCampaign],
)
def listing(call: Call) -> Page[AdCampaign]:
    page = campaigns.page(call.query, call.principal)
    found = problems.known(staff_id for each in page.items for _, staff_id in _named(each))
    return page.map(lambda campaign: _show(call, campaign, lambda _: found))


@door.route(
    "GET",
    "/api/ad-campaigns/{ad_campaign_id}",
    permission="ad_campaigns.read",
    answer=AdCampaign,
    summary="One ad campaign",
)
def get(call: Call, ad_campaign_id: str) -> Answer:
    campaign = campaigns.get(ad_campaign_id, call.principal)
    return http.versioned(_show(call, campaign, problems.known), campaign.version)


@door.route(
    "PATCH",
    "/api/ad-campaigns/{ad_campaign_id}",
    body=AdCampaignPatch,
    headers=IfMatchHeader,
    answer=AdCampaign,
    permission="ad_campaigns.write",
    summary="Change an ad campaign: its page at once, its acquisition link within the minute",
)
def change(call: Call, ad_campaign_id: str) -> Answer:
    def complete(definition: Any) -> NewAdCampaign:
        plan: NewAdCampaign = http.convert(definition, NewAdCampaign)
        return plan

    campaign = campaigns.change(ad_campaign_id, call.json(), complete, call.principal, call.if_match)
    return http.versioned(_show(call, campaign, problems.ask), campaign.version)


def _named(campaign: AdCampaign) -> list[tuple[str, str]]:
    return [
        *problems.fields("staff_ids", campaign.staff_ids),
        *problems.fields("alert_staff_ids", campaign.alert_staff_ids),
    ]


def _show(call: Call, campaign: AdCampaign, find: Callable[[Iterable[str]], Mapping[str, str]]) -> AdCampaign:
    """With what is known, or asked (`find`), of its people."""
    language, named = messages.language(call.headers.get("accept-language")), _named(campaign)
    found = find(staff_id for _, staff_id in named)
    return replace(campaign, warnings=problems.warnings(named, found, language))


@door.route(
    "DELETE",
    "/api/ad-campaigns/{ad_campaign_id}",
    answer=AdCampaign,
    permission="ad_campaigns.write",
    summary="Archive: its page leads to the fallback, its acquisition link is deleted",
)
def archive(call: Call, ad_campaign_id: str) -> AdCampaign:
    return campaigns.archive(ad_campaign_id, call.principal)


@door.route(
    "GET",
    "/api/ad-campaigns/{ad_campaign_id}/stats",
    permission="ad_campaigns.read",
    query=DaysQuery,
    answer=Page[AdDay],
    summary="Views to money and reports, day by day",
)
def stats(call: Call, ad_campaign_id: str) -> Page[AdDay]:
    return figures.by_day(ad_campaign_id, call.query, call.principal)


@door.route(
    "GET",
    "/api/ad-quota",
    permission="ad_campaigns.read",
    answer=AdQuota,
    summary="What is left for acquisition links",
)
def get_quota(call: Call) -> AdQuota:
    return quota.get()


@door.route(
    "GET",
    "/api/ad-conversions",
    permission="ad_conversions.read",
    query=AdConversionsQuery,
    answer=Page[AdConversion],
    summary="A campaign's conversions and whether its platform knows of them, newest first",
)
def list_conversions(call: Call) -> Page[AdConversion]:
    return conversions.page(call.query, call.principal)


@door.route(
    "POST",
    "/api/ad-conversions/{conversion_id}/retry",
    permission="ad_conversions.retry",
    answer=AdConversion,
    summary="Report a conversion again that is refused, failed or unknown",
)
def retry(call: Call, conversion_id: str) -> AdConversion:
    return conversions.retry(conversion_id, call.principal)


@door.route(
    "POST",
    "/api/ad-conversions/{conversion_id}/sent",
    permission="ad_conversions.write",
    answer=AdConversion,
    summary="Say of an unknown one that the platform has it (seen in its console): it is not reported again",
)
def confirm_sent(call: Call, conversion_id: str) -> AdConversion:
    return conversions.confirm_sent(conversion_id, call.principal)
