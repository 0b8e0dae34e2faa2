"""Who has how many places taken, and who is full: by a cap in the code, or of their account (`ramp`)."""

from datetime import datetime

from msgspec import Struct

from chalicelib.assignments import caps
from chalicelib.assignments.models import TOTAL, account_key, member_key
from chalicelib.livecodes.rules import Rule
from chalicelib.staff import service as staff

_SHOWN = 20  # staff ids that an explanation lists of each sort


class Occupancy(Struct, frozen=True):
    """loads, totals: places taken today and ever (of who has a total cap), by staff id.

    full: those with none left; ramp: for their account's cap.
    """

    loads: dict[str, int]
    full: set[str]
    ramp: set[str]
    totals: dict[str, int]


def occupancy(live_code_id: str, rule: Rule, day: str, now: datetime) -> Occupancy:
    """Who has how much, and who has no place left; 100 counters a request. now: for the accounts' day."""
    by_key = {member_key(live_code_id, m.staff_id): m for m in rule.members}
    keys = [(key, day) for key in by_key]
    keys += [(key, TOTAL) for key, m in by_key.items() if m.total_cap is not None]
    accounts = {
        (account_key(staff_id), account_day): (staff_id, cap)
        for staff_id, (account_day, cap) in staff.account_caps(rule.staff_ids, now).items()
    }
    counters = caps.read([*keys, *accounts])
    loads, totals, full = dict[str, int](), dict[str, int](), set[str]()
    ramp = {staff_id for staff_id, cap in accounts.values() if cap <= 0}
    for (key, period), standing in counters.items():
        if (key, period) in accounts:
            staff_id, cap = accounts[key, period]
            if standing.free_shard(cap) is None:
                ramp.add(staff_id)
            continue
        member, today = by_key[key], period == day
        (loads if today else totals)[member.staff_id] = standing.taken
        if standing.free_shard(member.daily_cap if today else member.total_cap) is None:
            full.add(member.staff_id)
    return Occupancy(loads, full | ramp, ramp, totals)


def split_ramp(ramp: set[str]) -> dict[str, list[str]]:
    """Those whose accounts get nobody: `left`, the company; `ramp`, they have enough for today."""
    left = {staff_id for staff_id in ramp if staff.has_left(staff_id)}
    lists = {"left": sorted(left)[:_SHOWN], "ramp": sorted(ramp - left)[:_SHOWN]}
    return {name: staff_ids for name, staff_ids in lists.items() if staff_ids}
