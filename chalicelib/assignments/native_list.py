"""Whom WeCom's own code of several members lists, where WeCom assigns and not we.

Whom WeCom may give customers to is a rule of the code, the time and the places taken (`rules.listing`); WeCom
is told when the answer changes, and only then. It is asked for by work of kind `native`: when the code is
changed, when an add fills a member's cap, and, as a `due` item, at the next moment at which time changes the
answer, an hour ahead at most: whatever went wrong heals by then.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from chalicelib.assignments import rules
from chalicelib.assignments.occupancy import occupancy
from chalicelib.contactways import native_code
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.rules import Member, day_of, is_open
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, due, ids, queues, settings, timeline
from chalicelib.platform.errors import NotFound
from chalicelib.platform.timeline import Line
from chalicelib.wecom import client as wecom
from chalicelib.wecom import pictures

AHEAD = timedelta(hours=1)  # how far off the next look at a code is at most


def keep_in_step(live_code_id: str, changed: bool = False) -> None:
    """Have WeCom's own code of a live code list whom it is to list now.

    changed: by the operator. Of a code that is archived or gone, it stays as it is. WeComError, Upstream.
    """
    try:
        code = livecodes.get(live_code_id)
    except NotFound:
        return
    if not code.active or not (code.native or native_code.exists(live_code_id)):
        return
    _look_again(code)
    after = native_code.keep_in_step(code, _members, changed)
    if after is not None:
        due.put("native", clock.now() + after, live_code_id, {"live_code_id": live_code_id})


def take_off_when_full(code: LiveCode, staff_id: str, at: datetime) -> None:
    """After an add: a member whose cap it filled leaves the list at once."""
    if not code.native:
        return
    member = code.rule.find(staff_id)
    if member is not None and _full(code, [member], at):
        queues.send("assign", {"kind": "native", "live_code_id": code.live_code_id})


def record_scan(code: LiveCode, now: datetime, origin: Mapping[str, Any]) -> str | None:
    """What a scan of our link gets: the picture of WeCom's own code; None while the code is closed.

    Nothing is reserved: WeCom decides who it is. The scan has its line all the same.
    """
    qr_url = picture_of(code, now)
    if qr_url is None:
        return None
    scan_id = ids.ulid(now)
    data = {"live_code_id": code.live_code_id, "channel": code.channel, "why": "native", **origin}
    nobody = {"staff_id": None, "assignment_id": None}
    timeline.record(Line(f"scan#{scan_id}", "scanned", now, scan_id, {**data, **nobody}))
    return qr_url


def picture_of(code: LiveCode, now: datetime) -> str | None:
    """Where the picture of WeCom's own code is; None while the code is closed."""
    return native_code.way(code, _members).qr_url if is_open(code.rule, now) else None


def fetch_picture(code: LiveCode) -> bytes:
    """The QR code's picture from WeCom, for a poster. Upstream, WeComError, UsedUp."""
    return pictures.fetch(native_code.way(code, _members).qr_url, settings.env("WECOM_API_BASE", wecom.HOST))


def _look_again(code: LiveCode) -> None:
    """At the next moment at which time may change the list. The same for whoever asks, so it is one item."""
    now = clock.now()
    minute = ids.shard(code.live_code_id, 60)  # codes without hours don't all come in the same minute
    hourly = now.replace(minute=minute, second=0, microsecond=0)
    hourly += AHEAD if hourly <= now else timedelta(0)
    at = rules.next_change(code.rule, now, hourly - now) or hourly
    due.put("native", at, code.live_code_id, {"live_code_id": code.live_code_id})


def _members(code: LiveCode, left_out: Mapping[str, Any]) -> list[str]:
    """Who is to be listed now; nobody when the list is to stay as it is."""
    now = clock.now()
    full = _full(code, code.rule.members, now)
    listed = rules.listing(code.rule, now, full | frozenset(left_out)).staff_ids
    return [staff_id for staff_id in listed if staff_id not in left_out]


def _full(code: LiveCode, members: Sequence[Member], at: datetime) -> frozenset[str]:
    """Those of the members whose places in the code, or of whose account, are used up."""
    only = replace(code.rule, members=tuple(members), fallback=())
    return frozenset(occupancy(code.live_code_id, only, day_of(code.rule, at), at).full)
