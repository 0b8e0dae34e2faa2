"""The malls' door: verify, understand, make durable, answer. Everything else happens behind the queue."""

import hashlib
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from chalicelib.malls import generic
from chalicelib.orders import service as orders
from chalicelib.platform import clock, connections, http, validation
from chalicelib.platform.errors import Unauthorized
from chalicelib.prospects import arrivals
from chalicelib.prospects.types import BuyerOrder

door = http.Door(__name__, tag="Malls")


class Signature(Struct, kw_only=True):
    """Without them, or forged: 401."""

    timestamp: Annotated[str, Meta(description="Unix seconds, five minutes off at most")] = field(
        name="X-Timestamp"
    )
    signature: Annotated[
        str, Meta(description="HMAC-SHA256 of `X-Timestamp`, a dot and the raw body, in lower-case hex")
    ] = field(name="X-Signature")


class Accepted(Struct, frozen=True):
    status: Literal["accepted"] = "accepted"


@door.route(
    "POST",
    "/mall/orders/{source}",
    summary="An order message, signed by the mall",
    body=generic.OrderMessage,
    open=True,
    takes="application/json",
    headers=Signature,
    parameters={"source": Literal["generic"]},
    answer=Accepted,
    others={401: "The signature is not of this body, or not of now"},
)
def accept(call: http.Call, source: str) -> Accepted:
    now = clock.now()
    try:
        generic.verify(call.headers, call.raw, now)
    except Unauthorized as error:
        if call.headers.get("x-signature"):
            connections.note_refusal("mall_generic", str(error.message_code))
        raise
    connections.note_success("mall_generic")
    body = http.convert(
        validation.loads_lenient(call.raw, generic.FREE_TEXTS), generic.OrderMessage, open=True
    )
    message = generic.message(body, now)
    orders.accept(message, hashlib.sha256(call.raw).hexdigest())
    if body.buyer and body.buyer.phone:
        order = BuyerOrder(
            order_id=message.order_id,
            status=message.status,
            at=clock.iso(message.occurred_at),
            unionid=message.unionid,
            external_userid=message.external_userid,
        )
        arrivals.on_buyers_phone(order, body.buyer.phone)
    return Accepted()
