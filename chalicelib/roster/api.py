"""Doors of staff: who they are, and how many customers their accounts may get a day."""

import re

from chalicelib.platform import http, userids
from chalicelib.platform.errors import NotFound
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.roster import service
from chalicelib.roster.queries import StaffQuery
from chalicelib.staff.types import Ramp, StaffLimits, StaffOut, StaffSync

door = http.Door(__name__, tag="Staff")


@door.route(
    "GET",
    "/api/staff",
    permission="staff.read",
    summary="Staff by name, with the limits of their accounts",
    query=StaffQuery,
    answer=Page[StaffOut],
)
def listing(call: Call) -> Page[StaffOut]:
    return service.page(call.query, call.principal)


@door.route(
    "POST",
    "/api/staff/sync",
    permission="staff.sync",
    summary="Ask WeCom for all who serve customers; again while some are `left`",
    answer=StaffSync,
)
def sync(call: Call) -> StaffSync:
    return service.sync()


@door.route(
    "GET",
    "/api/staff/ramp",
    permission="settings.read",
    answer=Ramp,
    summary="How many customers a new account gets a day",
)
def ramp(call: Call) -> Answer:
    return http.versioned(*service.ramp())


@door.route(
    "PUT",
    "/api/staff/ramp",
    body=Ramp,
    permission="settings.write",
    headers=IfMatchHeader,
    answer=Ramp,
    summary="Change the table of ageing",
)
def set_ramp(call: Call) -> Answer:
    return http.versioned(*service.set_ramp(call.body.steps, call.if_match))


@door.route(
    "GET", "/api/staff/{staff_id}", permission="staff.read", answer=StaffOut, summary="One member of staff"
)
def get(call: Call, staff_id: str) -> Answer:
    return _versioned(service.get(staff_id, call.principal))


@door.route(
    "PUT",
    "/api/staff/{staff_id}",
    body=StaffLimits,
    permission="staff.write",
    headers=IfMatchHeader,
    answer=StaffOut,
    summary="When the account began (null: long ago), and its own daily cap over all codes",
)
def limit(call: Call, staff_id: str) -> Answer:
    if not re.match(userids.PATTERN, staff_id):
        raise NotFound(code="unknown_staff", staff_id=staff_id)
    return _versioned(service.limit(staff_id, call.body, call.principal, call.if_match))


def _versioned(member: StaffOut) -> Answer:
    return http.versioned(member, service.version_of(member))
