"""What WeCom's events do to groups (§ change_external_chat): created, dismissed, joined, left, renamed.

An event's delta is applied when it follows on the version that the mirror is at; else a push was lost
or overtook another, and the group is read anew (works.py). Who came in by a QR code counts at once; by
whose code it was stands in the group's member list only, so that is found out by reading it.
"""

from datetime import datetime
from typing import Any

from chalicelib.groups import announce, blacklist, mirror, reading, rules
from chalicelib.groups.mirror import Change
from chalicelib.groups.models import ChatItem, MemberItem
from chalicelib.groups.rules import Person, Step
from chalicelib.groups.types import DISMISSED
from chalicelib.origins import service as origins
from chalicelib.origins.types import Arrival, Origin
from chalicelib.platform import clock, storage, timeline
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.platform.userids import fold
from chalicelib.wecom.events import Event

_BUSY = "others keep changing this group"
_BY = {"0": "self", "1": "staff"}


def created(event: Event) -> None:
    chat_id = _chat_id(event)
    timeline.record(Line(chat_id, "group_created", event.at, event.digest, {"chat_id": chat_id}))
    reading.ask(chat_id, since=event.at, named=True)


def dismissed(event: Event) -> None:
    """Nobody is in it any more, and nobody is sent there."""
    _dismiss(_chat_id(event), event.at, event.digest)


def dismiss_gone(chat_id: str) -> None:
    """WeCom has the group no more, and no event said so."""
    _dismiss(chat_id, clock.now(), "gone")


def _dismiss(chat_id: str, at: datetime, key: str) -> None:
    item = _empty(chat_id, at)
    timeline.record(Line(chat_id, "group_dismissed", at, key, {"chat_id": chat_id}))
    announce.announce_dismissal(item)


@storage.retrying(_BUSY)
def _empty(chat_id: str, at: datetime) -> ChatItem:
    item = mirror.begin(chat_id)
    rows = mirror.members(chat_id)
    if item.status != DISMISSED or rows:
        facts = {"status": DISMISSED, "seen_at": item.seen_at or clock.iso(at)}
        # A version of its own: who is reading the group at this moment finds that it has gone on.
        mirror.apply(item, Change(DISMISSED, at, left=[*rows], by="dismissed", facts=facts), rows)
    return item


def updated(event: Event) -> None:
    detail, chat_id = event.values.get("UpdateDetail"), _chat_id(event)
    if detail in ("add_member", "del_member"):
        _members(event, joining=detail == "add_member")
        return
    data = {"kind": event.kind, "change": event.change, "UpdateDetail": detail or ""}
    timeline.record(Line(chat_id, "event_recorded", event.at, event.digest, data))
    if detail != "change_notice":
        reading.ask(chat_id, named=detail == "change_name")


def _members(event: Event, joining: bool) -> None:
    pending = _apply_delta(event, joining)
    if pending:  # also for a repeat: whoever applied it may have died before this
        reading.ask(_chat_id(event), event.values.get("CurMemVer") or "", pending, event.at)


@storage.retrying(_BUSY)
def _apply_delta(event: Event, joining: bool) -> list[str]:
    """Bring the mirror on, or have the group read; those whose way in is to be found out."""
    chat_id = _chat_id(event)
    version = event.values.get("CurMemVer") or ""
    count = event.values.get("MemChangeCnt") or "0"
    item = mirror.begin(chat_id)
    if item.status == DISMISSED:
        return []
    step = rules.step(
        item.member_version,
        item.passed,
        event.values.get("LastMemVer"),
        version,
        len(_named(event)),
        int(count) if count.isdigit() else 0,
    )
    if step is Step.READ:
        reading.ask(chat_id, version or None, _named(event) if joining else (), event.at)
        return []
    pending = _pending(event, item) if joining else []
    if step is Step.APPLY:
        rows = mirror.present(chat_id, _named(event))
        mirror.apply(item, _change(event, item, joining, pending), rows)
        if not pending:  # else whoever reads the group sees to it
            announce.announce_change(item, len(_named(event)) if joining else -len(_named(event)))
    return pending


def _named(event: Event) -> list[str]:
    """Whom the event names: our own as keys have them. A customer's id has its case."""
    return [fold(one) if rules.is_staff(one) else one for one in event.items]


def _pending(event: Event, item: ChatItem) -> list[str]:
    """Those whose way in is to be found out: who scanned a code, in a group that live codes lead to.

    Or in a new one: WeCom opens it for a code, and it is in no line yet.
    """
    if rules.event_scene(event.values.get("JoinScene")) != "qr":
        return []
    if not item.codes and not (item.created_at and event.at - clock.parse(item.created_at) < reading.NEW):
        return []
    return [one for one in _named(event) if not rules.is_staff(one)]


def _change(event: Event, item: ChatItem, joining: bool, pending: list[str]) -> Change:
    version = event.values["CurMemVer"]
    if not joining:
        by = _BY.get(event.values.get("QuitScene", ""))
        return Change(version, event.at, left=list(dict.fromkeys(_named(event))), by=by)
    scene = rules.event_scene(event.values.get("JoinScene"))
    people = [
        (Person(one, rules.is_staff(one), event.at, scene), one in pending)
        for one in dict.fromkeys(_named(event))
    ]
    outsiders = [person.member_id for person, _ in people if not person.staff]
    black = blacklist.on_it(outsiders) if item.codes else frozenset[str]()
    return Change(version, event.at, joined=people, black=black)


def confirm_joined(item: ChatItem, chat: rules.Chat, members: list[str]) -> None:
    """Find out by whose code these came in, and confirm what their scans reserved.

    members: of all who came by QR code, those to look at; none named: all of whom it is not known.
    """
    if members:
        rows = [row for row in mirror.present(item.chat_id, members).values() if row.pending]
    else:
        rows = [row for row in mirror.members(item.chat_id).values() if row.pending]
    for row in rows:
        person = chat.people.get(row.member_id)
        if person is not None:
            _confirm(row, person, origins.find(person.state))


@storage.retrying("others keep taking these reservations")
def _confirm(row: MemberItem, person: Person, origin: Origin | None) -> None:
    tx = Transaction()
    data: dict[str, object] = {}
    if origin is not None:
        at = clock.parse(row.joined_at)
        confirmation = origins.confirm(tx, origin, Arrival(row.member_id, at, chat_id=row.chat_id))
        data = {
            "live_code_id": origin.live_code_id,
            "assignment_id": confirmation.assignment_id,
            "first": confirmation.first,
            "channel": origin.channel,
        }
    known: list[Any] = [MemberItem.pending.remove()]
    if person.state:
        known.append(MemberItem.state.set(person.state))
    same = MemberItem.pending.exists() & (MemberItem.version == row.version)
    tx.update("member", row, known, same)
    timeline.add(tx, mirror.joined_line(row, data))
    try:
        tx.commit()
    except ConditionFailed as error:
        if "member" not in error.names:  # else another has confirmed it, or they have left
            raise


def _chat_id(event: Event) -> str:
    if not event.chat_id:
        raise ValueError("the dispatcher passes only events that name their group")
    return event.chat_id
