"""A customer's profile and timeline."""

from typing import Any

import msgspec

from chalicelib.customers import service
from chalicelib.groups import service as in_groups
from chalicelib.platform import clock, http
from chalicelib.platform.errors import NotFound
from chalicelib.platform.lists import Paging

door = http.Door(__name__, tag="Customers")


class FollowOut(msgspec.Struct, kw_only=True):
    """`status`: half (not added back yet), active, lost. `added_at`: None when the add never reached us."""

    staff_id: str
    added_at: str | None
    status: str


class CustomerOut(msgspec.Struct, kw_only=True):
    """`channel`, `live_code_id`: where the customer first came from."""

    external_userid: str
    unionid: str | None
    name: str
    channel: str | None
    live_code_id: str | None
    follows: list[FollowOut]
    tags: list[str]
    rfm: dict[str, Any]
    score: int
    groups: list[str]


class TimelineLine(msgspec.Struct, kw_only=True):
    """`data`: what the type says of it."""

    type: str
    at: str
    data: dict[str, Any]


@door.route(
    "GET",
    "/api/customers/{external_userid}",
    permission="customers.read",
    answer=CustomerOut,
    summary="A customer",
)
def get(call: http.Call, external_userid: str) -> CustomerOut:
    customer = service.get(external_userid)
    if customer is None:
        raise NotFound(f"there is no customer {external_userid}")
    return CustomerOut(
        external_userid=customer.external_userid,
        unionid=customer.unionid,
        name=customer.name,
        channel=customer.channel,
        live_code_id=customer.live_code_id,
        follows=[
            FollowOut(
                staff_id=staff_id,
                added_at=clock.iso(follow.added_at) if follow.added_at else None,
                status=follow.status,
            )
            for staff_id, follow in customer.follows.items()
        ],
        tags=list(customer.tags),
        rfm={},
        score=0,
        groups=in_groups.groups_of(external_userid),
    )


@door.route(
    "GET",
    "/api/customers/{external_userid}/timeline",
    permission="customers.read",
    query=Paging,
    summary="What happened to a customer, newest first",
    answer=http.Listing[TimelineLine],
)
def history(call: http.Call, external_userid: str) -> dict[str, Any]:
    return http.listing(*service.history(external_userid, *call.page()))
