"""Orders: one transaction a message, with everything that the message means.

The order under its version, its lines on the timeline, the commissions, their journals and
balances, what falls due: all or nothing. A message that was applied before changes nothing and
writes nothing, so it may come as often as it likes.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from chalicelib.customers import service as customers
from chalicelib.distribution import service as distribution
from chalicelib.orders import models, rules
from chalicelib.orders.rules import Event
from chalicelib.orders.types import Message, Order, OrderLine, Refund
from chalicelib.platform import clock, queues, timeline
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import Busy, ConditionFailed, Transaction
from chalicelib.platform.timeline import Line

__all__ = ["Message", "OrderLine", "Refund"]  # what an adapter makes

MAX_LINES = 40  # an order's lines go into one item and its commissions into one transaction
_TRIES = 10


def accept(message: Message, digest: str) -> None:
    """Hand a verified message to its consumer, in the order's own sequence. Upstream if it can't be kept.

    digest: SHA-256 of the body as it came, so that a mall's retry is the same message.
    """
    queues.send("orders", message.to_queue(), group=message.order_id, key=digest)


def take(values: Mapping[str, Any]) -> None:
    """Apply one message from the queue. Twice is the same as once."""
    message = Message.from_queue(values)
    for _ in range(_TRIES):
        try:
            _apply(message)
            return
        except ConditionFailed:
            continue  # another message of this order, or of its distributors' money, came between
    raise Busy("the order keeps changing")


def get(order_id: str) -> dict[str, Any]:
    """The order with its amounts and why it is credited to whom. NotFound."""
    order = models.load(order_id)
    if order is None:
        raise NotFound(f"there is no order {order_id}")
    return {
        "order_id": order.order_id,
        "status": rules.status(order),
        "times": {name: clock.iso(at) for name, at in order.times.items()},
        "external_userid": order.value("external_userid") or (order.buyer or {}).get("external_userid"),
        "paid_fen": rules.paid_fen(order),
        "freight_fen": order.value("freight_fen") or 0,
        "refunded_fen": rules.refunded_fen(order),
        "refund_excess_fen": rules.excess_fen(order),
        "cancelled": rules.is_paid(order) and rules.is_cancelled(order),
        "items": [
            {
                "line_id": amount.line.line_id,
                "sku": amount.line.sku,
                "title": amount.line.title,
                "quantity": amount.line.quantity,
                "paid_fen": amount.paid_fen,
                "refunded_fen": amount.refunded_fen,
            }
            for amount in rules.amounts(order)
        ],
        "share_code": order.value("share_code"),
        "attribution": order.attribution or {"by": None, "why": "no share code"},
    }


def _apply(message: Message) -> None:
    stored = models.load(message.order_id)
    order, events = rules.merge(stored, message)
    if order == stored:
        return
    buyer = _buyer(order, stored is not None and rules.is_counted(stored))
    order = replace(order, buyer=buyer)
    tx = Transaction()
    attribution = distribution.add_order(tx, _sale(order, message), clock.now())
    models.add(tx, replace(order, attribution=attribution))
    for event in events:
        first = event.type == "order_paid" and _begins(tx, order)
        timeline.add(tx, _line(order, event, first))
    tx.commit()


def _buyer(order: Order, counted: bool) -> Mapping[str, Any] | None:
    """Who bought, from the buyer's ids, with the channel that the customer came through.

    The add that brings the channel has a queue of its own and may come after the order. What counts
    once counts for good: a refund goes to the channel of its payment, also when that was not known.
    """
    if order.buyer is not None and (counted or order.buyer["channel"]):
        return order.buyer
    external_userid, unionid = order.value("external_userid"), order.value("unionid")
    if not external_userid and unionid:
        external_userid = customers.find_by_unionid(unionid)
    if not external_userid:
        return None
    customer = None if counted else customers.get(external_userid)
    return {
        "external_userid": external_userid,
        "channel": customer.channel if customer else None,
        "live_code_id": customer.live_code_id if customer else None,
    }


def _begins(tx: Transaction, order: Order) -> bool:
    """Whether this is the buyer's first paid order; if so, adds the mark of it."""
    if order.buyer is None or models.first_order_of(order.buyer["external_userid"]) is not None:
        return False
    models.add_first_order(tx, order.buyer["external_userid"], order.order_id)
    return True


def _sale(order: Order, message: Message) -> distribution.Sale:
    return distribution.Sale(
        order_id=order.order_id,
        key=f"{order.order_id}#{order.version + 1}",
        at=message.occurred_at,
        paid=rules.is_paid(order),
        share_code=order.value("share_code"),
        lines=tuple(
            distribution.SaleLine(a.line.line_id, a.line.sku, a.paid_fen, a.refunded_fen)
            for a in rules.amounts(order)
        ),
        completed_at=order.times.get("completed"),
        attribution=order.attribution,
    )


def _line(order: Order, event: Event, first: bool) -> Line:
    buyer = order.buyer or {}
    data = {
        "order_id": order.order_id,
        "paid_fen": rules.paid_fen(order),
        "refunded_fen": event.refunded_fen,
        "external_userid": buyer.get("external_userid"),
        "channel": buyer.get("channel"),
        "live_code_id": buyer.get("live_code_id"),
        "share_code": order.value("share_code"),
        "first_order": first,
    }
    subject = buyer.get("external_userid") or f"order#{order.order_id}"
    return Line(subject, event.type, event.at, event.key, data)
