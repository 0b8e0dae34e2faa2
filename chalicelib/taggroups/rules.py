"""What differs between a tag group and what is wanted of it; which names are one and the same."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from chalicelib.platform.errors import Issue, issue
from chalicelib.platform.plain_text import tag_name
from chalicelib.taggroups.types import NewTag, NewTagGroup, Plan, Tag, TagGroup


def fold(name: str) -> str:
    """The same for names that differ by spaces, width or case alone."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def clean(group: NewTagGroup) -> NewTagGroup:
    tags = tuple(NewTag(name=tag_name(tag.name), tag_id=tag.tag_id) for tag in group.tags)
    return replace(group, name=tag_name(group.name), tags=tags)


def problems(wanted: NewTagGroup, before: TagGroup | None = None) -> list[Issue]:
    """Names with a slash or nothing in them, ids that are none of the group's, two tags of one name.

    Twins that are there already may stay as they are.
    """
    known = {tag.tag_id: tag.name for tag in before.tags} if before else {}
    ids = {name: tag_id for tag_id, name in known.items()}
    found = [issue("name", "tag_text")] if not wanted.name or "/" in wanted.name else []
    seen: dict[str, NewTag] = {}
    used: set[str] = set()
    for index, tag in enumerate(wanted.tags):
        field, tag_id = f"tags[{index}]", tag.tag_id or ids.get(tag.name)
        if not tag.name or "/" in tag.name:
            found.append(issue(f"{field}.name", "tag_text"))
        if tag.tag_id is not None and tag.tag_id not in known:
            found.append(issue(f"{field}.tag_id", "no_tag_of_group"))
        twin = seen.setdefault(fold(tag.name), tag)
        stay = all(known.get(each.tag_id or ids.get(each.name, "")) == each.name for each in (twin, tag))
        if tag_id in used or (twin is not tag and not stay):
            found.append(issue(f"{field}.name", "same_tag", name=twin.name))
        used |= {tag_id} if tag_id else set()
    return found


def plan(before: TagGroup, wanted: NewTagGroup) -> Plan:
    """A tag without id is the one of that name, or a new one."""
    by_name = {tag.name: tag.tag_id for tag in before.tags}
    was = {tag.tag_id: tag for tag in before.tags}
    ids = [tag.tag_id or by_name.get(tag.name) for tag in wanted.tags]
    named = {
        tag_id: tag.name
        for tag_id, tag in zip(ids, wanted.tags, strict=True)
        if tag_id and was[tag_id].name != tag.name
    }
    if wanted.name != before.name:
        named[before.tag_group_id] = wanted.name
    kept = [tag_id for tag_id in ids if tag_id]
    made = tuple(tag.name for tag_id, tag in zip(ids, wanted.tags, strict=True) if not tag_id)
    ordered = {}
    if kept != [tag.tag_id for tag in before.tags if tag.tag_id in kept]:
        ordered = {
            tag_id: len(ids) - index
            for index, tag_id in enumerate(ids)
            if tag_id and was[tag_id].order != len(ids) - index
        }
    if wanted.order != before.order:
        ordered[before.tag_group_id] = wanted.order
    deleted = tuple(tag.tag_id for tag in before.tags if tag.tag_id not in kept)
    return Plan(named=named, ordered=ordered, made=made, deleted=deleted)


def read(group: Mapping[str, Any]) -> TagGroup:
    """A group of WeCom's answer, its tags in their order."""
    tags = [tag for tag in group.get("tag") or [] if not tag.get("deleted")]
    tags.sort(key=lambda tag: -int(tag.get("order") or 0))
    first: dict[str, str] = {}
    shown: list[Tag] = []
    for tag in tags:
        name = tag_name(tag["name"])
        twin = first.setdefault(fold(name), name)
        known = name in {each.name for each in shown} or twin != name
        order = int(tag.get("order") or 0)
        shown.append(Tag(tag_id=tag["id"], name=name, order=order, same_as=twin if known else None))
    return TagGroup(
        tag_group_id=group["group_id"],
        name=tag_name(group["group_name"]),
        order=int(group.get("order") or 0),
        tags=tuple(shown),
    )


def names(groups: Iterable[TagGroup]) -> dict[str, str]:
    """tag_id → `group/name`."""
    return {tag.tag_id: tag_name(f"{group.name}/{tag.name}") for group in groups for tag in group.tags}


def renamed(before: TagGroup, wanted: NewTagGroup) -> list[str]:
    """The `group/name` of those that will have another name, or none."""
    changes = plan(before, wanted)
    if before.tag_group_id in changes.named:
        return sorted(names([before]).values())
    return sorted(
        name for tag_id, name in names([before]).items() if tag_id in {*changes.named, *changes.deleted}
    )
