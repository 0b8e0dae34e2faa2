"""Scans of group codes: fill the first group to its limit, then the next; a join confirms, lapse gives back.

A code that is scanned fast fills several groups side by side: all that go to one update one item.

Warm, such a scan is two requests to DynamoDB: the ticket, and one transaction that takes a place in the
group under the code's limit and writes the reservation, its line and its lapse. How full the groups are
a process knows from seconds ago; the condition decides, and before somebody is sent to staff, or away,
all groups are asked again. WeCom opens groups to whoever holds the code, so a reservation is a
promise that we keep count of, not a lock at WeCom. A group whose code can't be had just now is passed over.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.groups import rules as group_rules
from chalicelib.groups import service as groups
from chalicelib.groups.rules import Room
from chalicelib.livecodes import join_ways, rates, rules
from chalicelib.livecodes.codes import LiveCode, current
from chalicelib.livecodes.group_models import LineItem, PersonItem
from chalicelib.livecodes.join_ways import JoinWay
from chalicelib.livecodes.models import (
    CONFIRMED,
    LAPSED,
    LISTINGS,
    RESERVED,
    AssignmentItem,
    member_key,
)
from chalicelib.livecodes.reservations import CLOSED, Scan, reserve
from chalicelib.livecodes.usage import UsedUp
from chalicelib.platform import clock, due, ids, log, queues, storage, timeline
from chalicelib.platform.errors import DomainError, Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line

KIND = "group"
_IN_COOKIE = ".@"
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_FRESH = timedelta(seconds=5)  # how long a process trusts what it knows of a line
_NOTICED = timedelta(minutes=1)  # how long it does not say again that a line is nearly full
_TOLD = 20
_REFUSALS = 2  # groups for which WeCom has no time, before a person who waits is sent to staff
_WECOM_LIMIT = 200  # people in a group, from which nobody enters by its QR code
_LATE = timedelta(hours=1)
_SKEW = timedelta(minutes=1)  # WeCom's clock and ours
_lines: dict[str, tuple[datetime, int, list[Room]]] = {}  # code: until when, of which version, its rooms
_noticed: dict[str, datetime] = {}


class Joined(Struct, frozen=True):
    """What a joining was: whose reservation it confirmed, if any; `first` time in this code."""

    live_code_id: str
    assignment_id: str | None
    first: bool


def is_one(code: LiveCode) -> bool:
    return bool(code.definition["kind"] == KIND)


def is_cookie(cookie: str) -> bool:
    """Whether it is the cookie of a place in a group."""
    return _IN_COOKIE in cookie


def is_place(held: AssignmentItem) -> bool:
    """Whether an assignment is a place in a group."""
    return bool(held.why.get("kind") == KIND)


def line(code: LiveCode) -> list[str]:
    """The code's groups in the order in which they fill up."""
    item = LineItem.find(code.live_code_id)
    own = (code.definition["groups"] or {}).get("chat_ids", ())
    return group_rules.line(own, (item.added or ()) if item else ())


def append(code: LiveCode, chat_id: str) -> bool:
    """Add a group to the end of the line. False when it stands in it already."""
    groups.use(chat_id, code.live_code_id)  # first: whoever finds it in the line finds that it is used
    if chat_id in line(code):
        return False
    added = LineItem.added
    new = added.does_not_exist() | ~added.contains(chat_id)
    appended = storage.update_if(
        LineItem(code.live_code_id), [added.set((added | []).append([chat_id]))], new
    )
    _lines.pop(code.live_code_id, None)
    return appended


def limit_of(code: LiveCode) -> int:
    return int(code.definition["groups"]["limit"])


def gives_store_groups(code: LiveCode) -> bool:
    """Whether it leads into groups of stores."""
    stores = code.definition.get("stores") or {}
    return code.definition["kind"] == "nearest_store" and stores.get("gives") == KIND


def of_store(code: LiveCode, chat_ids: Sequence[str]) -> LiveCode:
    """A nearest_store code as one of these groups: each to WeCom's limit, and no further ones."""
    told = {"chat_ids": list(chat_ids), "limit": _WECOM_LIMIT, "auto_create": False}
    named = {"room_base_name": "", "room_base_id": 1}
    return replace(code, definition={**code.definition, "groups": {**told, **named}})


def by_wecom(code: LiveCode) -> bool:
    """Whether WeCom opens the next group."""
    return group_rules.by_wecom(bool(code.definition["groups"]["auto_create"]), limit_of(code))


