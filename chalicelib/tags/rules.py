"""A tag is `group/name`; WeCom has groups of names."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.platform.plain_text import tag_name

MOST = 30  # characters of a group's and of a tag's name (WeCom)


def valid(name: str) -> bool:
    """Whether WeCom would take it."""
    group, _, tag = name.partition("/")
    return 0 < len(group) <= MOST and 0 < len(tag) <= MOST


def by_group(names: Iterable[str]) -> dict[str, list[str]]:
    """Group name → names in it: what add_corp_tag takes one call each for."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        group, _, tag = name.partition("/")
        groups[group].append(tag)
    return dict(groups)


def ids(groups: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """`group/name` → id of every tag in WeCom's groups that is not deleted."""
    return {
        tag_name(f"{group['group_name']}/{tag['name']}"): tag["id"]
        for group in groups
        for tag in group.get("tag") or []
        if not (tag.get("deleted") or group.get("deleted"))
    }
