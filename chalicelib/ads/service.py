"""What WeCom's events of ad campaigns mean: the quota, a link, a customer who writes."""

from datetime import timedelta

from chalicelib.ads import credits, links, notices, quota
from chalicelib.platform import clock, log, queues
from chalicelib.platform.errors import Upstream
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError
from chalicelib.wecom.events import Event

_CHAT_KEY = timedelta(minutes=30)  # WeCom: how long a ChatKey can be asked about
_ASK = timedelta(seconds=8)


def on_event(event: Event) -> None:
    """One of WeCom's customer_acquisition events. Repeats change nothing."""
    link_id = event.values.get("LinkId", "")
    match event.change:
        case "balance_exhausted":
            quota.mark_exhausted(event.at)
            _order_check(event)
        case "balance_increased":
            quota.mark_increased(event.at)
            _order_check(event)
        case "balance_low":
            notices.put("quota_low", event.at, event.digest)
        case "quota_expire_soon":
            notices.put("quota_expires", event.at, event.digest)
        case "link_unavailable":
            links.mark_lost(link_id, "link_unavailable", event.at)
        case "delete_link":
            links.mark_lost(link_id, "link_deleted", event.at)
        case "customer_start_chat":
            credits.credit_chat(event.state, event.external_userid, event.at)
        case "message_from_customer":
            _credit_message(event)


def _credit_message(event: Event) -> None:
    """A later message: who wrote is behind the ChatKey, for half an hour."""
    if credits.has_chatted(event.state):
        return
    state, external_userid = event.state, event.external_userid
    chat_key = event.values.get("ChatKey")
    if chat_key and clock.now() - event.at < _CHAT_KEY:
        try:
            chat = wecom.default_client().chat_info(chat_key, deadline=clock.now() + _ASK)
        except WeComError as error:
            if error.retryable:
                raise
            log.logger.info("nobody behind a chat key", extra={"errcode": error.errcode})
        else:
            external_userid = chat.get("external_userid") or external_userid
            state = (chat.get("chat_info") or {}).get("state") or state
    credits.credit_chat(state, external_userid, event.at)


def _order_check(event: Event) -> None:
    """Events of one second have no order: WeCom is asked what is true now."""
    try:
        message = {"kind": "ad_quota", "subject": "quota", "digest": event.digest}
        queues.send("convert", message, group="quota")
    except Upstream as error:  # the next hour asks
        log.failure("quota not asked for", error)
