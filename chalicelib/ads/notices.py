"""Notices to the campaigns' operators (alert_staff_ids), by app message: once for each switch, or doubt.

A notice falls due in the transaction that switches, so none is lost.
"""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.ads import leads
from chalicelib.ads.models import LISTED, AdCampaignItem
from chalicelib.notices import service as notices
from chalicelib.platform import due
from chalicelib.platform.storage import Transaction

_TEXTS = {
    "quota_exhausted": "获客助手额度已用完：投放落地页已切换到备用活码，请尽快购买额度。",
    "quota_increased": "获客助手额度已恢复：投放落地页已切换回获客链接。",
    "quota_low": "获客助手额度不足 20 次：用完后投放落地页将切换到备用活码。",
    "quota_expires": "获客助手有额度即将到期，请在企业微信后台查看。",
    "link_unavailable": "获客链接已失效（可能没有可用的成员）：该落地页已切换到备用活码。",
    "link_deleted": "获客链接已在企业微信后台被删除：该落地页已切换到备用活码。",
    "report_unknown": "有转化未收到广告平台的应答，重发可能重复计数：请到平台核对，再标记为已收到或重发。",
    "link_refused": "企业微信未接受该落地页的获客链接设置，请检查成员和权限。",
}


def add(tx: Transaction, why: str, at: datetime, key: str, ad_campaign_id: str | None = None) -> None:
    """Order a notice within a transaction. why: of `_TEXTS`. No campaign: to operators of all that run."""
    due.add(tx, "ad_notice", at, f"{why}#{key}", _work(why, ad_campaign_id))


def put(why: str, at: datetime, key: str, ad_campaign_id: str | None = None) -> None:
    """The same without a transaction."""
    due.put("ad_notice", at, f"{why}#{key}", _work(why, ad_campaign_id))


def send(why: str, ad_campaign_id: str | None, due_at: str) -> None:
    """Have the operators told. Upstream when it may succeed later."""
    if ad_campaign_id:
        campaign = leads.find_campaign(ad_campaign_id)
        campaigns = [campaign] if campaign is not None else []
    else:
        campaigns = list(AdCampaignItem.by_creation.query(LISTED))
    receivers = list(dict.fromkeys(_receivers(campaigns)))
    if not receivers:
        return
    text = _TEXTS[why]
    if ad_campaign_id:
        text = f"{text}\n{campaigns[0].definition['name']}"
    for staff_id in receivers:
        notices.add(staff_id, "ad", f"{why}#{ad_campaign_id}#{due_at}", {"text": text})


def _receivers(campaigns: list[AdCampaignItem]) -> Iterator[str]:
    for item in campaigns:
        yield from item.definition["alert_staff_ids"]


def _work(why: str, ad_campaign_id: str | None) -> dict[str, str | None]:
    return {"subject": ad_campaign_id or "quota", "why": why, "ad_campaign_id": ad_campaign_id}
