"""A scan reserves; what becomes of it: outcomes.

Warm, a scan is two requests to DynamoDB: the ticket (which also tells the code's version), and one
transaction that takes the member's place under its cap and writes the reservation, its line and its
lapse. `least_loaded` reads the members' places besides: three. Whoever finds a member full asks the
rule again without them; what a process remembers of full members only saves the asking.
A ticket whose answer is lost on the way is taken again, and one turn of the round goes unused.
"""

import random
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from chalicelib.livecodes import claims, places, rates, rules, slots
from chalicelib.livecodes.claims import Claim
from chalicelib.livecodes.codes import LiveCode, current
from chalicelib.livecodes.models import (
    CONFIRMED,
    LISTINGS,
    RESERVED,
    TOTAL,
    AssignmentItem,
    account_key,
    member_key,
)
from chalicelib.livecodes.usage import UsedUp
from chalicelib.livecodes.ways import Way, of_member, way, without_way
from chalicelib.platform import clock, due, ids, log, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import Busy, ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.staff import service as staff

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_HINT = timedelta(seconds=5)  # how long a process remembers that a member is full
_TOLD = 20  # staff ids that an explanation lists of each sort
_FRESH = timedelta(seconds=1)  # how long loads are good that are read at every scan of a fast code
_hints: dict[tuple[str, str], datetime] = {}  # (member or account, day): until when it is taken for full
_loads: dict[tuple[str, str], tuple[datetime, dict[str, int]]] = {}  # (code, day): when, and by staff id


class Scan(Struct, frozen=True):
    """What a scan gets. `cookie`: what brings this person back to the same guide (or group).

    distance_m: to the store, if the person said where they are.
    """

    kind: Literal["staff", "group", "choose_store", "closed"]
    assignment_id: str | None = None
    staff_id: str | None = None
    chat_id: str | None = None
    store_id: str | None = None
    qr_url: str | None = None
    expires_at: datetime | None = None
    distance_m: int | None = None

    @property
    def cookie(self) -> str | None:
        who = self.staff_id or f"@{self.chat_id}"  # no staff_id begins so
        return f"{self.assignment_id}.{who}" if self.assignment_id else None


CLOSED = Scan("closed")


class Occupancy(Struct, frozen=True):
    """loads: places taken today, by staff id. full: those with none left; ramp: for their account's cap."""

    loads: dict[str, int]
    full: set[str]
    ramp: set[str]


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
    of_store = held.store_id is not None and live_code.definition["kind"] == "nearest_store"
    if live_code.native or (rule.find(staff_id) is None and not of_store):  # their way is deleted (cleanup)
        return None, None
    if staff.has_left(staff_id):
        return None, None
    expires_at = clock.parse(held.expires_at)
    still_open = held.status == RESERVED and now < expires_at
    if still_open or (rule.sticky and held.status == CONFIRMED):
        qr_url = way(live_code, staff_id, int(held.slot or 0)).qr_url
        until = expires_at if still_open else None
        same = Scan(
            "staff",
            assignment_id,
            staff_id,
            store_id=held.store_id,
            qr_url=qr_url,
            expires_at=until,
            distance_m=held.why.get("distance_m"),
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
    rate: float | None = None,
) -> Scan:
    """Decide who gets the scan, and take their place.

    origin: what the link told beside the code; kept with the assignment, and told by its line.
    rule: decide by this one instead of the code's own: a store's guides. Then nobody off duty is taken,
    and CLOSED is the answer also when WeCom refuses them all, so that the next store can be tried.
    store_id: whose guides they are. why_extra: what led here (store_id, distance_m), kept in `why`.
    rate: scans a second that these members share; None: the code's.
    """
    own, rule = rule is None, rule or live_code.rule
    live_code_id, day = live_code.live_code_id, rules.day(rule, now)
    rate = rates.of(live_code_id, now) if rate is None else rate
    accounts = staff.account_caps(rule.staff_ids, now)
    loads = _loads_of(live_code_id, rule, day, now, rate) if rule.strategy == "least_loaded" else {}
    hinted, ramp = _hinted(live_code_id, rule, day, now, accounts)
    full, refused, refusal, turn = hinted | ramp, list[str](), None, ticket
    while True:
        chance = random.random()  # noqa: S311  # nosec B311 (not a secret)
        decision = rules.decide(
            rule, turn, now, frozenset(full), loads=loads, chance=chance, preferred=preferred
        )
        if decision.staff_id is None or (not own and decision.kind == "off_hours"):
            if hinted:  # a hint is not enough to send somebody away
                really = occupancy(live_code_id, rule, day, now)
                full, ramp, hinted = (full - hinted) | really.full, really.ramp, set()
                continue
            if refusal is not None and (own or refusal.retryable):
                raise refusal
            return CLOSED
        chosen = decision.staff_id
        claim = Claim(live_code, rule, chosen, day, now, rate / decision.candidates, accounts.get(chosen))
        told = {**decision.why, "ticket": ticket, **_others(full, refused, ramp), **(why_extra or {})}
        try:
            scan = _take(claim, decision.kind, told, origin, store_id)
        except Busy:
            raise
        except (Upstream, UsedUp) as error:
            refusal = error
            refused += _without_way(live_code_id, set(rule.staff_ids) - {*refused}, chosen, error)
            full |= {*refused}
        else:
            if scan is not None:
                loads[chosen] = loads.get(chosen, 0) + 1
                return scan
            really = occupancy(live_code_id, rule, day, now)
            ramp |= really.ramp | ({chosen} if claim.account_full else set())
            full |= really.full | {chosen}
            _remember(live_code_id, {*really.full, chosen}, ramp, day, now, accounts)
        # Those who find the same member full have tickets that are alike modulo the members: the next
        # choice goes by which round it is, or they would all go to one other member.
        turn //= decision.candidates


