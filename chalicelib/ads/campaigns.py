"""Ad campaigns as operators see them: made, changed, archived, listed.

Each change falls due as work for the consumer `convert` in its own transaction, so WeCom's acquisition
link is brought in step whatever dies in between; the message sent at once only spares the minute's wait.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import asdict, replace
from pynamodb.expressions.update import Action

from chalicelib.ads import landing, leads, outgoing, rules
from chalicelib.ads.adapters import PLATFORMS
from chalicelib.ads.models import ARCHIVED, LISTED, MAKING, QUOTA, AdCampaignItem
from chalicelib.ads.types import AdCampaign, AdCampaignsQuery, LinkState, NewAdCampaign
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import audit, clock, due, durations, ids, lists, log, queues, storage
from chalicelib.platform.errors import Conflict, Forbidden, Invalid, Issue, NotFound, issue
from chalicelib.platform.lists import Page
from chalicelib.platform.patch import merged
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.versions import ANY_VERSION, IfMatch
from chalicelib.stores import service as stores

_SORTS: Mapping[str, Callable[[AdCampaignItem], str]] = {
    "created_at": lambda item: str(item.created_at),
    "name": lambda item: str(item.definition["name"]),
}


def create(wanted: NewAdCampaign, principal: Principal = SYSTEM) -> AdCampaign:
    """A new campaign. Invalid."""
    plan = _without_repeats(wanted)
    _check(plan, plan.staff_ids, principal)
    now, code = clock.now(), ids.short(8)
    item = AdCampaignItem(
        f"ac_{code}",
        listing=LISTED,
        created_at=clock.iso(now),
        updated_at=clock.iso(now),
        version=1,
        active=True,
        definition=msgspec.to_builtins(plan),
        link_status=MAKING,
        told_version=0,
    )
    tx = Transaction()
    tx.put("campaign", item, AdCampaignItem.ad_campaign_id.does_not_exist())
    audit.add(tx, "ad_campaigns.create", item.ad_campaign_id, None, plan)
    _order_link(tx, item.ad_campaign_id, 1, now)
    tx.commit()
    _order_link_now(item.ad_campaign_id, 1)
    return _campaign(item, None)


@storage.retrying("others keep changing this ad campaign")
def change(
    ad_campaign_id: str,
    patch: Mapping[str, Any],
    complete: Callable[[Any], NewAdCampaign],
    principal: Principal = SYSTEM,
    if_match: IfMatch = ANY_VERSION,
) -> AdCampaign:
    """Apply a JSON merge patch (RFC 7396). complete: adds defaults.

    Invalid, NotFound, Conflict, Stale, Forbidden.
    """
    item = _load_changeable(ad_campaign_id, principal)
    if_match.check(int(item.version), lambda: _shown(item))
    if not item.active:
        raise Conflict(code="ad_campaign_archived")
    plan = _without_repeats(complete(merged(item.definition, patch)))
    if plan.platform != item.plan.platform:
        raise Invalid(issue("platform", "unchangeable"))
    _check(plan, set(plan.staff_ids) - set(item.plan.staff_ids), principal)
    definition = msgspec.to_builtins(plan)
    return _rewrite(item, [AdCampaignItem.definition.set(definition)], "change", item.definition, definition)


@storage.retrying("others keep changing this ad campaign")
def rename_guide(ad_campaign_id: str, old: str, new: str) -> None:
    """One of its people has another userid. NotFound."""
    item = load(ad_campaign_id)
    moved = {
        field: list(dict.fromkeys(new if one == old else one for one in item.definition.get(field, ())))
        for field in ("staff_ids", "alert_staff_ids")
    }
    definition = {**item.definition, **moved}
    if definition != item.definition:
        _rewrite(item, [AdCampaignItem.definition.set(definition)], "change", item.definition, definition)


@storage.retrying("others keep changing this ad campaign")
def archive(ad_campaign_id: str, principal: Principal = SYSTEM) -> AdCampaign:
    """Close it for good: its page leads to the fallback, its link is deleted. NotFound, Forbidden."""
    item = _load_changeable(ad_campaign_id, principal)
    if not item.active:
        return _shown(item)
    closed = [AdCampaignItem.active.set(False), AdCampaignItem.listing.set(ARCHIVED)]
    return _rewrite(item, closed, "archive", {"active": True}, {"active": False})


def get(ad_campaign_id: str, principal: Principal = SYSTEM) -> AdCampaign:
    """NotFound, also outside of the scope."""
    return _shown(load(ad_campaign_id, principal))


def page(query: AdCampaignsQuery, principal: Principal) -> Page[AdCampaign]:
    """Campaigns of the scope, active or archived ones."""
    guides = stores.guides_in_scope(principal)
    partition = LISTED if query.status == "active" else ARCHIVED

    def read(**options: Any) -> Iterable[AdCampaignItem]:
        return AdCampaignItem.by_creation.query(partition, **options)

    rows = [
        item
        for item in lists.partition(read)
        if _is_seen(item, guides) and query.platform in (None, item.plan.platform)
    ]
    listed = lists.whole(
        rows,
        query,
        key=lambda item: str(item.ad_campaign_id),
        sorts=_SORTS,
        sort=query.sort,
        texts=lambda item: (item.plan.name, item.ad_campaign_id, item.plan.channel),
    )
    quota: AdCampaignItem | None = AdCampaignItem.find(QUOTA)
    return listed.map(lambda item: _campaign(item, quota))


def load(ad_campaign_id: str, principal: Principal = SYSTEM) -> AdCampaignItem:
    """The campaign as stored, archived or not. NotFound, also outside of the scope."""
    item = leads.find_campaign(ad_campaign_id)
    if item is None or not _is_seen(item, stores.guides_in_scope(principal)):
        raise NotFound(code="no_ad_campaign", ad_campaign_id=ad_campaign_id)
    return item


def _load_changeable(ad_campaign_id: str, principal: Principal) -> AdCampaignItem:
    """NotFound; Forbidden for a campaign that gives customers to others' guides as well."""
    item = load(ad_campaign_id, principal)
    guides = stores.guides_in_scope(principal)
    if guides is not None and not guides.issuperset(item.plan.staff_ids):
        raise Forbidden(code="ad_campaign_of_others")
    return item


