"""Who is not wanted in the groups of live codes. WeCom has no call that removes them: owners are asked."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from msgspec import Struct

from chalicelib.groups import mirror, tasks
from chalicelib.groups.models import BLACKLISTED, BlacklistItem, MemberItem
from chalicelib.platform import audit, clock, due, lists, principal, storage
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import ConditionFailed, Transaction

_AGAIN = timedelta(minutes=1)


class Entry(Struct, frozen=True):
    """Somebody on it. by: who put them there, as in the audit; None: not known."""

    external_userid: str
    reason: str
    at: str
    by: str | None


def on_it(external_userids: Iterable[str]) -> frozenset[str]:
    """Those of them who are on the blacklist."""
    wanted = list(dict.fromkeys(external_userids))
    rows = BlacklistItem.batch_get(wanted, consistent_read=True) if wanted else ()
    return frozenset(row.external_userid for row in rows)


def put(external_userid: str, reason: str) -> None:
    """Put somebody on it; the owners of groups of live codes that they are in are asked to remove them."""
    now = clock.now()
    # Whoever is letting them in at this moment may have read the list before: looked for once more.
    due.put("group_black", now + _AGAIN, external_userid, {"external_userid": external_userid})
    by = principal.acting.get().id
    _write(
        external_userid,
        BlacklistItem(external_userid, reason=reason, at=clock.iso(now), by=by, listing=BLACKLISTED),
    )
    look(external_userid)


def remove(external_userid: str) -> None:
    """NotFound when they are not on it."""
    _write(external_userid, None)


@storage.retrying("others keep changing this entry")
def _write(external_userid: str, made: BlacklistItem | None) -> None:
    row: BlacklistItem | None = BlacklistItem.find(external_userid)
    if made is not None and row is not None and row.reason == made.reason:
        return
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


def get(external_userid: str) -> Entry:
    """NotFound when they are not on it."""
    row: BlacklistItem | None = BlacklistItem.find(external_userid)
    if row is None:
        raise NotFound(code="not_blacklisted")
    return _entry(row)


def entries() -> list[Entry]:
    """All that are on it."""
    return [_entry(row) for row in lists.partition(partial(BlacklistItem.by_listing.query, BLACKLISTED))]


def enter_in_list(row: BlacklistItem) -> None:
    """Put who was on it before there was a list into it; twice is once."""
    if row.listing is None:
        same = BlacklistItem.at == row.at
        storage.update_if(BlacklistItem(row.external_userid), [BlacklistItem.listing.set(BLACKLISTED)], same)


def _entry(row: BlacklistItem) -> Entry:
    return Entry(row.external_userid, row.reason, row.at, row.by)
