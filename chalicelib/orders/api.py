"""Orders' door: an order, its amounts, and why it is credited to whom."""

from typing import Any

import msgspec

from chalicelib.orders import service
from chalicelib.platform import http

door = http.Door(__name__, tag="Orders")


class ItemOut(msgspec.Struct, kw_only=True):
    line_id: str
    sku: str
    title: str
    quantity: int
    paid_fen: int
    refunded_fen: int


class OrderOut(msgspec.Struct, kw_only=True):
    """`refund_excess_fen`: refunded of no line (freight, or more than was paid).

    `cancelled`: paid, then closed. `times`: the newest of each status that was told.
    `attribution`: who is credited, and why.
    """

    order_id: str
    status: str
    times: dict[str, str]
    external_userid: str | None
    paid_fen: int
    freight_fen: int
    refunded_fen: int
    refund_excess_fen: int
    cancelled: bool
    items: list[ItemOut]
    share_code: str | None
    attribution: dict[str, Any]


@door.route(
    "GET",
    "/api/orders/{order_id}",
    permission="orders.read",
    summary="An order, with its attribution",
    answer=OrderOut,
)
def get(call: http.Call, order_id: str) -> dict[str, Any]:
    return service.get(order_id)
