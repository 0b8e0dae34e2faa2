"""Why a scan got whom it got, and whom one would get now. Lists: history.py."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from chalicelib.assignments import nearest_store, records, rules
from chalicelib.assignments.history import sight_of
from chalicelib.assignments.naming import names_of
from chalicelib.assignments.occupancy import Occupancy, occupancy, split_ramp
from chalicelib.assignments.standings import standings
from chalicelib.assignments.types import Event, ExplainedAssignment, ScanKind, WouldGet
from chalicelib.assignments.why import explain
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes import tickets
from chalicelib.livecodes.rules import Rule, day_of
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, timeline
from chalicelib.platform.errors import NotFound
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.staff import problems
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores

_KINDS: dict[str, ScanKind] = {"group": "group", "nearest_store": "choose_store"}
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def get(assignment_id: str, principal: Principal = SYSTEM) -> ExplainedAssignment:
    """An assignment with all there is of its reasons, also in a sentence. NotFound."""
    lines, _ = timeline.read(f"scan#{assignment_id}") if _ULID.fullmatch(assignment_id) else ([], None)
    scan: dict[str, Any] = next((line["data"] for line in lines if line["type"] == "scanned"), {})
    member_id = scan.get("staff_id") or scan.get("chat_id")
    held = records.find(scan["live_code_id"], member_id, assignment_id) if member_id else None
    sight = sight_of(principal)
    if held is None or not sight.sees(held):
        raise NotFound(code="no_such_assignment")
    return ExplainedAssignment(
        **msgspec.structs.asdict(sight.show(held, names_of([held]))),
        channel=scan.get("channel"),
        history=[Event(type=line["type"], at=line["at"]) for line in reversed(lines)],
    )


def would_get(
    live_code_id: str,
    at: datetime | None = None,
    principal: Principal = SYSTEM,
    returning_to: str | None = None,
    at_store: str | None = None,
) -> WouldGet:
    """What a scan would get now, or at a time, by the places taken at present. Writes nothing. NotFound.

    returning_to: the guide who has the person who scans as a customer from this code. at_store: of a
    nearest_store code, where they are; Invalid for none of its stores.
    """
    live_code, when = livecodes.get(live_code_id, principal), at or clock.now()
    ticket = tickets.next_ticket(live_code_id)
    rule, store = live_code.rule, None
    if at_store is not None and live_code.kind == "nearest_store":
        store, rule = nearest_store.guides_near(live_code, at_store, when)
    day = day_of(rule, when)
    occupied = occupancy(live_code_id, rule, day, when)
    refused = _refused(rule)
    decision = _decide(live_code, rule, ticket, when, occupied, refused, returning_to)
    why = {**decision.why, **_with_unknown(split_ramp(occupied.ramp), refused)}
    if refused:
        why["refused"] = [
            one for one in refused if one not in {*why.get("left", ()), *why.get("unknown", ())}
        ]
        why["problems"] = refused
    kind: ScanKind = "closed" if decision.staff_id is None else "staff"
    if store is None and (kind == "staff" or why.get("reason") == "nobody"):
        # Whether there is room in a group, or a store near by, is seen at the scan itself.
        kind = _KINDS.get(live_code.kind, kind)
    found = stores.find(store) if store else None
    text, text_en = explain(why, decision.staff_id, staff.name)
    listed = list(rules.listing(rule, when, frozenset(occupied.full)).staff_ids) if live_code.native else None
    return WouldGet(
        live_code_id=live_code_id,
        at=clock.iso(when),
        kind=kind,
        staff_id=decision.staff_id,
        listed_staff_ids=listed,
        why=why,
        loads=occupied.loads,
        guides=standings(rule, when, occupied, refused, decision.staff_id),
        store_id=store,
        store_name=found.name if found else None,
        text=text,
        text_en=text_en,
    )


def _decide(
    live_code: LiveCode,
    rule: Rule,
    ticket: int,
    when: datetime,
    occupied: Occupancy,
    refused: Mapping[str, str],
    returning_to: str | None,
) -> rules.Decision:
    if not live_code.active:
        return rules.closed("archived", ticket)
    if returning_to is not None and rule.sticky and not live_code.native:
        kept = rules.keep(rule, ticket, when, returning_to)
        if kept is not None and not staff.has_left(str(kept.staff_id)):
            return kept
    full = frozenset(occupied.full).union(refused)
    return rules.decide(rule, ticket, when, full, loads=occupied.loads)


def _refused(rule: Rule) -> dict[str, str]:
    """Whom WeCom gives no customers, and why: a scan that comes to them goes on to the next."""
    found = problems.known(rule.staff_ids)
    return {one: problem for one, problem in found.items() if problem != problems.NOT_CHECKED}


def _with_unknown(lists: dict[str, list[str]], refused: Mapping[str, str]) -> dict[str, list[str]]:
    """Who is gone because WeCom never had them, apart from who has left."""
    unknown = [one for one in lists.get("left", ()) if refused.get(one) == problems.UNKNOWN]
    left = [one for one in lists.get("left", ()) if one not in unknown]
    made = {**lists, "left": left, "unknown": unknown}
    return {name: staff_ids for name, staff_ids in made.items() if staff_ids}
