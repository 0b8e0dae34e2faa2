"""What others ask of ad campaigns: a visit, where an add belongs, what WeCom's events mean."""

from datetime import date, timedelta
from typing import Any

from chalicelib.ads import campaigns, conversions, links, models, notices, quota, rules
from chalicelib.ads.campaigns import View, archive, change, create, get, page, visit
from chalicelib.ads.conversions import again, arrived, on_added, on_paid, on_refunded
from chalicelib.platform import clock, log, queues
from chalicelib.platform.errors import Upstream
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError
from chalicelib.wecom.events import Event

__all__ = [
    "View",
    "again",
    "archive",
    "arrived",
    "change",
    "create",
    "get",
    "on_added",
    "on_event",
    "on_paid",
    "on_refunded",
    "page",
    "stats",
    "visit",
]

conversion_page = conversions.page
quota_now = quota.get
_CHAT_KEY = timedelta(minutes=30)  # WeCom: how long a ChatKey can be asked about
_ASK = timedelta(seconds=8)


def on_event(event: Event) -> None:
    """One of WeCom's customer_acquisition events. Repeats change nothing."""
    link_id = event.values.get("LinkId", "")
    match event.change:
        case "balance_exhausted":
            quota.exhausted(event.at)
            _check_quota(event)
        case "balance_increased":
            quota.increased(event.at)
            _check_quota(event)
        case "balance_low":
            notices.put("quota_low", event.at, event.digest)
        case "quota_expire_soon":
            notices.put("quota_expires", event.at, event.digest)
        case "link_unavailable":
            links.lost(link_id, "link_unavailable", event.at)
        case "delete_link":
            links.lost(link_id, "link_deleted", event.at)
        case "customer_start_chat":
            conversions.chatted(event.state, event.external_userid, event.at)
        case "message_from_customer":
            _written(event)


def stats(ad_campaign_id: str, start: date, end: date) -> list[dict[str, Any]]:
    """A campaign's figures for each day, both included; days without any are zero. NotFound."""
    campaigns.load(ad_campaign_id)
    found = models.stats(ad_campaign_id, start, end)
    days = [(start + timedelta(days=n)).isoformat() for n in range((end - start).days + 1)]
    return [rules.stat_row(day, found.get(day, {})) for day in days]


def _written(event: Event) -> None:
    """A later message: who wrote is behind the ChatKey, for half an hour."""
    if conversions.has_chatted(event.state):
        return
    state, external_userid = event.state, event.external_userid
    chat_key = event.values.get("ChatKey")
    if chat_key and clock.now() - event.at < _CHAT_KEY:
        try:
            told = wecom.default_client().chat_info(chat_key, deadline=clock.now() + _ASK)
        except WeComError as error:
            if error.retryable:
                raise
            log.logger.info("nobody behind a chat key", extra={"errcode": error.errcode})
        else:
            external_userid = told.get("external_userid") or external_userid
            state = (told.get("chat_info") or {}).get("state") or state
    conversions.chatted(state, external_userid, event.at)


def _check_quota(event: Event) -> None:
    """Events of one second have no order: WeCom is asked what is true now."""
    try:
        message = {"kind": "ad_quota", "subject": "quota", "digest": event.digest}
        queues.send("convert", message, group="quota")
    except Upstream as error:  # the next hour asks
        log.failure("quota not asked for", error)
