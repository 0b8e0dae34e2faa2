"""Conversions: found in the timeline and in WeCom's events, told to the ad platform once each.

A conversion is a row under its natural key, written together with its figures and its line, so that
repeats of what it came from change nothing. Telling it is a state machine: the call is stored as begun,
made, and its answer stored. An answer that was lost is asked for again where the platform can tell a
repeat, else it is `unknown`, for a person to decide.
"""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.ads import campaigns, models, notices, outgoing, rules
from chalicelib.ads.adapters import PLATFORMS
from chalicelib.ads.adapters.wire import Conversion, Outcome
from chalicelib.ads.models import AdCampaignItem, AdClickItem, AdConversionItem
from chalicelib.platform import clock, due, durations, events, log, queues, settings, storage, timeline
from chalicelib.platform.errors import Conflict, Invalid, NotFound, Upstream
from chalicelib.platform.line import Line
from chalicelib.platform.storage import ConditionFailed, Transaction

_LEASE = timedelta(minutes=2)  # longer than a call takes, shorter than its message is hidden
_OF_A_GATEWAY = (502, 504)  # no word of the platform's, which may have carried it out


class GivenUp(Exception):
    """All tries are used up: the message goes to the dead-letter queue, the row says `failed`."""


def on_added(line: Line) -> None:
    """A bond that began: if it came by a campaign's link, or its page's fallback, the conversion `added`."""
    add = line.data_as(events.CustomerAdded)
    token = add.state if rules.code_of(add.state) else add.ad  # of the very scan, as its link told
    if not add.begins or not rules.code_of(token):
        return
    campaign = campaigns.of_state(token)
    if campaign is None:
        return
    came = AdClickItem(
        f"customer#{line.subject}",
        ad_campaign_id=campaign.ad_campaign_id,
        of=token,
        at=clock.iso(line.at),
        expires_at=int((line.at + rules.CLICK_TIME + timedelta(days=1)).timestamp()),
    )
    newer = AdClickItem.token.does_not_exist() | (AdClickItem.at < came.at)
    storage.put_once(came, newer)
    _convert(campaign, str(token), rules.ADDED, line.at, line.subject, {"adds": 1})


def on_paid(line: Line) -> None:
    """A paid order: if its customer came by a campaign not too long ago, the conversion `bought`."""
    order = line.data_as(events.OrderChanged)
    found = _source_of(order)
    if found is None:
        return
    campaign, came = found
    window = durations.parse(campaign.definition["attribution_window"])
    if not rules.within(window, clock.parse(came.at), line.at):
        return
    sums = {"orders": 1, "gmv_fen": order.paid_fen, "buyers": int(order.first_order)}
    what: dict[str, Any] = {"order_id": order.order_id, "amount_fen": order.paid_fen}
    _convert(campaign, str(came.of), rules.BOUGHT, line.at, line.subject, sums, **what)


def on_refunded(line: Line) -> None:
    """A refund of an order that counts for a campaign: its gmv is less by it. No platform is told."""
    order = line.data_as(events.OrderChanged)
    order_id = order.order_id
    bought: AdConversionItem | None = AdConversionItem.find(rules.conversion_id("", rules.BOUGHT, order_id))
    campaign = campaigns.find(bought.ad_campaign_id) if bought else None
    if bought is None or campaign is None:
        return
    amount = order.refunded_fen or 0
    sums = {"gmv_fen": -amount}
    what: dict[str, Any] = {"order_id": order_id, "amount_fen": amount}
    who = bought.external_userid
    _convert(campaign, bought.token, rules.REFUNDED, line.at, who, sums, natural=line.key, **what)


def chatted(token: str | None, external_userid: str | None, at: datetime) -> None:
    """A customer who came by a campaign's link has written."""
    campaign = campaigns.of_state(token)
    if campaign is not None and (external_userid or rules.is_click(str(token))):
        _convert(campaign, str(token), rules.CHATTED, at, external_userid, {"chats": 1})


def has_chatted(token: str | None) -> bool:
    """Whether it is known already that the person of this click has written."""
    if not token or not rules.code_of(token) or not rules.is_click(token):
        return False
    return AdConversionItem.find(rules.conversion_id(token, rules.CHATTED, "")) is not None


