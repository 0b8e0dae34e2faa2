"""Codes that are printed as WeCom's own: one contact way of several members, its list kept in step.

Whom WeCom may give customers to is a rule of the code, the time and the places taken
(`rules.listing`); WeCom is told when its answer changes, and only then. It is asked for by work of kind
`native`: when the code is changed, when an add fills a member's cap, and, as a `due` item, at the
next moment at which time changes the answer, an hour ahead at most: whatever went wrong heals by then.
One process tells WeCom at a time (turns.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from chalicelib.livecodes import making, rules, turns, ways
from chalicelib.livecodes.codes import LiveCode, get
from chalicelib.livecodes.models import READY, ContactWayItem
from chalicelib.livecodes.reservations import occupancy
from chalicelib.platform import clock, due, ids, log, queues, settings, timeline
from chalicelib.platform.errors import NotFound, Upstream
from chalicelib.platform.timeline import Line
from chalicelib.staff import service as staff
from chalicelib.wecom import client as wecom
from chalicelib.wecom import pictures
from chalicelib.wecom.errors import WeComError

AHEAD = timedelta(hours=1)  # how far off the next look at a code is at most
LEFT_OUT = timedelta(days=1)  # how long a member whom WeCom refused is not tried again
_NOT_SERVING, _HAS_LEFT = "may not serve customers in WeCom", "has left, or is disabled"


def state_of(live_code_id: str) -> str:
    """What the callback of an add by the code's own way brings: 22 of WeCom's 30 characters."""
    return making.NATIVE + ids.derived(live_code_id, "native", length=20)


def keep(live_code_id: str, changed: bool = False) -> None:
    """Make the code's own way if there is none, and tell WeCom its list if that is another than it knows.

    changed: by the operator: members whom WeCom refused before are tried again. Of a code that is
    archived or gone, the way stays as it is. WeComError, Upstream.
    """
    try:
        code = get(live_code_id)
    except NotFound:
        return
    row = ContactWayItem.find(state_of(live_code_id))
    if not code.active or (row is None and not code.native):
        return
    _look_again(code)
    if row is None or row.status != READY:
        row = _made(code)
    if row is None:
        log.logger.warning("nobody to make a native code of", extra={"live_code_id": live_code_id})
        return
    _tell(code, row, changed)


def added(code: LiveCode, staff_id: str, at: datetime) -> None:
    """An add by the code's own way: when it filled the member's cap, they are taken off the list at once."""
    member = code.rule.find(staff_id)
    if member is not None and _full(code, [member], at):
        queues.send("assign", {"kind": "native", "live_code_id": code.live_code_id})


def way(code: LiveCode) -> ways.Way:
    """The code's own way, made if there is none. Upstream, WeComError, UsedUp."""
    found = ways.find_way(state_of(code.live_code_id))
    if found is None or not found.qr_url:
        if _made(code) is None:
            raise Upstream("nobody in this code can get customers, and WeCom makes no code of nobody")
        found = ways.find_way(state_of(code.live_code_id))
    if found is None:
        raise Upstream("the code's contact way was removed at this moment: try again")
    return found


def scan(code: LiveCode, now: datetime, origin: Mapping[str, Any]) -> str | None:
    """What a scan of our link gets: the picture of WeCom's own code; None while the code is closed.

    Nothing is reserved: WeCom decides who it is. The scan has its line all the same.
    """
    if not rules.is_open(code.rule, now):
        return None
    qr_url = way(code).qr_url
    scan_id = ids.ulid(now)
    data = {"live_code_id": code.live_code_id, "channel": code.channel, "why": "native", **origin}
    nobody = {"staff_id": None, "assignment_id": None}
    timeline.record(Line(f"scan#{scan_id}", "scanned", now, scan_id, {**data, **nobody}))
    return qr_url


def picture(code: LiveCode) -> bytes:
    """The QR code's picture from WeCom, for a poster. Upstream, WeComError, UsedUp."""
    return pictures.fetch(way(code).qr_url, settings.env("WECOM_API_BASE", wecom.HOST))


def status(code: LiveCode) -> dict[str, Any] | None:
    """`{"qr_url","listed_staff_ids","told_at","left_out":[{"staff_id","reason"}]}`; None without a way."""
    row = ContactWayItem.find(state_of(code.live_code_id))
    if row is None:
        return None
    reasons = {one: _HAS_LEFT for one in code.rule.staff_ids if staff.has_left(one)}
    reasons |= {one: told["reason"] for one, told in (row.left_out or {}).items()}
    return {
        "qr_url": row.qr_url,
        "listed_staff_ids": row.listed or [],
        "told_at": row.told_at,
        "left_out": [{"staff_id": one, "reason": reason} for one, reason in reasons.items()],
    }


def _look_again(code: LiveCode) -> None:
    """At the next moment at which time may change the list. The same for whoever asks, so it is one item."""
    now = clock.now()
    minute = ids.shard(code.live_code_id, 60)  # codes without hours don't all come in the same minute
    hourly = now.replace(minute=minute, second=0, microsecond=0)
    hourly += AHEAD if hourly <= now else timedelta(0)
    at = rules.next_change(code.rule, now, hourly - now) or hourly
    due.put("native", at, code.live_code_id, {"live_code_id": code.live_code_id})


