"""A joining of a group confirms the reservation of the scan that led to it."""

from datetime import datetime, timedelta

from msgspec import Struct

from chalicelib.assignments import records
from chalicelib.assignments.types import RESERVED
from chalicelib.contactways.join_ways import JoinWay
from chalicelib.groupcodes import first_joins
from chalicelib.groups import service as groups
from chalicelib.platform import clock
from chalicelib.platform.storage import Transaction

_LATE = timedelta(hours=1)
_SKEW = timedelta(minutes=1)  # WeCom's clock and ours


class Joined(Struct, frozen=True):
    """Whose reservation a joining confirmed, if any; `first` time in this code."""

    assignment_id: str | None
    first: bool


def confirm(tx: Transaction, way: JoinWay, chat_id: str, external_userid: str, at: datetime) -> Joined:
    """Add to `tx` what a joining by `way` confirms: a reservation whose place they take now, a person.

    Whose reservation it was WeCom does not tell: those of one group in one code share a join way (one
    each would use up the quota). The newest one that was open when they joined is taken: of this group,
    or, in a room that WeCom opened, of the group whose code they scanned. Items: `assignment`, `person`;
    when one of them fails, somebody else was faster: call this again with a new transaction.
    """
    live_code_id = way.live_code_id
    joined = min(at, clock.now())
    # Reserved before they joined, however late we hear of it; a reservation lasts a day at most.
    start, end = joined - timedelta(days=1) - _LATE, joined + _SKEW
    held = None
    for held_in in dict.fromkeys([chat_id, way.chat_id or chat_id]):
        held = next(records.reserved_between(live_code_id, held_in, start, end, RESERVED), None)
        if held is not None:
            records.confirm(tx, held, external_userid, at)
            groups.give_place(tx, held_in)
            break
    assignment_id = held.assignment_id if held is not None else None
    first = first_joins.count_once(tx, live_code_id, external_userid, chat_id, at, assignment_id)
    return Joined(assignment_id, first)