def report(conversion_id: str) -> None:
    """Tell the platform of a conversion that waits; what became of it is stored. GivenUp after all tries."""
    row: AdConversionItem | None = AdConversionItem.find(conversion_id)
    if row is None or row.status not in (rules.WAITING, rules.FAILED):
        return
    if row.status == rules.FAILED:
        raise GivenUp
    now = clock.now()
    if max(row.next_at or "", row.calling or "") > clock.iso(now):
        return  # it has its own work at that time; or its sender is at it, and has the message still
    campaign = campaigns.find(row.ad_campaign_id)
    if campaign is None:
        return
    adapter = PLATFORMS[campaign.definition["platform"]]
    if row.calling and not adapter.repeatable(row.kind):
        _settle(row, rules.UNKNOWN, now, "answer lost")
        return
    tries = int(row.tries)
    begun = [AdConversionItem.tries.set(tries + 1), AdConversionItem.calling.set(clock.iso(now + _LEASE))]
    same = (AdConversionItem.status == rules.WAITING) & (AdConversionItem.tries == tries)
    if not storage.update_if(row, begun, same):
        return  # another consumer has it
    outcome, lost = _ask(campaign, row, now)
    if outcome.kind == "done":
        _settle(row, rules.SENT, now)
    elif outcome.kind == "refused":
        _settle(row, rules.REFUSED, now, outcome.reason)
    elif lost and not adapter.repeatable(row.kind):
        _settle(row, rules.UNKNOWN, now, outcome.reason)
    elif tries + 1 >= rules.MAX_TRIES:
        _settle(row, rules.FAILED, now, outcome.reason)
        raise GivenUp
    else:
        _later(row, now, outcome.reason)


def again(conversion_id: str) -> dict[str, Any]:
    """Have a conversion told that was not (refused, failed, unknown). NotFound, Conflict."""
    row: AdConversionItem | None = AdConversionItem.find(conversion_id)
    if row is None:
        raise NotFound(f"there is no ad conversion {conversion_id}")
    if row.status not in rules.RETRIABLE:
        raise Conflict(f"a conversion that is {row.status} is not told again")
    now = clock.now()
    fresh = models.restate(row, rules.WAITING, tries=0, calling=None, reason=None, next_at=None)
    tx = Transaction()
    tx.update("conversion", row, fresh, AdConversionItem.status == row.status)
    _count(tx, row, {rules.COUNTED[row.status]: -1})
    due.add(tx, "ad_report", now, f"{conversion_id}#{clock.iso(now)}", {"subject": conversion_id})
    return _decided(tx, conversion_id)


def arrived(conversion_id: str) -> dict[str, Any]:
    """A person has seen at the platform that it has a conversion that is `unknown`. NotFound, Conflict."""
    row: AdConversionItem | None = AdConversionItem.find(conversion_id)
    if row is None:
        raise NotFound(f"there is no ad conversion {conversion_id}")
    if row.status != rules.UNKNOWN:
        raise Conflict(f"a conversion that is {row.status} is not in doubt")
    ended = models.restate(row, rules.SENT, reason=None, sent_at=clock.iso(clock.now()))
    tx = Transaction()
    tx.update("conversion", row, ended, AdConversionItem.status == row.status)
    _count(tx, row, {"reports_unknown": -1, "reports_sent": 1})
    return _decided(tx, conversion_id)


def _decided(tx: Transaction, conversion_id: str) -> dict[str, Any]:
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict("the conversion has changed meanwhile: read it again") from error
    return shown(AdConversionItem.get(conversion_id, consistent_read=True))


def _count(tx: Transaction, row: AdConversionItem, sums: Mapping[str, int]) -> None:
    """Of what became of its report: on the day of the conversion."""
    models.add_stat(tx, row.ad_campaign_id, clock.parse(row.created_at), row.token, sums)


