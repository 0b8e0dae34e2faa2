"""What each of WeCom's events leads to: one table. What is not in it is recorded and acknowledged.

An error would make WeCom send the event again, three times, for nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.ads import service as ads
from chalicelib.customers import follows
from chalicelib.departments import service as departments
from chalicelib.groups import joins
from chalicelib.platform import connections, log, settings, timeline
from chalicelib.platform.timeline import Line
from chalicelib.renames import service as renames
from chalicelib.staff import problems
from chalicelib.staff import service as staff
from chalicelib.tags import service as tags
from chalicelib.wecom import events
from chalicelib.wecom.events import Event


class Unreadable(RuntimeError):
    """A verified event that this version can't read: it is parked, with an alarm, until one can."""


def handle(message: Mapping[str, Any]) -> None:
    """Do what one event of the callback queue asks for. Repeats change nothing."""
    event = Event.from_message(message)
    connections.note_success("wecom_callback")  # the door took it, and does without a store
    if event.kind == events.UNREADABLE:
        event = events.read_again(event)
        if event.kind == events.UNREADABLE:
            raise Unreadable(event.digest)
    if event.to_corp and event.to_corp != settings.env("WECOM_CORP_ID"):
        log.logger.error("an event of another corp was dropped", extra={"kind": event.kind})
        return
    act = _ACTIONS.get((event.kind, event.change), _record_unknown)
    if act in _OF_A_BOND and not (event.staff_id and event.external_userid):
        act = _record_unknown
    if act in _OF_A_GROUP and not event.chat_id:
        act = _record_unknown
    if act is not _note_member and event.staff_id:
        event = event.of_staff(staff.current_id(event.staff_id))  # it may be older than a rename
    act(event)


def _record(event: Event) -> None:
    """Known, and so far only kept: which event it was, and the ids and reasons in it."""
    timeline.record(_line(event))


def _line(event: Event) -> Line:
    kept = {name: event.values[name] for name in _KEPT if name in event.values}
    data = {"kind": event.kind, "change": event.change, **kept}
    return Line(event.subject(), "event_recorded", event.at, event.digest, data)


def _note_member(event: Event) -> None:
    """A member of staff came, changed or left. Listeners of the line find it done."""
    member = event.of_staff(event.new_staff_id) if event.new_staff_id else event
    if not timeline.happened(_line(event)):  # a rename may be undone by the time its event comes again
        renames.begin(event)
    staff.on_event(member)
    if member.staff_id and staff.status(member.staff_id) in staff.GONE:
        problems.order_telling(member.staff_id)
    _record(event)


def _note_department(event: Event) -> None:
    departments.on_event(event)
    _record(event)


def _record_unknown(event: Event) -> None:
    data = {"kind": event.kind, "change": event.change}
    timeline.record(Line(f"unknown#{event.digest}", "event_unknown", event.at, event.digest, data))


_KEPT = (
    "UserID",
    "NewUserID",
    "FailReason",
    "UpdateDetail",
    "JoinScene",
    "QuitScene",
    "MemChangeCnt",
    "Status",
)

_ACTIONS: dict[tuple[str, str], Callable[[Event], None]] = {
    ("change_external_contact", "add_external_contact"): follows.added,
    ("change_external_contact", "add_half_external_contact"): follows.half_added,
    ("change_external_contact", "edit_external_contact"): follows.edited,
    ("change_external_contact", "del_external_contact"): follows.lost_by_staff,
    ("change_external_contact", "del_follow_user"): follows.lost_by_customer,
    ("change_external_contact", "transfer_fail"): _record,
    ("change_external_contact", "msg_audit_approved"): _record,
    ("change_external_tag", "create"): tags.changed,
    ("change_external_tag", "update"): tags.changed,
    ("change_external_tag", "delete"): tags.changed,
    ("change_external_tag", "shuffle"): tags.changed,
    ("change_external_chat", "create"): joins.created,
    ("change_external_chat", "update"): joins.updated,
    ("change_external_chat", "dismiss"): joins.dismissed,
    ("change_contact", "create_user"): _note_member,
    ("change_contact", "update_user"): _note_member,
    ("change_contact", "delete_user"): _note_member,
    ("change_contact", "create_party"): _note_department,
    ("change_contact", "update_party"): _note_department,
    ("change_contact", "delete_party"): _note_department,
    ("change_contact", "update_tag"): _record,
    ("customer_acquisition", "balance_low"): ads.on_event,
    ("customer_acquisition", "balance_exhausted"): ads.on_event,
    ("customer_acquisition", "balance_increased"): ads.on_event,
    ("customer_acquisition", "quota_expire_soon"): ads.on_event,
    ("customer_acquisition", "link_unavailable"): ads.on_event,
    ("customer_acquisition", "delete_link"): ads.on_event,
    ("customer_acquisition", "customer_start_chat"): ads.on_event,
    ("customer_acquisition", "message_from_customer"): ads.on_event,
    ("customer_acquisition", "friend_request"): _record,
    ("customer_acquisition", "open_profile"): _record,
}
_OF_A_GROUP = {joins.created, joins.updated, joins.dismissed}
_OF_A_BOND = {
    follows.added,
    follows.half_added,
    follows.edited,
    follows.lost_by_staff,
    follows.lost_by_customer,
}
