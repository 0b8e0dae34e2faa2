"""Orders: one transaction a message, with everything that the message means.

The order under its version, its lines on the timeline, the commissions, their journals and
balances, what falls due: all or nothing. A message that was applied before changes nothing and
writes nothing, so it may come as often as it likes.

| message 1 of an order | message 2 of it, by another process |
|---|---|
| reads version 3 | reads version 3 |
| commits version 4 | |
| | its condition (version 3) fails: reads version 4, decides anew, commits version 5 |
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from msgspec.structs import replace

from chalicelib.customers import service as customers
from chalicelib.customers.rules import Customer
from chalicelib.distribution import rules as credits
from chalicelib.distribution import service as distribution
from chalicelib.distribution.types import Attribution, Sale, SaleLine
from chalicelib.orders import models, rules
from chalicelib.orders.rules import Event
from chalicelib.orders.types import (
    AttributionOut,
    Buyer,
    ItemOut,
    Message,
    Order,
    OrderOut,
    Refund,
    RefundedLineOut,
    RefundOut,
)
from chalicelib.platform import audit, clock, messages, queues, storage, timeline
from chalicelib.platform.errors import NotFound
from chalicelib.platform.messages import Language
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.stores import guides

MAX_LINES = 40  # an order's lines go into one item and its commissions into one transaction
_Find = Callable[[str], Customer | None]
_UNATTRIBUTED = Attribution(None, "credit_none")


def accept(message: Message, digest: str) -> None:
    """Hand a verified message to its consumer, in the order's own sequence. Upstream if it can't be kept.

    digest: SHA-256 of the body as it came, so that a mall's retry is the same message.
    """
    queues.send("orders", message.to_queue(), group=message.order_id, key=digest)


def take(values: Mapping[str, Any]) -> None:
    """Apply one message from the queue. Twice is the same as once."""
    _apply(Message.from_queue(values))


def find(order_id: str, principal: Principal) -> Order:
    """NotFound, also outside of the scope."""
    order = models.load(order_id)
    if order is None or not is_in_scope(order, guides.store_ids_in_scope(principal)):
        raise NotFound(code="no_order", order_id=order_id)
    return order


def get(order_id: str, principal: Principal = SYSTEM, language: Language = "zh") -> OrderOut:
    """The order with its amounts and why it is credited to whom. NotFound, also outside of the scope."""
    return show(find(order_id, principal), principal, language)


def show(order: Order, principal: Principal, language: Language) -> OrderOut:
    """Without what others are called, and what they earn: order_detail.py."""
    return OrderOut(
        **summary(order, principal),
        times={name: clock.iso(at) for name, at in order.times.items()},
        freight_fen=order.value("freight_fen") or 0,
        freight_refunded_fen=rules.freight_refunded_fen(order),
        adjusted_fen=rules.adjusted_fen(order),
        contradictions=rules.contradictions(order),
        refund_excess_fen=rules.excess_fen(order),
        refunds=[_refund(refund) for refund in order.refunds.values()],
        items=[
            ItemOut(
                line_id=amount.line.line_id,
                sku=amount.line.sku,
                title=amount.line.title,
                quantity=amount.line.quantity,
                price_fen=amount.line.price_fen,
                discount_fen=amount.line.discount_fen,
                adjusted_fen=amount.paid_fen - amount.line.paid_fen,
                paid_fen=amount.paid_fen,
                refunded_fen=amount.refunded_fen,
            )
            for amount in rules.amounts(order)
        ],
        attribution=_attribution(order.attribution or _UNATTRIBUTED, language),
    )


def _refund(refund: Refund) -> RefundOut:
    return RefundOut(
        refund_id=refund.refund_id,
        amount_fen=refund.amount_fen,
        at=refund.mark.partition("#")[0] or None,
        lines=[RefundedLineOut(line_id=line_id, amount_fen=fen) for line_id, fen in refund.lines],
        other_amounts_fen=list(refund.others),
    )


def _attribution(found: Attribution, language: Language) -> AttributionOut:
    reason = credits.reason_of(found.why)
    return AttributionOut(
        by=found.by,
        reason=reason,
        why=messages.text(reason, language, {}),
        share_code=found.share_code,
        distributor_id=found.distributor_id,
        parent_id=found.parent_id,
        plan_id=found.plan_id,
        own_purchase=found.own_purchase,
    )


def summary(order: Order, principal: Principal) -> dict[str, Any]:
    """The fields of an `OrderRow`, the buyer's id masked for an auditor."""
    buyer = order.external_userid
    return {
        "order_id": order.order_id,
        "status": rules.status(order),
        "ordered_at": clock.iso(rules.ordered_at(order)),
        "external_userid": audit.MASK if buyer and principal.sees_masked else buyer,
        "store_id": order.store_id,
        "channel": order.buyer.channel if order.buyer else None,
        "paid_fen": rules.paid_fen(order),
        "refunded_fen": rules.refunded_fen(order),
        "cancelled": rules.is_paid(order) and rules.is_cancelled(order),
        "share_code": order.value("share_code"),
        "distributor_id": order.attribution.distributor_id if order.attribution else None,
    }


