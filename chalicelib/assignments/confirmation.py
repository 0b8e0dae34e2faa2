"""An add confirms the reservation of the scan that led to it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from msgspec import Struct

from chalicelib.assignments import caps, pooled_ways, records
from chalicelib.assignments.models import TOTAL, PlaceItem, account_key, member_key
from chalicelib.assignments.types import LAPSED, RESERVED, Assignment
from chalicelib.livecodes.rules import day_of
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, ids
from chalicelib.platform.storage import Transaction
from chalicelib.staff import service as staff

_LATE = timedelta(hours=1)  # how long after its time a reservation can be confirmed
_SKEW = timedelta(minutes=1)  # WeCom's clock and ours
_LOOKED_AT = 50  # lapsed ones that are looked at for the only one


class Confirmed(Struct, frozen=True):
    """origin: what the scan's link told."""

    assignment_id: str
    origin: Mapping[str, Any]


def confirm(
    tx: Transaction,
    live_code: LiveCode,
    staff_id: str,
    external_userid: str,
    at: datetime,
    slot: int | None = None,
) -> Confirmed | None:
    """Add to `tx` what confirms the add's reservation.

    at: when they added; what was reserved later is somebody else's, however late this is called.
    slot: that of the contact way by which they added: its holder is the very scan. Where it has none
    that is open (shared by many, late), and without a slot, it is the newest open one; else the only one
    that was shown that way and has lapsed, of the add's own time or of the hour before: its place is
    taken anew.
    None: there is none of these (added without a scan, or long after it). The add has happened and takes
    a place, cap or not. When the commit fails on one of its items, somebody else was faster: call this
    again with a new transaction.
    """
    live_code_id, member_id = live_code.live_code_id, staff_id
    member = member_key(live_code_id, member_id)
    added = min(at, clock.now())
    start, end = added - live_code.rule.reserve_for - _LATE, added + _SKEW
    row = PlaceItem.find(member, TOTAL) if slot is not None else None
    held = _find_holder(live_code_id, member_id, row, slot, start, end)
    if held is None:
        held = next(records.reserved_between(live_code_id, member_id, start, end, RESERVED, slot), None)
    is_open = held is not None
    if held is None:
        caps.take(tx, "place", (member, day_of(live_code.rule, at)), None)
        caps.take(tx, "total", (member, TOTAL), None)
        for day, _ in staff.account_caps([staff_id], at).values():
            caps.take(tx, "account", (account_key(staff_id), day), None)
        if slot is not None:
            lapsed = records.reserved_between(live_code_id, member_id, start, end, LAPSED, slot)
            held = _only_lapsed(list(islice(lapsed, _LOOKED_AT)), clock.iso(at))
        if held is None:
            return None
    records.confirm(tx, held, external_userid, at)
    if is_open and held.slot is not None:  # the way of a lapsed one is free by its time
        row = row or PlaceItem.find(member, TOTAL)
        if row is not None and pooled_ways.holder(row, held.slot) == held.assignment_id:
            action, same_holder = pooled_ways.free_slot(row, held.slot)
            tx.update("slot", PlaceItem(member, TOTAL), [action], same_holder)
    return Confirmed(held.assignment_id, held.origin or {})


def _find_holder(
    live_code_id: str, member_id: str, row: PlaceItem | None, slot: int | None, start: datetime, end: datetime
) -> Assignment | None:
    """The open reservation that holds the slot, if it was made in that time."""
    assignment_id = pooled_ways.holder(row, slot) if slot is not None else None
    if assignment_id is None or not ids.ulid_floor(start) <= assignment_id < ids.ulid_floor(end):
        return None
    held = records.find(live_code_id, member_id, assignment_id)
    return held if held is not None and held.status == RESERVED else None


def _only_lapsed(lapsed: list[Assignment], at: str) -> Assignment | None:
    """The one that was shown that way and has lapsed: the only one that was open then, or at all."""
    open_then = [held for held in lapsed if held.at <= at < held.expires_at] or lapsed
    return open_then[0] if len(open_then) == 1 else None