def again(live_code_id: str, cookie: str, now: datetime) -> Scan | None:
    """What this person gets by their last scan: the same group; CLOSED when blacklisted. Writes nothing."""
    assignment_id, _, chat_id = cookie.partition(_IN_COOKIE)
    if not _ULID.fullmatch(assignment_id) or not chat_id:
        return None
    held = AssignmentItem.find(member_key(live_code_id, chat_id), assignment_id)
    if held is None or not is_place(held):
        return None
    code = current(live_code_id)
    if not code.active or not rules.is_open(code.rule, now):
        return None
    if held.store_id and gives_store_groups(code):
        code = of_store(code, [chat_id])
    elif held.store_id or not is_one(code):  # it was a group code when this person came
        return None
    expires_at = clock.parse(held.expires_at)
    if held.status == CONFIRMED:
        if groups.blacklisted([held.external_userid]):
            return CLOSED
        person = PersonItem.find(_person(live_code_id, held.external_userid), consistent=False)
        chats = list(dict.fromkeys([chat_id, *([person.chat_id] if person else [])]))
        if not held.store_id:  # of one that is in the line no more, the join way is deleted
            own = line(code)
            chats = [one for one in chats if one in own]
        inside = next((one for one in chats if groups.is_in(one, held.external_userid)), None)
        return _same(code, inside, assignment_id, chat_id, None) if inside else None
    still_open = held.status == RESERVED and now < expires_at
    if still_open and chat_id in line(code) and groups.rooms([chat_id])[0].usable:
        same = _same(code, chat_id, assignment_id, chat_id, expires_at)
        its = held.store_id, held.why.get("distance_m")
        return same and replace(same, store_id=its[0], distance_m=its[1])
    return None


def _same(
    code: LiveCode, chat_id: str, assignment_id: str, held_in: str, until: datetime | None
) -> Scan | None:
    qr_url = join_ways.way(code, chat_id, auto=False).qr_url
    if chat_id != held_in:  # the cookie names the group that the reservation was in
        return Scan("group", chat_id=chat_id, qr_url=qr_url)
    return Scan("group", assignment_id, chat_id=chat_id, qr_url=qr_url, expires_at=until)


def scan(code: LiveCode, ticket: int, now: datetime, origin: Mapping[str, Any]) -> Scan:
    """A place in the first group that has one; a member of staff when none has; CLOSED without either."""
    if not rules.is_open(code.rule, now):
        return CLOSED
    limit, sure = limit_of(code), False
    refused = dict[str, DomainError]()  # groups that nobody can be sent to now
    known, side_by_side = _known(code), rates.groups(rates.of(code.live_code_id, now))
    while not _has_no_time(refused):
        room = group_rules.with_room(known or (), limit, refused.keys(), side_by_side, ticket)
        if room is None and sure and known and by_wecom(code):
            room = group_rules.last_one(known, limit, refused.keys())
        if room is None and sure:
            break
        if room is None or known is None:
            known, sure = _look(code, limit, refused), True
            continue
        try:
            found = join_ways.way(code, room.chat_id, _opens_next(code, known, room.chat_id))
        except (Upstream, UsedUp) as error:
            log.failure("no join way", error, live_code_id=code.live_code_id, chat_id=room.chat_id)
            refused[room.chat_id] = error
            continue
        try:
            taken = _take(code, found, ticket, known, now, origin, beyond=not room.left(limit))
        except ConditionFailed as error:
            if "place" not in error.names:
                raise
            known, sure = _look(code, limit, refused), True
        except storage.Busy as error:
            refused[room.chat_id] = error  # too many others at this moment
        else:
            _notice(code, _counted(code, known, room.chat_id), limit, now)
            return taken
    _notice(code, known or [], limit, now)
    if code.rule.staff_ids:
        return reserve(
            code, ticket, now, None, origin, why_extra={"groups": "refused" if refused else "full"}
        )
    refusal = next(iter(refused.values()), None)
    if refusal is not None:
        raise refusal  # not closed, and perhaps not for long
    return CLOSED


