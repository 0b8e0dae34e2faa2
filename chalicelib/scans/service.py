"""What a scan gets: the same as last time, a place in a group, a store to choose, a guide, or nobody.

Who is a robot, or whose address is over its limit, is shown somebody and gets nothing: no ticket, no place,
no line of the timeline.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from chalicelib.assignments import native_list, nearest_store, reservations, unreserved
from chalicelib.assignments.nearest_store import Choices, Where
from chalicelib.assignments.types import CLOSED, Asked, Scan, admit_all
from chalicelib.groupcodes import reservations as group_reservations
from chalicelib.groupcodes.group_order import is_group_code
from chalicelib.livecodes import poster_links
from chalicelib.livecodes.poster_links import Owner
from chalicelib.livecodes.rules import Closure, on_duty
from chalicelib.livecodes.rules import closure as explain_closure
from chalicelib.livecodes.service import LiveCode, current
from chalicelib.livecodes.tickets import take_poster_ticket, take_ticket
from chalicelib.platform import clock
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.platform.userids import fold
from chalicelib.scans.address_limit import Admission, OverLimit
from chalicelib.staff import service as staff

_CODE = re.compile(r"[2-9A-HJ-NP-Za-km-z]{8}")


def scan(
    code: str,
    cookie: str | None = None,
    origin: Mapping[str, Any] | None = None,
    *,
    poster: str = "",
    reserves: bool = True,
    admission: Admission | None = None,
) -> Scan:
    """Decide who gets this scan, and reserve their place. NotFound; Upstream when WeCom is needed and down.

    code: what stands in the link. cookie: `Scan.cookie` of the person's last scan of this code.
    origin: what the link told beside the code; kept with the assignment, and told by its line.
    poster: its `g`, whose own poster it is. reserves: False for a robot. admission: of the address, None
    for no limit.
    """
    live_code_id, now = _live_code_id(code), clock.now()
    owner = poster_links.read(live_code_id, poster) if poster else None
    if owner and owner.kind == "store" and current(live_code_id).kind == "nearest_store":
        try:
            where = Where(store_id=owner.id)
            return locate(code, where, cookie, origin, reserves=reserves, admission=admission)
        except Invalid:  # a store that is no more, or not this code's any more: another is chosen
            owner = None
    guide = staff.current_id(fold(owner.id)) if owner and owner.kind == "guide" else None
    same, preferred = _find_last(live_code_id, cookie, now, guide)
    if same is not None:
        return same
    if not reserves:
        return _show(current(live_code_id), now, guide)
    why = _problem_of(owner) if poster and guide is None else {}
    asked = Asked(origin or {}, preferred, guide, why, admission or admit_all)
    try:
        if admission is not None and admission.is_over and _reserves(current(live_code_id)):
            admission()
        got = _reserve(live_code_id, now, asked)
    except OverLimit as error:
        return _show_over_limit(_show(current(live_code_id), now, guide), error)
    return _take_back_unused(got, admission)


def closure(code: str) -> Closure:
    """Why a scan of the code found it closed, and when it opens again. NotFound."""
    live_code = current(_live_code_id(code))
    return explain_closure(live_code.rule, live_code.active, clock.now())


def locate(
    code: str,
    where: Where,
    cookie: str | None = None,
    origin: Mapping[str, Any] | None = None,
    *,
    reserves: bool = True,
    admission: Admission | None = None,
) -> Scan:
    """A scan by one who says where they are, or which store they want. NotFound, Invalid, Upstream.

    Only a nearest_store code cares. Who has added a guide keeps them, unless they choose another store; who
    has only a place reserved keeps it while they are where that store is the nearest.
    """
    live_code_id, now = _live_code_id(code), clock.now()
    live_code = current(live_code_id)
    if live_code.kind != "nearest_store":
        return scan(code, cookie, origin, reserves=reserves, admission=admission)
    nearest_store.check(where)
    same, preferred = _find_last(live_code_id, cookie, now)
    if same is not None:
        added, wanted = same.expires_at is None, where.store_id
        if wanted is None:
            wanted = same.store_id if added else nearest_store.find_nearest_open(live_code, where, now)
        if same.store_id == wanted or same is CLOSED:  # blacklisted, whichever store they choose
            return same

    def take(asked: Asked | None) -> Scan:
        return nearest_store.locate(live_code, where, now, asked, group_reservations)

    if not reserves:
        return take(None)
    try:
        if admission is not None and admission.is_over:
            admission()
        got = take(Asked(origin or {}, preferred, admit=admission or admit_all))
    except OverLimit as error:
        return _show_over_limit(take(None), error)
    return _take_back_unused(got, admission)


def choices(code: str, city: str | None, text: str, page: int) -> Choices | None:
    """The stores of a nearest_store code that is open, to choose from; None: it is none. NotFound."""
    live_code, now = current(_live_code_id(code)), clock.now()
    if not live_code.active or live_code.kind != "nearest_store":
        return None
    if nearest_store.ask_where(live_code, now).kind == "closed":
        return None
    return nearest_store.choices(live_code, city, text, page, now)


def _reserve(live_code_id: str, now: datetime, asked: Asked) -> Scan:
    rate = None
    if asked.poster is None:
        ticket, live_code = take_ticket(live_code_id)
    else:
        ticket, live_code, rate = take_poster_ticket(live_code_id, asked.poster, now)
    if not live_code.active:
        return CLOSED
    if live_code.native:
        qr_url = native_list.record_scan(live_code, now, asked.origin)
        return Scan("staff", qr_url=qr_url) if qr_url else CLOSED
    if not is_group_code(live_code) and live_code.kind != "nearest_store":
        return reservations.reserve(live_code, ticket, now, asked, rate=rate)
    if asked.poster is not None:
        got, reason = _reserve_posters(live_code, ticket, now, asked)
        if got is not CLOSED:
            return got
        why = {"poster": {"staff_id": asked.poster, "reason": reason}}
        asked = replace(asked, poster=None, why=why)
    if live_code.kind == "nearest_store":
        return nearest_store.ask_where(live_code, now)
    return group_reservations.reserve_in_line(live_code, ticket, now, replace(asked, preferred=None))


def _reserve_posters(live_code: LiveCode, ticket: int, now: datetime, asked: Asked) -> tuple[Scan, str]:
    """The poster's guide, of a code that leads elsewhere by itself; CLOSED, and why it is not them."""
    own = live_code.rule.find(str(asked.poster))
    if own is None:
        return CLOSED, "not_in_code"
    alone = replace(live_code.rule, members=(own,), fallback=())
    on = on_duty(own, now.astimezone(live_code.rule.zone))
    got = reservations.reserve(live_code, ticket, now, replace(asked, preferred=None), alone)
    return got, "full" if on else "off"


