"""Doors of groups: the mirror."""

from chalicelib.groups import group_list, upkeep
from chalicelib.groups.types import (
    GroupOut,
    GroupsQuery,
    MemberOut,
    MembersQuery,
    Sync,
)
from chalicelib.platform import http, jobs
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Page

door = http.Door(__name__, tag="Groups")


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
