"""Making one contact way at WeCom, never twice, and removing it.

Making is a state machine: the intent is stored with a lease, WeCom is called, the answer stored.
WeCom has no key of ours for it, so after a lost answer or a crash we look through what it has for our
`state` before making another: they are a scarce thing (500,000 a corp).

WeCom may carry out a call minutes after we gave it up, and who was to look may never come. So each
attempt leaves an order (`way_search`, in `due`) that only WeCom's answer takes back: what WeCom has of
the attempt is taken for the way, or deleted, and the row of one that came to nothing goes.
What we have is skipped by its config_id, so that a search asks WeCom one list for each 1,000 ways
made around the attempt, and one call for each of those that we don't know.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec import Struct

from chalicelib.livecodes import usage
from chalicelib.livecodes.models import MAKING, READY, ContactWayItem
from chalicelib.livecodes.usage import UsedUp
from chalicelib.platform import clock, due, ids, log, storage
from chalicelib.platform.due import DueItem
from chalicelib.platform.errors import DomainError, Upstream
from chalicelib.platform.storage import Base, ConditionFailed, Transaction
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost, WeComError

DEADLINE = timedelta(seconds=10)  # for making one, retries and search and all: a person is waiting
LEASE = timedelta(seconds=30)  # longer than making one takes: a call, a search
NATIVE = "mn"  # what the state of a code's own way begins with
LOOK_AFTER = timedelta(minutes=5)  # an attempt: WeCom has carried it out by then, or never will
_AT_ONCE = 100  # ways that one search looks at
_ON, _AGAIN = timedelta(seconds=10), timedelta(minutes=10)  # until the next part; after WeCom failed
_WAIT_SECONDS, _POLL_SECONDS = 3.0, 0.2  # for another process that is making the same way
_SKEW = timedelta(minutes=5)  # WeCom's clock and ours
_REFUSED_FOR = timedelta(minutes=1)  # how long a process takes WeCom's word that there are no more
GONE = 41044  # WeCom: there is no way of that config_id
_refused: list[tuple[datetime, DomainError]] = []  # until when no way is asked for, and why
_Row = TypeVar("_Row", bound=Base)


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
    told: Mapping[str, Any],
) -> ContactWayItem:
    """The way under `state`, made if there is none. Upstream, WeComError and UsedUp (nothing was made).

    fields: as WeCom's add_contact_way takes them, but for scene and state. told: the row's attributes
    that say what of them WeCom knows; not set on a way that was found instead of made.
    """
    now = clock.now()
    if _refused and now < _refused[0][0]:
        raise _refused[0][1].with_traceback(None)
    mine = f"{clock.iso(now + LEASE)}#{ids.short()}"
    order = _order(now + LOOK_AFTER, state, clock.iso(now))
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
    tx.put("order", order)
    found = None
    try:
        tx.commit()
    except ConditionFailed:
        found = _take_over(state, mine, order)
        if found is None:
            return made_by_another(ContactWayItem, state)
    attempt = _Attempt(found or row, mine, now + DEADLINE, order)
    try:
        # The maker of one that was there has died, or never heard WeCom: what it asked for may be there.
        return (_found(attempt) if found else None) or _add(attempt, fields, told)
    except Upstream:
        # For the next one to take at once. What is on its way still is looked for before another is made.
        held = (ContactWayItem.lease == mine) & (ContactWayItem.status == MAKING)
        storage.update_if(row, [ContactWayItem.lease.set(clock.iso(clock.now()))], held)
        raise


def settle(state: str, since: str, after: str = "") -> None:
    """Find out what became of an attempt of that time whose answer was not stored.

    What WeCom has of it is taken for the way, or deleted when there is another; a way that is not there
    is not counted any more. Nothing is touched but what bears this very state and was made around the
    attempt. after: where the message before this one stopped.
    """
    now = clock.now()
    row = ContactWayItem.find(state)
    if row is not None and row.status == MAKING and row.lease >= clock.iso(now):
        _order(now + LEASE, state, since, after).save()  # somebody is making it at present
        return
    at = clock.parse(since)
    try:
        found, stopped = _search(state, at - _SKEW, at + LEASE + _SKEW, after, until=now + DEADLINE)
        for config_id, qr_url in found:
            row = ContactWayItem.find(state)  # as it is now: who makes it says so before they ask WeCom
            if row is not None and row.status == MAKING:
                if row.lease >= clock.iso(now) or not _store(row, row.lease, config_id, qr_url):
                    stopped = after
                    break
            elif row is None or row.config_id != config_id:
                delete(config_id)
                log.logger.warning("a contact way of a lost answer is deleted", extra={"state": state})
    except Upstream as error:
        log.failure("attempt at a contact way not looked up", error, state=state)
        _order(now + _AGAIN, state, since, after).save()
        return
    if stopped is not None:
        _order(now + _ON, state, since, stopped).save()
    elif row is not None and row.status == MAKING:
        remove(row, (ContactWayItem.lease == row.lease) & (ContactWayItem.status == MAKING))


def delete(config_id: str) -> None:
    """Delete a contact way at WeCom; one that is gone is deleted. WeComError, Upstream."""
    try:
        wecom.default_client().del_contact_way(config_id)
    except WeComError as error:
        if error.errcode != GONE:
            raise


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


def made_by_another(model: type[_Row], state: str) -> _Row:
    """The row of a way, a contact way or a join way, when the process that makes it is done. Upstream."""
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        row = model.find(state)
        if row is None:
            break
        if row.status == READY:
            return row  # type: ignore[no-any-return]
        time.sleep(_POLL_SECONDS)
    raise Upstream("the way is being made: try again in a moment")


def kind(state: str) -> str:
    """How a way counts: `native`, or `staff` (one guide's)."""
    return "native" if state.startswith(NATIVE) else "staff"


def _order(at: datetime, state: str, since: str, after: str = "") -> DueItem:
    work = {"state": state, "since": since, "after": after}
    return due.item("way_search", at, f"{state}#{since}#{after}", work, clock.now())


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


def _add(attempt: _Attempt, fields: Mapping[str, Any], told: Mapping[str, Any]) -> ContactWayItem:
    row = attempt.row
    asked = {**fields, "scene": 2, "state": row.state}
    held = ContactWayItem.lease == attempt.lease
    try:
        config_id, qr_url = wecom.default_client().add_contact_way(asked, deadline=attempt.until)
    except AnswerLost:
        if found := _found(attempt):
            return found
        raise
    except Upstream as error:
        # WeCom has refused or was not reached: nothing was made.
        tx = Transaction()
        tx.delete("order", attempt.order)
        remove(row, held, tx)
        told_so = _told(error)
        if told_so is error:
            raise
        raise told_so from error
    if not _store(row, attempt.lease, config_id, qr_url, told):
        return made_by_another(ContactWayItem, row.state)  # our lease ran out, and another has taken over
    storage.delete_if(attempt.order)
    usage.watch()
    return row


def _told(error: Upstream) -> DomainError:
    """What to raise for it. A quota of WeCom's is remembered: asking on would only prolong its block."""
    told: DomainError = error
    if isinstance(error, WeComError) and error.errcode == UsedUp.errcode:
        told = UsedUp()
        log.measure("ContactWaysUsedUp", 1, "Count")
        _refused[:] = [(clock.now() + _REFUSED_FOR, told)]
    elif isinstance(error, WeComError) and error.retry_after:
        _refused[:] = [(clock.now() + timedelta(seconds=error.retry_after), told)]
    return told


def _found(attempt: _Attempt) -> ContactWayItem | None:
    """The way, if WeCom has one that the attempts up to now have made. Upstream, when that can't be told."""
    row, now = attempt.row, clock.now()
    found, stopped = _search(row.state, clock.parse(row.since) - _SKEW, now + _SKEW, until=attempt.until)
    if found:
        # Nobody knows what WeCom was told of it: it is told again.
        return row if _store(row, attempt.lease, *found[0]) else made_by_another(ContactWayItem, row.state)
    if stopped is not None:
        raise Upstream("too many contact ways are being made to look for this one: try again in a moment")
    return None


def _store(
    row: ContactWayItem, lease: str, config_id: str, qr_url: str, told: Mapping[str, Any] | None = None
) -> bool:
    """Store WeCom's answer in the row. False: it is not held under that lease any more."""
    known = [
        ContactWayItem.status.set(READY),
        ContactWayItem.config_id.set(config_id),
        ContactWayItem.qr_url.set(qr_url),
    ]
    known += [getattr(ContactWayItem, name).set(value) for name, value in (told or {}).items()]
    return storage.update_if(row, known, (ContactWayItem.lease == lease) & (ContactWayItem.status == MAKING))


def _search(
    state: str, start: datetime, end: datetime, after: str = "", *, until: datetime
) -> tuple[list[tuple[str, str]], str | None]:
    """(config_id, qr_url) of what WeCom has under `state`, was made in that time, and we don't have.

    Also the config_id at which it stopped, None at the end. WeComError, Upstream.
    """
    client = wecom.default_client()
    there = sorted(one for one in client.list_contact_way(start, end, deadline=until) if one > after)
    found = []
    for config_id in there[:_AT_ONCE]:
        if next(iter(ContactWayItem.by_config.query(config_id, limit=1)), None):
            continue
        try:
            way = client.get_contact_way(config_id, deadline=until)
        except WeComError as error:
            if error.errcode != GONE:
                raise
        else:
            if way.get("state") == state:
                found.append((config_id, str(way.get("qr_code", ""))))
    return found, there[_AT_ONCE - 1] if len(there) > _AT_ONCE else None
