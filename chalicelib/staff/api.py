"""Doors of staff: who they are, and how many customers their accounts may get a day."""

import re
from typing import Any

import msgspec

from chalicelib.platform import http
from chalicelib.platform.errors import NotFound
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Paging
from chalicelib.staff import service
from chalicelib.staff.types import Ramp, StaffLimits, StaffOut

door = http.Door(__name__, tag="Staff")

_STAFF_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")


@door.route(
    "GET",
    "/api/staff",
    permission="staff.read",
    summary="Staff by id, with the limits of their accounts",
    query=Paging,
    answer=http.Listing[StaffOut],
)
def listing(call: Call) -> dict[str, Any]:
    return http.listing(*service.page(*call.page()))


@door.route(
    "GET",
    "/api/staff/ramp",
    permission="settings.read",
    answer=Ramp,
    summary="How many customers a new account gets a day",
)
def ramp(call: Call) -> dict[str, Any]:
    return {"steps": [msgspec.to_builtins(step) for step in service.ramp()]}


@door.route(
    "PUT",
    "/api/staff/ramp",
    body=Ramp,
    permission="settings.write",
    answer=Ramp,
    summary="Change the table of ageing",
)
def set_ramp(call: Call) -> dict[str, Any]:
    service.set_ramp(msgspec.to_builtins(call.body)["steps"])
    return {"steps": [msgspec.to_builtins(step) for step in service.ramp()]}


@door.route(
    "GET", "/api/staff/{staff_id}", permission="staff.read", answer=StaffOut, summary="One member of staff"
)
def get(call: Call, staff_id: str) -> dict[str, Any]:
    return service.get(staff_id)


@door.route(
    "PUT",
    "/api/staff/{staff_id}",
    body=StaffLimits,
    permission="staff.write",
    answer=StaffOut,
    summary="When the account began (null: long ago), and its own daily cap over all codes",
)
def limit(call: Call, staff_id: str) -> dict[str, Any]:
    if not _STAFF_ID.fullmatch(staff_id):
        raise NotFound("WeCom has no such member")
    return service.limit(staff_id, call.body.started_at, call.body.daily_cap)
