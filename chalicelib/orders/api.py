"""Orders' door: an order, its amounts, and why it is credited to whom."""

from typing import Any

from chalicelib.orders import service
from chalicelib.platform import http

door = http.Door(__name__, tag="Orders")


@door.route("GET", "/api/orders/{order_id}", scope="read", summary="An order, with its attribution")
def get(call: http.Call, order_id: str) -> dict[str, Any]:
    return service.get(order_id)
