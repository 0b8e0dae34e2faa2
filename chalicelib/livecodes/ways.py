"""WeCom's contact ways (联系我): one per member and code, made when first needed, never twice.

Making one is a state machine: the intent is stored with a lease, WeCom is called, the answer stored.
WeCom has no key of ours for it, so after a lost answer or a crash we look through what it has for our
`state` before making another: they are a scarce thing (500,000 a corp).
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib.livecodes.codes import LiveCode
from chalicelib.livecodes.models import MAKING, READY, ContactWayItem
from chalicelib.platform import clock, ids, storage
from chalicelib.platform.errors import Upstream
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost

DEADLINE = timedelta(seconds=10)  # for one call to WeCom with its retries: a person is waiting
LEASE = timedelta(seconds=30)  # longer than making one takes: a call, a search
_WAIT_SECONDS, _POLL_SECONDS = 3.0, 0.2  # for another process that is making the same way
_SKEW = timedelta(minutes=5)  # WeCom's clock and ours
_MAX_REMARK = 30  # WeCom: characters
_KEPT = 20_000  # ways that a process keeps
_ways: dict[str, "Way"] = {}


@dataclass(frozen=True)
class Way:
    """A contact way: scanning `qr_url`'s picture adds `staff_id`, and the callback brings `state` back."""

    state: str
    live_code_id: str
    staff_id: str
    qr_url: str


def state_of(live_code_id: str, staff_id: str) -> str:
    """WeCom takes 30 characters; these 22 are the same for the same member and code."""
    return "mr" + ids.derived(live_code_id, staff_id, length=20)


def find_way(state: str) -> Way | None:
    """Whose code a callback's `state` is; None for one that isn't ours.

    A way whose answer was lost may be scanned already: `qr_url` is empty then, the rest is right.
    """
    kept = _ways.get(state)
    if kept is not None:
        return kept
    row = ContactWayItem.find(state)
    if row is None:
        return None
    return _kept(row) if row.status == READY else _way(row)


def way(code: LiveCode, staff_id: str) -> Way:
    """The member's contact way, made if there is none. Upstream, WeComError (nothing was made)."""
    state = state_of(code.live_code_id, staff_id)
    kept = _ways.get(state)
    if kept is None:
        row = ContactWayItem.find(state)
        kept = _kept(row if row and row.status == READY else _make(code, staff_id, state))
    return kept


def refresh(code: LiveCode, staff_id: str) -> None:
    """Make the way if there is none; send WeCom what differs from the code's settings, if anything does."""
    made = way(code, staff_id)
    row = ContactWayItem.find(made.state)
    remark = _remark(code)
    if row is None or (row.skip_verify == code.skip_verify and row.remark == remark):
        return
    # Sent whole: a way is told the same twice without harm, and a lost answer is simply sent again.
    fields = {"skip_verify": code.skip_verify, "remark": remark, "state": made.state, "user": [staff_id]}
    wecom.default_client().update_contact_way(row.config_id, fields)
    told = [ContactWayItem.skip_verify.set(code.skip_verify), ContactWayItem.remark.set(remark)]
    storage.update_if(row, told, ContactWayItem.config_id == row.config_id)


def _make(code: LiveCode, staff_id: str, state: str) -> ContactWayItem:
    now = clock.now()
    mine = f"{clock.iso(now + LEASE)}#{ids.short()}"
    row = ContactWayItem(
        state,
        live_code_id=code.live_code_id,
        staff_id=staff_id,
        status=MAKING,
        lease=mine,
        since=clock.iso(now),
    )
    if storage.put_once(row, ContactWayItem.state.does_not_exist()):
        return _add(code, row, mine)
    # Ours, when the store's answer to the put was lost and the put was sent again.
    left = (ContactWayItem.lease < clock.iso(now)) | (ContactWayItem.lease == mine)
    left &= ContactWayItem.status == MAKING
    if storage.update_if(row, [ContactWayItem.lease.set(mine)], left):
        # Its maker has died, or never heard WeCom's answer: what it asked for may be there.
        return _store(row, mine, *found) if (found := _search(row)) else _add(code, row, mine)
    return _await(state)


def _add(code: LiveCode, row: ContactWayItem, lease: str) -> ContactWayItem:
    fields: dict[str, Any] = {
        "type": 1,
        "scene": 2,
        "state": row.state,
        "user": [row.staff_id],
        "skip_verify": code.skip_verify,
        "remark": _remark(code),
    }
    held = ContactWayItem.lease == lease
    try:
        config_id, qr_url = wecom.default_client().add_contact_way(fields, deadline=clock.now() + DEADLINE)
    except AnswerLost:
        if found := _search(row):
            return _store(row, lease, *found)
        # Perhaps on its way still: the next one to come looks again before it makes one.
        storage.update_if(row, [ContactWayItem.lease.set(clock.iso(clock.now()))], held)
        raise
    except Upstream:
        storage.delete_if(row, held)  # WeCom has refused or was not reached: nothing was made
        raise
    return _store(row, lease, config_id, qr_url, code)


def _store(
    row: ContactWayItem, lease: str, config_id: str, qr_url: str, code: LiveCode | None = None
) -> ContactWayItem:
    told = [
        ContactWayItem.status.set(READY),
        ContactWayItem.config_id.set(config_id),
        ContactWayItem.qr_url.set(qr_url),
    ]
    if code is not None:  # of one that was found, `refresh` can't know what WeCom was told: it tells again
        told += [
            ContactWayItem.skip_verify.set(code.skip_verify),
            ContactWayItem.remark.set(_remark(code)),
        ]
    if storage.update_if(row, told, ContactWayItem.lease == lease):
        return row
    return _await(row.state)  # our lease ran out, and another has taken over


def _search(row: ContactWayItem) -> tuple[str, str] | None:
    """(config_id, qr_url) of the way that WeCom has under our state."""
    client = wecom.default_client()
    now = clock.now()
    until = now + DEADLINE
    for config_id in client.list_contact_way(clock.parse(row.since) - _SKEW, now + _SKEW, deadline=until):
        there = client.get_contact_way(config_id, deadline=until)
        if there.get("state") == row.state:
            return config_id, str(there.get("qr_code", ""))
    return None


def _await(state: str) -> ContactWayItem:
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        row = ContactWayItem.find(state)
        if row is None:
            break
        if row.status == READY:
            return row  # type: ignore[no-any-return]
        time.sleep(_POLL_SECONDS)
    raise Upstream("the contact way is being made: try again in a moment")


def _kept(row: ContactWayItem) -> Way:
    """A way that is made never changes what a `Way` tells of it."""
    if len(_ways) >= _KEPT:
        _ways.clear()
    way = _ways[row.state] = _way(row)
    return way


def _way(row: ContactWayItem) -> Way:
    return Way(row.state, row.live_code_id, row.staff_id, row.qr_url or "")


def _remark(code: LiveCode) -> str:
    return code.name[:_MAX_REMARK]
