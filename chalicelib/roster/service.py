"""Staff as operators see and limit them: those of the caller's scope."""

import time
from collections.abc import Sequence
from datetime import date

from chalicelib.platform import audit, clock, lists, storage
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.userids import fold
from chalicelib.platform.versions import ANY_VERSION, IfMatch
from chalicelib.roster.queries import StaffQuery
from chalicelib.staff import ramps, rules
from chalicelib.staff import service as staff
from chalicelib.staff.service import Member
from chalicelib.staff.types import Ramp, RampStep, StaffLimits, StaffOut, StaffSync, StoreName
from chalicelib.stores import service as stores
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import Treatment, WeComError

_SYNC_SECONDS = 15  # of the 29 that a request may take


def page(query: StaffQuery, principal: Principal) -> lists.Page[StaffOut]:
    """Staff of the scope, of those who were ever asked for at WeCom."""
    guides = stores.guides_in_scope(principal)
    if query.store_id is not None:
        store = stores.find(query.store_id)
        of_store = frozenset(store.staff_ids if store else ())
        guides = of_store if guides is None else guides & of_store
    steps = ramps.table()
    rows = [row for row in staff.members(guides) if query.status in (None, row.status)]
    found = lists.whole(
        rows,
        query,
        key=lambda row: row.staff_id,
        sorts={"name": lambda row: row.name},
        sort=query.sort,
        texts=lambda row: (row.name, row.staff_id),
    )
    of = stores.of_guides([row.staff_id for row in found.items])
    return found.map(lambda row: _shown(row, steps, of.get(row.staff_id, [])))


def get(staff_id: str, principal: Principal) -> StaffOut:
    """NotFound, also outside of the scope."""
    staff_id = fold(staff_id)
    _check_scope(staff_id, principal)
    return _get(staff_id)


def version_of(limits: Member | StaffOut) -> str:
    """Of what is set here; the rest is WeCom's."""
    cap = "" if limits.daily_cap is None else limits.daily_cap
    return f"{limits.started_at or ''}.{cap}"


def sync() -> StaffSync:
    """Ask WeCom for everybody who serves customers, as long as a request may take. Upstream."""
    until = time.monotonic() + _SYNC_SECONDS
    client = wecom.default_client()
    serving = sorted(set(client.get_follow_user_list()))
    tx = Transaction()
    audit.add(tx, "staff.sync", "staff", None, {"serving": len(serving)})
    tx.commit()
    known = staff.names(serving)
    waiting = [staff_id for staff_id in serving if staff_id not in known]
    for number, staff_id in enumerate(waiting):
        if time.monotonic() > until:
            return StaffSync(serving=len(serving), left=len(waiting) - number)
        try:
            staff.learn(staff_id)
        except WeComError as error:
            if error.treatment is not Treatment.DATA:
                raise
    return StaffSync(serving=len(serving), left=0)


@storage.retrying("others keep changing this account")
def limit(
    staff_id: str, limits: StaffLimits, principal: Principal, if_match: IfMatch = ANY_VERSION
) -> StaffOut:
    """Set an account's age and own cap. NotFound for one whom WeCom does not know; Invalid, Stale."""
    try:
        if limits.started_at is not None:
            date.fromisoformat(limits.started_at)
    except ValueError as error:
        raise Invalid(issue("started_at", "date")) from error
    staff_id = fold(staff_id)
    _check_scope(staff_id, principal)
    if staff.find_asked(staff_id) is None:
        try:
            staff.learn(staff_id)
        except WeComError as error:
            if error.treatment is not Treatment.DATA:
                raise
            raise _unknown(staff_id) from error
    before = _get(staff_id)
    if_match.check(version_of(before), lambda: before)
    ramps.set_limit(staff_id, limits.started_at, limits.daily_cap, seen=(before.started_at, before.daily_cap))
    return _get(staff_id)


def ramp() -> tuple[Ramp, int]:
    """The table by which accounts age, and its version."""
    steps, version = ramps.read_table()
    return Ramp(steps=list(steps)), version


def set_ramp(steps: Sequence[RampStep], if_match: IfMatch = ANY_VERSION) -> tuple[Ramp, int]:
    """Invalid, Stale."""
    if wrong := rules.out_of_order(steps):
        raise Invalid(
            *(issue(f"steps[{n}].until_day", "not_after", other=f"steps[{n - 1}].until_day") for n in wrong)
        )
    return Ramp(steps=list(steps)), ramps.set_table(steps, if_match)


def _check_scope(staff_id: str, principal: Principal) -> None:
    guides = stores.guides_in_scope(principal)
    if guides is not None and staff_id not in guides:
        raise _unknown(staff_id)


def _get(staff_id: str) -> StaffOut:
    row = staff.find_asked(staff_id)
    if row is None:
        raise _unknown(staff_id)
    return _shown(row, ramps.table(), stores.of_guides([staff_id]).get(staff_id, []))


def _unknown(staff_id: str) -> NotFound:
    return NotFound(code="unknown_staff", staff_id=staff_id)


def _shown(row: Member, steps: Sequence[RampStep], of: Sequence[tuple[str, str]]) -> StaffOut:
    started = date.fromisoformat(row.started_at) if row.started_at else None
    return StaffOut(
        staff_id=row.staff_id,
        name=row.name,
        status=row.status,
        problem=row.problem,
        started_at=row.started_at,
        daily_cap=row.daily_cap,
        cap_today=rules.cap(steps, started, row.daily_cap, rules.today(clock.now())),
        stores=[StoreName(*store) for store in of],
    )
