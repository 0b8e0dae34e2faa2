"""A reservation that nobody used lapses and gives its place back: a guide's, or one in a group."""

from chalicelib.assignments import caps, records, reservations
from chalicelib.assignments.models import TOTAL, account_key, member_key
from chalicelib.assignments.types import CONFIRMED, LAPSED, RESERVED
from chalicelib.groups import service as groups
from chalicelib.platform import clock
from chalicelib.platform.storage import ConditionFailed, Transaction


def lapse(live_code_id: str, member_id: str, assignment_id: str) -> bool:
    """Give the place back; its contact way is free by its time. False if confirmed, or lapsed before."""
    held = records.find(live_code_id, member_id, assignment_id)
    if held is None or held.status != RESERVED:
        return False
    member, account = member_key(live_code_id, member_id), account_key(member_id)
    tx = Transaction()
    records.lapse(tx, held)
    if held.is_group:
        groups.give_place(tx, member_id)
    else:
        caps.give_back(tx, "place", (member, held.day), held.shard)
        caps.give_back(tx, "total", (member, TOTAL), held.total_shard)
    if held.account:
        caps.give_back(tx, "account", (account, held.account))
    try:
        tx.commit()
    except ConditionFailed:
        return False
    reservations.forget_full(member, held.day)
    if held.account:
        reservations.forget_full(account, held.account)
    return True


def holds(live_code_id: str, member_id: str, assignment_id: str) -> bool:
    """Whether an assignment is confirmed, or reserved and its time not over; when it is, it lapses now."""
    held = records.find(live_code_id, member_id, assignment_id)
    if held is None or held.status == LAPSED:
        return False
    if held.status == CONFIRMED or clock.now() < clock.parse(held.expires_at):
        return True
    # False: somebody was faster, with a confirmation or a lapse.
    return not lapse(live_code_id, member_id, assignment_id) and holds(live_code_id, member_id, assignment_id)
