"""What a scan gets: the same as last time, a place in a group, a store to choose, a guide, or nobody."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.assignments import native_list, nearest_store, reservations
from chalicelib.assignments.nearest_store import Choices, Where
from chalicelib.assignments.types import CLOSED, Scan
from chalicelib.groupcodes import reservations as group_reservations
from chalicelib.groupcodes.group_order import is_group_code
from chalicelib.livecodes.rules import Closure
from chalicelib.livecodes.rules import closure as explain_closure
from chalicelib.livecodes.service import current
from chalicelib.livecodes.tickets import take_ticket
from chalicelib.platform import clock
from chalicelib.platform.errors import NotFound

_CODE = re.compile(r"[2-9A-HJ-NP-Za-km-z]{8}")


def scan(code: str, cookie: str | None = None, origin: Mapping[str, Any] | None = None) -> Scan:
    """Decide who gets this scan, and reserve their place. NotFound; Upstream when WeCom is needed and down.

    code: what stands in the link. cookie: `Scan.cookie` of the person's last scan of this code.
    origin: what the link told beside the code; kept with the assignment, and told by its line.
    """
    live_code_id, now = _live_code_id(code), clock.now()
    same, preferred = _find_last(live_code_id, cookie, now)
    if same is not None:
        return same
    ticket, live_code = take_ticket(live_code_id)
    if not live_code.active:
        return CLOSED
    if is_group_code(live_code):
        return group_reservations.reserve_in_line(live_code, ticket, now, origin or {})
    if live_code.kind == "nearest_store":
        return nearest_store.ask_where(live_code, now)
    if live_code.native:
        qr_url = native_list.record_scan(live_code, now, origin or {})
        return Scan("staff", qr_url=qr_url) if qr_url else CLOSED
    return reservations.reserve(live_code, ticket, now, preferred, origin or {})


def closure(code: str) -> Closure:
    """Why a scan of the code found it closed, and when it opens again. NotFound."""
    live_code = current(_live_code_id(code))
    return explain_closure(live_code.rule, live_code.active, clock.now())


def locate(
    code: str, where: Where, cookie: str | None = None, origin: Mapping[str, Any] | None = None
) -> Scan:
    """A scan by one who says where they are, or which store they want. NotFound, Invalid, Upstream.

    Only a nearest_store code cares. Who has added a guide keeps them, unless they choose another store; who
    has only a place reserved keeps it while they are where that store is the nearest.
    """
    live_code_id, now = _live_code_id(code), clock.now()
    live_code = current(live_code_id)
    if live_code.kind != "nearest_store":
        return scan(code, cookie, origin)
    nearest_store.check(where)
    same, preferred = _find_last(live_code_id, cookie, now)
    if same is not None:
        added, wanted = same.expires_at is None, where.store_id
        if wanted is None:
            wanted = same.store_id if added else nearest_store.find_nearest_open(live_code, where, now)
        if same.store_id == wanted or same is CLOSED:  # blacklisted, whichever store they choose
            return same
    return nearest_store.locate(
        live_code, where, preferred, now, origin or {}, group_reservations.reserve_in_store_group
    )


def choices(code: str, city: str | None, text: str, page: int) -> Choices | None:
    """The stores of a nearest_store code that is open, to choose from; None: it is none. NotFound."""
    live_code, now = current(_live_code_id(code)), clock.now()
    if not live_code.active or live_code.kind != "nearest_store":
        return None
    if nearest_store.ask_where(live_code, now).kind == "closed":
        return None
    return nearest_store.choices(live_code, city, text, page, now)


def _live_code_id(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise NotFound(code="no_such_live_code")
    return f"lc_{code}"


def _find_last(live_code_id: str, cookie: str | None, now: datetime) -> tuple[Scan | None, str | None]:
    same: Scan | None = None
    preferred: str | None = None
    if cookie and group_reservations.is_cookie(cookie):
        same = group_reservations.repeat_scan(live_code_id, cookie, now)
    elif cookie:
        same, preferred = reservations.repeat_scan(live_code_id, cookie, now)
    if same is None or not same.store_id:
        return same, preferred
    return (same, preferred) if nearest_store.still_serves(current(live_code_id), same) else (None, None)
