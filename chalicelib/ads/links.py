"""Acquisition links (获客链接): one for each campaign, made once, kept in step, never twice.

WeCom has no key of ours for a link, so its name ends with the campaign's code: after a lost answer or
a crash we look through the app's links for it before another is made. One campaign's work comes through
a FIFO queue in its own group, so no two consumers are at the same link.
"""

from datetime import datetime, timedelta

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.ads import leads, notices, rules
from chalicelib.ads.models import DELETED, MAKING, READY, REFUSED, AdCampaignItem
from chalicelib.platform import clock, due, log, storage
from chalicelib.platform.storage import Transaction
from chalicelib.wecom import client as wecom
from chalicelib.wecom.client import AcquisitionLink
from chalicelib.wecom.errors import AnswerLost, Treatment, WeComError

DEADLINE = timedelta(seconds=20)
_ANSWERED = timedelta(minutes=1)  # by then a new link is stored, or its maker has died


def sync(ad_campaign_id: str) -> None:
    """Bring WeCom's link in step with the campaign. Upstream when it may succeed later; twice is once."""
    item = leads.find_campaign(ad_campaign_id)
    if item is None or item.told_version == item.version:
        return
    try:
        if not item.active:
            _delete(item)
        elif not item.plan.staff_ids:
            _mark_synced(item)  # WeCom takes no link without people: the page is switched over by itself
        elif item.link_id:
            _update(item, item.link_id)
        else:
            _make(item)
    except WeComError as error:
        if error.retryable:
            raise
        log.failure("acquisition link refused", error, ad_campaign_id=ad_campaign_id, errcode=error.errcode)
        refused = [] if item.link_id else [AdCampaignItem.link_status.set(REFUSED)]
        _mark_synced(item, *refused, errcode=error.errcode)
        notices.put("link_refused", clock.now(), f"{ad_campaign_id}#{item.version}", ad_campaign_id)


def mark_lost_again(link_id: str, why: str, at: str) -> None:
    """The second look at a link that was not known: one that is still not ours is left alone."""
    mark_lost(link_id, why, clock.parse(at), last=True)


def mark_lost(link_id: str, why: str, at: datetime, last: bool = False) -> None:
    """WeCom says that a link is `link_unavailable` or `link_deleted`: the page leads to the fallback.

    A link that we don't know may be one whose making is not answered yet: looked at once more (`last`).
    """
    owner: AdCampaignItem | None = AdCampaignItem.find(f"link#{link_id}")
    if owner is None:
        if not last:
            work = {"subject": link_id, "why": why, "at": clock.iso(at)}
            due.put("ad_lost", clock.now() + _ANSWERED, f"{link_id}#{why}#{clock.iso(at)}", work)
        return
    item = leads.find_campaign(str(owner.owner))
    if item is None or item.link_id != link_id:
        return
    if item.unavailable == why and item.unavailable_at >= clock.iso(at):
        return  # the same again, or older
    there = AdCampaignItem.link_id == link_id
    if why == "link_unavailable":  # and not mended since
        there &= AdCampaignItem.told_at.does_not_exist() | (AdCampaignItem.told_at <= clock.iso(at))
    actions = [AdCampaignItem.unavailable.set(why), AdCampaignItem.unavailable_at.set(clock.iso(at))]
    if why == "link_deleted":
        actions += [
            AdCampaignItem.link_status.set(DELETED),
            AdCampaignItem.link_id.remove(),
            AdCampaignItem.link_url.remove(),
            AdCampaignItem.asked.remove(),
        ]
    tx = Transaction()
    tx.update("campaign", item, actions, there)
    notices.add(tx, why, at, f"{item.ad_campaign_id}#{clock.iso(at)}", item.ad_campaign_id)
    try:
        tx.commit()
    except storage.ConditionFailed:
        return  # another link since, or mended
    log.measure("AdPageSwitched", 1, "Count")


def _make(item: AdCampaignItem) -> None:
    link = _search(item) if item.asked else None
    if link is None:
        began = clock.now()
        asked = [AdCampaignItem.asked.set(True), AdCampaignItem.link_status.set(MAKING)]
        storage.update_if(AdCampaignItem(item.ad_campaign_id), asked)
        try:
            link = wecom.default_client().create_link(_fields(item), deadline=clock.now() + DEADLINE)
        except AnswerLost:
            link = _search(item)
            if link is None:
                raise  # perhaps on its way still: looked for again before another is made
        except WeComError:
            storage.update_if(AdCampaignItem(item.ad_campaign_id), [AdCampaignItem.asked.remove()])
            raise
        else:
            _store(item, link, began)
            return
    _store(item, link, None)  # what WeCom has of it may be older: sent again
    _update(item, link.link_id)


