"""What is stored of an order: one item, and one that marks a buyer's first order.

| index | partition | written |
|---|---|---|
| `listing` | the month | once an order |
| `buyer` | who bought | once the buyer is named, again when a unionid becomes a customer |
| `store` | the store of the buyer's guide | once, when the order is first paid |

All by `listed_at` and with keys only, so that an order's later messages write to none of them.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec.structs import asdict
from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.distribution.types import Attribution
from chalicelib.orders import rules
from chalicelib.orders.types import Buyer, Order, OrderLine, refund_of
from chalicelib.platform import clock, lists, settings, storage
from chalicelib.platform.storage import Base, BaseMeta, Transaction

SHARDS = 1  # of a month: its index takes one write unit an order
_FIRST = "first\x1f"  # no order id has a control character


class ByMonth(GlobalSecondaryIndex["OrderItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = KeysOnlyProjection()

    month_shard = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class ByBuyer(GlobalSecondaryIndex["OrderItem"]):
    class Meta(BaseMeta):
        index_name = "buyer"
        projection = KeysOnlyProjection()

    buyer_id = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class ByStore(GlobalSecondaryIndex["OrderItem"]):
    class Meta(BaseMeta):
        index_name = "store"
        projection = KeysOnlyProjection()

    store_id = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class OrderItem(Base):
    """An order; or, under the buyer's key, which order was the buyer's first.

    listed_at: the order's time and id. buyer_id: external_userid, or `unionid:…` of who is no customer.
    """

    class Meta(BaseMeta):
        table_name = settings.table("orders")

    order_id = UnicodeAttribute(hash_key=True)
    status = UnicodeAttribute(null=True)
    times = JSONAttribute(null=True)
    told = JSONAttribute(null=True)
    refunds = JSONAttribute(null=True)
    buyer = JSONAttribute(null=True)
    attribution = JSONAttribute(null=True)
    store_id = UnicodeAttribute(null=True)
    month_shard = UnicodeAttribute(null=True)
    listed_at = UnicodeAttribute(null=True)
    buyer_id = UnicodeAttribute(null=True)
    first_order_id = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)

    by_month = ByMonth()
    by_buyer = ByBuyer()
    by_store = ByStore()


def load(order_id: str) -> Order | None:
    """The order, read consistently."""
    item = OrderItem.find(order_id)
    return _order(item) if item and item.times else None


def load_several(order_ids: Collection[str]) -> dict[str, Order]:
    """Those of these orders that there are, by id; perhaps as they were a second ago."""
    return {item.order_id: _order(item) for item in OrderItem.batch_get(list(set(order_ids)))}


def add(tx: Transaction, order: Order) -> None:
    """Add the order's next version to a transaction, as the item `order`."""
    item = OrderItem(
        order.order_id,
        status=rules.status(order),
        times={name: clock.iso(at) for name, at in order.times.items()},
        told={name: [mark, _plain(name, value)] for name, (mark, value) in order.stamped.items()},
        refunds={refund_id: asdict(refund) for refund_id, refund in order.refunds.items()},
        buyer=None if order.buyer is None else asdict(order.buyer),
        attribution=None if order.attribution is None else asdict(order.attribution),
        store_id=order.store_id,
        **_listing(order),
        version=order.version + 1,
    )
    same = OrderItem.version == order.version if order.version else OrderItem.order_id.does_not_exist()
    tx.put("order", item, same)


def enter_in_lists(item: OrderItem) -> None:
    """List an order that was stored before there were lists; its next message would do it too."""
    if item.times is None or item.listed_at is not None:
        return
    values = _listing(_order(item))
    actions = [getattr(OrderItem, name).set(value) for name, value in values.items() if value is not None]
    storage.update_if(item, actions, OrderItem.version == item.version)


def _listing(order: Order) -> dict[str, Any]:
    """The keys of the lists."""
    at = min(rules.ordered_at(order), clock.now())  # a mall's clock may be ahead: lists begin at the present
    return {
        "month_shard": lists.month_shard(at, order.order_id, SHARDS),
        "listed_at": f"{clock.iso(at)}#{order.order_id}",
        "buyer_id": buyer_id_of(order),
    }


def buyer_id(external_userid: str | None, unionid: str | None) -> str | None:
    return external_userid or (f"unionid:{unionid}" if unionid else None)


def buyer_id_of(order: Order) -> str | None:
    return buyer_id(order.external_userid, order.value("unionid"))


def listed_at(order: Order) -> str:
    """Where an order stands in the lists: the time that they have it under, and its id."""
    return str(_listing(order)["listed_at"])


def keys(
    index: Any, partition: str, before: str | None, limit: int, *, since: str = "", until: str = "9999"
) -> list[OrderItem]:
    """Keys of a partition of one of the indexes, newest first, whose place is before the given one, from
    `since` and before `until`."""
    end = min(before, until) if before else until
    within = (OrderItem.listed_at < end) if not since else OrderItem.listed_at.between(since, end)
    rows = index.query(partition, within, scan_index_forward=False, limit=limit + 1)
    return [row for row in rows if row.listed_at < end][:limit]


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
        stamped={name: (mark, _value(name, value)) for name, (mark, value) in item.told.items()},
        refunds={refund_id: refund_of(values) for refund_id, values in item.refunds.items()},
        buyer=None if item.buyer is None else msgspec.convert(item.buyer, Buyer),
        attribution=None if item.attribution is None else msgspec.convert(item.attribution, Attribution),
        store_id=item.store_id,
        version=int(item.version),
    )
