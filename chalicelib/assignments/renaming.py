"""Places of a guide who has another userid: the counters' sums move, so that no cap is given out twice.

The old counters stay, at nothing: a reservation of the old id that lapses gives its place back there, and a
later round moves that too. Reservations and history stay under the id that they were made for.
"""

from datetime import timedelta

from chalicelib.assignments import caps
from chalicelib.assignments.models import TOTAL, PlaceItem, account_key
from chalicelib.platform import clock, storage
from chalicelib.platform.storage import Transaction
from chalicelib.platform.userids import fold


def move(old: str, new: str) -> bool:
    """Counters of today (of any time zone) and of all time, in each code and of the account."""
    since = (clock.now() - timedelta(days=1)).date().isoformat()
    members = [row.member for row in PlaceItem.by_guide.query(fold(old))]
    keys = {member: member[: -len(old)] + new for member in members if member.endswith(f"#{old}")}
    keys[account_key(old)] = account_key(new)
    for before, after in keys.items():
        for row in PlaceItem.query(before, PlaceItem.period >= since):  # `total` sorts behind all days
            if before != after:
                _move((before, row.period), (after, row.period))
    return False


@storage.retrying("others keep taking places of this member")
def _move(before: caps.Key, after: caps.Key) -> None:
    """In one transaction; what its shards have not given out is nobody's."""
    standing = caps.read([before]).get(before, caps.NOTHING)
    if not standing.taken and not standing.given:
        return
    tx = Transaction()
    caps.empty(tx, before, standing)
    mark = [PlaceItem.staff_id.set(fold(after[0].rpartition("#")[2]))] if after[1] == TOTAL else []
    tx.update("new", PlaceItem(*after), [PlaceItem.taken.add(standing.taken), *mark])
    tx.commit()
