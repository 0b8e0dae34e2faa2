"""Tickets: which scan of its code this is. A code that is scanned very fast counts in several items.

Each item's numbers are a sequence of their own, and round robin is exact in each: n items keep the
members within n of each other. The first item is the one that tells the code's version; the others
only count, so they need no making, and a change of the code is seen at once in either case.
"""

import random
from datetime import datetime

from chalicelib.livecodes import rates, service
from chalicelib.livecodes.models import TICKET, LiveCodeItem
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, storage


def take_ticket(live_code_id: str) -> tuple[int, LiveCode]:
    """The next ticket, and the code as it is now: one write, and in several items a small read. NotFound."""
    now = clock.now()
    count = rates.ticket_items(rates.per_second(live_code_id, now))
    item = random.randint(1, count) if count else 0  # noqa: S311  # nosec B311 (not a secret)
    if item == 0:
        ticket, code = service.take_ticket(live_code_id)
    else:
        code = service.current(live_code_id)
        ticket = _count(f"{live_code_id}#t{item}")
    rates.note_scan(live_code_id, item, ticket, now)
    # Their sequences begin at different members, or all would give their first scans to the same one.
    return ticket + item, code


def take_store_ticket(live_code_id: str, store_id: str, now: datetime) -> tuple[int, float]:
    """Which scan of this store it is, and the store's scans a second.

    By the whole code's tickets its guides would not take turns. store_id "": those of no store.
    """
    counted = f"{live_code_id}#s{store_id}"
    ticket = _count(counted)
    rates.note_scan(counted, 0, ticket, now)
    return ticket, rates.per_second(counted, now)


def take_poster_ticket(live_code_id: str, staff_id: str, now: datetime) -> tuple[int, LiveCode, float]:
    """Which scan of this guide's own posters it is, the code as it is now, and the guide's scans a second.

    By the whole code's tickets the others would not take turns: posters would use some of theirs. NotFound.
    """
    code = service.current(live_code_id)
    counted = f"{live_code_id}#g{staff_id.lower()}"
    ticket = _count(counted)
    rates.note_scan(counted, 0, ticket, now)
    share = rates.per_second(live_code_id, now) / max(1, len(code.rule.members))
    return ticket, code, rates.per_second(counted, now) + share


def next_ticket(live_code_id: str) -> int:
    """The ticket that the next scan gets; nothing is written."""
    row = LiveCodeItem.find(live_code_id, TICKET)
    return int(row.ticket or 0) + 1 if row else 1


def _count(counted: str) -> int:
    item = LiveCodeItem(counted, TICKET)
    storage.update_if(item, [LiveCodeItem.ticket.add(1)])
    return int(item.ticket)
