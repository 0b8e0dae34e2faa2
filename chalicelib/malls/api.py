"""The malls' door: verify, understand, make durable, answer. Everything else happens behind the queue."""

import hashlib
from typing import Any

from chalicelib.malls import generic
from chalicelib.orders import service as orders
from chalicelib.platform import clock, http
from chalicelib.platform.errors import NotFound

door = http.Door(__name__, tag="Malls")


@door.route("POST", "/mall/orders/{source}", summary="An order message, signed by the mall")
def accept(call: http.Call, source: str) -> dict[str, Any]:
    if source != "generic":
        raise NotFound(f"there is no mall {source}")
    generic.verify(call.headers, call.raw, clock.now())
    message = generic.message(http.convert(call.json(), generic.OrderMessage))
    orders.accept(message, hashlib.sha256(call.raw).hexdigest())
    return {"status": "accepted"}
