"""What a campaign is credited with: adds, chats, orders and refunds, each a conversion once.

A conversion is a row under its natural key, written together with its figures and its line, so that
repeats of what it came from change nothing.

Lines of one customer come in their order, except where the queue took a batch in part: then one may come
ahead of another that happened before it. Whoever comes late looks for what came too early:

    order_paid (ahead)           | customer_added (comes again)
    reads by which click: none   |
                                 | writes by which click
                                 | reads the timeline: there is an order since; credits it

So does a paid order with its refunds. The line was in the timeline before it was in any queue.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib.ads import leads, models, rules
from chalicelib.ads.models import AdCampaignItem, AdClickItem, AdConversionItem
from chalicelib.platform import clock, due, durations, events, log, queues, storage, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import TimelineItem
from chalicelib.platform.timeline_line import Line


def on_added(line: Line) -> None:
    """A bond that began: if it came by a campaign's link, or its page's fallback, the conversion `added`."""
    add = line.data_as(events.CustomerAdded)
    token = add.state if rules.code_of(add.state) else add.ad  # of the very scan, as its link says
    if not add.begins or not rules.code_of(token):
        return
    campaign = leads.find_campaign_of(token)
    if campaign is None:
        return
    arrival = AdClickItem(
        f"customer#{line.subject}",
        ad_campaign_id=campaign.ad_campaign_id,
        of=token,
        at=clock.iso(line.at),
        expires_at=int((line.at + rules.CLICK_TIME + rules.DAY).timestamp()),
    )
    newer = AdClickItem.token.does_not_exist() | (AdClickItem.at < arrival.at)
    storage.put_once(arrival, newer)
    _credit(campaign, str(token), rules.ADDED, line.at, line.subject, {"adds": 1})
    for order in _lines_since(line.subject, line.at - rules.EARLY_ORDER, "order_paid"):
        on_paid(order)


def on_paid(line: Line) -> None:
    """A paid order: if its customer came by a campaign not too long ago, the conversion `bought`."""
    order = line.data_as(events.OrderChanged)
    arrival = models.find_arrival(order.external_userid) if order.external_userid else None
    campaign = leads.find_campaign(arrival.ad_campaign_id) if arrival else None
    if arrival is None or campaign is None:
        return
    window = durations.parse(campaign.plan.attribution_window)
    if not rules.is_within(window, clock.parse(arrival.at), line.at):
        return
    sums = {"orders": 1, "gmv_fen": order.paid_fen, "buyers": int(order.first_order)}
    bought: dict[str, Any] = {"order_id": order.order_id, "amount_fen": order.paid_fen}
    _credit(campaign, str(arrival.of), rules.BOUGHT, line.at, line.subject, sums, **bought)
    for refund in _lines_since(line.subject, line.at, "order_refunded"):
        if refund.data_as(events.OrderChanged).order_id == order.order_id:
            on_refunded(refund)


def on_refunded(line: Line) -> None:
    """A refund of an order that counts for a campaign: its gmv is less by it. No platform hears of it."""
    order = line.data_as(events.OrderChanged)
    conversion_id = rules.conversion_id("", rules.BOUGHT, order.order_id)
    bought: AdConversionItem | None = AdConversionItem.find(conversion_id)
    campaign = leads.find_campaign(bought.ad_campaign_id) if bought else None
    if bought is None or campaign is None:
        return
    amount = order.refunded_fen or 0
    sums = {"gmv_fen": -amount}
    refunded: dict[str, Any] = {"natural": line.key, "order_id": order.order_id, "amount_fen": amount}
    who = bought.external_userid
    _credit(campaign, bought.token, rules.REFUNDED, line.at, who, sums, **refunded)


def credit_chat(token: str | None, external_userid: str | None, at: datetime) -> None:
    """A customer who came by a campaign's link has written."""
    campaign = leads.find_campaign_of(token)
    if campaign is not None and (external_userid or rules.is_click(str(token))):
        _credit(campaign, str(token), rules.CHATTED, at, external_userid, {"chats": 1})


def has_chatted(token: str | None) -> bool:
    """Whether it is known already that the person of this click has written."""
    if not token or not rules.code_of(token) or not rules.is_click(token):
        return False
    return AdConversionItem.find(rules.conversion_id(token, rules.CHATTED, "")) is not None


def _lines_since(subject: str, at: datetime, type_: str) -> Iterator[Line]:
    """A customer's lines of a type that happened since, read consistently."""
    since = TimelineItem.sort >= clock.iso(at)
    for row in TimelineItem.query(subject, since, consistent_read=True):
        if row.type == type_:
            yield Line(subject, type_, clock.parse(row.at), row.sort.split("#", 2)[2], row.data)


def _credit(
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
    """Store a conversion, once, and have it reported if the campaign says so."""
    what = natural or order_id or ("" if rules.is_click(token) else str(external_userid))
    conversion_id = rules.conversion_id(token, kind, what)
    now = clock.now()
    is_reported = campaign.reported_as(kind) is not None and rules.is_click(token)
    status = rules.WAITING if is_reported else rules.UNREPORTED
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
    if is_reported:
        due.add(tx, "ad_report", now, conversion_id, {"subject": conversion_id})
    try:
        tx.commit()
    except ConditionFailed:
        return  # known already; its report fell due with it
    if is_reported:
        _report_now(conversion_id)


def _report_now(conversion_id: str) -> None:
    try:
        queues.send("convert", {"kind": "ad_report", "subject": conversion_id}, group=conversion_id)
    except Upstream as error:  # it falls due within the minute
        log.failure("conversion not sent on at once", error, conversion_id=conversion_id)