def is_in_scope(order: Order, store_ids: frozenset[str] | None) -> bool:
    """An order stays with the store of its time; one without a store is the whole corp's."""
    return store_ids is None or order.store_id in store_ids


@storage.retrying("the order keeps changing", attempts=10)
def _apply(message: Message) -> None:
    stored = models.load(message.order_id)
    order, events = rules.merge(stored, message)
    if order == stored:
        return
    find = cache(customers.get)  # asked once, or not at all
    order = _with_buyer(order, stored, find)
    tx = Transaction()
    attribution = distribution.add_order(tx, _sale(order, stored, message, find), clock.now())
    models.add(tx, replace(order, attribution=attribution))
    for event in events:
        first = event.type == "order_paid" and _begins(tx, order)
        timeline.add(tx, _line(order, event, first))
    tx.commit()


def _with_buyer(order: Order, stored: Order | None, find: _Find) -> Order:
    """The order with who bought, and, when it is first paid, with the store of the buyer's guide."""
    buyer = _buyer(order, stored is not None and rules.is_counted(stored), find)
    if not rules.is_paid(order) or (stored is not None and rules.is_paid(stored)):
        return replace(order, buyer=buyer)
    customer = find(buyer.external_userid) if buyer else None
    return replace(order, buyer=buyer, store_id=guides.store_of(customer.staff_ids) if customer else None)


def _buyer(order: Order, counted: bool, find: _Find) -> Buyer | None:
    """Who bought, from the buyer's ids, with the channel that the customer came through.

    The add that brings the channel has a queue of its own and may come after the order. What counts
    once counts for good: a refund goes to the channel of its payment, also when that was not known.
    """
    if order.buyer is not None and (counted or order.buyer.channel):
        return order.buyer
    external_userid, unionid = order.value("external_userid"), order.value("unionid")
    if not external_userid and unionid:
        external_userid = customers.find_by_unionid(unionid)
    if not external_userid:
        return None
    customer = None if counted else find(external_userid)
    if customer is None:
        return Buyer(external_userid)
    return Buyer(external_userid, customer.channel, customer.live_code_id)


def _begins(tx: Transaction, order: Order) -> bool:
    """Whether this is the buyer's first paid order; if so, adds the mark of it."""
    if order.buyer is None or models.first_order_of(order.buyer.external_userid) is not None:
        return False
    models.add_first_order(tx, order.buyer.external_userid, order.order_id)
    return True


def _sale(order: Order, stored: Order | None, message: Message, find: _Find) -> Sale:
    return Sale(
        order_id=order.order_id,
        key=f"{order.order_id}#{order.version + 1}",
        at=message.occurred_at,
        paid=rules.is_paid(order),
        share_code=order.value("share_code"),
        lines=tuple(
            SaleLine(a.line.line_id, a.line.sku, a.paid_fen, a.refunded_fen) for a in rules.amounts(order)
        ),
        completed_at=order.times.get("completed"),
        attribution=order.attribution,
        paid_at=order.times.get("paid") or order.times.get("completed"),
        buyer_ids=_buyer_ids(order, find),
        buyer_changed=stored is not None and _ids(order) != _ids(stored),
    )


def _ids(order: Order) -> tuple[str | None, str | None]:
    return order.external_userid, order.value("unionid")


def _buyer_ids(order: Order, find: _Find) -> tuple[str | None, str | None]:
    """The buyer's external_userid and unionid: who credits a sale must know them by both."""
    external_userid, unionid = _ids(order)
    if external_userid and not unionid and order.value("share_code") and rules.is_paid(order):
        customer = find(external_userid)
        unionid = customer.unionid if customer else None
    return external_userid, unionid


def _line(order: Order, event: Event, first: bool) -> Line:
    buyer = order.buyer
    data = {
        "order_id": order.order_id,
        "paid_fen": rules.paid_fen(order),
        "refunded_fen": event.refunded_fen,
        **({} if event.counted_fen is None else {"counted_fen": event.counted_fen}),
        "external_userid": buyer.external_userid if buyer else None,
        "channel": buyer.channel if buyer else None,
        "live_code_id": buyer.live_code_id if buyer else None,
        "store_id": order.store_id,
        "share_code": order.value("share_code"),
        "first_order": first,
    }
    subject = buyer.external_userid if buyer else f"order#{order.order_id}"
    return Line(subject, event.type, event.at, event.key, data)
