"""Who is not wanted in the groups of live codes. WeCom has no call that removes them: owners are asked."""

from collections.abc import Iterable
from typing import Any

from chalicelib.groups import mirror, tasks
from chalicelib.groups.models import BlacklistItem, MemberItem
from chalicelib.platform import clock, storage
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import ConditionFailed, Transaction


def on_it(external_userids: Iterable[str]) -> frozenset[str]:
    """Those of them who are on the blacklist."""
    wanted = list(dict.fromkeys(external_userids))
    found = BlacklistItem.batch_get(wanted, consistent_read=True) if wanted else ()
    return frozenset(row.external_userid for row in found)


def put(external_userid: str, reason: str) -> dict[str, Any]:
    """Put somebody on it; the owners of groups of live codes that they are in are asked to remove them."""
    BlacklistItem(external_userid, reason=reason, at=clock.iso(clock.now())).save()
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
    return get(external_userid)


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
