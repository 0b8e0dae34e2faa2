"""Tag groups: changed at WeCom, and read anew from there.

| step | killed behind it |
|---|---|
| the entry of who wants what, and a reading that falls due in a minute | the reading finds nothing new |
| WeCom's calls, one after another | the reading shows how far it came; the same PATCH does the rest |
| the groups are read anew | |
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from chalicelib.platform import audit, clock, due, ids, jobs, lists, queues
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.lists import Page
from chalicelib.platform.patch import merged
from chalicelib.platform.storage import Transaction
from chalicelib.platform.validation import convert
from chalicelib.platform.versions import IfMatch
from chalicelib.taggroups import mirror, rules, uses
from chalicelib.taggroups.types import NewTagGroup, TagGroup, TagGroupOut, TagGroupsQuery
from chalicelib.tags import service as tags
from chalicelib.wecom import client as wecom

_REPAIR = timedelta(minutes=1)


def page(query: TagGroupsQuery) -> Page[TagGroupOut]:
    groups = mirror.groups()
    places = {group.tag_group_id: place for place, group in enumerate(groups)}
    return lists.whole(
        groups,
        query,
        key=lambda group: group.tag_group_id,
        sorts={"order": lambda group: places[group.tag_group_id], "name": lambda group: group.name},
        sort=query.sort,
        texts=lambda group: (group.name, *(tag.name for tag in group.tags)),
    )


def get(tag_group_id: str) -> TagGroupOut:
    """NotFound."""
    group = mirror.find(tag_group_id)
    if group is None:
        raise NotFound(code="no_tag_group", tag_group_id=tag_group_id)
    return group


def create(wanted: NewTagGroup) -> TagGroupOut:
    """A new group with its tags. Invalid; Conflict for a name that a group has; Upstream."""
    wanted = rules.clean(wanted)
    if wrong := rules.problems(wanted):
        raise Invalid(*wrong)
    mirror.refresh()
    _check_name(wanted.name, None)
    _note("create", wanted.name, None, msgspec.to_builtins(wanted))
    made = wecom.default_client().add_corp_tag(
        wanted.name,
        [tag.name for tag in wanted.tags],
        order=wanted.order,
        orders=range(len(wanted.tags), 0, -1),
    )
    return _read(made["group_id"])


def change(tag_group_id: str, patch: Mapping[str, Any], if_match: IfMatch) -> TagGroupOut:
    """Apply a merge patch at WeCom. NotFound, Invalid, Stale, Upstream; Conflict for another group's name,
    and for a tag that is to be renamed or deleted while something uses it."""
    mirror.refresh()
    before = get(tag_group_id)
    if_match.check(before.version, lambda: before)
    was = {
        "name": before.name,
        "order": before.order,
        "tags": [{"tag_id": tag.tag_id, "name": tag.name} for tag in before.tags],
    }
    wanted: NewTagGroup = rules.clean(convert(merged(was, patch), NewTagGroup))
    if wrong := rules.problems(wanted, before):
        raise Invalid(*wrong)
    if wanted.name != before.name:
        _check_name(wanted.name, tag_group_id)
    _check_unused(rules.renamed(before, wanted))
    _note("change", tag_group_id, was, msgspec.to_builtins(wanted))
    _carry_out(before, wanted)
    return _read(tag_group_id)


def remove(tag_group_id: str, if_match: IfMatch) -> None:
    """Delete a group and its tags, off everybody. NotFound, Stale, Upstream; Conflict for a tag in use."""
    mirror.refresh()
    before = get(tag_group_id)
    if_match.check(before.version, lambda: before)
    _check_unused(sorted(rules.names([before]).values()))
    _note("delete", tag_group_id, msgspec.to_builtins(before), None)
    wecom.default_client().del_corp_tag(group_ids=[tag_group_id])
    tags.forget_ids()
    mirror.refresh()


def start_sync() -> str:
    """Have all groups read anew: the job's id."""
    tx, job_id = Transaction(), f"job_{ids.short(16)}"
    audit.add(tx, "tags.sync", job_id, None, {"job_id": job_id})
    tx.commit()
    jobs.start("tag_sync", 1, job_id=job_id)
    queues.send("push", {"kind": "tag_sync", "job_id": job_id, "what": "tag groups"}, group="tag_sync")
    return job_id


def _carry_out(before: TagGroup, wanted: NewTagGroup) -> None:
    client, plan = wecom.default_client(), rules.plan(before, wanted)
    if plan.made:  # before what is deleted: a group without a tag is gone
        orders = {tag.name: len(wanted.tags) - index for index, tag in enumerate(wanted.tags)}
        client.add_corp_tag(
            before.name,
            plan.made,
            group_id=before.tag_group_id,
            orders=[orders[name] if plan.ordered else 0 for name in plan.made],
        )
    if plan.deleted:
        client.del_corp_tag(tag_ids=plan.deleted)
    for each in dict.fromkeys([*plan.named, *plan.ordered]):
        client.edit_corp_tag(each, name=plan.named.get(each), order=plan.ordered.get(each))


def _read(tag_group_id: str) -> TagGroupOut:
    tags.forget_ids()
    mirror.refresh()
    return get(tag_group_id)


def _check_name(name: str, tag_group_id: str | None) -> None:
    for group in mirror.groups():
        if group.tag_group_id != tag_group_id and rules.fold(group.name) == rules.fold(name):
            raise Conflict(code="tag_group_exists", name=group.name)


def _check_unused(names: list[str]) -> None:
    used = uses.find(names) if names else {}
    for name, users in sorted(used.items()):
        raise Conflict(code="tag_in_use", name=name, users=", ".join(users[:5]))


def _note(verb: str, target: str, before: Any, after: Any) -> None:
    """Who wants what, and the reading that repairs the mirror when this process ends before its own."""
    tx = Transaction()
    audit.add(tx, f"tag_groups.{verb}", target, before, after)
    at = clock.now() + _REPAIR
    due.add(tx, "tag_sync", at, f"tag_groups#{ids.short(10)}", {"at": clock.iso(at)})
    tx.commit()
