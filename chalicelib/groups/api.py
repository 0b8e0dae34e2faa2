"""Doors of groups: the mirror, the blacklist."""

import re
from typing import Any

import msgspec

from chalicelib.groups import blacklist, service, upkeep
from chalicelib.groups.types import GroupOut, LetIn, MemberOut, Sync, Unwanted, UnwantedOut
from chalicelib.platform import http, jobs
from chalicelib.platform.errors import Invalid
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Paging

door = http.Door(__name__, tag="Groups")

_PERSON = re.compile(r"[A-Za-z0-9_-]{1,64}")


@door.route(
    "GET",
    "/api/groups",
    permission="groups.read",
    query=Paging,
    summary="Customer groups that we know of",
    answer=http.Listing[GroupOut],
)
def listing(call: Call) -> dict[str, Any]:
    return http.listing(*service.page(*call.page()))


@door.route("GET", "/api/groups/{chat_id}", permission="groups.read", answer=GroupOut, summary="One group")
def get(call: Call, chat_id: str) -> GroupOut:
    return msgspec.convert(service.get(chat_id), GroupOut)


@door.route(
    "GET",
    "/api/groups/{chat_id}/members",
    permission="groups.read",
    query=Paging,
    summary="Who is, and who was, in a group",
    answer=http.Listing[MemberOut],
)
def members(call: Call, chat_id: str) -> dict[str, Any]:
    return http.listing(*service.members(chat_id, *call.page()))


@door.route(
    "POST",
    "/api/groups/sync",
    body=Sync,
    status=202,
    permission="groups.sync",
    summary="Read all groups from WeCom",
    answer=jobs.Job,
)
def sync(call: Call) -> jobs.Job:
    return jobs.get(upkeep.sync(call.body.owners))


@door.route(
    "GET",
    "/api/blacklist/{external_userid}",
    permission="blacklist.read",
    answer=UnwantedOut,
    summary="Whether somebody is kept out of groups",
)
def unwanted(call: Call, external_userid: str) -> UnwantedOut:
    return msgspec.convert(blacklist.get(external_userid), UnwantedOut)


@door.route(
    "PUT",
    "/api/blacklist/{external_userid}",
    body=Unwanted,
    answer=UnwantedOut,
    permission="blacklist.write",
    summary="Keep somebody out of the groups of live codes",
)
def keep_out(call: Call, external_userid: str) -> UnwantedOut:
    if not _PERSON.fullmatch(external_userid):
        raise Invalid(("external_userid", "not an external_userid"))
    return msgspec.convert(blacklist.put(external_userid, call.body.reason), UnwantedOut)


@door.route(
    "DELETE",
    "/api/blacklist/{external_userid}",
    status=200,
    permission="blacklist.write",
    summary="Let somebody in again",
    answer=LetIn,
)
def let_in(call: Call, external_userid: str) -> dict[str, Any]:
    blacklist.remove(external_userid)
    return {"external_userid": external_userid}
