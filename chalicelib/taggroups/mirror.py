"""The mirror: all of WeCom's tag groups are read anew, and who has a tag of another name by now gets it.

Of two readings that end in the wrong order the later one stays (`read_at`). A tag's new name is looked up
when customers are brought up to date, so it does not matter which of several renames is heard of first.
"""

from datetime import timedelta

import msgspec

from chalicelib.platform import clock, due, jobs, storage
from chalicelib.platform.stored import read_stored
from chalicelib.taggroups import rules
from chalicelib.taggroups.models import LISTED, TagGroupItem
from chalicelib.taggroups.types import TagGroupOut
from chalicelib.wecom import client as wecom

# At once, and for those who got the tag meanwhile: the lake knows of them a minute later.
_ROUNDS = (timedelta(0), timedelta(minutes=5))


def sync(job_id: str | None = None) -> None:
    """Work: the mirror as WeCom has it."""
    refresh()
    if job_id:
        jobs.update(job_id, status="finished", done=1, total=1)


def refresh() -> None:
    """Read all groups. The customers of what has another name are ordered before it is written."""
    now = clock.now()
    read_at = clock.iso(now)
    after = {group["group_id"]: rules.read(group) for group in wecom.default_client().get_corp_tag_list()}
    items = {str(item.tag_group_id): item for item in TagGroupItem.query(LISTED, consistent_read=True)}
    names = rules.names(after.values())
    for tag_id, old in rules.names(show(item) for item in items.values() if not item.gone).items():
        if names.get(tag_id) != old:
            for wait in _ROUNDS:
                work = {"tag_id": tag_id, "old": old}
                due.put("tag_moved", now + wait, f"{tag_id}#{old}#{read_at}", work)
    for tag_group_id in {*items, *after}:
        item, group = items.get(tag_group_id), after.get(tag_group_id)
        definition = (
            msgspec.json.decode(msgspec.json.encode(group)) if group else item.definition if item else {}
        )
        changed = item is None or item.gone is not (group is None) or item.definition != definition
        version = (int(item.version) if item else 0) + changed
        row = TagGroupItem(LISTED, tag_group_id, definition=definition, read_at=read_at)
        row.gone, row.version = group is None, version
        storage.put_once(
            row,
            TagGroupItem.read_at.does_not_exist() | (TagGroupItem.read_at <= read_at),
            lambda stored: True,
        )


def groups() -> list[TagGroupOut]:
    """All of them, in WeCom's order."""
    found = [show(item) for item in TagGroupItem.query(LISTED, consistent_read=True) if not item.gone]
    return sorted(found, key=lambda group: (-group.order, group.name))


def find(tag_group_id: str) -> TagGroupOut | None:
    item = TagGroupItem.find(LISTED, tag_group_id)
    return None if item is None or item.gone else show(item)


def show(item: TagGroupItem) -> TagGroupOut:
    return read_stored({**item.definition, "version": int(item.version)}, TagGroupOut)
