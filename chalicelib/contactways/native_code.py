"""A code's own contact way, of several members: made, and its list kept in step with what is decided.

Whom it lists is assignments' matter (`native_list` there), handed in as `members`: of the code as it is now
and the members whom WeCom refused, who is to be listed; nobody: the list stays as it is.
One process updates WeCom at a time (update_lease).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from chalicelib.contactways import making, rows, service, update_lease
from chalicelib.contactways.models import READY, ContactWayItem
from chalicelib.contactways.service import Way
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.rules import MAX_LISTED
from chalicelib.livecodes.service import LiveCode
from chalicelib.livecodes.types import LeftOut, NativeOut
from chalicelib.platform import clock, ids, log, messages
from chalicelib.platform.errors import Upstream
from chalicelib.platform.messages import Language
from chalicelib.staff import problems, rules
from chalicelib.staff import service as staff
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError

LEFT_OUT = timedelta(days=1)  # how long a member whom WeCom refused is not tried again
Members = Callable[[LiveCode, Mapping[str, Any]], list[str]]


def state_of(live_code_id: str) -> str:
    """What the callback of an add by the code's own way brings: 22 of WeCom's 30 characters."""
    return rows.NATIVE + ids.derived(live_code_id, "native", length=20)


def exists(live_code_id: str) -> bool:
    return ContactWayItem.find(state_of(live_code_id)) is not None


def keep_in_step(code: LiveCode, members: Members, changed: bool) -> timedelta | None:
    """Make the way if there is none, and update WeCom's list if it is another than the members.

    changed: by the operator: members whom WeCom refused before are tried again. Returns after which time to
    look again; None: all is done. WeComError, Upstream.
    """
    row = ContactWayItem.find(state_of(code.live_code_id))
    if row is None or row.status != READY:
        row = _make(code, members)
    if row is None:
        log.logger.warning("nobody to make a native code of", extra={"live_code_id": code.live_code_id})
        return None
    return _update(code, row, members, changed)


def way(code: LiveCode, members: Members) -> Way:
    """The code's own way, made if there is none. Upstream, WeComError, UsedUp."""
    own = service.find_way(state_of(code.live_code_id))
    if own is None or not own.qr_url:
        if _make(code, members) is None:
            raise Upstream(code="nobody_to_list")
        own = service.find_way(state_of(code.live_code_id))
    if own is None:
        raise Upstream(code="way_removed")
    return own


def find_status(code: LiveCode, language: Language = "zh") -> NativeOut | None:
    """What WeCom's own code is and lists, and whom it leaves out; None without a way.

    language: of the reasons.
    """
    row = ContactWayItem.find(state_of(code.live_code_id))
    if row is None:
        return None
    found = problems.known(code.rule.staff_ids)
    reasons = {one: found.get(one, rules.LEFT) for one in code.rule.staff_ids if staff.has_left(one)}
    reasons |= {staff_id: refusal["reason"] for staff_id, refusal in (row.left_out or {}).items()}
    return NativeOut(
        qr_url=row.qr_url,
        listed_staff_ids=row.listed or [],
        told_at=row.told_at,
        left_out=[
            LeftOut(staff_id=staff_id, code=reason, reason=_words(reason, language, staff_id))
            for staff_id, reason in reasons.items()
        ],
    )


def _words(reason: str, language: Language, staff_id: str) -> str:
    """In a person's words; a row from before there were codes has them already."""
    is_code = reason.startswith("member_")
    return messages.text(reason, language, {"staff_id": staff_id}) if is_code else reason


def _make(code: LiveCode, members: Members) -> ContactWayItem | None:
    """A way with as many of the members as WeCom takes without asking further. None: there is nobody."""
    staff_ids = members(code, {}) or code.rule.staff_ids[:MAX_LISTED]
    refusal: WeComError | None = None
    for listed in _shorter_lists(staff_ids):
        known = {**service.wanted_settings(code), "listed": listed, "told_at": clock.iso(clock.now())}
        fields = {**service.wanted_settings(code), "type": 2, "user": listed}
        try:
            return making.make(state_of(code.live_code_id), code.live_code_id, "", fields, known)
        except WeComError as error:
            if error.errcode not in problems.BY_ERRCODE:
                raise
            refusal = error
    if refusal is not None:
        raise refusal
    return None


