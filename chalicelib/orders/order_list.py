"""Orders, newest first: all of a month, a store's, a buyer's, or those that a distributor earns on."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from msgspec import Meta, field

from chalicelib.customers import service as customers
from chalicelib.distribution import commission_list
from chalicelib.orders import models, order_detail, rules, service
from chalicelib.orders.models import OrderItem
from chalicelib.orders.types import Order, OrderRow, Status
from chalicelib.platform import clock, lists
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.paging import Id
from chalicelib.platform.principal import Principal
from chalicelib.stores import guides

_MIN, _MAX = "", "9999"  # before and after every time


class OrdersQuery(Paging, kw_only=True):
    q: Annotated[str, Meta(max_length=100, description="Part of an id, a product, a SKU")] | None = None
    from_: Annotated[date | None, Meta(description="Ordered on this day (Asia/Shanghai) or later")] = field(
        name="from", default=None
    )
    to: Annotated[date | None, Meta(description="Ordered on this day or before")] = None
    channel: Annotated[Id | None, Meta(description="Of buyers who came by this channel")] = None
    live_code_id: Annotated[Id | None, Meta(description="Of buyers who first came by this code")] = None
    credited: Annotated[bool | None, Meta(description="Credited to a distributor, or to nobody")] = None
    status: Status | None = None
    store_id: Annotated[Id | None, Meta(description="Of this store's guides")] = None
    external_userid: Annotated[Id | None, Meta(description="Of this buyer")] = None
    unionid: Annotated[Id | None, Meta(description="Of this buyer")] = None
    distributor_id: Annotated[Id | None, Meta(description="On which this distributor earns")] = None


def page(query: OrdersQuery, principal: Principal) -> Page[OrderRow]:
    """A page of the scope's orders, read by the narrowest key that the query gives; all else is a filter."""
    found = _page(query, principal)
    return Page(
        order_detail.fill_names(found.items, principal), found.total, found.next_cursor, found.total_is
    )


def _page(query: OrdersQuery, principal: Principal) -> Page[OrderRow]:
    store_ids = guides.store_ids_in_scope(principal)
    since, until = _bounds(query)
    wanted = (query.q or "").strip().casefold()
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
            and query.channel in (None, order.buyer.channel if order.buyer else None)
            and query.live_code_id in (None, order.buyer.live_code_id if order.buyer else None)
            and query.credited in (None, bool(order.attribution and order.attribution.by))
            and since <= models.listed_at(order) < until
            and (not wanted or _holds(order, wanted))
        )

    if query.distributor_id:
        return commission_list.orders_of(query.distributor_id, query, load)
    index, partitions = _partitions(query, buyer_ids, store_ids)
    return lists.merged(
        partitions,
        partial(models.keys, index, since=since, until=until),
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
    since, until = _bounds(query)
    months = lists.months(clock.now(), cursor=query.cursor, shards=models.SHARDS)
    return OrderItem.by_month, [group for group in months if since[:7] <= group[0][:7] <= until[:7]]


def _bounds(query: OrdersQuery) -> tuple[str, str]:
    """The first place that is asked for, and the first after those. Invalid."""
    if query.from_ and query.to and query.from_ > query.to:
        raise Invalid(issue("from", "after", other="to"))
    return _start(query.from_) or _MIN, _start(query.to and query.to + timedelta(days=1)) or _MAX


def _start(day: date | None) -> str | None:
    """When a day begins in China, as a place is written."""
    return clock.iso(datetime(day.year, day.month, day.day, tzinfo=clock.SHANGHAI)) if day else None


def _holds(order: Order, wanted: str) -> bool:
    texts = [order.order_id, *(text for line in order.lines for text in (line.sku, line.title))]
    return any(wanted in text.casefold() for text in texts)


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