def _is_seen(item: AdCampaignItem, guides: frozenset[str] | None) -> bool:
    """A campaign is seen by whoever's scope has any of its guides."""
    return guides is None or not guides.isdisjoint(item.plan.staff_ids)


def _shown(item: AdCampaignItem) -> AdCampaign:
    return _campaign(item, AdCampaignItem.find(QUOTA) if item.link_url else None)


def _campaign(item: AdCampaignItem, quota: AdCampaignItem | None) -> AdCampaign:
    link = {
        "status": item.link_status,
        "link_id": item.link_id,
        "url": item.link_url,
        "errcode": None if item.errcode is None else int(item.errcode),
    }
    own: dict[str, Any] = {
        "ad_campaign_id": item.ad_campaign_id,
        "version": int(item.version),
        "url": landing.page_url(item),
        "active": bool(item.active),
        "link": msgspec.convert(link, LinkState),
        "closed": landing.why_closed(item, quota),
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }
    return AdCampaign(**asdict(item.plan) | own)


def _without_repeats(plan: NewAdCampaign) -> NewAdCampaign:
    staff_ids, alert_staff_ids = (
        list(dict.fromkeys(plan.staff_ids)),
        list(dict.fromkeys(plan.alert_staff_ids)),
    )
    return replace(plan, staff_ids=staff_ids, alert_staff_ids=alert_staff_ids)


def _check(plan: NewAdCampaign, new_staff_ids: Iterable[str], principal: Principal) -> None:
    """What a type can't say. Invalid with all of it."""
    adapter, report = PLATFORMS[plan.platform], asdict(plan.report)
    wrong = [
        issue(f"report.{kind}", code)
        for kind, event in report.items()
        if event is not None and (code := adapter.check(event))
    ]
    is_reported = any(report.values())
    if is_reported and adapter.NEEDS and not plan.credentials:
        wrong.append(issue("credentials", "ad_credentials", fields=list(adapter.NEEDS)))
    wrong += _report_url_issues(plan, is_reported)
    if not _is_window(plan.attribution_window):
        wrong.append(issue("attribution_window", "duration", minimum="PT1S", maximum="P90D"))
    for field in ("live_code_id", "fallback_live_code_id"):
        live_code_id = getattr(plan, field)
        if live_code_id is not None and not _is_active(live_code_id):
            wrong.append(issue(field, "no_active_live_code"))
    guides = stores.guides_in_scope(principal)
    if guides is not None:
        foreign = sorted(set(new_staff_ids) - guides)
        if foreign or guides.isdisjoint(plan.staff_ids):
            wrong.append(issue("staff_ids", "guides_outside_scope", staff_ids=foreign))
    if wrong:
        raise Invalid(*wrong)


def _report_url_issues(plan: NewAdCampaign, is_reported: bool) -> list[Issue]:
    if plan.platform != "generic":
        is_given = plan.report_url is not None
        return [issue("report_url", "only_with", other="platform generic")] if is_given else []
    if plan.report_url is None and not is_reported:
        return []
    code = outgoing.address_problem(plan.report_url or "")
    return [issue("report_url", code)] if code else []


def _is_window(text: str) -> bool:
    try:
        return timedelta(0) < durations.parse(text) <= rules.CLICK_TIME
    except ValueError:
        return False


def _is_active(live_code_id: str) -> bool:
    try:
        return livecodes.current(live_code_id).active
    except NotFound:
        return False


def _rewrite(
    item: AdCampaignItem,
    actions: Sequence[Action],
    verb: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> AdCampaign:
    """Write a change under the version that was read, its audit entry and the work for its link."""
    now, version = clock.now(), int(item.version) + 1
    tx = Transaction()
    changed = [
        *actions,
        AdCampaignItem.version.set(version),
        AdCampaignItem.updated_at.set(clock.iso(now)),
    ]
    tx.update("campaign", item, changed, AdCampaignItem.version == item.version)
    audit.add(tx, f"ad_campaigns.{verb}", item.ad_campaign_id, before, after)
    _order_link(tx, item.ad_campaign_id, version, now)
    tx.commit()
    _order_link_now(item.ad_campaign_id, version)
    return get(item.ad_campaign_id)


def _order_link(tx: Transaction, ad_campaign_id: str, version: int, now: datetime) -> None:
    """Have the link brought in step, and the quota asked for at the next hour."""
    work = {"subject": ad_campaign_id, "version": version}
    due.add(tx, "ad_link", now, f"{ad_campaign_id}#{version}", work)
    due.add(tx, "ad_quota", rules.next_hour(now), "hourly", {"subject": "quota"})


def _order_link_now(ad_campaign_id: str, version: int) -> None:
    message = {"kind": "ad_link", "subject": ad_campaign_id, "version": version}
    try:
        queues.send("convert", message, group=ad_campaign_id)
    except Exception as error:  # noqa: BLE001 (only a head start: it falls due within the minute)
        log.failure("acquisition link not asked for at once", error, ad_campaign_id=ad_campaign_id)
