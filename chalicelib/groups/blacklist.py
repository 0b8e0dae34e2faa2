"""Who is not wanted in the groups of live codes. WeCom has no call that removes them: owners are asked."""

from collections.abc import Iterable
from datetime import timedelta

from chalicelib.groups import mirror, tasks
from chalicelib.groups.models import BlacklistItem, MemberItem
from chalicelib.groups.types import UnwantedOut
from chalicelib.platform import audit, clock, due, storage
from chalicelib.platform.errors import NotFound
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import ConditionFailed, Transaction

_AGAIN = timedelta(minutes=1)


def on_it(external_userids: Iterable[str]) -> frozenset[str]:
    """Those of them who are on the blacklist."""
    wanted = list(dict.fromkeys(external_userids))
    rows = BlacklistItem.batch_get(wanted, consistent_read=True) if wanted else ()
    return frozenset(row.external_userid for row in rows)


def put(external_userid: str, reason: str, principal: Principal) -> UnwantedOut:
    """Put somebody on it; the owners of groups of live codes that they are in are asked to remove them."""
    now = clock.now()
    # Whoever is letting them in at this moment may have read the list before: looked for once more.
    due.put("group_black", now + _AGAIN, external_userid, {"external_userid": external_userid})
    _write(external_userid, BlacklistItem(external_userid, reason=reason, at=clock.iso(now)))
    look(external_userid)
    return get(external_userid, principal)


def remove(external_userid: str) -> None:
    """NotFound when they are not on it."""
    _write(external_userid, None)


@storage.retrying("others keep changing this entry")
def _write(external_userid: str, made: BlacklistItem | None) -> None:
    row: BlacklistItem | None = BlacklistItem.find(external_userid)
    tx = Transaction()
    same = BlacklistItem.at == row.at if row else BlacklistItem.external_userid.does_not_exist()
    if made is not None:
        tx.put("row", made, same)
    elif row is None:
        raise NotFound(code="not_blacklisted")
    else:
        tx.delete("row", BlacklistItem(external_userid), same)
    action = "blacklist.put" if made else "blacklist.remove"
    before, after = (one and {"reason": one.reason, "at": one.at} for one in (row, made))
    audit.add(tx, action, external_userid, before, after, masked=frozenset({"reason"}))
    tx.commit()


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


def get(external_userid: str, principal: Principal) -> UnwantedOut:
    """NotFound when they are not on it."""
    row: BlacklistItem | None = BlacklistItem.find(external_userid)
    if row is None:
        raise NotFound(code="not_blacklisted")
    person, reason = (audit.MASK,) * 2 if principal.sees_masked else (row.external_userid, row.reason)
    return UnwantedOut(external_userid=person, reason=reason, at=row.at)
