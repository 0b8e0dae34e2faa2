"""What scans got and why: a code's list of assignments, one of them, and what a scan would get now.

Assignments stand with their member. Codes whose members can't be listed (a store's guides, groups) have
theirs in the index `listing` besides, in shards, which is read for a code that is, or was, not of kind staff.
"""

import heapq
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from chalicelib.groups import service as groups
from chalicelib.livecodes import group_scans, nearest, reservations, rules, telling, ways
from chalicelib.livecodes.codes import LiveCode, get
from chalicelib.livecodes.models import LISTINGS, TICKET, AssignmentItem, LiveCodeItem, member_key
from chalicelib.platform import clock, timeline
from chalicelib.platform.errors import NotFound
from chalicelib.staff import service as staff


def newest(live_code: LiveCode, limit: int, before: str | None) -> list[dict[str, Any]]:
    """The newest assignments of the code, those before an id; its members' of any time are in it."""
    members = [_of_member(live_code.live_code_id, one, limit, before) for one in live_code.staff_ids_ever]
    if live_code.indexed:
        members += [_of_shard(live_code.live_code_id, n, limit, before) for n in range(LISTINGS)]
    merged = heapq.merge(*members, key=lambda row: row["assignment_id"], reverse=True)
    return list(islice(_each_once(merged), limit))


def one(assignment_id: str) -> dict[str, Any]:
    """An assignment with all there is of its reasons, and `text` and `text_en`. NotFound."""
    lines, _ = timeline.read(f"scan#{assignment_id}")
    told: dict[str, Any] = next((line["data"] for line in lines if line["type"] == "scanned"), {})
    member_id = told.get("staff_id") or told.get("chat_id")
    row = (
        AssignmentItem.find(member_key(told["live_code_id"], member_id), assignment_id) if member_id else None
    )
    if row is None:
        raise NotFound(f"there is no assignment {assignment_id}")
    shown = _shown(told["live_code_id"], row)
    text, text_en = telling.because(row.why, member_id, _name_of(told), row.status)
    history = [{"type": line["type"], "at": line["at"]} for line in reversed(lines)]
    return {**shown, "channel": told.get("channel"), "history": history, "text": text, "text_en": text_en}


def _name_of(told: dict[str, Any]) -> telling.Names:
    """Names for an explanation: a group's where the scan got one."""
    if not told.get("chat_id"):
        return staff.name
    return lambda chat_id: str(groups.shown([chat_id])[0]["name"] or chat_id)


def would_get(live_code_id: str, at: datetime | None) -> dict[str, Any]:
    """What a scan would get now, or at a time, by the places taken at present. Writes nothing. NotFound."""
    live_code, when = get(live_code_id), at or clock.now()
    row = LiveCodeItem.find(live_code_id, TICKET)
    ticket = int(row.ticket or 0) + 1 if row else 1
    rule, day = live_code.rule, rules.day(live_code.rule, when)
    occupied = reservations.occupancy(live_code_id, rule, day, when)
    decision = _decided(live_code, ticket, when, occupied)
    why = dict(decision.why)
    why |= reservations.apart(occupied.ramp)
    kind = "closed" if decision.staff_id is None else "staff"
    if kind == "staff" or why.get("reason") == "nobody":
        # Whether there is room in a group, or a store near by, is seen at the scan itself.
        if group_scans.is_one(live_code):
            kind = "group"
        elif nearest.is_one(live_code):
            kind = "choose_store"
    text, text_en = telling.because(why, decision.staff_id, staff.name)
    listed = list(rules.listing(rule, when, frozenset(occupied.full)).staff_ids) if live_code.native else None
    return {
        "live_code_id": live_code_id,
        "at": clock.iso(when),
        "kind": kind,
        "staff_id": decision.staff_id,
        "listed_staff_ids": listed,
        "why": why,
        "loads": occupied.loads,
        "text": text,
        "text_en": text_en,
    }


def _decided(
    live_code: LiveCode, ticket: int, when: datetime, occupied: reservations.Occupancy
) -> rules.Decision:
    if not live_code.active:
        return rules.closed("archived", ticket)
    return rules.decide(live_code.rule, ticket, when, frozenset(occupied.full), loads=occupied.loads)


def _of_member(live_code_id: str, member_id: str, limit: int, before: str | None) -> Iterator[dict[str, Any]]:
    rows = AssignmentItem.query(
        member_key(live_code_id, member_id),
        AssignmentItem.assignment_id < before if before else None,
        scan_index_forward=False,
        limit=limit,
        consistent_read=True,
    )
    return (_shown(live_code_id, row) for row in rows)


def _of_shard(live_code_id: str, shard: int, limit: int, before: str | None) -> Iterator[dict[str, Any]]:
    rows = AssignmentItem.by_code.query(
        f"{live_code_id}#{shard}",
        AssignmentItem.assignment_id < before if before else None,
        scan_index_forward=False,
        limit=limit,
    )
    return (_shown(live_code_id, row) for row in rows)


def _each_once(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A guide whom the code names and who is a store's too stands in both."""
    last = None
    for row in rows:
        if row["assignment_id"] != last:
            yield row
        last = row["assignment_id"]


def _shown(live_code_id: str, row: AssignmentItem) -> dict[str, Any]:
    member_id = row.member.removeprefix(f"{live_code_id}#")
    in_group = group_scans.is_place(row)
    slot = None if in_group else int(row.slot or 0)
    return {
        "assignment_id": row.assignment_id,
        "live_code_id": live_code_id,
        "staff_id": None if in_group else member_id,
        "chat_id": member_id if in_group else None,
        "store_id": row.store_id,
        "status": row.status,
        "at": row.at,
        "expires_at": row.expires_at,
        "confirmed_at": row.confirmed_at,
        "external_userid": row.external_userid,
        "origin": row.origin,
        "slot": slot,
        "state": None if slot is None else ways.state_of(live_code_id, member_id, slot),
        "why": row.why,
    }
