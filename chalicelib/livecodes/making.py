"""Making one contact way at WeCom, never twice, and removing it.

Making is a state machine: the intent is stored with a lease, WeCom is called, the answer stored.
WeCom has no key of ours for it, so after a lost answer or a crash we look through what it has for our
`state` before making another: they are a scarce thing (500,000 a corp).
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.livecodes import usage
from chalicelib.livecodes.models import MAKING, READY, ContactWayItem
from chalicelib.livecodes.usage import UsedUp
from chalicelib.platform import clock, ids, log, storage
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost, WeComError

DEADLINE = timedelta(seconds=10)  # for one call to WeCom with its retries: a person is waiting
LEASE = timedelta(seconds=30)  # longer than making one takes: a call, a search
NATIVE = "mn"  # what the state of a code's own way begins with
_WAIT_SECONDS, _POLL_SECONDS = 3.0, 0.2  # for another process that is making the same way
_SKEW = timedelta(minutes=5)  # WeCom's clock and ours
_REFUSED_FOR = timedelta(minutes=1)  # how long a process takes WeCom's word that there are no more
_refused_at: list[datetime] = []


def make(
    state: str,
    live_code_id: str,
    staff_id: str,
    fields: Mapping[str, Any],
    told: Mapping[str, Any],
) -> ContactWayItem:
    """The way under `state`, made if there is none. Upstream, WeComError and UsedUp (nothing was made).

    fields: as WeCom's add_contact_way takes them, but for scene and state. told: the row's attributes
    that say what of them WeCom knows; not set on a way that was found instead of made.
    """
    now = clock.now()
    if _refused_at and now < _refused_at[0] + _REFUSED_FOR:
        raise UsedUp
    mine = f"{clock.iso(now + LEASE)}#{ids.short()}"
    row = ContactWayItem(
        state,
        live_code_id=live_code_id,
        staff_id=staff_id,
        status=MAKING,
        lease=mine,
        since=clock.iso(now),
    )
    tx = Transaction()
    tx.put("way", row, ContactWayItem.state.does_not_exist())
    usage.add(tx, kind(state), state, 1)
    try:
        tx.commit()
    except ConditionFailed:
        left = (ContactWayItem.lease < clock.iso(now)) & (ContactWayItem.status == MAKING)
        if not storage.update_if(row, [ContactWayItem.lease.set(mine)], left):
            return _await(state)
        # Its maker has died, or never heard WeCom's answer: what it asked for may be there.
        if found := search(row):
            return _store(row, mine, *found)
    return _add(row, mine, fields, told)


def kind(state: str) -> str:
    """How a way counts: `native`, or `staff` (one guide's)."""
    return "native" if state.startswith(NATIVE) else "staff"


def _add(
    row: ContactWayItem, lease: str, fields: Mapping[str, Any], told: Mapping[str, Any]
) -> ContactWayItem:
    asked = {**fields, "scene": 2, "state": row.state}
    held = ContactWayItem.lease == lease
    try:
        config_id, qr_url = wecom.default_client().add_contact_way(asked, deadline=clock.now() + DEADLINE)
    except AnswerLost:
        if found := search(row):
            return _store(row, lease, *found)
        # Perhaps on its way still: the next one to come looks again before it makes one.
        storage.update_if(row, [ContactWayItem.lease.set(clock.iso(clock.now()))], held)
        raise
    except Upstream as error:
        remove(row, held)  # WeCom has refused or was not reached: nothing was made
        if isinstance(error, WeComError) and error.errcode == UsedUp.errcode:
            _refused_at[:] = [clock.now()]
            log.measure("ContactWaysUsedUp", 1, "Count")
            raise UsedUp from error
        raise
    usage.watch()
    return _store(row, lease, config_id, qr_url, told)


def remove(row: ContactWayItem, condition: Any, tx: Transaction | None = None) -> bool:
    """Delete the row, and count it out. False when the condition does not hold any more."""
    tx = tx or Transaction()
    tx.delete("way", row, condition)
    usage.add(tx, kind(row.state), row.state, -1)
    try:
        tx.commit()
    except ConditionFailed:
        return False
    return True


def _store(
    row: ContactWayItem, lease: str, config_id: str, qr_url: str, told: Mapping[str, Any] | None = None
) -> ContactWayItem:
    known = [
        ContactWayItem.status.set(READY),
        ContactWayItem.config_id.set(config_id),
        ContactWayItem.qr_url.set(qr_url),
    ]
    # Of one that was found, nobody knows what WeCom was told: it is told again.
    known += [getattr(ContactWayItem, name).set(value) for name, value in (told or {}).items()]
    if storage.update_if(row, known, ContactWayItem.lease == lease):
        return row
    return _await(row.state)  # our lease ran out, and another has taken over


def search(row: ContactWayItem) -> tuple[str, str] | None:
    """(config_id, qr_url) of the way that WeCom has under our state, made while we tried."""
    client = wecom.default_client()
    until = clock.now() + DEADLINE
    first, last = clock.parse(row.since) - _SKEW, clock.parse(row.lease.partition("#")[0]) + _SKEW
    for config_id in client.list_contact_way(first, last, deadline=until):
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
