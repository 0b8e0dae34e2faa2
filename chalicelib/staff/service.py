"""Staff: names, fetched from WeCom when they enter a live code and then at hand; limits of their accounts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from chalicelib.platform import clock, log, storage
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.platform.storage import Busy, ConditionFailed
from chalicelib.staff import ramps, rules
from chalicelib.staff.models import LISTED, DepartmentItem, StaffItem
from chalicelib.staff.rules import Step
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import Treatment, WeComError

_FRESH = timedelta(days=1)  # how long what WeCom told is not asked again
_KEEP = timedelta(minutes=10)  # how long a process keeps a name
_KEPT = 10_000
_TRIES = 8
_LEFT = 5  # WeCom's status
_NOT_FOUND = 60111  # WeCom has no such member any more
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


def status(staff_id: str) -> int | None:
    """WeCom's: 1 active, 2 disabled, 4 not activated, 5 left; None while WeCom has not been asked."""
    row = StaffItem.find(staff_id)
    return int(row.status) if row else None


def learn(staff_id: str) -> None:
    """Ask WeCom for the member, unless it was asked within a day; of one who is gone it is asked each time.

    Asked again when an event was heard meanwhile. WeComError, Upstream.
    """
    spelt = [staff_id]
    for _ in range(_TRIES):
        now = clock.now().replace(microsecond=0)  # as events tell it: one of this second is no older news
        rows = {one: StaffItem.find(one) for one in spelt}
        row = rows[staff_id]
        if row is not None and _is_fresh(row, now):
            return
        try:
            told = wecom.default_client().user_get(staff_id)
        except WeComError as error:
            heard_of = [(one, row) for one, row in rows.items() if row is not None]
            if error.errcode != _NOT_FOUND or all(_set(one, row, _LEFT, now) for one, row in heard_of):
                raise
            continue
        theirs = str(told.get("userid") or staff_id)
        if theirs not in spelt:  # events spell it as WeCom does
            spelt = [theirs, staff_id]
            continue
        facts = [StaffItem.name.set(str(told.get("name") or staff_id)), StaffItem.listing.set(LISTED)]
        facts += _move(theirs, rows[theirs], {str(one) for one in told.get("department") or ()})
        status = int(told.get("status", 1))
        if all(
            _set(
                one,
                rows[one],
                status,
                now,
                [*facts[: 1 + (one == staff_id)], *(facts[2:] if one == theirs else ())],
            )
            for one in spelt
        ):
            _names.pop(staff_id, None)
            return
    raise Busy("WeCom keeps telling of this member")


def _move(staff_id: str, row: StaffItem | None, now: set[str]) -> list[Any]:
    """Bring the departments' members up to date, before the member's own row says so: twice is once."""
    before = set(row.departments or ()) if row else set()
    for department in sorted(before ^ now):
        change = DepartmentItem.members.add if department in now else DepartmentItem.members.delete
        DepartmentItem(_department(department)).update(actions=[change({staff_id})])
    if before == now:
        return []
    return [StaffItem.departments.set(now) if now else StaffItem.departments.remove()]


def in_departments(department_ids: Iterable[str]) -> frozenset[str]:
    """Who is directly in one of these departments of WeCom's."""
    rows = DepartmentItem.batch_get([_department(one) for one in set(department_ids)], consistent_read=True)
    return frozenset(staff_id for row in rows for staff_id in row.members or ())


def _department(department_id: str) -> str:
    return f"#department#{department_id}"


def _is_fresh(row: StaffItem, now: datetime) -> bool:
    there = row.name is not None and row.status not in rules.GONE
    return there and now - clock.parse(row.seen_at) < _FRESH


def heard(staff_id: str, status: int | None, at: datetime) -> None:
    """An event said what a member is since `at` (None: WeCom has them no more). Conflict, Busy.

    Of one whom WeCom was never asked for it is kept only that they are gone: somebody may be asking just
    now. Older news than what is known change nothing.
    """
    status = _LEFT if status is None else status
    for _ in range(_TRIES):
        row = StaffItem.find(staff_id)
        if row is None and status not in rules.GONE:
            return
        if row is not None and row.seen_at > clock.iso(at):
            log.logger.info("older news of a member of staff", extra={"staff_id": staff_id})
            return
        if _set(staff_id, row, status, at, known=row is not None and row.name is not None):
            return
    raise Busy("WeCom keeps telling of this member")


def has_left(staff_id: str) -> bool:
    """Whether nobody is there who would answer: the member has left, or is disabled. Known to the minute."""
    return ramps.is_gone(staff_id, clock.now())


def get(staff_id: str) -> dict[str, Any]:
    """`{"staff_id","name","status","started_at","daily_cap","cap_today"}`. NotFound."""
    return _shown(_find(staff_id), ramps.table())


def page(limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Staff who were ever asked for at WeCom, by id, and the next cursor."""
    rows, following = storage.page(partial(StaffItem.by_id.query, LISTED, limit=limit), cursor)
    steps = ramps.table()
    return [_shown(row, steps) for row in rows], following


def limit(staff_id: str, started_at: str | None, daily_cap: int | None) -> dict[str, Any]:
    """Set an account's age and own cap. NotFound for one whom WeCom does not know; Invalid."""
    try:
        if started_at is not None:
            date.fromisoformat(started_at)
    except ValueError as error:
        raise Invalid(("started_at", "there is no such day")) from error
    if _asked(staff_id) is None:
        try:
            learn(staff_id)
        except WeComError as error:
            if error.treatment is not Treatment.DATA:
                raise
            raise NotFound(f"WeCom has no member {staff_id}") from error
    ramps.set_limit(staff_id, started_at, daily_cap)
    return get(staff_id)


def ramp() -> tuple[Step, ...]:
    """The table by which accounts age."""
    return ramps.table()


def set_ramp(steps: Sequence[Mapping[str, Any]]) -> None:
    """Invalid."""
    made = [Step(step["until_day"], step["daily_cap"]) for step in steps]
    if wrong := rules.problems(made):
        raise Invalid(*wrong)
    ramps.set_table(made)


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
    known: bool = True,
) -> bool:
    """False when others have changed the member since `row` was read.

    Who is not known is not marked as gone: of all who ever left the corp, that would be many.
    """
    learned = [*facts, StaffItem.status.set(status), StaffItem.seen_at.set(clock.iso(at))]
    same = StaffItem.staff_id.does_not_exist()
    if row is not None:
        same = (StaffItem.seen_at == row.seen_at) & (StaffItem.status == row.status)
    gone = status in rules.GONE
    if not (gone and known) and not ramps.is_marked(staff_id):
        return storage.update_if(StaffItem(staff_id), learned, same)
    try:
        ramps.set_gone(staff_id, gone, learned, same)
    except ConditionFailed:
        return False
    return True


def _asked(staff_id: str) -> StaffItem | None:
    """The member, if WeCom was ever asked for them."""
    row = StaffItem.find(staff_id)
    return None if row is None or row.name is None or staff_id.startswith("#") else row


def _find(staff_id: str) -> StaffItem:
    row = _asked(staff_id)
    if row is None:
        raise NotFound(f"there is no member of staff {staff_id}")
    return row


def _shown(row: StaffItem, steps: Sequence[Step]) -> dict[str, Any]:
    started = date.fromisoformat(row.started_at) if row.started_at else None
    own = None if row.daily_cap is None else int(row.daily_cap)
    return {
        "staff_id": row.staff_id,
        "name": row.name,
        "status": int(row.status),
        "started_at": row.started_at,
        "daily_cap": own,
        "cap_today": rules.cap(steps, started, own, rules.today(clock.now())),
    }