def _show(live_code: LiveCode, now: datetime, guide: str | None) -> Scan:
    """Whom one would get, nothing reserved."""
    if not live_code.active:
        return CLOSED
    if is_group_code(live_code):
        return group_reservations.show_in_line(live_code, now)
    if live_code.kind == "nearest_store":
        return nearest_store.ask_where(live_code, now)
    if live_code.native:
        qr_url = native_list.picture_of(live_code, now)
        return Scan("staff", qr_url=qr_url) if qr_url else CLOSED
    return unreserved.show(live_code, now, poster=guide)


def _show_over_limit(shown: Scan, error: OverLimit) -> Scan:
    return shown if shown.kind == "closed" else replace(shown, retry_after=error.retry_after)


def _take_back_unused(got: Scan, admission: Admission | None) -> Scan:
    """What was counted for a place that nobody had."""
    if admission is not None and got.assignment_id is None:
        admission.take_back()
    return got


def _reserves(live_code: LiveCode) -> bool:
    """Whether a scan that tells nothing of its place gets a reservation."""
    return live_code.active and not live_code.native and live_code.kind != "nearest_store"


def _problem_of(owner: Owner | None) -> dict[str, Any]:
    """What is told of a `g` that names no guide here: forged, another code's, or a store's."""
    if owner is None:
        return {"poster": {"staff_id": None, "reason": "foreign"}}
    return {"poster": {"staff_id": None, "store_id": owner.id, "reason": "not_in_code"}}


def _live_code_id(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise NotFound(code="no_such_live_code")
    return f"lc_{code}"


def _find_last(
    live_code_id: str, cookie: str | None, now: datetime, guide: str | None = None
) -> tuple[Scan | None, str | None]:
    same: Scan | None = None
    preferred: str | None = None
    if cookie and group_reservations.is_cookie(cookie):
        same = group_reservations.repeat_scan(live_code_id, cookie, now)
    elif cookie:
        same, preferred = reservations.repeat_scan(live_code_id, cookie, now, guide)
    if same is None or not same.store_id:
        return same, preferred
    return (same, preferred) if nearest_store.still_serves(current(live_code_id), same) else (None, None)
