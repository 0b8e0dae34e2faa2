"""The malls' door: verify, understand, make durable, answer. Everything else happens behind the queue."""

import hashlib
from typing import Any

from chalicelib.malls import generic
from chalicelib.orders import service as orders
from chalicelib.platform import clock, http
from chalicelib.platform.errors import NotFound
from chalicelib.prospects import service as prospects

door = http.Door(__name__, tag="Malls")


@door.route(
    "POST", "/mall/orders/{source}", summary="An order message, signed by the mall", takes="application/json"
)
def accept(call: http.Call, source: str) -> dict[str, Any]:
    if source != "generic":
        raise NotFound(f"there is no mall {source}")
    generic.verify(call.headers, call.raw, clock.now())
    body = http.convert(call.json(), generic.OrderMessage)
    message = generic.message(body)
    orders.accept(message, hashlib.sha256(call.raw).hexdigest())
    if body.buyer and body.buyer.phone:
        known = {"unionid": message.unionid, "external_userid": message.external_userid}
        told = {"order_id": message.order_id, "status": message.status, "at": clock.iso(message.occurred_at)}
        prospects.order_told({**told, **known}, body.buyer.phone)
    return {"status": "accepted"}
