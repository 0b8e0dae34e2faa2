"""Orders, newest first: all of a month, a store's, a buyer's, or those that a distributor earns on."""

from collections.abc import Collection, Iterable
from functools import partial
from typing import Annotated, Any

from msgspec import Meta

from chalicelib.customers import service as customers
from chalicelib.distribution import commission_list
from chalicelib.orders import models, rules, service
from chalicelib.orders.models import OrderItem
from chalicelib.orders.types import Order, OrderRow, Status
from chalicelib.platform import clock, lists
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.paging import Id
from chalicelib.platform.principal import Principal
from chalicelib.stores import guides


class OrdersQuery(Paging, kw_only=True):
    status: Status | None = None
    store_id: Annotated[Id | None, Meta(description="Of this store's guides")] = None
    external_userid: Annotated[Id | None, Meta(description="Of this buyer")] = None
    unionid: Annotated[Id | None, Meta(description="Of this buyer")] = None
    distributor_id: Annotated[Id | None, Meta(description="On which this distributor earns")] = None


def page(query: OrdersQuery, principal: Principal) -> Page[OrderRow]:
    """A page of the scope's orders, read by the narrowest key that the query gives; all else is a filter."""
    store_ids = guides.store_ids_in_scope(principal)
    buyer_ids = _buyer_ids(query.external_userid, query.unionid)

    def load(order_ids: Collection[str]) -> list[OrderRow | None]:
        orders = models.load_several(order_ids)
        rows = map(orders.get, order_ids)
        return [_row(order, principal) if order and is_wanted(order) else None for order in rows]

    def is_wanted(order: Order) -> bool:
        return (
            (not buyer_ids or models.buyer_id_of(order) in buyer_ids)
            and service.is_in_scope(order, store_ids)
            and query.store_id in (None, order.store_id)
            and query.status in (None, rules.status(order))
        )

    if query.distributor_id:
        return commission_list.orders_of(query.distributor_id, query, load)
    index, partitions = _partitions(query, buyer_ids, store_ids)
    return lists.merged(
        partitions,
        partial(models.keys, index),
        query,
        place=lambda key: str(key.listed_at),
        load=lambda keys: load([key.order_id for key in keys]),
    )


def _partitions(
    query: OrdersQuery, buyer_ids: list[str], store_ids: frozenset[str] | None
) -> tuple[Any, Iterable[list[str]]]:
    """The index to read, and its partitions."""
    if buyer_ids:
        return OrderItem.by_buyer, [buyer_ids]
    if store_ids is not None:
        return OrderItem.by_store, [sorted(store_ids & {query.store_id} if query.store_id else store_ids)]
    if query.store_id:
        return OrderItem.by_store, [[query.store_id]]
    return OrderItem.by_month, lists.months(clock.now(), cursor=query.cursor, shards=models.SHARDS)


def _buyer_ids(external_userid: str | None, unionid: str | None) -> list[str]:
    """Under which a buyer's orders are listed: as a customer, and from before they were one."""
    if external_userid and not unionid:
        customer = customers.get(external_userid)
        unionid = customer.unionid if customer else None
    elif unionid and not external_userid:
        external_userid = customers.find_by_unionid(unionid)
    return sorted(filter(None, {external_userid, models.buyer_id(None, unionid)}))


def _row(order: Order, principal: Principal) -> OrderRow:
    return OrderRow(**service.summary(order, principal))
