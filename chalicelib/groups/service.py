"""What others ask of groups: how full they are, a place in one, whose groups somebody is in, the blacklist.

What callbacks do: joins.py. What is done later: works.py.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from chalicelib.groups import mirror
from chalicelib.groups.blacklist import on_it as blacklisted
from chalicelib.groups.mirror import rooms, use
from chalicelib.groups.models import LISTED, ChatItem, MemberItem
from chalicelib.groups.reading import learn
from chalicelib.groups.types import DISMISSED
from chalicelib.platform import storage
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import Transaction

__all__ = [
    "blacklisted",
    "get",
    "give_place",
    "groups_of",
    "is_in",
    "learn",
    "members",
    "page",
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


def get(chat_id: str) -> dict[str, Any]:
    """The group as the mirror has it. NotFound."""
    item = mirror.find(chat_id)
    if item is None or item.seen_at is None:
        raise NotFound(f"there is no group {chat_id}")
    return _shown(item)


def page(limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Groups by chat_id, and the next cursor."""
    keys, following = storage.page(partial(ChatItem.by_chat.query, LISTED, limit=limit), cursor)
    found = mirror.several(row.chat_id for row in keys)
    return [_shown(found[row.chat_id]) for row in keys if row.chat_id in found], following


def members(chat_id: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Who is, and who was, in the group, by id, and the next cursor. NotFound."""
    get(chat_id)
    rows, following = storage.page(partial(MemberItem.query, chat_id, limit=limit), cursor)
    return [_member(row) for row in rows], following


def shown(chat_ids: Sequence[str]) -> list[dict[str, Any]]:
    """These groups in this order; of one that was never seen, its id and nulls."""
    found = mirror.several(chat_ids)
    return [_shown(found.get(one) or ChatItem(one)) for one in chat_ids]


def _shown(item: ChatItem) -> dict[str, Any]:
    figures = {name: _number(getattr(item, name)) for name in ("people", "staff", "reserved")}
    return {
        "chat_id": item.chat_id,
        "name": item.name,
        "owner": item.owner,
        "status": item.status,
        **figures,
        "live_code_ids": sorted(item.codes or ()),
        "created_at": item.created_at,
        "changed_at": item.changed_at,
        "seen_at": item.seen_at,
    }


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _member(row: MemberItem) -> dict[str, Any]:
    names = ("member_id", "joined_at", "scene", "state", "invitor", "left_at")
    return {"staff": bool(row.staff), **{name: getattr(row, name) for name in names}}
