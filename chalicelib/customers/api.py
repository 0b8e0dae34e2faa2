"""Customers: lists, a profile, a timeline."""

from chalicelib.customers import lookup, remarks, rows
from chalicelib.customers.rules import Customer
from chalicelib.customers.types import (
    CustomerOut,
    CustomerPatch,
    CustomerRow,
    CustomersQuery,
    TimelineLine,
)
from chalicelib.groups import service as in_groups
from chalicelib.platform import clock, http
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.versions import IfMatchHeader

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
    return page.map(rows.showing(page.items))


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
    row = rows.showing([customer])(customer)
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
