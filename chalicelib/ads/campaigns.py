"""Ad campaigns themselves: made, changed, archived, visited.

Each change falls due as work for the consumer `convert` in its own transaction, so WeCom's acquisition
link is brought in step whatever dies in between; the message sent at once only spares the minute's wait.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct

from chalicelib.ads import models, outgoing, rules
from chalicelib.ads.adapters import PLATFORMS
from chalicelib.ads.models import LISTED, MAKING, QUOTA, AdCampaignItem
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock, due, durations, ids, log, queues, settings, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.patch import merged
from chalicelib.platform.storage import ConditionFailed, Transaction

_HOUR = timedelta(hours=1)


class Lead(Struct, frozen=True):
    """Where an add by a campaign's link belongs. live_code_id "": to no live code."""

    ad_campaign_id: str
    live_code_id: str
    channel: str
    tags: tuple[str, ...] = ()


class View(Struct, frozen=True):
    """What a visit of the page shows. button_url None: nobody can be added. closed: why not by the link."""

    page: Mapping[str, Any]
    button_url: str | None
    closed: str | None


def create(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A new campaign from a complete definition. Invalid."""
    definition = _checked(definition)
    now, code = clock.now(), ids.short(8)
    item = AdCampaignItem(
        f"ac_{code}",
        listing=LISTED,
        created_at=clock.iso(now),
        updated_at=clock.iso(now),
        version=1,
        active=True,
        definition=definition,
        link_status=MAKING,
        told_version=0,
    )
    tx = Transaction()
    tx.put("campaign", item, AdCampaignItem.ad_campaign_id.does_not_exist())
    _ask_for_link(tx, item.ad_campaign_id, 1, now)
    due.add(tx, "ad_quota", next_hour(now), "hourly", {"subject": "quota"})
    tx.commit()
    _hurry(item.ad_campaign_id, 1)
    return shown(item)


def change(
    ad_campaign_id: str, patch: Mapping[str, Any], complete: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """Apply a JSON merge patch (RFC 7396). Invalid, NotFound, Conflict. complete: adds the defaults."""
    item = load(ad_campaign_id)
    if not item.active:
        raise Conflict("an archived ad campaign can't be changed")
    definition = complete(merged(item.definition, patch))
    if definition["platform"] != item.definition["platform"]:
        raise Invalid(("platform", "can't be changed"))
    _rewrite(item, AdCampaignItem.definition.set(_checked(definition)))
    return get(ad_campaign_id)


def archive(ad_campaign_id: str) -> dict[str, Any]:
    """Close it for good: its page leads to the fallback, its link is deleted. NotFound, Conflict."""
    item = load(ad_campaign_id)
    if item.active:
        _rewrite(item, AdCampaignItem.active.set(False), AdCampaignItem.listing.remove())
    return get(ad_campaign_id)


def get(ad_campaign_id: str) -> dict[str, Any]:
    return shown(load(ad_campaign_id))


def page(limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Campaigns that are not archived, newest first, and the next cursor."""
    query = partial(AdCampaignItem.by_creation.query, LISTED, scan_index_forward=False, limit=limit)
    rows, following = storage.page(query, cursor)
    return [shown(row) for row in rows], following


def load(ad_campaign_id: str) -> AdCampaignItem:
    """The campaign as stored, archived or not. NotFound."""
    item = find(ad_campaign_id) if ad_campaign_id.startswith("ac_") else None
    if item is None:
        raise NotFound(f"there is no ad campaign {ad_campaign_id}")
    return item


def find(ad_campaign_id: str) -> AdCampaignItem | None:
    found: AdCampaignItem | None = AdCampaignItem.find(ad_campaign_id)
    return found


def of_state(state: str | None) -> AdCampaignItem | None:
    """The campaign in a callback's `State`; no request for one that is not ours."""
    code = rules.code_of(state)
    return find(f"ac_{code}") if code else None


def find_lead(state: str) -> Lead | None:
    """Where an add with this `State` belongs; None for one that no campaign's link gave."""
    item = of_state(state)
    if item is None:
        return None
    live_code_id, channel = item.definition["live_code_id"] or "", item.definition["channel"]
    tags: tuple[str, ...] = ()
    if live_code_id:
        try:
            code = livecodes.current(live_code_id)
        except NotFound:
            live_code_id = ""
        else:
            channel, tags = channel or code.channel, tuple(code.tags)
    return Lead(item.ad_campaign_id, live_code_id, channel or "ad", tags)


def visit(code: str, query: Mapping[str, str]) -> View:
    """A visit of the page, counted; its click kept. NotFound for a code that no campaign has."""
    item, quota = _page_and_quota(code)
    now, definition = clock.now(), item.definition
    click = rules.click_of(definition["platform"], code, url(item), query)
    try:
        models.visit(item.ad_campaign_id, now, click)
    except Exception as error:  # noqa: BLE001 (a figure less, and not a customer)
        log.failure("visit not counted", error, ad_campaign_id=item.ad_campaign_id)
    closed = rules.why_closed(state_of(item), bool(quota and quota.exhausted))
    token = click.token if click else rules.visitor_token(code)
    if closed is None:
        return View(definition["page"], rules.button_url(str(item.link_url), token), None)
    fallback = definition["fallback_live_code_id"] or definition["live_code_id"]
    return View(definition["page"], _scan_url(fallback, token) if fallback else None, closed)


def any_active() -> bool:
    return next(iter(AdCampaignItem.by_creation.query(LISTED, limit=1)), None) is not None


def state_of(item: AdCampaignItem) -> dict[str, Any]:
    """What `rules.why_closed` asks for."""
    names = ("active", "link_url", "link_status", "unavailable")
    return {"staff_ids": item.definition["staff_ids"], **{name: getattr(item, name) for name in names}}


def url(item: AdCampaignItem) -> str:
    """What ads lead to."""
    return f"{_base()}/h5/a/{item.ad_campaign_id.removeprefix('ac_')}"


def shown(item: AdCampaignItem) -> dict[str, Any]:
    quota: AdCampaignItem | None = AdCampaignItem.find(QUOTA) if item.link_url else None
    link = {
        "status": item.link_status,
        "link_id": item.link_id,
        "url": item.link_url,
        "errcode": None if item.errcode is None else int(item.errcode),
    }
    return {
        "ad_campaign_id": item.ad_campaign_id,
        "url": url(item),
        **item.definition,
        "active": bool(item.active),
        "link": link,
        "closed": rules.why_closed(state_of(item), bool(quota and quota.exhausted)),
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }


def next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + _HOUR


def _page_and_quota(code: str) -> tuple[AdCampaignItem, AdCampaignItem | None]:
    if not rules.CODE.fullmatch(code):
        raise NotFound("there is no such page")
    rows = {
        row.ad_campaign_id: row
        for row in AdCampaignItem.batch_get([f"ac_{code}", QUOTA], consistent_read=True)
    }
    if f"ac_{code}" not in rows:
        raise NotFound("there is no such page")
    return rows[f"ac_{code}"], rows.get(QUOTA)


def _checked(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition without repeats in its lists. Invalid."""
    wrong: list[tuple[str, str]] = []
    adapter, report = PLATFORMS[definition["platform"]], definition["report"]
    for kind, event in report.items():
        if event is not None and (problem := adapter.check(event)):
            wrong.append((f"report.{kind}", problem))
    told = any(report.values())
    if told and adapter.NEEDS and not definition["credentials"]:
        wrong.append(("credentials", f"a name in the secret `ads`, which holds {', '.join(adapter.NEEDS)}"))
    address, problem = definition["report_url"], None
    if definition["platform"] != "generic":
        problem = "only for the platform generic" if address is not None else None
    elif address is not None or told:
        problem = outgoing.address_problem(address or "")
    if problem:
        wrong.append(("report_url", problem))
    wrong += _window_problems(definition["attribution_window"])
    for field in ("live_code_id", "fallback_live_code_id"):
        if definition[field] is not None and not _is_active(definition[field]):
            wrong.append((field, "there is no such live code, or it is archived"))
    if wrong:
        raise Invalid(*wrong)
    lists = ("staff_ids", "alert_staff_ids")
    return {**definition, **{name: list(dict.fromkeys(definition[name])) for name in lists}}


def _window_problems(text: str) -> list[tuple[str, str]]:
    try:
        good = timedelta(0) < durations.parse(text) <= rules.CLICK_TIME
    except ValueError:
        good = False
    return [] if good else [("attribution_window", "an ISO 8601 duration up to P90D")]


def _is_active(live_code_id: str) -> bool:
    try:
        return livecodes.current(live_code_id).active
    except NotFound:
        return False


def _rewrite(item: AdCampaignItem, *actions: Any) -> None:
    now, version = clock.now(), int(item.version) + 1
    tx = Transaction()
    changed = [
        *actions,
        AdCampaignItem.version.set(version),
        AdCampaignItem.updated_at.set(clock.iso(now)),
    ]
    tx.update("campaign", item, changed, AdCampaignItem.version == item.version)
    _ask_for_link(tx, item.ad_campaign_id, version, now)
    due.add(tx, "ad_quota", next_hour(now), "hourly", {"subject": "quota"})
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict("the ad campaign was changed meanwhile: read it again") from error
    _hurry(item.ad_campaign_id, version)


def _ask_for_link(tx: Transaction, ad_campaign_id: str, version: int, now: datetime) -> None:
    work = {"subject": ad_campaign_id, "version": version}
    due.add(tx, "ad_link", now, f"{ad_campaign_id}#{version}", work)


def _hurry(ad_campaign_id: str, version: int) -> None:
    message = {"kind": "ad_link", "subject": ad_campaign_id, "version": version}
    try:
        queues.send("convert", message, group=ad_campaign_id)
    except Exception as error:  # noqa: BLE001 (only a head start: it falls due within the minute)
        log.failure("acquisition link not asked for at once", error, ad_campaign_id=ad_campaign_id)


def _scan_url(live_code_id: str, token: str) -> str:
    """A scan that keeps the click with its assignment: the line of the add has it as `ad`."""
    return f"{_base()}/s/{live_code_id.removeprefix('lc_')}?ad={token}"


def _base() -> str:
    return settings.env("PUBLIC_BASE_URL").rstrip("/")
