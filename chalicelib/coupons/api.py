"""Doors of coupon pools: made, filled, looked at."""

from msgspec.structs import asdict

from chalicelib.coupons import service
from chalicelib.coupons.types import FilledPool, NewPool, Pool, PoolClaim, PoolPatch, PoolsQuery
from chalicelib.platform import http
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.tables import reading

door = http.Door(__name__, tag="Coupons")


@door.route(
    "POST",
    "/api/coupon-pools",
    body=NewPool,
    status=201,
    permission="coupons.write",
    summary="A new pool of coupon codes",
    answer=Pool,
)
def create(call: Call) -> Pool:
    return service.create(call.body.name, call.body.expires_at)


@door.route(
    "GET",
    "/api/coupon-pools",
    permission="coupons.read",
    summary="Coupon pools, newest first",
    query=PoolsQuery,
    answer=Page[Pool],
)
def list_pools(call: Call) -> Page[Pool]:
    return service.list_pools(call.query)


@door.route(
    "GET",
    "/api/coupon-pools/{pool_id}",
    permission="coupons.read",
    summary="A pool: codes loaded, given, left",
    answer=Pool,
)
def get(call: Call, pool_id: str) -> Answer:
    pool = service.get(pool_id)
    return http.versioned(pool, pool.version)


@door.route(
    "PATCH",
    "/api/coupon-pools/{pool_id}",
    body=PoolPatch,
    permission="coupons.write",
    summary="Change a pool's name, or until when codes are given",
    headers=IfMatchHeader,
    answer=Pool,
)
def change(call: Call, pool_id: str) -> Answer:
    pool = service.change(pool_id, call.json(), call.if_match)
    return http.versioned(pool, pool.version)


@door.route(
    "POST",
    "/api/coupon-pools/{pool_id}/codes",
    permission="coupons.write",
    max_body=reading.MAX_BYTES,
    takes=reading.CSV,
    summary="Add up to 100,000 codes: one a line, CSV or XLSX with the code first; known ones are left out",
    answer=FilledPool,
)
def load(call: Call, pool_id: str) -> FilledPool:
    upload = service.load(pool_id, call.raw)
    return FilledPool(**asdict(upload), **asdict(service.get(pool_id)))


@door.route(
    "GET",
    "/api/coupon-pools/{pool_id}/claims",
    permission="coupon_claims.read",
    summary="Who has a code of the pool, newest first; codes are shown by their end",
    query=Paging,
    answer=Page[PoolClaim],
)
def list_claims(call: Call, pool_id: str) -> Page[PoolClaim]:
    return service.list_claims(pool_id, call.query, call.principal)
