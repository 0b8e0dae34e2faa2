"""A lease on updating a contact way at WeCom: one process at a time, so what was sent last is the newest.

The lease is the row's `telling`. Who comes meanwhile raises `asked`, and the holder looks again before it
lets go (coalescing). While `telling` stands, what WeCom has is in doubt, and is sent again.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from chalicelib.contactways.models import READY, ContactWayItem
from chalicelib.platform import clock, ids, storage
from chalicelib.platform.errors import DomainError
from chalicelib.platform.storage import ConditionFailed

LEASE = timedelta(seconds=90)  # longer than a function that updates WeCom lives
_ROUNDS = 10  # in one go; who asks still more often is heard when somebody looks next
_NOBODY = "0"  # in `telling`: nobody holds the lease, and the last one did not come to an end


def update(row: ContactWayItem, send: Callable[[ContactWayItem, bool], Mapping[str, Any]]) -> bool:
    """Update WeCom by `send` under the lease. False: another holds it, and looks again before it lets go.

    send: of the row as it is, and whether what WeCom knows is in doubt; what WeCom knows then, as the
    row's attributes. It is called again for who came meanwhile, so it reads anew what WeCom is to know.
    """
    held = _acquire(row)
    if held is None:
        return False
    row, lease, unsure = held
    try:
        for _ in range(_ROUNDS):
            seen = (
                ContactWayItem.asked.does_not_exist()
                if row.asked is None
                else ContactWayItem.asked == row.asked
            )
            known = [getattr(ContactWayItem, name).set(value) for name, value in send(row, unsure).items()]
            done = [*known, ContactWayItem.telling.remove()]
            mine = (ContactWayItem.telling == lease) & seen
            if storage.update_if(row, done, mine, lambda row: row.telling != lease):
                break
            current, unsure = ContactWayItem.find(row.state), True  # asked again meanwhile: look again
            if current is None or current.telling != lease:
                break
            row = current
    except DomainError:
        # For the next to take at once. What WeCom knows stays unknown until it has taken what is sent.
        storage.update_if(row, [ContactWayItem.telling.set(_NOBODY)], ContactWayItem.telling == lease)
        raise
    return True


@storage.retrying("others keep asking for this contact way")
def _acquire(row: ContactWayItem) -> tuple[ContactWayItem, str, bool] | None:
    """(row, lease, whether what WeCom knows is in doubt). None: another holds it, and will look again."""
    now = clock.now()
    lease = f"{clock.iso(now + LEASE)}#{ids.short()}"
    there = ContactWayItem.status == READY
    take = [ContactWayItem.telling.set(lease)]
    free = there & ContactWayItem.telling.does_not_exist()
    if storage.update_if(row, take, free, lambda row: row.telling == lease):
        return row, lease, False
    left = there & (ContactWayItem.telling < clock.iso(now))
    if storage.update_if(row, take, left, lambda row: row.telling == lease):
        return row, lease, True
    current = ContactWayItem.find(row.state)
    if current is None or current.status != READY:
        return None
    asked = [ContactWayItem.asked.add(1)]
    if current.telling and storage.update_if(current, asked, ContactWayItem.telling == current.telling):
        return None
    raise ConditionFailed({"telling"})  # the holder has let go meanwhile
