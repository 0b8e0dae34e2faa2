"""A scan's reservation with a member of staff. What becomes of it: confirmation, lapse.

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
from typing import Any

from chalicelib.assignments import member_claim, pooled_ways, records, rules
from chalicelib.assignments.member_claim import Claim
from chalicelib.assignments.models import account_key, member_key
from chalicelib.assignments.occupancy import occupancy, split_ramp
from chalicelib.assignments.types import CLOSED, CONFIRMED, PLAIN, RESERVED, Asked, Assignment, Scan
from chalicelib.contactways.service import refuses_member, way, without_way
from chalicelib.contactways.usage import UsedUp
from chalicelib.livecodes import rates
from chalicelib.livecodes.rules import Rule, day_of, is_open
from chalicelib.livecodes.service import LiveCode, current
from chalicelib.platform import clock, ids, log
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import Busy, ConditionFailed, Transaction
from chalicelib.platform.userids import fold
from chalicelib.staff import problems
from chalicelib.staff import service as staff

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_HINT = timedelta(seconds=5)  # how long a process remembers that a member is full
_SHOWN = 20  # staff ids that an explanation lists of each sort
_FRESH = timedelta(seconds=1)  # how long loads are good that are read at every scan of a fast code
_hints: dict[tuple[str, str], datetime] = {}  # (member or account, day): until when it is taken for full
_loads: dict[tuple[str, str], tuple[datetime, dict[str, int]]] = {}  # (code, day): when, and by staff id


def repeat_scan(
    live_code_id: str, cookie: str, now: datetime, poster: str | None = None
) -> tuple[Scan | None, str | None]:
    """(the same answer as last time, or None; whom to prefer at a new one). Writes nothing.

    poster: whose own poster is scanned now. Who has added somebody keeps them; a place that is only
    reserved gives way to the poster's guide, once.
    """
    assignment_id, _, staff_id = cookie.partition(".")
    if not _ULID.fullmatch(assignment_id) or not staff_id:
        return None, None
    held = records.find(live_code_id, staff_id, assignment_id)
    if held is None:
        return None, None
    live_code, given = current(live_code_id), fold(staff_id)  # the cookie may be older than that
    rule, staff_id = live_code.rule, staff.current_id(given)  # and than a rename
    if not live_code.active or not is_open(rule, now):
        return None, None
    of_store = held.store_id is not None and live_code.kind == "nearest_store"
    if live_code.native or (rule.find(staff_id) is None and not of_store):  # their way is deleted (cleanup)
        return None, None
    if staff.has_left(staff_id):
        return None, None
    expires_at = clock.parse(held.expires_at)
    still_open = held.status == RESERVED and now < expires_at and staff_id == given
    if still_open and poster is not None and rule.find(poster) is not None:
        asked = (held.why.get("poster") or {}).get("staff_id")
        if poster.lower() not in (staff_id.lower(), str(asked).lower()):
            return None, staff_id
    if still_open or (rule.sticky and held.status == CONFIRMED):
        qr_url = way(live_code, staff_id, int(held.slot or 0) if staff_id == given else 0).qr_url
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
    asked: Asked = PLAIN,
    rule: Rule | None = None,
    store_id: str | None = None,
    rate: float | None = None,
) -> Scan:
    """Decide who gets the scan, and take their place.

    rule: decide by this one instead of the code's own: a store's guides. Then nobody off duty is taken,
    and CLOSED is the answer also when WeCom refuses them all, so that the next store can be tried.
    store_id: whose guides they are. rate: scans a second that these members share; None: the code's.
    """
    own, rule = rule is None, rule or live_code.rule
    live_code_id, day = live_code.live_code_id, day_of(rule, now)
    rate = rates.per_second(live_code_id, now) if rate is None else rate
    accounts = staff.account_caps(rule.staff_ids, now)
    loads = _loads_of(live_code_id, rule, day, now, rate) if rule.strategy == "least_loaded" else {}
    hinted, ramp = _hinted(live_code_id, rule, day, now, accounts)
    full, refused, refusal, turn = hinted | ramp, list[str](), None, ticket
    while True:
        decision = _decide(rule, turn, now, full, loads, asked)
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
        why = {**decision.why, "ticket": ticket, **_explain_full(full, refused, ramp)}
        why |= {**_explain_poster(why, refused, ramp), **asked.why}
        asked.admit()
        try:
            scan = _take(claim, decision.kind, why, asked.origin, store_id)
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


def _decide(
    rule: Rule, turn: int, now: datetime, full: set[str], loads: Mapping[str, int], asked: Asked
) -> rules.Decision:
    return rules.decide(
        rule,
        turn,
        now,
        frozenset(full),
        loads=loads,
        chance=random.random(),  # noqa: S311  # nosec B311 (not a secret)
        preferred=asked.preferred,
        poster=asked.poster,
    )


def _without_way(live_code_id: str, staff_ids: set[str], chosen: str, error: Upstream | UsedUp) -> list[str]:
    """Who of them can't be shown. WeCom won't have this member (not activated, out of sight), or makes no
    way for anybody at present: then it is somebody who has one, and it is not asked again for the others."""
    log.failure("no contact way", error, staff_id=chosen, errcode=getattr(error, "errcode", None))
    if refuses_member(error):
        problems.note_refusal(chosen, error)
    others = set() if refuses_member(error) else without_way(live_code_id, staff_ids - {chosen})
    return [*sorted(others), chosen]


def forget_full(key: str, day: str) -> None:
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
        shown = claim.way()
        assignment_id, expires_at = ids.ulid(claim.now), claim.now + claim.rule.reserve_for
        mark = pooled_ways.mark(clock.iso(expires_at), assignment_id)
        tx = Transaction()
        claim.add(tx, mark)
        held = _reservation(claim, assignment_id, expires_at, why, origin, store_id)
        records.reserve(tx, claim.code, held, kind, listed=store_id is not None)
        try:
            tx.commit()
        except ConditionFailed as error:
            if not error.names & member_claim.NAMES:
                raise
            if not claim.retry(error.names):
                return None
            continue
        claim.remember(mark)
        return Scan(
            "staff",
            assignment_id,
            shown.staff_id,
            store_id=store_id,
            qr_url=shown.qr_url,
            expires_at=expires_at,
        )


def _reservation(
    claim: Claim,
    assignment_id: str,
    expires_at: datetime,
    why: Mapping[str, Any],
    origin: Mapping[str, Any],
    store_id: str | None,
) -> Assignment:
    return Assignment(
        live_code_id=claim.code.live_code_id,
        member_id=claim.staff_id,
        assignment_id=assignment_id,
        status=RESERVED,
        at=clock.iso(claim.now),
        expires_at=clock.iso(expires_at),
        day=claim.day,
        why={**why, "exact": claim.slot is not None},
        origin=origin,
        store_id=store_id,
        slot=claim.slot or 0,
        shard=claim.shards["place"],
        total_shard=claim.shards["total"],
        account=claim.account[0] if claim.account else None,
    )


def _explain_full(full: set[str], refused: list[str], ramp: set[str]) -> dict[str, list[str]]:
    """Of those who have no place: whom WeCom refused, who is there no more, whose account has enough."""
    lists = {"refused": refused[:_SHOWN], **split_ramp(ramp & full)}
    return {name: staff_ids for name, staff_ids in lists.items() if staff_ids}


def _explain_poster(why: Mapping[str, Any], refused: list[str], ramp: set[str]) -> dict[str, Any]:
    """What exactly is against the poster's guide, who has no place."""
    told = why.get("poster")
    if not told or told["reason"] != "full":
        return {}
    known = [("refused", refused), *split_ramp(ramp).items()]
    who = told["staff_id"].lower()
    reason = next((name for name, staff_ids in known if who in map(str.lower, staff_ids)), "full")
    return {"poster": {**told, "reason": reason}}


def _loads_of(live_code_id: str, rule: Rule, day: str, now: datetime, rate: float) -> dict[str, int]:
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
    live_code_id: str, rule: Rule, day: str, now: datetime, accounts: Mapping[str, tuple[str, int]]
) -> tuple[set[str], set[str]]:
    """Who is taken for full until one has looked, and who is, or is taken for it, by their account's cap."""
    closed = {who for who, (_, cap) in accounts.items() if cap <= 0}  # gone, or closed by the operator
    if not _hints:
        return set(), closed
    keys = {m.staff_id: (member_key(live_code_id, m.staff_id), day) for m in rule.members}
    full = {staff_id for staff_id, key in keys.items() if key in _hints and now < _hints[key]}
    of_account = {
        staff_id: (account_key(staff_id), account_day) for staff_id, (account_day, _) in accounts.items()
    }
    ramp = {staff_id for staff_id, key in of_account.items() if key in _hints and now < _hints[key]}
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
