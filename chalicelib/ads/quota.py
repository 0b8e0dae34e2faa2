"""The corp's quota of acquisition links: told by WeCom's events, asked for each hour while campaigns run.

The newest news counts. A switch (used up, or there again) is stored together with its notice, once.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.ads import campaigns, notices
from chalicelib.ads.models import QUOTA, AdCampaignItem
from chalicelib.platform import clock, due, log
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import Busy, ConditionFailed, Transaction
from chalicelib.wecom import client as wecom

_TRIES = 8
_DEADLINE = timedelta(seconds=15)


def get() -> dict[str, Any]:
    """`{"total","balance","exhausted","expiring":[{"expire_date","balance"}],"checked_at"}`."""
    item: AdCampaignItem | None = AdCampaignItem.find(QUOTA)
    if item is None:
        return {"total": None, "balance": None, "exhausted": False, "expiring": [], "checked_at": None}
    return {
        "total": None if item.total is None else int(item.total),
        "balance": None if item.balance is None else int(item.balance),
        "exhausted": bool(item.exhausted),
        "expiring": item.expiring or [],
        "checked_at": item.checked_at,
    }


def hourly(digest: str | None = None) -> None:
    """Ask WeCom, and have it asked again at the next hour while a campaign runs.

    digest: of an event that asks, which can't wait for that. Upstream.
    """
    now = clock.now()
    if not campaigns.any_active():
        return
    due.put("ad_quota", campaigns.next_hour(now), "hourly", {"subject": "quota"})
    try:
        check()
    except Upstream as error:  # the next hour asks again
        if digest:
            raise
        log.failure("quota not known", error)


def check() -> None:
    """What WeCom says now. Upstream."""
    now = clock.now().replace(microsecond=0)  # as events tell time: none of this second is older news
    answer = wecom.default_client().acquisition_quota(deadline=now + _DEADLINE)
    lots = [
        {"expire_date": _date(int(lot["expire_date"])), "balance": int(lot["balance"])}
        for lot in answer.get("quota_list", [])
    ]
    balance = int(answer.get("balance", 0))
    values = {"total": int(answer.get("total", 0)), "balance": balance, "expiring": lots}
    _store(now, balance <= 0, {**values, "checked_at": clock.iso(now)})


def exhausted(at: datetime) -> None:
    _store(at, True, {"balance": 0})


def increased(at: datetime) -> None:
    _store(at, False, {})


def _store(at: datetime, is_exhausted: bool, values: dict[str, Any]) -> None:
    for _ in range(_TRIES):
        item: AdCampaignItem | None = AdCampaignItem.find(QUOTA)
        stamp = clock.iso(at)
        if item is not None and item.changed_at > stamp:
            return  # older news
        was = bool(item and item.exhausted)
        actions = [getattr(AdCampaignItem, name).set(value) for name, value in values.items()]
        actions += [AdCampaignItem.exhausted.set(is_exhausted), AdCampaignItem.changed_at.set(stamp)]
        seen = (
            AdCampaignItem.ad_campaign_id.does_not_exist()
            if item is None
            else AdCampaignItem.changed_at == item.changed_at
        )
        tx = Transaction()
        tx.update("quota", AdCampaignItem(QUOTA), actions, seen)
        if was != is_exhausted:
            notices.add(tx, "quota_exhausted" if is_exhausted else "quota_increased", at, stamp)
        try:
            tx.commit()
        except ConditionFailed:
            continue
        if is_exhausted and not was:
            log.measure("AdPageSwitched", 1, "Count")
        return
    raise Busy("the quota keeps changing")


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(clock.SHANGHAI).date().isoformat()
