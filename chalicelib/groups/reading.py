"""WeCom's own word on a group. It may lag behind the event that it is asked for: then it is asked again.

A version says nothing of which is newer. So an answer counts when it is the version that an event
announced, when nothing has happened of late, or when it has been asked for so often that it can't be lag.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.groups import blacklist, mirror, rules
from chalicelib.groups.mirror import Change
from chalicelib.groups.models import ChatItem
from chalicelib.groups.types import DISMISSED
from chalicelib.platform import clock, due, queues, storage
from chalicelib.wecom import client as wecom

AGAIN = tuple(timedelta(seconds=s) for s in (3, 5, 15, 30, 60))  # after each answer that may be old
_LAG = timedelta(seconds=30)  # after an event, how long an answer may be older than it
NEW = timedelta(minutes=10)  # a group of this age: its members have joined just now
_TIME = timedelta(seconds=8)


class Reading(Struct, frozen=True):
    """An answer that was taken into the mirror. `old`: it was not, it may be older than what is known.

    pending: who has come in by a QR code, and by whose is to be found out.
    """

    item: ChatItem
    chat: rules.Chat
    old: bool
    pending: tuple[str, ...] = ()


def ask(
    chat_id: str,
    want: str | None = None,
    members: Sequence[str] = (),
    since: datetime | None = None,
    attempt: int = 0,
    named: bool = False,
) -> None:
    """Have the group read: at once, or (attempt 1 …) some seconds later.

    want: the version that WeCom has announced. members: whose way in is to be found out. since: when
    what led here happened.
    """
    work: dict[str, Any] = {
        "chat_id": chat_id,
        "want": want,
        "members": list(members),
        "since": clock.iso(since) if since else None,
        "attempt": attempt,
        "named": named,
    }
    if not attempt:
        queues.send("assign", {"kind": "group_read", **work})
    elif attempt <= len(AGAIN):
        at = clock.now() + AGAIN[attempt - 1]
        due.put("group_read", at, f"{chat_id}#{want or ''}#{attempt}", work)


def learn(chat_id: str) -> ChatItem:
    """The group's row, read from WeCom when it never was. WeComError, Upstream."""
    item = mirror.begin(chat_id)
    return item if item.seen_at is not None or item.status == DISMISSED else read(chat_id).item


@storage.retrying("others keep changing this group", attempts=5)  # each asks WeCom
def read(chat_id: str, want: str | None = None, since: datetime | None = None, last: bool = False) -> Reading:
    """Ask WeCom for the group and bring the mirror to it. WeComError, Upstream, Busy.

    last: it has been asked for often enough; the answer is taken for true.
    """
    item = mirror.begin(chat_id)  # before the question: what happens meanwhile makes the answer void
    chat = rules.chat(wecom.default_client().group_chat(chat_id, deadline=clock.now() + _TIME))
    if item.status == DISMISSED:
        return Reading(item, chat, old=False)
    if _may_be_old(item, chat, want) and not last:
        return Reading(item, chat, old=True)
    if item.seen_at is not None and chat.version == item.member_version:
        _update_facts(item, chat)
        return Reading(item, chat, old=False)
    rows = mirror.members(chat_id)
    change = _change(item, chat, rows, since)
    mirror.apply(item, change, rows | mirror.present(chat_id, _new(chat, rows)))
    pending = tuple(person.member_id for person, waits in change.joined if waits)
    return Reading(mirror.begin(chat_id), chat, old=False, pending=pending)


def _update_facts(item: ChatItem, chat: rules.Chat) -> None:
    """Its members are as known: a new name or owner, and that it was seen."""
    now = clock.now()
    known = (item.name, item.owner) == (chat.name, chat.owner)
    if known and item.seen_at and now - clock.parse(item.seen_at) < NEW:
        return
    facts = {"name": chat.name, "owner": chat.owner, "seen_at": clock.iso(now)}
    actions = [getattr(ChatItem, name).set(value) for name, value in facts.items()]
    storage.update_if(item, actions, ChatItem.member_version == item.member_version)


def _may_be_old(item: ChatItem, chat: rules.Chat, want: str | None) -> bool:
    if want is not None:
        return chat.version != want
    if item.changed_at is None or chat.version == item.member_version:
        return False
    return clock.now() - clock.parse(item.changed_at) < _LAG


def _new(chat: rules.Chat, rows: dict[str, Any]) -> list[str]:
    return [one for one in chat.people if one not in rows]


def _change(item: ChatItem, chat: rules.Chat, rows: dict[str, Any], since: datetime | None) -> Change:
    now = clock.now()
    if item.seen_at is None and since is None:
        since = chat.created_at if chat.created_at > now - NEW else now
    facts = {
        "name": chat.name,
        "owner": chat.owner,
        "created_at": clock.iso(chat.created_at),
        "seen_at": clock.iso(now),
    }
    new = [chat.people[one] for one in _new(chat, rows)]
    newly = [person.member_id for person in new if not person.staff and _news(person, since)]
    return Change(
        version=chat.version,
        at=now,
        # By whose code somebody came is found out for groups that codes lead to, and for one that WeCom
        # has just opened for a code, which is in no line yet.
        joined=[(p, bool(item.codes or p.state) and p.scene == "qr" and _news(p, since)) for p in new],
        left=[one for one in rows if one not in chat.people],
        since=since if item.seen_at is None else None,
        facts=facts,
        black=blacklist.on_it(newly) if item.codes else frozenset(),
    )


def _news(person: rules.Person, since: datetime | None) -> bool:
    return since is None or person.joined_at >= since - timedelta(minutes=1)
