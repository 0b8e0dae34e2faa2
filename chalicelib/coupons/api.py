"""Doors of coupon pools: made, filled, looked at."""

from typing import Any

from chalicelib.coupons import service
from chalicelib.coupons.types import NewPool
from chalicelib.platform import http
from chalicelib.platform.errors import Invalid
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Paging

door = http.Door(__name__, tag="Coupons")

_MAX_UPLOAD = 4 * 1024 * 1024  # what Lambda takes, as API Gateway hands it on


@door.route(
    "POST",
    "/api/coupon-pools",
    body=NewPool,
    status=201,
    permission="coupons.write",
    summary="A new pool of coupon codes",
)
def create(call: Call) -> dict[str, Any]:
    return _shown(service.create(call.body.name, call.body.expires_at))


@door.route(
    "GET",
    "/api/coupon-pools",
    permission="coupons.read",
    summary="Coupon pools, newest first",
    query=Paging,
)
def listing(call: Call) -> dict[str, Any]:
    pools, cursor = service.page(*call.page())
    return http.listing([_shown(pool) for pool in pools], cursor)


@door.route(
    "GET",
    "/api/coupon-pools/{pool_id}",
    permission="coupons.read",
    summary="A pool: codes loaded, given, left",
)
def get(call: Call, pool_id: str) -> dict[str, Any]:
    return _shown(service.get(pool_id))


@door.route(
    "POST",
    "/api/coupon-pools/{pool_id}/codes",
    permission="coupons.write",
    max_body=_MAX_UPLOAD,
    takes="text/csv",
    summary="Add up to 100,000 codes, one a line, or CSV with the code first; known ones are left out",
)
def load(call: Call, pool_id: str) -> dict[str, Any]:
    try:
        text = call.raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(("codes", "is not UTF-8 text")) from None
    return {**service.load(pool_id, text), **_shown(service.get(pool_id))}


@door.route(
    "GET",
    "/api/coupon-pools/{pool_id}/claims",
    permission="coupons.read",
    summary="Who has a code of the pool; codes are shown by their end",
    query=Paging,
)
def claims(call: Call, pool_id: str) -> dict[str, Any]:
    return http.listing(*service.claims(pool_id, *call.page()))


def _shown(pool: service.Pool) -> dict[str, Any]:
    return {
        "pool_id": pool.pool_id,
        "name": pool.name,
        "created_at": pool.created_at,
        "expires_at": pool.expires_at,
        "loaded": pool.loaded,
        "given": pool.given,
        "left": pool.left,
        "low": pool.low,
    }
