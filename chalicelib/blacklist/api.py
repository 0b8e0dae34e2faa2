"""Doors of the blacklist: who is kept out of the groups of live codes."""

import re

from chalicelib.blacklist import service
from chalicelib.blacklist.types import BlacklistQuery, BlacklistReason, BlacklistRow, TakenOff
from chalicelib.groups import blacklist
from chalicelib.platform import http
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Page

door = http.Door(__name__, tag="Groups")

_PERSON = re.compile(r"[A-Za-z0-9_-]{1,64}")


@door.route(
    "GET",
    "/api/blacklist",
    permission="blacklist.read",
    query=BlacklistQuery,
    answer=Page[BlacklistRow],
    summary="Who is kept out of groups, since when, why, and who put them there",
)
def listing(call: Call) -> Page[BlacklistRow]:
    return service.page(call.query, call.principal)


@door.route(
    "GET",
    "/api/blacklist/{external_userid}",
    permission="blacklist.read",
    answer=BlacklistRow,
    summary="Whether somebody is kept out of groups",
)
def get(call: Call, external_userid: str) -> BlacklistRow:
    return service.get(external_userid, call.principal)


@door.route(
    "PUT",
    "/api/blacklist/{external_userid}",
    body=BlacklistReason,
    answer=BlacklistRow,
    permission="blacklist.write",
    summary="Keep somebody out of the groups of live codes",
)
def put(call: Call, external_userid: str) -> BlacklistRow:
    if not _PERSON.fullmatch(external_userid):
        raise Invalid(issue("external_userid", "pattern"))
    return service.put(external_userid, call.body.reason, call.principal)


@door.route(
    "DELETE",
    "/api/blacklist/{external_userid}",
    status=200,
    permission="blacklist.write",
    summary="Let somebody in again",
    answer=TakenOff,
)
def take_off(call: Call, external_userid: str) -> TakenOff:
    blacklist.remove(external_userid)
    return TakenOff(external_userid=external_userid)
