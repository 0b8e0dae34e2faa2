"""What others ask of groups: how full they are, a place in one, whose groups somebody is in, the blacklist.

What callbacks do: joins.py. What is done later: works.py.
"""

from collections.abc import Collection, Sequence
from typing import Any

from chalicelib.groups import mirror
from chalicelib.groups.blacklist import on_it as blacklisted
from chalicelib.groups.mirror import rooms, use
from chalicelib.groups.models import ChatItem, MemberItem
from chalicelib.groups.reading import learn
from chalicelib.groups.types import DISMISSED, GroupOut
from chalicelib.platform import ids
from chalicelib.platform.storage import Transaction

__all__ = [
    "blacklisted",
    "describe",
    "give_place",
    "groups_of",
    "is_in",
    "learn",
    "name",
    "rooms",
    "shown",
    "take_place",
    "use",
]


def take_place(tx: Transaction, chat_id: str, limit: int, live_code_id: str) -> None:
    """Add to `tx` a place in the group, as the item `place`: it fails when the group is at its limit.

    The group remembers the code: by whose code somebody came is looked up for groups that have one.
    """
    actions = [ChatItem.taken.add(1), ChatItem.reserved.add(1), ChatItem.codes.add({live_code_id})]
    room = (ChatItem.taken < limit) & (ChatItem.status != DISMISSED)
    tx.update("place", ChatItem(chat_id), actions, room)


def give_place(tx: Transaction, chat_id: str) -> None:
    """Add to `tx` that a reservation is none any more: it lapsed, or whoever held it counts by themselves."""
    actions = [ChatItem.taken.add(-1), ChatItem.reserved.add(-1)]
    tx.update(f"place {chat_id}", ChatItem(chat_id), actions, ChatItem.chat_id.exists())


def is_in(chat_id: str, member_id: str) -> bool:
    row = MemberItem.find(chat_id, member_id, consistent=False)
    return row is not None and row.left_at is None


def groups_of(external_userid: str) -> list[str]:
    """chat_ids of the groups that somebody is in; the index may lag by moments."""
    return sorted(row.chat_id for row in MemberItem.by_person.query(external_userid))


def name(chat_id: str) -> str:
    """What the group is called; its id while that is not known."""
    item = mirror.find(chat_id)
    return str((item and item.name) or chat_id)


def describe(chat_ids: Sequence[str]) -> list[GroupOut]:
    """These groups in this order; of one that was never seen, its id and nulls."""
    chats = mirror.several(chat_ids)
    return [shown(chats.get(chat_id) or ChatItem(chat_id)) for chat_id in chat_ids]


def summaries(chat_ids: Collection[str]) -> dict[str, str]:
    """By id, of those that were ever read: a digest of what WeCom says of the group and its members."""
    return {
        item.chat_id: ids.derived(item.name or "", item.owner or "", item.status, item.member_version)
        for item in mirror.several(chat_ids).values()
        if item.seen_at is not None
    }


def names(chat_ids: Collection[str]) -> dict[str, str]:
    """What those of them are called that there are, by id."""
    return {group.chat_id: group.name for group in describe(list(chat_ids)) if group.name}


def shown(item: ChatItem) -> GroupOut:
    """The group as the API has it."""
    return GroupOut(
        chat_id=item.chat_id,
        name=item.name,
        owner=item.owner,
        status=item.status,
        people=_number(item.people),
        staff=_number(item.staff),
        reserved=_number(item.reserved),
        live_code_ids=sorted(item.codes or ()),
        created_at=item.created_at,
        changed_at=item.changed_at,
        seen_at=item.seen_at,
    )


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
