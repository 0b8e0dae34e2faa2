"""Making one contact way at WeCom, never twice.

Making is a state machine: the intent is stored with a lease, WeCom is called, the answer stored. A maker
that died, or never heard WeCom's answer, is followed up by lost_answers.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.contactways import lost_answers, rows, usage
from chalicelib.contactways.models import MAKING, ContactWayItem
from chalicelib.contactways.rows import DEADLINE, LEASE
from chalicelib.contactways.usage import UsedUp
from chalicelib.platform import clock, ids, log, storage
from chalicelib.platform.due import DueItem
from chalicelib.platform.errors import DomainError, Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost, WeComError

_REFUSED_FOR = timedelta(minutes=1)  # how long a process takes WeCom's word that there are no more
_refused: list[tuple[datetime, DomainError]] = []  # until when no way is asked for, and why


class _Attempt(Struct, frozen=True):
    """One try at making `row`'s way. order: to look what became of it, taken back when WeCom has answered."""

    row: ContactWayItem
    lease: str
    until: datetime
    order: DueItem


def make(
    state: str,
    live_code_id: str,
    staff_id: str,
    fields: Mapping[str, Any],
    known: Mapping[str, Any],
) -> ContactWayItem:
    """The way under `state`, made if there is none. Upstream, WeComError and UsedUp (nothing was made).

    fields: as WeCom's add_contact_way takes them, but for scene and state. known: the row's attributes
    that say what of them WeCom knows; not set on a way that was found instead of made.
    """
    now = clock.now()
    if _refused and now < _refused[0][0]:
        raise _refused[0][1].with_traceback(None)
    mine = f"{clock.iso(now + LEASE)}#{ids.short()}"
    order = lost_answers.order_search(now + lost_answers.LOOK_AFTER, state, clock.iso(now))
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
    usage.count(tx, rows.kind(state), state, 1)
    tx.put("order", order)
    abandoned = None
    try:
        tx.commit()
    except ConditionFailed:
        abandoned = _take_over(state, mine, order)
        if abandoned is None:
            return rows.wait_for_maker(ContactWayItem, state)
    attempt = _Attempt(abandoned or row, mine, now + DEADLINE, order)
    try:
        # The maker of one that was there has died, or never heard WeCom: what it asked for may be there.
        return (_search(attempt) if abandoned else None) or _add(attempt, fields, known)
    except Upstream:
        # For the next one to take at once. What is on its way still is looked for before another is made.
        held = (ContactWayItem.lease == mine) & (ContactWayItem.status == MAKING)
        storage.update_if(row, [ContactWayItem.lease.set(clock.iso(clock.now()))], held)
        raise


def _take_over(state: str, lease: str, order: DueItem) -> ContactWayItem | None:
    """The row of a way whose maker has left it; None: it is being made, or made."""
    tx = Transaction()
    left = (ContactWayItem.lease < clock.iso(clock.now())) & (ContactWayItem.status == MAKING)
    tx.update("way", ContactWayItem(state), [ContactWayItem.lease.set(lease)], left)
    tx.put("order", order)
    try:
        tx.commit()
    except ConditionFailed:
        return None
    return ContactWayItem.find(state)


def _add(attempt: _Attempt, fields: Mapping[str, Any], known: Mapping[str, Any]) -> ContactWayItem:
    row = attempt.row
    asked = {**fields, "scene": 2, "state": row.state}
    held = ContactWayItem.lease == attempt.lease
    try:
        way = wecom.default_client().add_contact_way(asked, deadline=attempt.until)
        config_id, qr_url = way.config_id, way.qr_code
    except AnswerLost:
        if existing := _search(attempt):
            return existing
        raise
    except Upstream as error:
        # WeCom has refused or was not reached: nothing was made.
        tx = Transaction()
        tx.delete("order", attempt.order)
        rows.remove(row, held, tx)
        raised = _remember_quota(error)
        if raised is error:
            raise
        raise raised from error
    if not rows.store_answer(row, attempt.lease, config_id, qr_url, known):
        return rows.wait_for_maker(ContactWayItem, row.state)  # our lease ran out, and another has taken over
    storage.delete_if(attempt.order)
    usage.warn_when_nearly_used_up()
    return row


def _remember_quota(error: Upstream) -> DomainError:
    """What to raise for it. A quota of WeCom's is remembered: asking on would only prolong its block."""
    raised: DomainError = error
    if isinstance(error, WeComError) and error.errcode == UsedUp.errcode:
        raised = UsedUp()
        log.measure("ContactWaysUsedUp", 1, "Count")
        _refused[:] = [(clock.now() + _REFUSED_FOR, raised)]
    elif isinstance(error, WeComError) and error.retry_after:
        _refused[:] = [(clock.now() + timedelta(seconds=error.retry_after), raised)]
    return raised


def _search(attempt: _Attempt) -> ContactWayItem | None:
    """The way, if WeCom has one that the attempts up to now have made. Upstream, when that can't be told."""
    row = attempt.row
    ways, stopped = lost_answers.search_since(row.state, row.since, attempt.until)
    if ways:
        # Nobody knows what WeCom was told of it: it is told again.
        stored = rows.store_answer(row, attempt.lease, *ways[0])
        return row if stored else rows.wait_for_maker(ContactWayItem, row.state)
    if stopped is not None:
        raise Upstream(code="too_many_ways_made")
    return None