def _update(item: AdCampaignItem, link_id: str) -> None:
    """Tell WeCom all of it, which mends a link; unless it went bad after that, by WeCom's own time."""
    began = clock.now()
    wecom.default_client().update_link(link_id, _fields(item), deadline=clock.now() + DEADLINE)
    synced_at = AdCampaignItem.told_at.set(_second(began))
    good = AdCampaignItem.unavailable_at.does_not_exist() | (AdCampaignItem.unavailable_at < _second(began))
    mended = [AdCampaignItem.unavailable.remove(), AdCampaignItem.unavailable_at.remove()]
    if not _mark_synced(item, synced_at, *mended, condition=good & (AdCampaignItem.link_id == link_id)):
        _mark_synced(item, synced_at)


def _delete(item: AdCampaignItem) -> None:
    lost = None if item.link_id or not item.asked else _search(item)
    link_id = item.link_id or (lost.link_id if lost else None)
    if link_id:
        try:
            wecom.default_client().delete_link(link_id, deadline=clock.now() + DEADLINE)
        except WeComError as error:
            if error.treatment is not Treatment.DATA:
                raise
            log.logger.info("acquisition link was gone", extra={"errcode": error.errcode})
    _mark_synced(
        item,
        AdCampaignItem.link_status.set(DELETED),
        AdCampaignItem.link_id.remove(),
        AdCampaignItem.link_url.remove(),
        AdCampaignItem.asked.remove(),
    )


def _store(item: AdCampaignItem, link: AcquisitionLink, synced_at: datetime | None) -> None:
    """Keep a link. synced_at: when WeCom got this version of it; None: it may have an older one."""
    tx = Transaction()
    stored = [
        AdCampaignItem.link_status.set(READY),
        AdCampaignItem.link_id.set(link.link_id),
        AdCampaignItem.link_url.set(link.url),
        AdCampaignItem.told_version.set(item.version if synced_at else 0),
        AdCampaignItem.told_at.set(_second(synced_at)) if synced_at else AdCampaignItem.told_at.remove(),
        AdCampaignItem.asked.remove(),
        AdCampaignItem.errcode.remove(),
        AdCampaignItem.unavailable.remove(),
        AdCampaignItem.unavailable_at.remove(),
    ]
    tx.update("campaign", AdCampaignItem(item.ad_campaign_id), stored)
    tx.put("link", AdCampaignItem(f"link#{link.link_id}", owner=item.ad_campaign_id))
    tx.commit()


def _mark_synced(
    item: AdCampaignItem, *actions: Action, errcode: int | None = None, condition: Condition | None = None
) -> bool:
    """WeCom has this version, or (errcode) has refused it. A newer version has its own work."""
    code = AdCampaignItem.errcode
    synced = [AdCampaignItem.told_version.set(item.version), code.set(errcode) if errcode else code.remove()]
    return storage.update_if(AdCampaignItem(item.ad_campaign_id), [*synced, *actions], condition)


def _second(at: datetime) -> str:
    """As WeCom's events tell time: what happened in that very second counts as later."""
    return clock.iso(at.replace(microsecond=0))


def _search(item: AdCampaignItem) -> AcquisitionLink | None:
    """The link that WeCom has under our name."""
    client, until = wecom.default_client(), clock.now() + DEADLINE
    for link_id in client.list_link(deadline=until):
        there = client.get_link(link_id, deadline=until)["link"]
        if str(there.get("link_name", "")).endswith(f" {_code(item)}"):
            return AcquisitionLink(link_id, str(there["url"]))
    return None


def _fields(item: AdCampaignItem) -> dict[str, object]:
    """Sent whole: `range` replaces what was there."""
    return {
        "link_name": rules.link_name(item.plan.name, _code(item)),
        "range": {"user_list": item.plan.staff_ids, "department_list": []},
        "skip_verify": item.plan.skip_verify,
    }


def _code(item: AdCampaignItem) -> str:
    return str(item.ad_campaign_id.removeprefix("ac_"))
