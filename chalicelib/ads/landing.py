"""A visit of an ad's landing page: counted, its click kept, its button led to where somebody can be added."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from chalicelib.ads import models, rules
from chalicelib.ads.models import QUOTA, AdCampaignItem
from chalicelib.platform import clock, log, settings
from chalicelib.platform.errors import NotFound


class View(Struct, frozen=True):
    """What a visit of the page shows. button_url None: nobody can be added. closed: why not by the link."""

    page: Mapping[str, Any]
    button_url: str | None
    closed: str | None


def visit(code: str, query: Mapping[str, str], counts: bool = True, keeps: bool = True) -> View:
    """A visit of the page, counted; its click kept. NotFound for a code that no campaign has.

    counts: False for a robot. keeps: False for one too; of a page that a browser asks for ahead the click is
    kept, since whoever is led to it later asks no second time, and their add has to be known by it.
    """
    item, quota = _page_and_quota(code)
    now, plan = clock.now(), item.plan
    click = rules.click_of(plan.platform, code, page_url(item), query) if keeps else None
    if counts or click is not None:
        _record(item.ad_campaign_id, now, click, counts)
    closed = why_closed(item, quota)
    token = click.token if click else rules.visitor_token(code)
    shown = item.definition["page"]
    if closed is None:
        return View(shown, rules.button_url(str(item.link_url), token), None)
    fallback = plan.fallback_live_code_id or plan.live_code_id
    return View(shown, _scan_url(fallback, token) if fallback else None, closed)


def _record(ad_campaign_id: str, now: datetime, click: rules.Click | None, counts: bool) -> None:
    try:
        if counts:
            models.count_visit(ad_campaign_id, now, click)
        elif click is not None:
            models.keep_click(ad_campaign_id, now, click)
    except Exception as error:  # noqa: BLE001 (a figure less, and not a customer)
        log.failure("visit not counted", error, ad_campaign_id=ad_campaign_id)


def why_closed(item: AdCampaignItem, quota: AdCampaignItem | None) -> str | None:
    """Why the page can't lead to the acquisition link; None when it can."""
    return rules.why_closed(
        active=bool(item.active),
        has_staff=bool(item.plan.staff_ids),
        link_url=item.link_url,
        unavailable=item.unavailable,
        is_quota_exhausted=bool(quota and quota.exhausted),
    )


def page_url(item: AdCampaignItem) -> str:
    """What ads lead to."""
    return f"{_base()}/h5/a/{item.ad_campaign_id.removeprefix('ac_')}"


def _page_and_quota(code: str) -> tuple[AdCampaignItem, AdCampaignItem | None]:
    if not rules.CODE.fullmatch(code):
        raise NotFound(code="no_ad_page")
    rows = {
        row.ad_campaign_id: row
        for row in AdCampaignItem.batch_get([f"ac_{code}", QUOTA], consistent_read=True)
    }
    if f"ac_{code}" not in rows:
        raise NotFound(code="no_ad_page")
    return rows[f"ac_{code}"], rows.get(QUOTA)


def _scan_url(live_code_id: str, token: str) -> str:
    """A scan that keeps the click with its assignment: the line of the add has it as `ad`."""
    return f"{_base()}/s/{live_code_id.removeprefix('lc_')}?ad={token}"


def _base() -> str:
    return settings.env("PUBLIC_BASE_URL").rstrip("/")