def take(
    code: LiveCode,
    chat_ids: Sequence[str],
    ticket: int,
    now: datetime,
    origin: Mapping[str, Any],
    store_id: str,
    why_extra: Mapping[str, Any],
) -> Scan | None:
    """A place in the first of a store's groups that has one; None when none has."""
    code, refused = of_store(code, chat_ids), set[str]()
    limit = limit_of(code)
    rooms = groups.rooms(chat_ids)
    rooms = [room if room.usable or room.taken else _learnt(code, room, {}) for room in rooms]
    while (room := group_rules.with_room(rooms, limit, refused)) is not None:
        try:
            found = join_ways.way(code, room.chat_id, auto=False)
        except (Upstream, UsedUp) as error:
            log.failure("no join way", error, live_code_id=code.live_code_id, chat_id=room.chat_id)
            refused.add(room.chat_id)
            continue
        try:
            return _take(code, found, ticket, rooms, now, origin, store_id, why_extra)
        except ConditionFailed as error:
            if "place" not in error.names:
                raise
        refused.add(room.chat_id)
    return None


def _known(code: LiveCode) -> list[Room] | None:
    kept = _lines.get(code.live_code_id)
    return kept[2] if kept and clock.now() < kept[0] and kept[1] == code.version else None


def _look(code: LiveCode, limit: int, refused: dict[str, DomainError]) -> list[Room]:
    """The line as it is. Groups that nobody has heard of are asked for, up to the first that has room.

    refused: those of which WeCom tells nothing are added.
    """
    rooms = groups.rooms(line(code))
    for index, room in enumerate(rooms):
        if room.left(limit):
            break
        if not room.usable and not room.taken:
            rooms[index] = _learnt(code, room, refused)
            if rooms[index].left(limit) or _has_no_time(refused):
                break
    _lines[code.live_code_id] = clock.now() + _FRESH, code.version, rooms
    return rooms


def _has_no_time(refused: Mapping[str, DomainError]) -> bool:
    """Whether WeCom has kept the person waiting long enough."""
    return sum(error.retryable for error in refused.values()) >= _REFUSALS


def _learnt(code: LiveCode, room: Room, refused: dict[str, DomainError]) -> Room:
    try:
        groups.use(room.chat_id, code.live_code_id)
        groups.learn(room.chat_id)
    except Upstream as error:
        log.failure("group not read", error, live_code_id=code.live_code_id, chat_id=room.chat_id)
        refused[room.chat_id] = error
        return room
    return groups.rooms([room.chat_id])[0]


def _counted(code: LiveCode, known: Sequence[Room], chat_id: str) -> list[Room]:
    """What is known, and one place more taken. Others' counts of this moment may go unseen for seconds."""
    rooms = [Room(one.chat_id, one.taken + (one.chat_id == chat_id), one.usable) for one in known]
    kept = _lines.get(code.live_code_id)
    if kept is not None and kept[2] is known:
        _lines[code.live_code_id] = kept[0], kept[1], rooms
    return rooms


def _opens_next(code: LiveCode, rooms: Sequence[Room], chat_id: str) -> bool:
    last = group_rules.end_of(rooms)
    return by_wecom(code) and last is not None and last.chat_id == chat_id


def _notice(code: LiveCode, rooms: Sequence[Room], limit: int, now: datetime) -> None:
    """Say that another group is wanted. Whoever hears it looks for themselves, and asks once."""
    if not group_rules.needs_another(rooms, limit) or now < _noticed.get(code.live_code_id, now):
        return
    _noticed[code.live_code_id] = now + _NOTICED
    try:
        queues.send("assign", {"kind": "group_room", "live_code_id": code.live_code_id})
    except Upstream as error:  # the scan has its place; the next one, or the hour, says it again
        log.failure("not said that a line is nearly full", error, live_code_id=code.live_code_id)


