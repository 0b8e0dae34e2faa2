"""The corp's quota of acquisition links: heard of by WeCom's events, asked for each hour while campaigns run.

The newest news counts. A switch (used up, or there again) is stored together with its notice, once.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from chalicelib.ads import notices, rules
from chalicelib.ads.models import LISTED, QUOTA, AdCampaignItem
from chalicelib.ads.types import AdQuota, Expiring
from chalicelib.platform import clock, due, log, storage
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import Transaction
from chalicelib.wecom import client as wecom

_DEADLINE = timedelta(seconds=15)


def get() -> AdQuota:
    item: AdCampaignItem | None = AdCampaignItem.find(QUOTA)
    if item is None:
        return AdQuota(total=None, balance=None, exhausted=False, expiring=[], checked_at=None)
    return AdQuota(
        total=None if item.total is None else int(item.total),
        balance=None if item.balance is None else int(item.balance),
        exhausted=bool(item.exhausted),
        expiring=msgspec.convert(item.expiring or [], list[Expiring]),
        checked_at=item.checked_at,
    )


def check_hourly(digest: str | None = None) -> None:
    """Ask WeCom, and have it asked again at the next hour while a campaign runs.

    digest: of an event that asks, which can't wait for that. Upstream.
    """
    now = clock.now()
    if next(iter(AdCampaignItem.by_creation.query(LISTED, limit=1)), None) is None:
        return
    due.put("ad_quota", rules.next_hour(now), "hourly", {"subject": "quota"})
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


def mark_exhausted(at: datetime) -> None:
    _store(at, True, {"balance": 0})


def mark_increased(at: datetime) -> None:
    _store(at, False, {})


@storage.retrying("the quota keeps changing")
def _store(at: datetime, is_exhausted: bool, values: dict[str, Any]) -> None:
    item: AdCampaignItem | None = AdCampaignItem.find(QUOTA)
    stamp = clock.iso(at)
    if item is not None and item.changed_at > stamp:
        return  # older news
    was = bool(item and item.exhausted)
    actions = [getattr(AdCampaignItem, name).set(value) for name, value in values.items()]
    actions += [AdCampaignItem.exhausted.set(is_exhausted), AdCampaignItem.changed_at.set(stamp)]
    unchanged = (
        AdCampaignItem.ad_campaign_id.does_not_exist()
        if item is None
        else AdCampaignItem.changed_at == item.changed_at
    )
    tx = Transaction()
    tx.update("quota", AdCampaignItem(QUOTA), actions, unchanged)
    if was != is_exhausted:
        notices.add(tx, "quota_exhausted" if is_exhausted else "quota_increased", at, stamp)
    tx.commit()
    if is_exhausted and not was:
        log.measure("AdPageSwitched", 1, "Count")


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(clock.SHANGHAI).date().isoformat()
