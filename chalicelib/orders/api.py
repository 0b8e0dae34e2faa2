"""Orders' door: lists, an order, its amounts, and why it is credited to whom."""

from chalicelib.orders import order_detail, order_list
from chalicelib.orders.order_list import OrdersQuery
from chalicelib.orders.types import OrderOut, OrderRow
from chalicelib.platform import http, messages
from chalicelib.platform.lists import Page

door = http.Door(__name__, tag="Orders")


@door.route(
    "GET",
    "/api/orders",
    permission="orders.read",
    summary="Orders, newest first",
    query=OrdersQuery,
    answer=Page[OrderRow],
)
def list_orders(call: http.Call) -> Page[OrderRow]:
    return order_list.page(call.query, call.principal)


@door.route(
    "GET",
    "/api/orders/{order_id}",
    permission="orders.read",
    summary="An order, with its attribution",
    answer=OrderOut,
)
def get_order(call: http.Call, order_id: str) -> OrderOut:
    language = messages.language(call.headers.get("accept-language"))
    return order_detail.get(order_id, call.principal, language)
