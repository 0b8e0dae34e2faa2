"""One process at a time tells WeCom of a contact way, so that what was sent last is the newest.

It holds the row's `telling`; who comes meanwhile raises `asked`, and the holder looks again before it
lets go. While `telling` stands, what WeCom knows is not known, and is told again.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from chalicelib.livecodes.models import READY, ContactWayItem
from chalicelib.platform import clock, ids, storage
from chalicelib.platform.errors import DomainError

LEASE = timedelta(seconds=90)  # longer than a function that tells WeCom lives
_ROUNDS = 10  # in one go; who asks still more often is heard when somebody looks next
_NOBODY = "0"  # in `telling`: nobody tells, and the last one did not come to an end


def tell(row: ContactWayItem, send: Callable[[ContactWayItem, bool], Mapping[str, Any]]) -> bool:
    """Have WeCom told by `send`. False: somebody else is telling, and looks again when they have.

    send: of the row as it is, and whether what WeCom knows is in doubt; what WeCom knows then, as the
    row's attributes. It is called again for who came meanwhile, so it reads anew what WeCom is to know.
    """
    held = _hold(row)
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
            told = [getattr(ContactWayItem, name).set(value) for name, value in send(row, unsure).items()]
            mine = ContactWayItem.telling == lease
            if storage.update_if(row, [*told, ContactWayItem.telling.remove()], mine & seen):
                break
            found, unsure = ContactWayItem.find(row.state), True  # asked again meanwhile: look again
            if found is None or found.telling != lease:
                break
            row = found
    except DomainError:
        # For the next to take at once. What WeCom knows stays unknown until it has taken what is sent.
        storage.update_if(row, [ContactWayItem.telling.set(_NOBODY)], ContactWayItem.telling == lease)
        raise
    return True


def _hold(row: ContactWayItem) -> tuple[ContactWayItem, str, bool] | None:
    """(row, lease, whether what WeCom knows is in doubt). None: another is at it, and will look again."""
    while True:
        now = clock.now()
        lease = f"{clock.iso(now + LEASE)}#{ids.short()}"
        there = ContactWayItem.status == READY
        if storage.update_if(
            row, [ContactWayItem.telling.set(lease)], there & ContactWayItem.telling.does_not_exist()
        ):
            return row, lease, False
        if storage.update_if(
            row, [ContactWayItem.telling.set(lease)], there & (ContactWayItem.telling < clock.iso(now))
        ):
            return row, lease, True
        found = ContactWayItem.find(row.state)
        if found is None or found.status != READY:
            return None
        row = found
        asked = [ContactWayItem.asked.add(1)]
        if row.telling and storage.update_if(row, asked, ContactWayItem.telling == row.telling):
            return None
