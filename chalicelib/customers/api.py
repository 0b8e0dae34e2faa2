"""Customers: lists, a profile, a timeline."""

from collections.abc import Mapping

from chalicelib.customers import lookup, remarks
from chalicelib.customers.rules import Customer
from chalicelib.customers.types import (
    CustomerOut,
    CustomerPatch,
    CustomerRow,
    CustomersQuery,
    FollowOut,
    TimelineLine,
)
from chalicelib.groups import service as in_groups
from chalicelib.platform import clock, http
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.staff import service as staff

door = http.Door(__name__, tag="Customers")


@door.route(
    "GET",
    "/api/customers",
    permission="customers.read",
    query=CustomersQuery,
    answer=Page[CustomerRow],
    summary="Customers, the newest first: of a guide, of a store's guides, or of all",
)
def index(call: Call) -> Page[CustomerRow]:
    page = lookup.page(call.query, call.principal)
    names = staff.names({staff_id for customer in page.items for staff_id in customer.follows})
    return page.map(lambda customer: _row(customer, names))


@door.route(
    "GET",
    "/api/customers/{external_userid}",
    permission="customers.read",
    answer=CustomerOut,
    summary="A customer",
)
def get(call: Call, external_userid: str) -> Answer:
    customer = lookup.find_in_scope(external_userid, call.principal)
    return http.versioned(_whole(external_userid, customer), customer.version)


@door.route(
    "PATCH",
    "/api/customers/{external_userid}",
    permission="customers.write",
    body=CustomerPatch,
    headers=IfMatchHeader,
    answer=CustomerOut,
    summary="Change what a guide calls a customer (备注), here and in WeCom",
)
def change(call: Call, external_userid: str) -> Answer:
    patch: CustomerPatch = call.body
    customer = remarks.set_remark(
        external_userid, patch.remark, patch.staff_id, call.principal, call.if_match
    )
    return http.versioned(_whole(external_userid, customer), customer.version)


@door.route(
    "GET",
    "/api/customers/{external_userid}/timeline",
    permission="customers.read",
    query=Paging,
    answer=Page[TimelineLine],
    summary="What happened to a customer, newest first",
)
def history(call: Call, external_userid: str) -> Page[TimelineLine]:
    page = lookup.history(external_userid, call.query, call.principal)
    return page.map(lambda line: TimelineLine(type=line.type, at=clock.iso(line.at), data=line.data))


def _whole(external_userid: str, customer: Customer) -> CustomerOut:
    row = _row(customer, staff.names(customer.follows))
    return CustomerOut(
        external_userid=row.external_userid,
        unionid=row.unionid,
        name=row.name,
        avatar=row.avatar,
        channel=row.channel,
        live_code_id=row.live_code_id,
        follows=row.follows,
        tags=row.tags,
        rfm={},
        score=0,
        groups=in_groups.groups_of(external_userid),
    )


def _row(customer: Customer, names: Mapping[str, str]) -> CustomerRow:
    return CustomerRow(
        external_userid=customer.external_userid,
        unionid=customer.unionid,
        name=customer.name,
        avatar=customer.avatar or None,
        channel=customer.channel,
        live_code_id=customer.live_code_id,
        follows=[
            FollowOut(
                staff_id=staff_id,
                staff_name=names.get(staff_id) or staff_id,
                added_at=clock.iso(follow.added_at) if follow.added_at else None,
                status=follow.status,  # type: ignore[arg-type]
                remark=follow.remark,
            )
            for staff_id, follow in customer.follows.items()
        ],
        tags=list(customer.tags),
    )