def _wanted(code: LiveCode, left_out: Mapping[str, Any]) -> list[str]:
    """Who is to be listed now; nobody when the list is to stay as it is."""
    now = clock.now()
    full = _full(code, code.rule.members, now)
    listed = rules.listing(code.rule, now, full | frozenset(left_out)).staff_ids
    return [one for one in listed if one not in left_out]


def _full(code: LiveCode, members: Sequence[rules.Member], at: datetime) -> frozenset[str]:
    """Those of the members whose places in the code, or of whose account, are used up."""
    only = replace(code.rule, members=tuple(members), fallback=())
    return frozenset(occupancy(code.live_code_id, only, rules.day(code.rule, at), at).full)


def _made(code: LiveCode) -> ContactWayItem | None:
    """A way with as many of the members as WeCom takes without asking further. None: there is nobody."""
    staff_ids = _wanted(code, {}) or code.rule.staff_ids[: rules.MAX_LISTED]
    refusal: WeComError | None = None
    for some in _tries(staff_ids):
        told = {**ways.settings(code), "listed": some, "told_at": clock.iso(clock.now())}
        fields = {**ways.settings(code), "type": 2, "user": some}
        try:
            return making.make(state_of(code.live_code_id), code.live_code_id, "", fields, told)
        except WeComError as error:
            if error.errcode not in ways.REFUSED:
                raise
            refusal = error
    if refusal is not None:
        raise refusal
    return None


def _tries(staff_ids: list[str]) -> Iterator[list[str]]:
    """All of them, those who may serve customers, each alone: until WeCom takes one."""
    if staff_ids:
        yield staff_ids
        if serving := _serving(staff_ids):
            yield serving
        yield from ([one] for one in serving)


def _serving(staff_ids: list[str]) -> list[str]:
    """Those who may serve customers."""
    there = {one.lower() for one in wecom.default_client().get_follow_user_list()}
    return [one for one in staff_ids if one.lower() in there]


def _tell(code: LiveCode, row: ContactWayItem, changed: bool) -> None:
    if row.telling is None and _in_step(code, row, changed):
        return

    def send(held: ContactWayItem, unsure: bool) -> dict[str, Any]:
        now = get(code.live_code_id)
        return _sent(now, held, changed, unsure) if now.active else {}

    try:
        if turns.tell(row, send):
            return
        # Somebody tells; if they have died over it, this look finds their turn over.
        due.put("native", clock.now() + turns.LEASE, code.live_code_id, {"live_code_id": code.live_code_id})
    except WeComError as error:
        # Somebody has deleted it at WeCom: the printed ones are dead, and a new one is made.
        if error.errcode != making.GONE:
            raise
        if making.remove(row, ContactWayItem.config_id == row.config_id):
            due.put("native", clock.now(), code.live_code_id, {"live_code_id": code.live_code_id})


def _in_step(code: LiveCode, row: ContactWayItem, changed: bool) -> bool:
    left_out = _left_out(row, changed)
    same = ways.has(row, ways.settings(code))
    return same and left_out == (row.left_out or {}) and _wanted(code, left_out) in ([], row.listed)


def _left_out(row: ContactWayItem, changed: bool) -> dict[str, Any]:
    """Whom WeCom has refused of late."""
    after = clock.iso(clock.now() - LEFT_OUT)
    known = {} if changed else row.left_out or {}
    return {one: told for one, told in known.items() if told["at"] > after}


def _sent(code: LiveCode, row: ContactWayItem, changed: bool, unsure: bool) -> dict[str, Any]:
    """Tell WeCom what it does not know; what it knows then, as the row's attributes."""
    fields, left_out = ways.settings(code), _left_out(row, changed)
    current = None if unsure or not ways.has(row, fields) else row.listed  # what WeCom has, if that is known
    listed, told_at = row.listed, row.told_at

    def send(staff_ids: list[str]) -> None:
        nonlocal current, listed, told_at
        if staff_ids != current:
            # Sent whole: a way is told the same twice without harm, and a lost answer is sent again.
            whole = {**fields, "state": row.state, "user": staff_ids}
            wecom.default_client().update_contact_way(row.config_id, whole)
            current, listed, told_at = staff_ids, staff_ids, clock.iso(clock.now())

    while wanted := _wanted(code, left_out):
        refused = _offered(wanted, send)
        if not refused:
            break
        at = clock.iso(clock.now())
        left_out |= {one: {"reason": reason, "at": at} for one, reason in refused.items()}
        log.logger.warning(
            "left out of a native code",
            extra={"live_code_id": code.live_code_id, "staff_ids": list(refused)},
        )
    if not wanted and listed and current != listed:
        send(listed)  # nobody to put there: the last list, with what else has changed
    return {**fields, "listed": listed, "left_out": left_out, "told_at": told_at}


def _offered(staff_ids: list[str], send: Callable[[list[str]], None]) -> dict[str, str]:
    """Send a list; empty when WeCom takes it, else those whom it refuses, and why."""
    try:
        send(staff_ids)
    except WeComError as error:
        if error.errcode not in ways.REFUSED:
            raise
        if len(staff_ids) == 1:
            return {staff_ids[0]: ways.REFUSED[error.errcode]}
        serving = set(_serving(staff_ids))
        if len(serving) < len(staff_ids):
            return {one: _NOT_SERVING for one in staff_ids if one not in serving}
        middle = len(staff_ids) // 2  # each half that is taken is a list that may stand for a moment
        return _offered(staff_ids[:middle], send) | _offered(staff_ids[middle:], send)
    return {}