def _shorter_lists(staff_ids: list[str]) -> Iterator[list[str]]:
    """All of them, those who may serve customers, each alone: until WeCom takes one."""
    if staff_ids:
        yield staff_ids
        if serving := _serving(staff_ids):
            yield serving
        yield from ([staff_id] for staff_id in serving)


def _serving(staff_ids: list[str]) -> list[str]:
    """Those who may serve customers."""
    there = set(wecom.default_client().get_follow_user_list())
    return [staff_id for staff_id in staff_ids if staff_id in there]


def _update(code: LiveCode, row: ContactWayItem, members: Members, changed: bool) -> timedelta | None:
    if row.telling is None and _in_step(code, row, members, changed):
        return None

    def send(held: ContactWayItem, unsure: bool) -> dict[str, Any]:
        now = livecodes.get(code.live_code_id)
        return _send(now, held, members, changed, unsure) if now.active else {}

    try:
        if update_lease.update(row, send):
            return None
        return update_lease.LEASE  # if the holder has died over it, that look finds the lease over
    except WeComError as error:
        # Somebody has deleted it at WeCom: the printed ones are dead, and a new one is made.
        if error.errcode != rows.GONE:
            raise
        return timedelta(0) if rows.remove(row, ContactWayItem.config_id == row.config_id) else None


def _in_step(code: LiveCode, row: ContactWayItem, members: Members, changed: bool) -> bool:
    left_out = _left_out(row, changed)
    same = service.has_settings(row, service.wanted_settings(code))
    return same and left_out == (row.left_out or {}) and members(code, left_out) in ([], row.listed)


def _left_out(row: ContactWayItem, changed: bool) -> dict[str, Any]:
    """Whom WeCom has refused of late."""
    after = clock.iso(clock.now() - LEFT_OUT)
    known = {} if changed else row.left_out or {}
    return {staff_id: refusal for staff_id, refusal in known.items() if refusal["at"] > after}


def _send(
    code: LiveCode, row: ContactWayItem, members: Members, changed: bool, unsure: bool
) -> dict[str, Any]:
    """Send WeCom what it does not know; what it knows then, as the row's attributes."""
    fields, left_out = service.wanted_settings(code), _left_out(row, changed)
    current = (
        None if unsure or not service.has_settings(row, fields) else row.listed
    )  # what WeCom has, if that is known
    listed, told_at = row.listed, row.told_at

    def send(staff_ids: list[str]) -> None:
        nonlocal current, listed, told_at
        if staff_ids != current:
            # Sent whole: a way is sent the same twice without harm, and a lost answer is sent again.
            whole = {**fields, "state": row.state, "user": staff_ids}
            wecom.default_client().update_contact_way(row.config_id, whole)
            current, listed, told_at = staff_ids, staff_ids, clock.iso(clock.now())

    while wanted := members(code, left_out):
        refused = _offer(wanted, send)
        if not refused:
            break
        at = clock.iso(clock.now())
        left_out |= {staff_id: {"reason": reason, "at": at} for staff_id, reason in refused.items()}
        for staff_id, problem in refused.items():
            if problems.note(staff_id, problem):
                problems.order_telling(staff_id)
        log.logger.warning(
            "left out of a native code",
            extra={"live_code_id": code.live_code_id, "staff_ids": list(refused)},
        )
    if not wanted and listed and current != listed:
        send(listed)  # nobody to put there: the last list, with what else has changed
    return {**fields, "listed": listed, "left_out": left_out, "told_at": told_at}


def _offer(staff_ids: list[str], send: Callable[[list[str]], None]) -> dict[str, str]:
    """Send a list; empty when WeCom takes it, else those whom it refuses, and why."""
    try:
        send(staff_ids)
    except WeComError as error:
        if error.errcode not in problems.BY_ERRCODE:
            raise
        if len(staff_ids) == 1:
            return {staff_ids[0]: problems.BY_ERRCODE[error.errcode]}
        serving = set(_serving(staff_ids))
        if len(serving) < len(staff_ids):
            return {staff_id: rules.NOT_SERVING for staff_id in staff_ids if staff_id not in serving}
        middle = len(staff_ids) // 2  # each half that is taken is a list that may stand for a moment
        return _offer(staff_ids[:middle], send) | _offer(staff_ids[middle:], send)
    return {}
