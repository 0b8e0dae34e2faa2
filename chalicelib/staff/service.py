"""Staff: names, fetched from WeCom when they enter a live code and then at hand; who has left."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.departments import service as departments
from chalicelib.platform import clock, log, storage
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.staff import ramps, rules
from chalicelib.staff.models import LISTED, StaffItem
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError
from chalicelib.wecom.events import Event

_FRESH = timedelta(days=1)  # how long WeCom is not asked again
_KEEP = timedelta(minutes=10)  # how long a process keeps a name
_KEPT = 10_000
LEFT = 5  # WeCom's status
GONE = rules.GONE
_NOT_FOUND = 60111  # WeCom has no such member any more
_BUSY = "WeCom keeps telling of this member"
_names: dict[str, tuple[datetime, str]] = {}


def name(staff_id: str) -> str:
    """The member's name as customers see it; the id while WeCom has not been asked."""
    now = clock.now()
    kept = _names.get(staff_id)
    if kept is not None and now < kept[0]:
        return kept[1]
    row = StaffItem.find(staff_id, consistent=False)
    if row is None or row.name is None:
        return staff_id
    if len(_names) >= _KEPT:
        _names.clear()
    _names[staff_id] = (now + _KEEP, str(row.name))
    return str(row.name)


def names(staff_ids: Iterable[str]) -> dict[str, str]:
    """The names of those among them for whom WeCom was ever asked."""
    rows = StaffItem.batch_get(list(set(staff_ids)), attributes_to_get=["staff_id", "name"])
    return {row.staff_id: row.name for row in rows if row.name is not None}


def status(staff_id: str) -> int | None:
    """WeCom's: 1 active, 2 disabled, 4 not activated, 5 left; None while WeCom has not been asked."""
    row = StaffItem.find(staff_id)
    return int(row.status) if row else None


def find_asked(staff_id: str) -> StaffItem | None:
    """The member, if WeCom was ever asked for them."""
    row: StaffItem | None = StaffItem.find(staff_id)
    return None if row is None or row.name is None or staff_id.startswith("#") else row


def learn(staff_id: str) -> None:
    """Ask WeCom for the member, unless it was asked within a day; of one who is gone it is asked each time.

    Asked again when an event was heard meanwhile. WeComError, Upstream.
    """
    _learn(staff_id, (staff_id,))


@storage.retrying(_BUSY)
def _learn(staff_id: str, spellings: Sequence[str]) -> None:
    """spellings: of the userid, WeCom's (as its events have it) and the one asked for; each has a row."""
    now = clock.now().replace(microsecond=0)  # as events tell it: one of this second is no older news
    rows: dict[str, StaffItem | None] = {one: StaffItem.find(one) for one in spellings}
    asked_for = rows[staff_id]
    if asked_for is not None and _is_fresh(asked_for, now):
        return
    try:
        answer = wecom.default_client().user_get(staff_id)
    except WeComError as error:
        if error.errcode == _NOT_FOUND:
            for one, row in rows.items():
                if row is not None:
                    _set(one, row, LEFT, now, asked=True)
        raise
    theirs = str(answer.get("userid") or staff_id)
    if theirs not in spellings:
        _learn(staff_id, (theirs, staff_id))
        return
    status = int(answer.get("status", 1))
    for one in spellings:
        facts = [StaffItem.name.set(str(answer.get("name") or staff_id))]
        if one == staff_id:
            facts.append(StaffItem.listing.set(LISTED))
        among = {str(number) for number in answer.get("department") or ()} if one == theirs else None
        _set(one, rows[one], status, now, facts, among, asked=True)
    _names.pop(staff_id, None)


def _is_fresh(row: StaffItem, now: datetime) -> bool:
    there = row.name is not None and row.status not in rules.GONE
    return there and now - clock.parse(row.seen_at) < _FRESH


def on_event(event: Event) -> None:
    """A member came, changed or left; an event names only what has changed. Busy."""
    status, among = event.values.get("Status", ""), event.values.get("Department")
    if not event.staff_id:
        return
    if event.change == "delete_user":
        hear(event.staff_id, event.at, LEFT)
    elif status.isdecimal() or among is not None:
        known = None if among is None else {number for number in among.split(",") if number}
        hear(event.staff_id, event.at, int(status) if status.isdecimal() else None, known)


@storage.retrying(_BUSY)
def hear(staff_id: str, at: datetime, status: int | None = None, among: set[str] | None = None) -> None:
    """An event said what a member is, and in which departments, since `at`. None: as before.

    Of one whom WeCom was never asked for it is kept only that they are gone: somebody may be asking just
    now. Older news than what is known change nothing.
    """
    row: StaffItem | None = StaffItem.find(staff_id)
    if row is None:
        if status in rules.GONE:
            _set(staff_id, None, int(status or LEFT), at)
        return
    if row.seen_at > clock.iso(at):
        log.logger.info("older news of a member of staff", extra={"staff_id": staff_id})
        return
    _set(staff_id, row, int(row.status) if status is None else status, at, among=among)


def has_left(staff_id: str) -> bool:
    """Whether nobody is there who would answer: the member has left, or is disabled. Known to the minute."""
    return ramps.is_gone(staff_id, clock.now())


def account_caps(staff_ids: Iterable[str], now: datetime) -> dict[str, tuple[str, int]]:
    """(day in Shanghai, cap) of those among them whose accounts have a cap today, over all codes.

    Known to the minute: one request a minute and process, whoever and however many they are.
    """
    return ramps.caps(staff_ids, now)


def _set(
    staff_id: str,
    row: StaffItem | None,
    status: int,
    at: datetime,
    facts: Sequence[Any] = (),
    among: set[str] | None = None,
    asked: bool = False,
) -> None:
    """ConditionFailed when others have changed the member since `row` was read.

    among: their departments now; None: as before. asked: WeCom was, just now.

    Whom WeCom was never asked for is neither marked as gone nor in a department: of all who ever left the
    corp, that would be many.
    """
    actions = [*facts, StaffItem.status.set(status), StaffItem.seen_at.set(clock.iso(at))]
    same = StaffItem.staff_id.does_not_exist()
    if row is not None:
        same = (StaffItem.seen_at == row.seen_at) & (StaffItem.status == row.status)
    known = asked or (row is not None and row.name is not None)
    before = set(row.departments or ()) if row is not None else set()
    after = before if among is None or not known else among
    if after != before:
        actions.append(StaffItem.departments.set(after) if after else StaffItem.departments.remove())
    gone = status in rules.GONE
    if (gone and known) or ramps.is_marked(staff_id):
        is_written = ramps.set_gone(
            staff_id, gone, actions, same, lambda tx: departments.move_member(tx, staff_id, before, after)
        )
    else:
        is_written = _write(staff_id, actions, same, before, after)
    if not is_written:
        raise ConditionFailed({"staff"})


def _write(staff_id: str, actions: list[Any], same: Condition, before: set[str], after: set[str]) -> bool:
    if before == after:
        return storage.update_if(StaffItem(staff_id), actions, same)
    tx = Transaction()
    tx.update("staff", StaffItem(staff_id), actions, same)
    departments.move_member(tx, staff_id, before, after)
    try:
        tx.commit()
    except ConditionFailed:
        return False
    return True
