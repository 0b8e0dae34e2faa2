"""The stored record of an assignment: reserved, then confirmed by an add, or lapsed."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Protocol

from chalicelib.assignments.models import LISTINGS, AssignmentItem, PlaceItem, member_key
from chalicelib.assignments.types import CONFIRMED, LAPSED, RESERVED, Assignment
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, due, ids, lists, timeline
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line


def find(live_code_id: str, member_id: str, assignment_id: str) -> Assignment | None:
    row = AssignmentItem.find(member_key(live_code_id, member_id), assignment_id)
    return None if row is None else _assignment(row)


def reserve(tx: Transaction, code: LiveCode, held: Assignment, why: str, listed: bool) -> None:
    """Add to `tx` the reservation (`assignment`), the scan's line, and its lapse.

    why: the line's. listed: in the index beside: the code's members can't be listed (a store's, groups).
    """
    shard = ids.shard(held.assignment_id, LISTINGS)
    row = AssignmentItem(
        member_key(held.live_code_id, held.member_id),
        held.assignment_id,
        status=RESERVED,
        at=held.at,
        expires_at=held.expires_at,
        day=held.day,
        why=dict(held.why),
        origin=dict(held.origin or {}) or None,
        store_id=held.store_id,
        month_shard=lists.month_shard(clock.parse(held.at), held.assignment_id),
        listing=f"{held.live_code_id}#{shard}" if listed else None,
        slot=held.slot,
        seat=held.shard or None,
        total_seat=held.total_shard or None,
        account=held.account,
    )
    tx.put("assignment", row, AssignmentItem.member.does_not_exist())
    who = {"chat_id" if held.is_group else "staff_id": held.member_id}
    ours = {"live_code_id": held.live_code_id, **who, "assignment_id": held.assignment_id}
    data = {"staff_id": None, **ours, "channel": code.channel, "why": why, **(held.origin or {})}
    data |= {"store_id": held.store_id} if held.store_id else {}
    line = Line(f"scan#{held.assignment_id}", "scanned", clock.parse(held.at), held.assignment_id, data)
    timeline.add(tx, line)
    kind = "group_lapse" if held.is_group else "lapse"
    due.add(tx, kind, clock.parse(held.expires_at), held.assignment_id, {"kind": kind, **ours})


def confirm(tx: Transaction, held: Assignment, external_userid: str, at: datetime) -> None:
    """Add to `tx`, as `assignment`, that this person's add has confirmed it; fails when it has changed."""
    actions = [
        AssignmentItem.status.set(CONFIRMED),
        AssignmentItem.external_userid.set(external_userid),
        AssignmentItem.confirmed_at.set(clock.iso(at)),
    ]
    tx.update("assignment", _key(held), actions, AssignmentItem.status == held.status)


def lapse(tx: Transaction, held: Assignment) -> None:
    """Add to `tx` that nobody used it in time; fails when somebody has meanwhile."""
    tx.update(
        "assignment",
        _key(held),
        [AssignmentItem.status.set(LAPSED)],
        AssignmentItem.status == RESERVED,
    )
    data = {
        "live_code_id": held.live_code_id,
        "chat_id" if held.is_group else "staff_id": held.member_id,
    }
    at = clock.parse(held.expires_at)  # its time, not the clock's: the same lapse is the same line
    line = Line(f"scan#{held.assignment_id}", "assignment_lapsed", at, held.assignment_id, data)
    timeline.add(tx, line)


def reserved_between(
    live_code_id: str, member_id: str, start: datetime, end: datetime, status: str, slot: int | None = None
) -> Iterator[Assignment]:
    """The member's of that status and time, newest first; of a slot: those that were shown that way."""
    wanted = AssignmentItem.status == status
    if slot is not None:
        shown = AssignmentItem.slot == slot
        wanted &= shown | AssignmentItem.slot.does_not_exist() if slot == 0 else shown
    rows = AssignmentItem.query(
        member_key(live_code_id, member_id),
        AssignmentItem.assignment_id.between(ids.ulid_floor(start), ids.ulid_floor(end)),
        filter_condition=wanted,
        scan_index_forward=False,
        consistent_read=True,
    )
    return (_assignment(row) for row in rows)


def of_member(member: str, limit: int, before: str | None) -> Iterator[Assignment]:
    """The newest of a member's key, those before an id."""
    rows = AssignmentItem.query(
        member,
        AssignmentItem.assignment_id < before if before else None,
        scan_index_forward=False,
        limit=limit,
        consistent_read=True,
    )
    return (_assignment(row) for row in rows)


def of_listing(listing: str, limit: int, before: str | None) -> Iterator[Assignment]:
    """The newest in one shard of a code's index, those before an id."""
    rows = AssignmentItem.by_code.query(
        listing,
        AssignmentItem.assignment_id < before if before else None,
        scan_index_forward=False,
        limit=limit,
    )
    return (_assignment(row) for row in rows)


def of_month(month_shard: str, limit: int, before: str | None) -> Iterator[tuple[str, str]]:
    """Keys (member, assignment_id) of the newest in one shard of a month, those before an id."""
    rows = AssignmentItem.newest.query(
        month_shard,
        AssignmentItem.assignment_id < before if before else None,
        scan_index_forward=False,
        limit=limit,
    )
    return ((row.member, row.assignment_id) for row in rows)


class Key(Protocol):
    @property
    def member(self) -> str: ...
    @property
    def assignment_id(self) -> str: ...


def find_many(keys: Iterable[Key]) -> list[Assignment]:
    """The assignments of these keys, in their order; 100 a request."""
    wanted = [(key.member, key.assignment_id) for key in keys]
    rows = {(row.member, row.assignment_id): row for row in AssignmentItem.batch_get(wanted)}
    return [_assignment(rows[key]) for key in wanted if key in rows]


def members_of_guide(staff_id: str) -> list[str]:
    """Member keys of a guide in all codes that ever gave them somebody."""
    return [row.member for row in PlaceItem.by_guide.query(staff_id)]


def _key(held: Assignment) -> AssignmentItem:
    return AssignmentItem(member_key(held.live_code_id, held.member_id), held.assignment_id)


def _assignment(row: Any) -> Assignment:
    live_code_id, _, member_id = row.member.partition("#")
    return Assignment(
        live_code_id=live_code_id,
        member_id=member_id,
        assignment_id=row.assignment_id,
        status=row.status,
        at=row.at,
        expires_at=row.expires_at,
        day=row.day,
        why=row.why,
        external_userid=row.external_userid,
        confirmed_at=row.confirmed_at,
        origin=row.origin,
        store_id=row.store_id,
        slot=None if row.slot is None else int(row.slot),
        shard=int(row.seat or 0),
        total_shard=int(row.total_seat or 0),
        account=row.account,
    )
