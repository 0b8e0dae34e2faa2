"""Staff: names, fetched from WeCom when they enter a live code and then at hand; who has left."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct
from pynamodb.expressions.condition import Condition

from chalicelib.departments import service as departments
from chalicelib.platform import clock, ids, lists, log, settings, storage
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.userids import fold as fold
from chalicelib.staff import ramps, rules, spelling
from chalicelib.staff.models import LISTED, StaffItem
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import Treatment, WeComError
from chalicelib.wecom.events import Event

_FRESH = timedelta(days=1)  # how long WeCom is not asked again
_KEEP = timedelta(minutes=10)  # how long a process keeps a name
_KEPT = 10_000
_ASKED_AT_ONCE = 20
LEFT = 5  # WeCom's status
GONE = rules.GONE
_NOT_FOUND = (40003, 40031, 60111)  # WeCom has no such member, or not any more
_NEVER = "1970-01-01T00:00:00.000000+00:00"
_BUSY = "WeCom keeps telling of this member"
_names: dict[str, tuple[datetime, str]] = {}


def name(staff_id: str) -> str:
    """The member's name for operators: the id as WeCom spells it while no name is known."""
    return find_name(staff_id) or spelling.spell(staff_id)


def find_name(staff_id: str) -> str | None:
    """The member's name as customers see it; None while WeCom was not asked: an id is no name for them."""
    now = clock.now()
    kept = _names.get(staff_id)
    if kept is not None and now < kept[0]:
        return kept[1]
    row = StaffItem.find(staff_id, consistent=False)
    if row is None or row.name is None:
        return None
    if len(_names) >= _KEPT:
        _names.clear()
    _names[staff_id] = (now + _KEEP, str(row.name))
    return str(row.name)


def ask_names(staff_ids: Iterable[str]) -> dict[str, str]:
    """The names of those among them who have one: WeCom is asked for the others, at most 20, until it fails.

    For what is printed: who is not in the answer has no name that could be.
    """
    wanted = list(dict.fromkeys(staff_ids))
    found = names(wanted)
    for staff_id in [one for one in wanted if one not in found][:_ASKED_AT_ONCE]:
        try:
            learn(staff_id)
        except WeComError as error:
            if error.treatment is not Treatment.DATA:
                break
        except (Upstream, settings.Missing):
            break
        else:
            found |= names([staff_id])
    return found


def names(staff_ids: Iterable[str]) -> dict[str, str]:
    """The names of those among them for whom WeCom was ever asked."""
    rows = StaffItem.batch_get(list(set(staff_ids)), attributes_to_get=["staff_id", "name"])
    return {row.staff_id: row.name for row in rows if row.name is not None}


def status(staff_id: str) -> int | None:
    """WeCom's: 1 active, 2 disabled, 4 not activated, 5 left; None while WeCom has not been asked."""
    row = StaffItem.find(staff_id)
    return int(row.status) if row else None


class Member(Struct, frozen=True):
    """A member of staff for whom WeCom was asked. problem: why they get no customers (problems.py)."""

    staff_id: str
    name: str
    status: int
    problem: str | None
    started_at: str | None
    daily_cap: int | None


def find_asked(staff_id: str) -> Member | None:
    """The member, if WeCom was ever asked for them."""
    row: StaffItem | None = StaffItem.find(staff_id)
    return None if row is None or row.name is None or staff_id.startswith("#") else _member(row)


def members(staff_ids: Collection[str] | None) -> list[Member]:
    """Those among them, or all (None), for whom WeCom was ever asked, by id."""
    rows: Iterable[StaffItem] = ()
    if staff_ids is None:
        rows = lists.partition(partial(StaffItem.by_id.query, LISTED))
    elif staff_ids:
        rows = StaffItem.batch_get(list(staff_ids))
    return [_member(row) for row in rows if row.name is not None and row.renamed_to is None]


