"""WeCom's contact ways (联系我): a few per member and code, each made when first needed.

A way's `state` is all that an add tells of its scan. So two people who are shown the same guide within
a reservation's time get different ways, in slots 0 to SLOTS - 1, and each add leads to its very scan.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.contactways import making, rows, update_lease
from chalicelib.contactways.models import READY, ContactWayItem
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, ids
from chalicelib.platform.errors import NotFound
from chalicelib.platform.userids import fold
from chalicelib.staff import problems
from chalicelib.staff import service as staff
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import Treatment, WeComError

SLOTS = 5  # ways of one member in one code: more open reservations than that share the first
_STATE = 22  # characters of slot 0's state; the others' have the slot's number behind them
_MAX_REMARK = 30  # WeCom: characters
_KEPT = 20_000  # ways that a process keeps
# How long it does: less than the grace in which the way of one who left is not deleted (cleanup).
_KEEP = timedelta(hours=1)
_ways: dict[str, tuple[datetime, "Way"]] = {}


class Way(Struct, frozen=True):
    """A contact way: scanning `qr_url`'s picture adds `staff_id`, and the callback brings `state` back.

    A code's native way is nobody's alone: its `staff_id` is empty, and it has no slot.
    """

    state: str
    live_code_id: str
    staff_id: str
    qr_url: str

    @property
    def slot(self) -> int | None:
        if self.state.startswith(rows.NATIVE):
            return None
        return int(self.state[_STATE:] or 0)


def state_of(live_code_id: str, staff_id: str, slot: int = 0) -> str:
    """WeCom takes 30 characters; these 22 or 23 are the same for the same member, code and slot."""
    return "mr" + ids.derived(live_code_id, staff_id, length=_STATE - 2) + (str(slot) if slot else "")


def find_way(state: str) -> Way | None:
    """Whose code a callback's `state` is; None for one that isn't ours.

    A way whose answer was lost may be scanned already: `qr_url` is empty then, the rest is right.
    """
    kept = _known(state)
    if kept is not None:
        return kept
    row = ContactWayItem.find(state)
    if row is None:
        return None
    return _kept(row) if row.status == READY else _way(row)


def is_known(live_code_id: str, staff_id: str, slot: int) -> bool:
    """Whether this process keeps that way, so that it need neither be read nor made."""
    return _known(state_of(live_code_id, staff_id, slot)) is not None


def way(code: LiveCode, staff_id: str, slot: int = 0) -> Way:
    """The member's contact way, made if there is none. Upstream, WeComError (nothing was made)."""
    state = state_of(code.live_code_id, staff_id, slot)
    kept = _known(state)
    if kept is None:
        row = ContactWayItem.find(state)
        kept = _kept(row if row and row.status == READY else _make(code, staff_id, state))
    return kept


def refuses_member(error: Exception) -> bool:
    """Whether it is this member whom WeCom refuses, so that it may well take another."""
    if not isinstance(error, WeComError):
        return False
    return error.errcode in problems.BY_ERRCODE or error.treatment is Treatment.DATA


def without_way(live_code_id: str, staff_ids: Iterable[str]) -> set[str]:
    """Those among the members whose first way is not made: 100 of them a request."""
    states = {state_of(live_code_id, staff_id): staff_id for staff_id in staff_ids}
    unknown = [state for state in states if _known(state) is None]
    ready = [row for row in ContactWayItem.batch_get(unknown, consistent_read=True) if row.status == READY]
    made = {_kept(row).state for row in ready}
    return {states[state] for state in unknown if state not in made}


def make_ahead(live_code_id: str, staff_id: str) -> None:
    """Have the member's contact way and name at hand before the first scan. Upstream, WeComError."""
    staff_id = fold(staff_id)
    try:
        code = livecodes.get(live_code_id)
    except NotFound:
        return
    if not code.active or staff_id not in code.rule.staff_ids:
        return  # changed since this was asked for
    staff.learn(staff_id)
    if not code.native:  # which has one way for all
        refresh(live_code_id, staff_id)


def refresh(live_code_id: str, staff_id: str) -> None:
    """Make the first way if there is none; send WeCom what differs in any from the code's settings."""
    code = livecodes.get(live_code_id)
    way(code, staff_id)
    states = [state_of(live_code_id, staff_id, slot) for slot in range(SLOTS)]
    for row in ContactWayItem.batch_get(states, consistent_read=True):
        if row.status == READY and not _update(code, row):
            rows.remove(row, ContactWayItem.config_id == row.config_id)
            _ways.pop(row.state, None)
            _make(livecodes.get(live_code_id), staff_id, row.state)


def _update(code: LiveCode, row: ContactWayItem) -> bool:
    """Have WeCom know the code's settings. False: somebody has deleted the way there."""
    if row.telling is None and has_settings(row, wanted_settings(code)):
        return True

    def send(held: ContactWayItem, unsure: bool) -> dict[str, Any]:
        wanted = wanted_settings(livecodes.get(code.live_code_id))
        if unsure or not has_settings(held, wanted):
            # Sent whole: a way is told the same twice without harm, and a lost answer is simply sent again.
            fields = {**wanted, "state": held.state, "user": [held.staff_id]}
            wecom.default_client().update_contact_way(held.config_id, fields)
        return wanted

    try:
        update_lease.update(row, send)
    except WeComError as error:
        if error.errcode != rows.GONE:
            raise
        return False
    return True


def wanted_settings(code: LiveCode) -> dict[str, Any]:
    """What WeCom is told of a code, as the row's attributes."""
    return {"skip_verify": code.skip_verify, "remark": remark(code)}


def has_settings(row: ContactWayItem, wanted: Mapping[str, Any]) -> bool:
    """Whether WeCom was told so of the way."""
    return all(getattr(row, name) == value for name, value in wanted.items())


def _make(code: LiveCode, staff_id: str, state: str) -> ContactWayItem:
    known = wanted_settings(code)
    return making.make(state, code.live_code_id, staff_id, {"type": 1, "user": [staff_id], **known}, known)


def _known(state: str) -> Way | None:
    kept = _ways.get(state)
    return kept[1] if kept is not None and clock.now() < kept[0] else None


def _kept(row: ContactWayItem) -> Way:
    """A way that is made never changes what a `Way` tells of it."""
    if len(_ways) >= _KEPT:
        _ways.clear()
    _ways[row.state] = clock.now() + _KEEP, _way(row)
    return _ways[row.state][1]


def _way(row: ContactWayItem) -> Way:
    return Way(row.state, row.live_code_id, row.staff_id, row.qr_url or "")


def remark(code: LiveCode) -> str:
    """What staff see of where a customer came from."""
    return code.name[:_MAX_REMARK]
