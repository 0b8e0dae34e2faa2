"""How each guide of a code stands at a moment: places taken against caps, and what keeps scans from them."""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.assignments.naming import names_of_staff
from chalicelib.assignments.occupancy import Occupancy
from chalicelib.assignments.types import GuideStanding, GuideState
from chalicelib.livecodes.rules import Member, Rule, on_duty
from chalicelib.staff import problems
from chalicelib.staff import service as staff


def standings(
    rule: Rule, at: datetime, occupied: Occupancy, refused: Mapping[str, str], chosen: str | None
) -> list[GuideStanding]:
    """refused: why WeCom gives a guide no customers, by staff id."""
    names = names_of_staff(rule.staff_ids)
    among = {member.staff_id for member in rule.members}
    rows = [*rule.members, *(member for member in rule.fallback if member.staff_id not in among)]
    return [
        GuideStanding(
            staff_id=member.staff_id,
            name=names[member.staff_id],
            part="member" if member.staff_id in among else "fallback",
            state=_state(rule, member, at, occupied, refused.get(member.staff_id)),
            weight=member.weight,
            taken_today=occupied.loads.get(member.staff_id, 0),
            daily_cap=member.daily_cap,
            taken_ever=None if member.total_cap is None else occupied.totals.get(member.staff_id, 0),
            total_cap=member.total_cap,
            is_chosen=member.staff_id == chosen,
        )
        for member in rows
    ]


def _state(rule: Rule, member: Member, at: datetime, occupied: Occupancy, problem: str | None) -> GuideState:
    staff_id = member.staff_id
    if problem == problems.UNKNOWN:
        return "unknown"
    if staff.has_left(staff_id):
        return "left"
    if problem is not None:
        return "refused"
    if staff_id in occupied.ramp:
        return "ramp"
    if staff_id in occupied.full or 0 in (member.daily_cap, member.total_cap):
        return "full"
    return "free" if on_duty(member, at.astimezone(rule.zone)) else "off"
