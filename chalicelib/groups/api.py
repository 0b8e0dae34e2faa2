"""Doors of groups: the mirror, the blacklist."""

import re

from chalicelib.groups import blacklist, group_list, upkeep
from chalicelib.groups.types import (
    GroupOut,
    GroupsQuery,
    LetIn,
    MemberOut,
    MembersQuery,
    Sync,
    Unwanted,
    UnwantedOut,
)
from chalicelib.platform import http, jobs
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Page

door = http.Door(__name__, tag="Groups")

_PERSON = re.compile(r"[A-Za-z0-9_-]{1,64}")


@door.route(
    "GET",
    "/api/groups",
    permission="groups.read",
    query=GroupsQuery,
    summary="Customer groups that we know of",
    answer=Page[GroupOut],
)
def listing(call: Call) -> Page[GroupOut]:
    return group_list.page(call.query, call.principal)


@door.route("GET", "/api/groups/{chat_id}", permission="groups.read", answer=GroupOut, summary="One group")
def get(call: Call, chat_id: str) -> GroupOut:
    return group_list.get(chat_id, call.principal)


@door.route(
    "GET",
    "/api/groups/{chat_id}/members",
    permission="groups.read",
    query=MembersQuery,
    summary="Who is, and who was, in a group",
    answer=Page[MemberOut],
)
def members(call: Call, chat_id: str) -> Page[MemberOut]:
    return group_list.members(chat_id, call.query, call.principal)


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
    return blacklist.get(external_userid, call.principal)


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
        raise Invalid(issue("external_userid", "pattern"))
    return blacklist.put(external_userid, call.body.reason, call.principal)


@door.route(
    "DELETE",
    "/api/blacklist/{external_userid}",
    status=200,
    permission="blacklist.write",
    summary="Let somebody in again",
    answer=LetIn,
)
def let_in(call: Call, external_userid: str) -> LetIn:
    blacklist.remove(external_userid)
    return LetIn(external_userid=external_userid)