def _without_way(live_code_id: str, staff_ids: set[str], chosen: str, error: Upstream | UsedUp) -> list[str]:
    """Who of them can't be shown. WeCom won't have this member (not activated, out of sight), or makes no
    way for anybody at present: then it is somebody who has one, and it is not asked again for the others."""
    log.failure("no contact way", error, staff_id=chosen, errcode=getattr(error, "errcode", None))
    others = set() if of_member(error) else without_way(live_code_id, staff_ids - {chosen})
    return [*sorted(others), chosen]


def occupancy(live_code_id: str, rule: rules.Rule, day: str, now: datetime) -> Occupancy:
    """Who has how much, and who has no place left; 100 counters a request. now: for the accounts' day."""
    by_key = {member_key(live_code_id, m.staff_id): m for m in rule.members}
    keys = [(key, day) for key in by_key]
    keys += [(key, TOTAL) for key, m in by_key.items() if m.total_cap is not None]
    accounts = {
        (account_key(one), its_day): (one, cap)
        for one, (its_day, cap) in staff.account_caps(rule.staff_ids, now).items()
    }
    found = places.read([*keys, *accounts])
    loads, full, ramp = {}, set(), {one for one, cap in accounts.values() if cap <= 0}
    for (key, period), standing in found.items():
        if (key, period) in accounts:
            staff_id, cap = accounts[key, period]
            if standing.seat(cap) is None:
                ramp.add(staff_id)
            continue
        member, today = by_key[key], period == day
        if today:
            loads[member.staff_id] = standing.taken
        if standing.seat(member.daily_cap if today else member.total_cap) is None:
            full.add(member.staff_id)
    return Occupancy(loads, full | ramp, ramp)


def has_room(key: str, day: str) -> None:
    """A place of that member, or account, was given back: forget that there was none."""
    _hints.pop((key, day), None)


def _take(
    claim: Claim,
    kind: str,
    why: Mapping[str, Any],
    origin: Mapping[str, Any],
    store_id: str | None,
) -> Scan | None:
    """One transaction: the places, the reservation, its line, its lapse. None: the member is full."""
    if claim.account and claim.account[1] <= 0:
        claim.account_full = True
        return None
    while True:
        found = claim.way()
        assignment_id, expires_at = ids.ulid(claim.now), claim.now + claim.rule.reserve_for
        mark = slots.mark(clock.iso(expires_at), assignment_id)
        tx = Transaction()
        claim.add(tx, mark)
        _reservation(tx, claim, found, assignment_id, expires_at, kind, why, origin, store_id)
        try:
            tx.commit()
        except ConditionFailed as error:
            if not error.names & claims.NAMES:
                raise
            if not claim.again(error.names):
                return None
            continue
        claim.done(mark)
        return Scan(
            "staff",
            assignment_id,
            found.staff_id,
            store_id=store_id,
            qr_url=found.qr_url,
            expires_at=expires_at,
        )


