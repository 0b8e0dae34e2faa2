"""A scan reserves, the add confirms, lapse gives back.

Warm, a scan is two requests to DynamoDB: the ticket (which also tells the code's version), and one
transaction that takes the member's place under its cap and writes the reservation, its line and its
lapse. `least_loaded` reads the members' places besides: three. Whoever finds a member full asks the
rule again without them; what a process remembers of full members only saves the asking.
A ticket whose answer is lost on the way is taken again, and one turn of the round goes unused.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.livecodes import rules
from chalicelib.livecodes.codes import LiveCode, current
from chalicelib.livecodes.models import (
    CONFIRMED,
    LAPSED,
    LISTINGS,
    RESERVED,
    TOTAL,
    AssignmentItem,
    PlaceItem,
    member_key,
)
from chalicelib.livecodes.ways import Way, way
from chalicelib.platform import clock, due, ids, log, timeline
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.wecom.errors import WeComError

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_HINT = timedelta(seconds=5)  # how long a process remembers that a member is full
_LATE = timedelta(hours=1)  # how long after its time a reservation that has not lapsed yet can be confirmed
_CAP = {"place", "total"}
_hints: dict[tuple[str, str], datetime] = {}  # (member key, day): until when it is taken for full


@dataclass(frozen=True)
class Scan:
    """What a scan gets. `cookie`: what brings this person back to the same guide (or group)."""

    kind: Literal["staff", "group", "choose_store", "closed"]
    assignment_id: str | None = None
    staff_id: str | None = None
    chat_id: str | None = None
    store_id: str | None = None
    qr_url: str | None = None
    expires_at: datetime | None = None

    @property
    def cookie(self) -> str | None:
        return f"{self.assignment_id}.{self.staff_id or self.chat_id}" if self.assignment_id else None


CLOSED = Scan("closed")


def lapse(live_code_id: str, staff_id: str, assignment_id: str) -> bool:
    """Give back the place of a reservation that nobody used. False if it is confirmed, or lapsed before."""
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
    _count(tx, member, held.day, -1)
    line_data = {"live_code_id": live_code_id, "staff_id": staff_id}
    # Its time, not the clock's: the same lapse is the same line.
    at = clock.parse(held.expires_at)
    timeline.add(tx, Line(f"scan#{assignment_id}", "assignment_lapsed", at, assignment_id, line_data))
    try:
        tx.commit()
    except ConditionFailed:
        return False
    _hints.pop((member, held.day), None)
    return True


def confirm(
    tx: Transaction,
    live_code: LiveCode,
    staff_id: str,
    external_userid: str,
    at: datetime,
    origin: dict[str, Any] | None = None,
) -> str | None:
    """Add to `tx` what confirms the member's newest open reservation; its assignment_id.

    None: no reservation is open (added without a scan, or long after it). The add has happened and takes
    a place, cap or not. When the commit fails on the item `assignment`, somebody else was faster: call
    this again with a new transaction. origin: takes up what the scan's link told beside the code.
    """
    member = member_key(live_code.live_code_id, staff_id)
    held = _newest_open(member, clock.now() - live_code.rule.reserve_for - _LATE)
    if held is None:
        _count(tx, member, rules.day(live_code.rule, at), 1)
        return None
    confirmed = [
        AssignmentItem.status.set(CONFIRMED),
        AssignmentItem.external_userid.set(external_userid),
        AssignmentItem.confirmed_at.set(clock.iso(at)),
    ]
    tx.update("assignment", held, confirmed, AssignmentItem.status == RESERVED)
    if origin is not None:
        origin.update(held.origin or {})
    return str(held.assignment_id)


def again(live_code_id: str, cookie: str, now: datetime) -> tuple[Scan | None, str | None]:
    """(the same answer as last time, or None; whom to prefer at a new one). Writes nothing."""
    assignment_id, _, staff_id = cookie.partition(".")
    if not _ULID.fullmatch(assignment_id) or not staff_id:
        return None, None
    held = AssignmentItem.find(member_key(live_code_id, staff_id), assignment_id)
    if held is None:
        return None, None
    live_code = current(live_code_id)
    rule = live_code.rule
    if not live_code.active or not rules.is_open(rule, now):
        return None, None
    if rule.find(staff_id) is None and held.store_id is None:  # a store's guides are not in the rule
        return None, None
    expires_at = clock.parse(held.expires_at)
    still_open = held.status == RESERVED and now < expires_at
    if still_open or (rule.sticky and held.status == CONFIRMED):
        qr_url = way(live_code, staff_id).qr_url
        until = expires_at if still_open else None
        same = Scan(
            "staff", assignment_id, staff_id, store_id=held.store_id, qr_url=qr_url, expires_at=until
        )
        return same, None
    return None, staff_id if rule.sticky else None


def reserve(
    live_code: LiveCode,
    ticket: int,
    now: datetime,
    preferred: str | None,
    origin: Mapping[str, Any],
    rule: rules.Rule | None = None,
    store_id: str | None = None,
    why_extra: Mapping[str, Any] | None = None,
) -> Scan:
    """Decide who gets the scan, and take their place.

    origin: what the link told beside the code; kept with the assignment, and told by its line.
    rule: decide by this one instead of the code's own: a store's guides. Then nobody off duty is taken,
    and CLOSED is the answer also when WeCom refuses them all, so that the next store can be tried.
    store_id: whose guides they are. why_extra: what led here (store_id, distance_m), kept in `why`.
    """
    own, rule = rule is None, rule or live_code.rule
    day = rules.day(rule, now)
    loads: dict[str, int] = {}
    if rule.strategy == "least_loaded":
        loads, _ = _places(live_code.live_code_id, rule, day)
    hinted = _hinted(live_code.live_code_id, rule, day, now)
    full, refusal, turn = set(hinted), None, ticket
    while True:
        decision = rules.decide(
            rule,
            turn,
            now,
            frozenset(full),
            loads=loads,
            chance=random.random(),  # noqa: S311  # nosec B311 (not a secret)
            preferred=preferred,
        )
        if decision.staff_id is None or (not own and decision.kind == "off_hours"):
            if hinted:  # a hint is not enough to send somebody away
                _, really = _places(live_code.live_code_id, rule, day)
                full, hinted = (full - hinted) | really, set()
                continue
            if refusal is not None and own:
                raise refusal
            return CLOSED
        try:
            found = way(live_code, decision.staff_id)
            told = replace(decision, why={**decision.why, "ticket": ticket, **(why_extra or {})})
            return _take(live_code, rule, found, told, day, now, origin, store_id)
        except WeComError as error:
            if error.retryable:
                raise
            # WeCom won't have this member (not activated, out of sight): the customer gets another.
            log.failure("no contact way", error, staff_id=decision.staff_id, errcode=error.errcode)
            refusal = error
            full.add(decision.staff_id)
        except ConditionFailed as error:
            if not error.names & _CAP:
                raise
            _, really = _places(live_code.live_code_id, rule, day)
            really.add(decision.staff_id)
            full |= really
            _remember(live_code.live_code_id, really, day, now)
        # Those who find the same member full have tickets that are alike modulo the members: the next
        # choice goes by which round it is, or they would all go to one other member.
        turn //= decision.candidates


def _take(
    live_code: LiveCode,
    rule: rules.Rule,
    found: Way,
    decision: rules.Decision,
    day: str,
    now: datetime,
    origin: Mapping[str, Any],
    store_id: str | None,
) -> Scan:
    """One transaction: the place, the reservation, its line, its lapse. ConditionFailed: a cap is reached."""
    live_code_id, staff_id = live_code.live_code_id, found.staff_id
    member, capped = member_key(live_code_id, staff_id), rule.find(staff_id)
    assignment_id, expires_at = ids.ulid(now), now + rule.reserve_for
    tx = Transaction()
    _count(tx, member, day, 1, capped)
    reservation = AssignmentItem(
        member,
        assignment_id,
        status=RESERVED,
        at=clock.iso(now),
        expires_at=clock.iso(expires_at),
        day=day,
        why=decision.why,
        origin=dict(origin) or None,
        store_id=store_id,
        listing=f"{live_code_id}#{ids.shard(assignment_id, LISTINGS)}" if store_id else None,
    )
    tx.put("assignment", reservation, AssignmentItem.member.does_not_exist())
    data = {
        "live_code_id": live_code_id,
        "channel": live_code.channel,
        "staff_id": staff_id,
        "assignment_id": assignment_id,
        "why": decision.kind,
        **({"store_id": store_id} if store_id else {}),
        **origin,
    }
    timeline.add(tx, Line(f"scan#{assignment_id}", "scanned", now, assignment_id, data))
    work = {
        "kind": "lapse",
        "live_code_id": live_code_id,
        "staff_id": staff_id,
        "assignment_id": assignment_id,
    }
    due.add(tx, "lapse", expires_at, assignment_id, work)
    tx.commit()
    return Scan(
        "staff", assignment_id, staff_id, store_id=store_id, qr_url=found.qr_url, expires_at=expires_at
    )


def _count(tx: Transaction, member: str, day: str, places: int, capped: rules.Member | None = None) -> None:
    """Take (1) or give back (-1) a place of the day and of all days; under the caps of `capped`."""
    caps = (capped.daily_cap, capped.total_cap) if capped else (None, None)
    for name, period, cap in (("place", day, caps[0]), ("total", TOTAL, caps[1])):
        room = None if cap is None else PlaceItem.taken.does_not_exist() | (PlaceItem.taken < cap)
        tx.update(name, PlaceItem(member, period), [PlaceItem.taken.add(places)], room)


def _places(live_code_id: str, rule: rules.Rule, day: str) -> tuple[dict[str, int], set[str]]:
    """(places taken today, by staff id; those with none left), read 100 counters a request."""
    by_key = {member_key(live_code_id, m.staff_id): m for m in rule.members}
    loads: dict[str, int] = {}
    full: set[str] = set()
    keys = [(key, day) for key in by_key]
    keys += [(key, TOTAL) for key, m in by_key.items() if m.total_cap is not None]
    for row in PlaceItem.batch_get(keys, consistent_read=True):
        member, today = by_key[row.member], row.period == day
        if today:
            loads[member.staff_id] = int(row.taken)
        cap = member.daily_cap if today else member.total_cap
        if cap is not None and row.taken >= cap:
            full.add(member.staff_id)
    return loads, full


def _hinted(live_code_id: str, rule: rules.Rule, day: str, now: datetime) -> set[str]:
    keys = {m.staff_id: (member_key(live_code_id, m.staff_id), day) for m in rule.members}
    return {staff_id for staff_id, key in keys.items() if key in _hints and now < _hints[key]}


def _remember(live_code_id: str, full: set[str], day: str, now: datetime) -> None:
    for key in [key for key, until in _hints.items() if until <= now]:
        _hints.pop(key, None)
    for staff_id in full:
        _hints[member_key(live_code_id, staff_id), day] = now + _HINT


def _newest_open(member: str, since: datetime) -> AssignmentItem | None:
    rows = AssignmentItem.query(
        member,
        AssignmentItem.assignment_id >= ids.ulid_floor(since),
        filter_condition=AssignmentItem.status == RESERVED,
        scan_index_forward=False,
        consistent_read=True,
    )
    return next(iter(rows), None)
