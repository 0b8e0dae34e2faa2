"""Who is not wanted in the groups of live codes. WeCom has no call that removes them: owners are asked."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from chalicelib.groups import mirror, tasks
from chalicelib.groups.models import BlacklistItem, MemberItem
from chalicelib.platform import clock, due, storage
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import ConditionFailed, Transaction

_AGAIN = timedelta(minutes=1)


def on_it(external_userids: Iterable[str]) -> frozenset[str]:
    """Those of them who are on the blacklist."""
    wanted = list(dict.fromkeys(external_userids))
    found = BlacklistItem.batch_get(wanted, consistent_read=True) if wanted else ()
    return frozenset(row.external_userid for row in found)


def put(external_userid: str, reason: str) -> dict[str, Any]:
    """Put somebody on it; the owners of groups of live codes that they are in are asked to remove them."""
    now = clock.now()
    # Whoever is letting them in at this moment may have read the list before: looked for once more.
    due.put("group_black", now + _AGAIN, external_userid, {"external_userid": external_userid})
    BlacklistItem(external_userid, reason=reason, at=clock.iso(now)).save()
    look(external_userid)
    return get(external_userid)


def look(external_userid: str) -> None:
    """Have somebody who is on it removed from the groups of live codes that they are in. Twice is once."""
    if not on_it([external_userid]):
        return
    rows = list(MemberItem.by_person.query(external_userid))
    for chat in mirror.several(row.chat_id for row in rows).values():
        row = MemberItem.find(chat.chat_id, external_userid)
        if not chat.codes or row is None or row.left_at is not None or row.black:
            continue
        tx = Transaction()
        same = MemberItem.left_at.does_not_exist() & (MemberItem.version == row.version)
        tx.update("member", row, [MemberItem.black.set(True)], same & MemberItem.black.does_not_exist())
        tasks.remove_member(tx, chat, external_userid, row.version)
        try:
            tx.commit()
        except ConditionFailed:
            continue  # they have just left


def get(external_userid: str) -> dict[str, Any]:
    """`{"external_userid","reason","at"}`. NotFound when they are not on it."""
    item = BlacklistItem.find(external_userid)
    if item is None:
        raise NotFound("is not on the blacklist")
    return {"external_userid": item.external_userid, "reason": item.reason, "at": item.at}


def remove(external_userid: str) -> None:
    """NotFound when they are not on it."""
    if not storage.delete_if(BlacklistItem(external_userid), BlacklistItem.external_userid.exists()):
        raise NotFound("is not on the blacklist")