def _reservation(
    tx: Transaction,
    claim: Claim,
    found: Way,
    assignment_id: str,
    expires_at: datetime,
    kind: str,
    why: Mapping[str, Any],
    origin: Mapping[str, Any],
    store_id: str | None,
) -> None:
    live_code_id, staff_id = claim.code.live_code_id, claim.staff_id
    reservation = AssignmentItem(
        claim.member,
        assignment_id,
        status=RESERVED,
        at=clock.iso(claim.now),
        expires_at=clock.iso(expires_at),
        day=claim.day,
        why={**why, "exact": claim.slot is not None},
        origin=dict(origin) or None,
        store_id=store_id,
        listing=f"{live_code_id}#{ids.shard(assignment_id, LISTINGS)}" if store_id else None,
        slot=claim.slot or 0,
        seat=claim.seats["place"] or None,
        total_seat=claim.seats["total"] or None,
        account=claim.account[0] if claim.account else None,
    )
    tx.put("assignment", reservation, AssignmentItem.member.does_not_exist())
    data = {
        "live_code_id": live_code_id,
        "channel": claim.code.channel,
        "staff_id": staff_id,
        "assignment_id": assignment_id,
        "why": kind,
        **({"store_id": store_id} if store_id else {}),
        **origin,
    }
    timeline.add(tx, Line(f"scan#{assignment_id}", "scanned", claim.now, assignment_id, data))
    work = {
        "kind": "lapse",
        "live_code_id": live_code_id,
        "staff_id": staff_id,
        "assignment_id": assignment_id,
    }
    due.add(tx, "lapse", expires_at, assignment_id, work)


def _others(full: set[str], refused: list[str], ramp: set[str]) -> dict[str, list[str]]:
    """Of those who have no place: whom WeCom refused, who is there no more, whose account has enough."""
    told = {"refused": refused[:_TOLD], **apart(ramp & full)}
    return {name: some for name, some in told.items() if some}


def apart(ramp: set[str]) -> dict[str, list[str]]:
    """Those whose accounts get nobody: `left`, the company; `ramp`, they have enough for today."""
    left = {one for one in ramp if staff.has_left(one)}
    told = {"left": sorted(left)[:_TOLD], "ramp": sorted(ramp - left)[:_TOLD]}
    return {name: some for name, some in told.items() if some}


def _loads_of(live_code_id: str, rule: rules.Rule, day: str, now: datetime, rate: float) -> dict[str, int]:
    """Places taken today. A code scanned fast is not read at each scan; its own scans are added meanwhile."""
    if rate <= rates.PLACE_RATE:
        return occupancy(live_code_id, rule, day, now).loads
    at, loads = _loads.get((live_code_id, day), (None, {}))
    if at is None or now - at >= _FRESH:
        loads = occupancy(live_code_id, rule, day, now).loads
        _loads.clear()
        _loads[live_code_id, day] = now, loads
    return loads


def _hinted(
    live_code_id: str, rule: rules.Rule, day: str, now: datetime, accounts: Mapping[str, tuple[str, int]]
) -> tuple[set[str], set[str]]:
    """Who is taken for full until one has looked, and who is, or is taken for it, by their account's cap."""
    closed = {one for one, (_, cap) in accounts.items() if cap <= 0}  # gone, or closed by the operator
    if not _hints:
        return set(), closed
    keys = {m.staff_id: (member_key(live_code_id, m.staff_id), day) for m in rule.members}
    full = {staff_id for staff_id, key in keys.items() if key in _hints and now < _hints[key]}
    of_account = {one: (account_key(one), its_day) for one, (its_day, _) in accounts.items()}
    ramp = {one for one, key in of_account.items() if key in _hints and now < _hints[key]}
    return full | ramp, ramp | closed


def _remember(
    live_code_id: str,
    full: set[str],
    ramp: set[str],
    day: str,
    now: datetime,
    accounts: Mapping[str, tuple[str, int]],
) -> None:
    for key in [key for key, until in list(_hints.items()) if until <= now]:
        _hints.pop(key, None)
    for staff_id in full - ramp:
        _hints[member_key(live_code_id, staff_id), day] = now + _HINT
    for staff_id in ramp & set(accounts):
        _hints[account_key(staff_id), accounts[staff_id][0]] = now + _HINT
