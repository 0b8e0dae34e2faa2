"""What is stored of an order: one item, and one that marks a buyer's first order."""

from typing import Any

from msgspec.structs import asdict
from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.orders import rules
from chalicelib.orders.types import Order, OrderLine, refund_of
from chalicelib.platform import clock, settings
from chalicelib.platform.storage import Base, BaseMeta, Transaction

_FIRST = "first\x1f"  # no order id has a control character


class OrderItem(Base):
    """An order; or, under the buyer's key, which order was the buyer's first."""

    class Meta(BaseMeta):
        table_name = settings.table("orders")

    order_id = UnicodeAttribute(hash_key=True)
    status = UnicodeAttribute(null=True)
    times = JSONAttribute(null=True)
    told = JSONAttribute(null=True)
    refunds = JSONAttribute(null=True)
    buyer = JSONAttribute(null=True)
    attribution = JSONAttribute(null=True)
    first_order_id = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)


def load(order_id: str) -> Order | None:
    """The order, read consistently."""
    item = OrderItem.find(order_id)
    return _order(item) if item else None


def add(tx: Transaction, order: Order) -> None:
    """Add the order's next version to a transaction, as the item `order`."""
    item = OrderItem(
        order.order_id,
        status=rules.status(order),
        times={name: clock.iso(at) for name, at in order.times.items()},
        told={name: [mark, _plain(name, value)] for name, (mark, value) in order.told.items()},
        refunds={refund_id: asdict(refund) for refund_id, refund in order.refunds.items()},
        buyer=None if order.buyer is None else dict(order.buyer),
        attribution=None if order.attribution is None else dict(order.attribution),
        version=order.version + 1,
    )
    same = OrderItem.version == order.version if order.version else OrderItem.order_id.does_not_exist()
    tx.put("order", item, same)


def first_order_of(external_userid: str) -> str | None:
    """The id of the buyer's first paid order."""
    item = OrderItem.find(_FIRST + external_userid)
    return item.first_order_id if item else None


def add_first_order(tx: Transaction, external_userid: str, order_id: str) -> None:
    """Add the mark of a buyer's first order, as the item `first_order`."""
    item = OrderItem(_FIRST + external_userid, first_order_id=order_id)
    tx.put("first_order", item, OrderItem.order_id.does_not_exist())


def _plain(name: str, value: Any) -> Any:
    return [list(asdict(line).values()) for line in value] if name == "lines" else value


def _value(name: str, value: Any) -> Any:
    return tuple(OrderLine(*line) for line in value) if name == "lines" else value


def _order(item: OrderItem) -> Order:
    return Order(
        order_id=item.order_id,
        times={name: clock.parse(at) for name, at in item.times.items()},
        told={name: (mark, _value(name, value)) for name, (mark, value) in item.told.items()},
        refunds={refund_id: refund_of(values) for refund_id, values in item.refunds.items()},
        buyer=item.buyer,
        attribution=item.attribution,
        version=int(item.version),
    )
