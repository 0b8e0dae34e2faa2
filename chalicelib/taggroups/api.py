"""Doors of tag groups."""

from chalicelib.platform import http, jobs
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.taggroups import service
from chalicelib.taggroups.types import (
    DeletedTagGroup,
    NewTagGroup,
    TagGroupOut,
    TagGroupPatch,
    TagGroupsQuery,
)

door = http.Door(__name__, tag="Tags")


@door.route(
    "GET",
    "/api/tag-groups",
    permission="tag_groups.read",
    query=TagGroupsQuery,
    summary="Tag groups with their tags, in WeCom's order",
    answer=Page[TagGroupOut],
)
def list_groups(call: Call) -> Page[TagGroupOut]:
    return service.page(call.query)


@door.route(
    "POST",
    "/api/tag-groups",
    body=NewTagGroup,
    status=201,
    permission="tag_groups.write",
    summary="A new tag group with its tags, made at WeCom",
    answer=TagGroupOut,
)
def create(call: Call) -> TagGroupOut:
    return service.create(call.body)


@door.route(
    "GET",
    "/api/tag-groups/{tag_group_id}",
    permission="tag_groups.read",
    summary="A tag group",
    answer=TagGroupOut,
)
def get(call: Call, tag_group_id: str) -> Answer:
    group = service.get(tag_group_id)
    return http.versioned(group, group.version)


@door.route(
    "PATCH",
    "/api/tag-groups/{tag_group_id}",
    body=TagGroupPatch,
    takes="application/json",
    headers=IfMatchHeader,
    permission="tag_groups.write",
    summary="Change a tag group at WeCom: names, order, new tags; tags left out are deleted",
    answer=TagGroupOut,
)
def change(call: Call, tag_group_id: str) -> Answer:
    http.convert(call.json(), TagGroupPatch)
    group = service.change(tag_group_id, call.json(), call.if_match)
    return http.versioned(group, group.version)


@door.route(
    "DELETE",
    "/api/tag-groups/{tag_group_id}",
    headers=IfMatchHeader,
    permission="tag_groups.write",
    summary="Delete a tag group with its tags at WeCom, off every customer",
    answer=DeletedTagGroup,
)
def remove(call: Call, tag_group_id: str) -> DeletedTagGroup:
    service.remove(tag_group_id, call.if_match)
    return DeletedTagGroup(tag_group_id=tag_group_id)


@door.route(
    "POST",
    "/api/tags/sync",
    status=202,
    permission="tag_groups.write",
    summary="Read all tag groups anew from WeCom",
    answer=jobs.Job,
)
def sync(call: Call) -> jobs.Job:
    return jobs.get(service.start_sync())