def _member(row: StaffItem) -> Member:
    return Member(
        staff_id=row.staff_id,
        name=row.name or row.staff_id,
        status=int(row.status),
        problem=rules.problem_of(row.problem, int(row.status), row.name is not None),
        started_at=row.started_at,
        daily_cap=None if row.daily_cap is None else int(row.daily_cap),
    )


@storage.retrying(_BUSY)
def learn(staff_id: str, deadline: datetime | None = None, since: datetime | None = None) -> None:
    """Ask WeCom for the member, unless it was asked within a day; of one who is gone it is asked each time.

    since: ask unless it was asked since then.

    Asked again when an event was heard meanwhile. WeComError, Upstream.
    """
    now = clock.now().replace(microsecond=0)  # as events tell it: one of this second is no older news
    row: StaffItem | None = StaffItem.find(staff_id)
    if row is not None and is_fresh(row, now, since):
        return
    try:
        answer = wecom.default_client().user_get(spelling.spell(staff_id), deadline=deadline)
    except WeComError as error:
        if error.errcode in _NOT_FOUND:
            unknown = [] if row is not None and row.name else [StaffItem.problem.set(rules.UNKNOWN)]
            _set(staff_id, row, LEFT, now, unknown, asked=True)
        raise
    spelling.note(str(answer.get("userid") or staff_id))
    facts = [StaffItem.name.set(str(answer.get("name") or staff_id)), StaffItem.listing.set(LISTED)]
    among = {str(number) for number in answer.get("department") or ()}
    _set(staff_id, row, int(answer.get("status", 1)), now, facts, among, asked=True)
    _names.pop(staff_id, None)


def rename(old: str, new: str, at: datetime | None = None) -> None:
    """The member has the new userid: their row and limits move, the old id gets nobody. Twice is once.

    at: of the event that says so. Whoever had the new id and left before has nothing to do with it.
    """
    before: StaffItem | None = StaffItem.find(old)
    there: StaffItem | None = StaffItem.find(new)
    if at is not None and before is not None and _is_former(there, at):
        there = None
    moving = before if before is not None and before.renamed_to is None else None
    gone = moving is not None and int(moving.status) in rules.GONE
    ramps.rename(old, new, gone=gone, keeps_limits=there is not None)
    if moving is not None:
        StaffItem(new).update(actions=_taken_over(moving, there))
    same = StaffItem.staff_id.does_not_exist()
    if before is not None:
        same = (StaffItem.seen_at == before.seen_at) & (StaffItem.status == before.status)
    tx = Transaction()
    if fold(old) == new:  # it was spelled so: no id of its own
        tx.delete("staff", StaffItem(old), same)
    else:
        actions = [StaffItem.status.set(LEFT), StaffItem.renamed_to.set(new), StaffItem.listing.remove()]
        if before is None:
            actions.append(StaffItem.seen_at.set(_NEVER))
        tx.update("staff", StaffItem(old), [*actions, StaffItem.departments.remove()], same)
    departments.move_member(tx, old, set(before.departments or ()) if before else set(), set())
    tx.commit()
    _names.pop(new, None)


def _taken_over(before: StaffItem, there: StaffItem | None) -> list[Any]:
    """Of who had the old id, what is not known of the new one. WeCom is asked for the rest anew."""
    kept: list[Any] = [StaffItem.seen_at.set(StaffItem.seen_at | _NEVER), StaffItem.renamed_to.remove()]
    if there is None or there.renamed_to is not None:  # of a rename that is undone, it is not their status
        kept.append(StaffItem.status.set(int(before.status)))
    for name in ("name", "started_at", "daily_cap", "listing"):
        attribute, value = getattr(StaffItem, name), getattr(before, name)
        if value is not None:
            kept.append(attribute.set(value if there is None else attribute | value))
    return kept


def _is_former(row: StaffItem | None, at: datetime) -> bool:
    """Whether that is somebody who had left by then, so that the userid may be another's."""
    return row is not None and row.name is not None and row.status == LEFT and row.seen_at <= clock.iso(at)


