"""What scans got and why: a code's list of assignments, one of them, and what a scan would get now.

Assignments stand with their member. Codes whose members can't be listed (a store's guides, groups) have
theirs in the index `listing` besides, in shards, which is read for a code that is, or was, not of kind staff.
"""

import heapq
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from chalicelib.assignments import records, rules
from chalicelib.assignments.models import LISTINGS
from chalicelib.assignments.occupancy import Occupancy, occupancy, split_ramp
from chalicelib.assignments.types import Assignment
from chalicelib.assignments.why import explain
from chalicelib.contactways import service as contactways
from chalicelib.groups import service as groups
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes import tickets
from chalicelib.livecodes.rules import day_of
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, timeline
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.staff import service as staff

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def page(live_code_id: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """What the code's scans got, newest first, and the next cursor; its members' of any time are in it.

    NotFound, Invalid.
    """
    if cursor is not None and not _ULID.fullmatch(cursor):
        raise Invalid(("cursor", "not a cursor that was given out"))
    code = livecodes.get(live_code_id)
    members = [records.of_member(live_code_id, who, limit + 1, cursor) for who in code.staff_ids_ever]
    if code.indexed:
        members += [records.of_listing(live_code_id, n, limit + 1, cursor) for n in range(LISTINGS)]
    merged = heapq.merge(*members, key=lambda held: held.assignment_id, reverse=True)
    rows = [_show(held) for held in islice(_without_doubles(merged), limit + 1)]
    return rows[:limit], rows[limit - 1]["assignment_id"] if len(rows) > limit else None


def get(assignment_id: str) -> dict[str, Any]:
    """An assignment with all there is of its reasons, and `text` and `text_en`. NotFound."""
    if not _ULID.fullmatch(assignment_id):
        raise NotFound("there is no such assignment")
    lines, _ = timeline.read(f"scan#{assignment_id}")
    scan: dict[str, Any] = next((line["data"] for line in lines if line["type"] == "scanned"), {})
    member_id = scan.get("staff_id") or scan.get("chat_id")
    held = records.find(scan["live_code_id"], member_id, assignment_id) if member_id else None
    if held is None:
        raise NotFound(f"there is no assignment {assignment_id}")
    name_of = _group_name if held.is_group else staff.name
    text, text_en = explain(held.why, held.member_id, name_of, held.status)
    history = [{"type": line["type"], "at": line["at"]} for line in reversed(lines)]
    return {
        **_show(held),
        "channel": scan.get("channel"),
        "history": history,
        "text": text,
        "text_en": text_en,
    }


def would_get(live_code_id: str, at: datetime | None = None) -> dict[str, Any]:
    """What a scan would get now, or at a time, by the places taken at present. Writes nothing. NotFound."""
    live_code, when = livecodes.get(live_code_id), at or clock.now()
    ticket = tickets.next_ticket(live_code_id)
    rule, day = live_code.rule, day_of(live_code.rule, when)
    occupied = occupancy(live_code_id, rule, day, when)
    decision = _decide(live_code, ticket, when, occupied)
    why = dict(decision.why)
    why |= split_ramp(occupied.ramp)
    kind = "closed" if decision.staff_id is None else "staff"
    if kind == "staff" or why.get("reason") == "nobody":
        # Whether there is room in a group, or a store near by, is seen at the scan itself.
        kind = {"group": "group", "nearest_store": "choose_store"}.get(live_code.kind, kind)
    text, text_en = explain(why, decision.staff_id, staff.name)
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


def _decide(live_code: LiveCode, ticket: int, when: datetime, occupied: Occupancy) -> rules.Decision:
    if not live_code.active:
        return rules.closed("archived", ticket)
    return rules.decide(live_code.rule, ticket, when, frozenset(occupied.full), loads=occupied.loads)


def _group_name(chat_id: str) -> str:
    return str(groups.shown([chat_id])[0]["name"] or chat_id)


def _without_doubles(merged: Iterator[Assignment]) -> Iterator[Assignment]:
    """A guide whom the code names and who is a store's too stands in both."""
    last = None
    for held in merged:
        if held.assignment_id != last:
            yield held
        last = held.assignment_id


def _show(held: Assignment) -> dict[str, Any]:
    slot = None if held.is_group else held.slot or 0
    state = None if slot is None else contactways.state_of(held.live_code_id, held.member_id, slot)
    return {
        "assignment_id": held.assignment_id,
        "live_code_id": held.live_code_id,
        "staff_id": None if held.is_group else held.member_id,
        "chat_id": held.member_id if held.is_group else None,
        "store_id": held.store_id,
        "status": held.status,
        "at": held.at,
        "expires_at": held.expires_at,
        "confirmed_at": held.confirmed_at,
        "external_userid": held.external_userid,
        "origin": held.origin,
        "slot": slot,
        "state": state,
        "why": held.why,
    }