def page(
    ad_campaign_id: str, status: str | None, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """A campaign's conversions, newest first (by status, when none is asked for). NotFound, Invalid."""
    campaigns.load(ad_campaign_id)
    if status is not None and status not in rules.STATUSES:
        raise Invalid(("status", "one of " + ", ".join(rules.STATUSES)))
    of_status = AdConversionItem.listed.startswith(f"{status}#") if status else None
    query = partial(
        AdConversionItem.by_status.query, ad_campaign_id, of_status, scan_index_forward=False, limit=limit
    )
    rows, following = storage.page(query, cursor)
    return [shown(row) for row in rows], following


def shown(row: AdConversionItem) -> dict[str, Any]:
    names = ("conversion_id", "ad_campaign_id", "kind", "status", "reason", "at", "external_userid")
    return {
        **{name: getattr(row, name) for name in (*names, "order_id", "created_at", "sent_at", "next_at")},
        "amount_fen": None if row.amount_fen is None else int(row.amount_fen),
        "tries": int(row.tries),
    }


def _source_of(order: events.OrderChanged) -> tuple[AdCampaignItem, AdClickItem] | None:
    came = models.came_by(order.external_userid) if order.external_userid else None
    campaign = campaigns.find(came.ad_campaign_id) if came else None
    return (campaign, came) if campaign is not None and came is not None else None


def _convert(
    campaign: AdCampaignItem,
    token: str,
    kind: str,
    at: datetime,
    external_userid: str | None,
    sums: Mapping[str, int],
    *,
    natural: str = "",
    order_id: str | None = None,
    amount_fen: int | None = None,
) -> None:
    """Store a conversion, once, and have it told if the campaign says so."""
    what = natural or order_id or ("" if rules.is_click(token) else str(external_userid))
    conversion_id = rules.conversion_id(token, kind, what)
    now = clock.now()
    told = campaign.definition["report"].get(kind) is not None and rules.is_click(token)
    status = rules.WAITING if told else rules.UNREPORTED
    row = AdConversionItem(
        conversion_id,
        ad_campaign_id=campaign.ad_campaign_id,
        listed=models.listed(status, clock.iso(now), conversion_id),
        status=status,
        kind=kind,
        token=token,
        at=clock.iso(at),
        created_at=clock.iso(now),
        external_userid=external_userid,
        order_id=order_id,
        amount_fen=amount_fen,
        tries=0,
    )
    data = {"ad_campaign_id": campaign.ad_campaign_id, "conversion_id": conversion_id, "kind": kind}
    subject = external_userid or f"ad#{conversion_id}"
    tx = Transaction()
    tx.put("conversion", row, AdConversionItem.conversion_id.does_not_exist())
    models.add_stat(tx, campaign.ad_campaign_id, at, token, {n: v for n, v in sums.items() if v})
    timeline.add(tx, Line(subject, "ad_converted", at, conversion_id, data))
    if told:
        due.add(tx, "ad_report", now, conversion_id, {"subject": conversion_id})
    try:
        tx.commit()
    except ConditionFailed:
        return  # known already; telling it fell due with it
    if told:
        _hurry(conversion_id)


def _ask(campaign: AdCampaignItem, row: AdConversionItem, now: datetime) -> tuple[Outcome, bool]:
    """What the platform answers, and whether an answer was lost."""
    click: AdClickItem | None = AdClickItem.find(row.token)
    event = campaign.definition["report"].get(row.kind)
    if click is None or event is None:
        return Outcome("refused", "no click" if click is None else "not to be told"), False
    platform = campaign.definition["platform"]
    adapter, guarded = PLATFORMS[platform], platform == "generic"
    told = Conversion(
        conversion_id=row.conversion_id,
        ad_campaign_id=row.ad_campaign_id,
        kind=row.kind,
        event=event,
        click_id=str(click.click_id),
        landing_url=str(click.landing_url),
        at=clock.parse(row.at),
        amount_fen=None if row.amount_fen is None else int(row.amount_fen),
    )
    try:
        credentials = _credentials(campaign.definition["credentials"])
        base = campaign.definition["report_url"] if guarded else _base(platform, adapter.BASE)
        request = adapter.request(told, credentials, base, now, secrets.token_hex(12))
    except (KeyError, ValueError, settings.Missing):
        settings.forget_secrets()  # somebody may have added them since
        return Outcome("again", "no credentials"), False
    try:
        status, body = outgoing.send(request, guarded)
    except outgoing.NotSent:
        return Outcome("again", "no connection"), False
    except outgoing.Lost:
        return Outcome("again", "answer lost"), True
    except outgoing.Refused:
        return Outcome("refused", "address"), False
    found: Outcome = adapter.outcome(status, body)
    return found, status in _OF_A_GATEWAY


def _settle(row: AdConversionItem, status: str, now: datetime, reason: str | None = None) -> None:
    """The end of it, with its figure; of what a person has to decide, the operators are told."""
    sent_at = clock.iso(now) if status == rules.SENT else None
    ended = models.restate(row, status, calling=None, reason=reason, sent_at=sent_at, next_at=None)
    tx = Transaction()
    tx.update("conversion", AdConversionItem(row.conversion_id), ended, _as_it_was(row))
    _count(tx, row, {rules.COUNTED[status]: 1})
    if status == rules.UNKNOWN:
        notices.add(tx, "report_unknown", now, f"{row.conversion_id}#{clock.iso(now)}", row.ad_campaign_id)
    tx.commit()
    log.measure(f"AdConversion{status.capitalize()}", 1, "Count")


def _later(row: AdConversionItem, now: datetime, reason: str) -> None:
    at = now + rules.backoff(int(row.tries))
    waits = models.restate(row, rules.WAITING, calling=None, reason=reason, next_at=clock.iso(at))
    tx = Transaction()
    tx.update("conversion", AdConversionItem(row.conversion_id), waits, _as_it_was(row))
    due.add(tx, "ad_report", at, f"{row.conversion_id}#{int(row.tries)}", {"subject": row.conversion_id})
    tx.commit()


def _as_it_was(row: AdConversionItem) -> Any:
    return (AdConversionItem.status == rules.WAITING) & (AdConversionItem.tries == row.tries)


def _credentials(name: str | None) -> Mapping[str, Any]:
    """The campaign's credentials, in the secret `ads` under its name: a JSON map, as such or as text."""
    if name is None:
        return {}
    value: Any = settings.secret("ads", name)
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise ValueError("credentials are a map")
    return found


def _base(platform: str, own: str) -> str:
    sandbox = outgoing.sandbox_base()
    return f"{sandbox}/{platform}" if sandbox else own


def _hurry(conversion_id: str) -> None:
    try:
        queues.send("convert", {"kind": "ad_report", "subject": conversion_id}, group=conversion_id)
    except Upstream as error:  # it falls due within the minute
        log.failure("conversion not sent on at once", error, conversion_id=conversion_id)