def is_renamed(old: str, new: str) -> bool:
    """Whether the old userid is the new one's now, or another spelling of it."""
    return fold(old) == new or ramps.renamed_now().get(old) == new


def current_id(staff_id: str) -> str:
    """The userid by which WeCom knows them now. Known to the minute."""
    renamed = ramps.renamed(clock.now())
    for _ in range(len(renamed)):
        staff_id = renamed.get(staff_id, staff_id)
    return staff_id


def note_problem(staff_id: str, problem: str | None) -> bool:
    """Keep why WeCom gives the member no customers, beside what their status says; None: nothing any more.

    False: that was known.
    """
    row: StaffItem | None = StaffItem.find(staff_id)
    before = row.problem if row is not None else None
    is_known = row is not None and (row.name is not None or before is not None)
    if before == problem or (problem == rules.NOT_CHECKED and is_known):
        return False
    actions: list[Any] = [StaffItem.problem.remove(), StaffItem.told.remove()]
    if problem is not None:
        actions = [StaffItem.problem.set(problem)]
    if row is None:  # asked for later, and then it is known
        actions += [StaffItem.status.set(1), StaffItem.seen_at.set(_NEVER)]
    same = StaffItem.problem == before if before else StaffItem.problem.does_not_exist()
    return storage.update_if(StaffItem(staff_id), actions, same)


def is_fresh(row: StaffItem, now: datetime, since: datetime | None = None) -> bool:
    """Whether WeCom need not be asked for the member again."""
    there = row.name is not None and row.status not in rules.GONE
    return there and clock.parse(row.seen_at) > (since or now - _FRESH)


def summaries(staff_ids: Iterable[str]) -> dict[str, str]:
    """By id, of those for whom WeCom was ever asked: a digest of what it said."""
    rows = StaffItem.batch_get(list(set(staff_ids)), consistent_read=True)
    return {
        row.staff_id: ids.derived(row.name, str(row.status), *sorted(row.departments or ()))
        for row in rows
        if row.name is not None
    }


def on_event(event: Event) -> None:
    """A member came, changed or left; an event names only what has changed. Busy."""
    status, among = event.values.get("Status", ""), event.values.get("Department")
    name = event.values.get("Name")
    if not event.staff_id:
        return
    is_reused = event.change == "create_user" and (
        ramps.release(event.staff_id) or _is_former(StaffItem.find(event.staff_id), event.at)
    )
    if is_reused:  # somebody new has it
        StaffItem(event.staff_id).update(actions=[StaffItem.renamed_to.remove(), StaffItem.name.remove()])
    if event.change == "delete_user":
        hear(event.staff_id, event.at, LEFT)
    elif status.isdecimal() or among is not None or name:
        known = None if among is None else {number for number in among.split(",") if number}
        hear(event.staff_id, event.at, int(status) if status.isdecimal() else None, known, name)
    if is_reused:
        ask_names([event.staff_id])


@storage.retrying(_BUSY)
def hear(
    staff_id: str,
    at: datetime,
    status: int | None = None,
    among: set[str] | None = None,
    name: str | None = None,
) -> None:
    """An event said what a member is, is called, and in which departments, since `at`. None: as before.

    Of one whom WeCom was never asked for it is kept only that they are gone: somebody may be asking just
    now. Older news than what is known change nothing.
    """
    row: StaffItem | None = StaffItem.find(staff_id)
    if row is None:
        if status in rules.GONE:
            _set(staff_id, None, int(status or LEFT), at)
        return
    if row.seen_at > clock.iso(at) or row.renamed_to is not None:
        log.logger.info("older news of a member of staff", extra={"staff_id": staff_id})
        return
    facts = [StaffItem.name.set(name)] if name and row.name is not None else []
    _set(staff_id, row, int(row.status) if status is None else status, at, facts, among)
    _names.pop(staff_id, None)


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
    if row is not None and row.problem and row.problem not in rules.LASTING and status not in rules.GONE:
        actions.append(StaffItem.problem.remove())
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