def _take(
    code: LiveCode,
    found: JoinWay,
    ticket: int,
    rooms: Sequence[Room],
    now: datetime,
    origin: Mapping[str, Any],
    store_id: str | None = None,
    why_extra: Mapping[str, Any] | None = None,
    beyond: bool = False,
) -> Scan:
    """One transaction: the place, the reservation, its line, its lapse. ConditionFailed `place`: full.

    beyond: the group is full, and who scans its code has WeCom open the next one.
    """
    live_code_id, chat_id, limit = code.live_code_id, found.chat_id, limit_of(code)
    assignment_id, expires_at = ids.ulid(now), now + code.rule.reserve_for
    full = [room.chat_id for room in rooms if not room.left(limit) and room.chat_id != chat_id]
    why = {"kind": KIND, "rule": "fill_in_order", "ticket": ticket, "limit": limit, "full": full[:_TOLD]}
    why |= why_extra or {}
    tx = Transaction()
    groups.take_place(tx, chat_id, group_rules.with_waiting(limit) if beyond else limit, live_code_id)
    reservation = AssignmentItem(
        member_key(live_code_id, chat_id),
        assignment_id,
        status=RESERVED,
        at=clock.iso(now),
        expires_at=clock.iso(expires_at),
        day=rules.day(code.rule, now),
        why=why,
        origin=dict(origin) or None,
        listing=f"{live_code_id}#{ids.shard(assignment_id, LISTINGS)}",
        store_id=store_id,
    )
    tx.put("assignment", reservation, AssignmentItem.member.does_not_exist())
    who = {"live_code_id": live_code_id, "chat_id": chat_id, "assignment_id": assignment_id}
    data = {**who, "channel": code.channel, "staff_id": None, "why": KIND, **origin}
    data |= {"store_id": store_id} if store_id else {}
    timeline.add(tx, Line(f"scan#{assignment_id}", "scanned", now, assignment_id, data))
    due.add(tx, "group_lapse", expires_at, assignment_id, {"kind": "group_lapse", **who})
    tx.commit()
    qr_url = found.qr_url
    return Scan(
        "group", assignment_id, chat_id=chat_id, store_id=store_id, qr_url=qr_url, expires_at=expires_at
    )


def lapse(live_code_id: str, chat_id: str, assignment_id: str) -> bool:
    """Give back a place that nobody used. False if it is confirmed, or lapsed before."""
    held = AssignmentItem.find(member_key(live_code_id, chat_id), assignment_id)
    if held is None or held.status != RESERVED:
        return False
    tx = Transaction()
    tx.update("assignment", held, [AssignmentItem.status.set(LAPSED)], AssignmentItem.status == RESERVED)
    groups.give_place(tx, chat_id)
    at = clock.parse(held.expires_at)  # its time, not the clock's: the same lapse is the same line
    data = {"live_code_id": live_code_id, "chat_id": chat_id}
    timeline.add(tx, Line(f"scan#{assignment_id}", "assignment_lapsed", at, assignment_id, data))
    try:
        tx.commit()
    except ConditionFailed:
        return False
    _lines.pop(live_code_id, None)
    return True


def confirm(tx: Transaction, found: JoinWay, chat_id: str, external_userid: str, at: datetime) -> Joined:
    """Add to `tx` what a joining by `found` confirms: a reservation whose place they take now, a person.

    Whose reservation it was WeCom does not tell: those of one group in one code share a join way (one
    each would use up the quota). The newest one that was open when they joined is taken: of this group,
    or, in a room that WeCom opened, of the group whose code they scanned. Items: `assignment`, `person`;
    when one of them fails, somebody else was faster: call this again with a new transaction.
    """
    live_code_id = found.live_code_id
    held = held_in = None
    for held_in in dict.fromkeys([chat_id, found.chat_id or chat_id]):
        held = _newest_open(member_key(live_code_id, held_in), min(at, clock.now()))
        if held is not None:
            confirmed = [
                AssignmentItem.status.set(CONFIRMED),
                AssignmentItem.external_userid.set(external_userid),
                AssignmentItem.confirmed_at.set(clock.iso(at)),
            ]
            tx.update("assignment", held, confirmed, AssignmentItem.status == RESERVED)
            groups.give_place(tx, held_in)
            break
    assignment_id = str(held.assignment_id) if held is not None else None
    key = _person(live_code_id, external_userid)
    first = PersonItem.find(key) is None
    if first:
        person = PersonItem(key, chat_id=chat_id, at=clock.iso(at), assignment_id=assignment_id)
        tx.put("person", person, PersonItem.person.does_not_exist())
    return Joined(live_code_id, assignment_id, first)


def _person(live_code_id: str, external_userid: str) -> str:
    return f"{live_code_id}#{external_userid}"


def _newest_open(member: str, joined: datetime) -> AssignmentItem | None:
    """Reserved before they joined, however late we hear of it: later ones are other people's."""
    since = joined - timedelta(days=1) - _LATE  # a reservation lasts a day at most
    rows = AssignmentItem.query(
        member,
        AssignmentItem.assignment_id.between(ids.ulid_floor(since), ids.ulid_floor(joined + _SKEW)),
        filter_condition=AssignmentItem.status == RESERVED,
        scan_index_forward=False,
        consistent_read=True,
    )
    return next(iter(rows), None)
