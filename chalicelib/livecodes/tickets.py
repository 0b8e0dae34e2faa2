"""Tickets: which scan of its code this is. A code that is scanned very fast counts in several items.

Each item's numbers are a sequence of their own, and round robin is exact in each: n items keep the
members within n of each other. The first item is the one that tells the code's version; the others
only count, so they need no making, and a change of the code is seen at once in either case.
"""

import random

from chalicelib.livecodes import codes, rates
from chalicelib.livecodes.codes import LiveCode
from chalicelib.livecodes.models import TICKET, LiveCodeItem
from chalicelib.platform import clock, storage


def take_ticket(live_code_id: str) -> tuple[int, LiveCode]:
    """The next ticket, and the code as it is now: one write, and in several items a small read. NotFound."""
    now = clock.now()
    count = rates.ticket_items(rates.of(live_code_id, now))
    item = random.randint(1, count) if count else 0  # noqa: S311  # nosec B311 (not a secret)
    if item == 0:
        ticket, code = codes.take_ticket(live_code_id)
    else:
        code = codes.current(live_code_id)
        counted = LiveCodeItem(f"{live_code_id}#t{item}", TICKET)
        storage.update_if(counted, [LiveCodeItem.ticket.add(1)])
        ticket = int(counted.ticket)
    rates.saw(live_code_id, item, ticket, now)
    # Their sequences begin at different members, or all would give their first scans to the same one.
    return ticket + item, code
