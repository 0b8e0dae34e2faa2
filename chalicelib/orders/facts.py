"""What orders say of who bought: an order from its payment, its products, its refunds."""

from collections.abc import Iterator

from chalicelib.facts.sources import Row, Source
from chalicelib.facts.types import DatedFact
from chalicelib.orders import models, rules
from chalicelib.orders.types import Order
from chalicelib.platform import clock
from chalicelib.platform.timeline_line import Line

_ROWS = "chalicelib.orders.facts:rows"
_TYPES = ("order_paid", "order_completed", "order_refunded", "order_corrected", "order_closed")
FACTS = [Source(rows=dict.fromkeys(_TYPES, _ROWS))]


def rows(line: Line) -> list[Row]:
    """The order's row as the order is now; none while nobody knows who bought."""
    order = models.load(str(line.data["order_id"]))
    if order is None or not order.external_userid:
        return []
    return [
        Row(
            external_userid=order.external_userid,
            key=f"order#{order.order_id}",
            version=f"{order.version:012d}",
            entries=tuple(_entries(order)),
        )
    ]


def _entries(order: Order) -> Iterator[DatedFact]:
    if not rules.is_paid(order):
        return
    at = min(order.times[name] for name in ("paid", "completed") if name in order.times)
    amounts = rules.amounts(order)
    yield DatedFact("order", at, order.order_id, rules.paid_fen(order))
    for sku in sorted({amount.line.sku for amount in amounts}):
        yield DatedFact("bought", at, sku)
    for refund, fen in rules.counted_refunds(order):
        yield DatedFact("refund", clock.parse(refund.mark.partition("#")[0]), order.order_id, fen)
