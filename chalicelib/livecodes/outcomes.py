"""What becomes of a reservation: the add confirms it, or it lapses and gives its place back."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chalicelib.livecodes import places, reservations, rules, slots
from chalicelib.livecodes.codes import LiveCode
from chalicelib.livecodes.models import (
    CONFIRMED,
    LAPSED,
    RESERVED,
    TOTAL,
    AssignmentItem,
    PlaceItem,
    account_key,
    member_key,
)
from chalicelib.platform import clock, ids, timeline
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.staff import service as staff

When = tuple[datetime, datetime]  # from, to
_LATE = timedelta(hours=1)  # how long after its time a reservation can be confirmed
_SKEW = timedelta(minutes=1)  # WeCom's clock and ours
_SOME = 50  # that are looked at for the only one


def confirm(
    tx: Transaction,
    live_code: LiveCode,
    staff_id: str,
    external_userid: str,
    at: datetime,
    origin: dict[str, Any] | None = None,
    slot: int | None = None,
) -> str | None:
    """Add to `tx` what confirms the add's reservation; its assignment_id.

    at: when they added; what was reserved later is somebody else's, however late this is called.
    slot: that of the contact way by which they added: its holder is the very scan. Where it has none
    that is open (shared by many, late), and without a slot, it is the newest open one; else the only one
    that was shown that way and has lapsed, of the add's own time or of the hour before: its place is
    taken anew.
    None: there is none of these (added without a scan, or long after it). The add has happened and takes
    a place, cap or not. When the commit fails on one of its items, somebody else was faster: call this
    again with a new transaction. origin: takes up what the scan's link told.
    """
    known = live_code.rule.find(staff_id) if slot is None else None
    # By the code's own way it is WeCom that names the member, perhaps not as the code spells them.
    member = member_key(live_code.live_code_id, known.staff_id if known else staff_id)
    added = min(at, clock.now())
    when = added - live_code.rule.reserve_for - _LATE, added + _SKEW
    row = PlaceItem.find(member, TOTAL) if slot is not None else None
    held = _holder(member, row, slot, when) or next(_of_way(member, slot, RESERVED, when), None)
    is_open = held is not None
    if held is None:
        places.take(tx, "place", (member, rules.day(live_code.rule, at)), None)
        places.take(tx, "total", (member, TOTAL), None)
        for day, _ in staff.account_caps([staff_id], at).values():
            places.take(tx, "account", (account_key(staff_id), day), None)
        held = _lapsed(member, slot, when, clock.iso(at)) if slot is not None else None
        if held is None:
            return None
    confirmed = [
        AssignmentItem.status.set(CONFIRMED),
        AssignmentItem.external_userid.set(external_userid),
        AssignmentItem.confirmed_at.set(clock.iso(at)),
    ]
    tx.update("assignment", held, confirmed, AssignmentItem.status == held.status)
    if origin is not None:
        origin.update(held.origin or {})
    if not is_open:
        return str(held.assignment_id)  # its way is free by its time
    its = None if held.slot is None else int(held.slot)
    if its is not None:
        row = row or PlaceItem.find(member, TOTAL)
        if row is not None and slots.holder(row, its) == held.assignment_id:
            action, still = slots.free(row, its)
            tx.update("slot", PlaceItem(member, TOTAL), [action], still)
    return str(held.assignment_id)


def lapse(live_code_id: str, staff_id: str, assignment_id: str) -> bool:
    """Give back the place of a reservation that nobody used. False if it is confirmed, or lapsed before.

    Its contact way is free by its time.
    """
    member = member_key(live_code_id, staff_id)
    held = AssignmentItem.find(member, assignment_id)
    if held is None or held.status != RESERVED:
        return False
    tx = Transaction()
    tx.update(
        "assignment",
        held,
        [AssignmentItem.status.set(LAPSED)],
        AssignmentItem.status == RESERVED,
    )
    places.give_back(tx, "place", (member, held.day), int(held.seat or 0))
    places.give_back(tx, "total", (member, TOTAL), int(held.total_seat or 0))
    if held.account:
        places.give_back(tx, "account", (account_key(staff_id), held.account))
    line_data = {"live_code_id": live_code_id, "staff_id": staff_id}
    # Its time, not the clock's: the same lapse is the same line.
    at = clock.parse(held.expires_at)
    timeline.add(tx, Line(f"scan#{assignment_id}", "assignment_lapsed", at, assignment_id, line_data))
    try:
        tx.commit()
    except ConditionFailed:
        return False
    reservations.has_room(member, held.day)
    if held.account:
        reservations.has_room(account_key(staff_id), held.account)
    return True


def _holder(member: str, row: PlaceItem | None, slot: int | None, when: When) -> AssignmentItem | None:
    """The open reservation that holds the slot, if it was made in that time."""
    assignment_id = slots.holder(row, slot) if slot is not None else None
    if assignment_id is None or not ids.ulid_floor(when[0]) <= assignment_id < ids.ulid_floor(when[1]):
        return None
    held = AssignmentItem.find(member, assignment_id)
    return held if held is not None and held.status == RESERVED else None


def _lapsed(member: str, slot: int, when: When, at: str) -> AssignmentItem | None:
    """The one that was shown that way and has lapsed: the only one that was open then, or at all."""
    lapsed = list(islice(_of_way(member, slot, LAPSED, when), _SOME))
    its = [one for one in lapsed if one.at <= at < one.expires_at] or lapsed
    return its[0] if len(its) == 1 else None


def _of_way(member: str, slot: int | None, status: str, when: When) -> Iterator[AssignmentItem]:
    """The member's of that status and time, newest first; of a slot: of those who were shown that way."""
    wanted = AssignmentItem.status == status
    if slot is not None:
        shown = AssignmentItem.slot == slot
        wanted &= shown | AssignmentItem.slot.does_not_exist() if slot == 0 else shown
    rows = AssignmentItem.query(
        member,
        AssignmentItem.assignment_id.between(ids.ulid_floor(when[0]), ids.ulid_floor(when[1])),
        filter_condition=wanted,
        scan_index_forward=False,
        consistent_read=True,
    )
    return iter(rows)
