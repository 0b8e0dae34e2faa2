"""Scans of group codes: fill the first group to its limit, then the next.

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

from msgspec.structs import replace

from chalicelib.assignments import lapse as assignment_lapse
from chalicelib.assignments import records, unreserved
from chalicelib.assignments.reservations import reserve
from chalicelib.assignments.types import (
    CLOSED,
    CONFIRMED,
    GROUP,
    RESERVED,
    Asked,
    Assignment,
    Scan,
)
from chalicelib.contactways import join_ways
from chalicelib.contactways.join_ways import JoinWay
from chalicelib.contactways.usage import UsedUp
from chalicelib.groupcodes import first_joins
from chalicelib.groupcodes.choose_group import choose_last, choose_with_room
from chalicelib.groupcodes.group_order import is_group_code, is_opened_by_wecom, limit_of, line_of, of_store
from chalicelib.groups import rules as group_rules
from chalicelib.groups import service as groups
from chalicelib.groups.rules import Room
from chalicelib.livecodes import rates
from chalicelib.livecodes.rules import day_of, is_open
from chalicelib.livecodes.service import LiveCode, current
from chalicelib.platform import clock, ids, log, queues, storage
from chalicelib.platform.errors import DomainError, Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction

_IN_COOKIE = ".@"
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_FRESH = timedelta(seconds=5)  # how long a process trusts what it knows of a line
_NOTICED = timedelta(minutes=1)  # how long it does not say again that a line is nearly full
_SHOWN = 20
_REFUSALS = 2  # groups for which WeCom has no time, before a person who waits is sent to staff
_lines: dict[str, tuple[datetime, int, list[Room]]] = {}  # code: until when, of which version, its rooms
_noticed: dict[str, datetime] = {}


def is_cookie(cookie: str) -> bool:
    """Whether it is the cookie of a place in a group."""
    return _IN_COOKIE in cookie


def repeat_scan(live_code_id: str, cookie: str, now: datetime) -> Scan | None:
    """What this person gets by their last scan: the same group; CLOSED when blacklisted. Writes nothing."""
    assignment_id, _, chat_id = cookie.partition(_IN_COOKIE)
    if not _ULID.fullmatch(assignment_id) or not chat_id:
        return None
    held = records.find(live_code_id, chat_id, assignment_id)
    if held is None or not held.is_group:
        return None
    code = current(live_code_id)
    if not code.active or not is_open(code.rule, now):
        return None
    if held.store_id and code.gives_store_groups:
        code = of_store(code, [chat_id])
    elif held.store_id or not is_group_code(code):  # it was a group code when this person came
        return None
    expires_at = clock.parse(held.expires_at)
    if held.status == CONFIRMED:
        if groups.blacklisted([str(held.external_userid)]):
            return CLOSED
        first_group = first_joins.group_of(live_code_id, str(held.external_userid))
        chats = list(dict.fromkeys([chat_id, *([first_group] if first_group else [])]))
        if not held.store_id:  # of one that is in the line no more, the join way is deleted
            own = line_of(code)
            chats = [chat for chat in chats if chat in own]
        inside = next((chat for chat in chats if groups.is_in(chat, str(held.external_userid))), None)
        return _same(code, inside, assignment_id, chat_id, None) if inside else None
    still_open = held.status == RESERVED and now < expires_at
    if still_open and chat_id in line_of(code) and groups.rooms([chat_id])[0].usable:
        same = _same(code, chat_id, assignment_id, chat_id, expires_at)
        return same and replace(same, store_id=held.store_id, distance_m=held.why.get("distance_m"))
    return None


def _same(
    code: LiveCode, chat_id: str, assignment_id: str, held_in: str, until: datetime | None
) -> Scan | None:
    qr_url = join_ways.way(code, chat_id, auto=False).qr_url
    if chat_id != held_in:  # the cookie names the group that the reservation was in
        return Scan("group", chat_id=chat_id, qr_url=qr_url)
    return Scan("group", assignment_id, chat_id=chat_id, qr_url=qr_url, expires_at=until)


def reserve_in_line(code: LiveCode, ticket: int, now: datetime, asked: Asked) -> Scan:
    """A place in the first group that has one; a member of staff when none has; CLOSED without either."""
    if not is_open(code.rule, now):
        return CLOSED
    limit, sure = limit_of(code), False
    refused = dict[str, DomainError]()  # groups that nobody can be sent to now
    known, side_by_side = (
        _remembered_rooms(code),
        rates.groups_side_by_side(rates.per_second(code.live_code_id, now)),
    )
    while not _has_no_time(refused):
        room = choose_with_room(known or (), limit, refused.keys(), side_by_side, ticket)
        if room is None and sure and known and is_opened_by_wecom(code):
            room = choose_last(known, limit, refused.keys())
        if room is None and sure:
            break
        if room is None or known is None:
            known, sure = _read_rooms(code, limit, refused), True
            continue
        try:
            way = join_ways.way(code, room.chat_id, _opens_next(code, known, room.chat_id))
        except (Upstream, UsedUp) as error:
            log.failure("no join way", error, live_code_id=code.live_code_id, chat_id=room.chat_id)
            refused[room.chat_id] = error
            continue
        asked.admit()
        try:
            taken = _take(code, way, ticket, known, now, asked, beyond=not room.left(limit))
        except ConditionFailed as error:
            if "place" not in error.names:
                raise
            known, sure = _read_rooms(code, limit, refused), True
        except storage.Busy as error:
            refused[room.chat_id] = error  # too many others at this moment
        else:
            _ask_for_next(code, _count_taken(code, known, room.chat_id), limit, now)
            return taken
    _ask_for_next(code, known or [], limit, now)
    if code.rule.staff_ids:
        why = {"groups": "refused" if refused else "full", **asked.why}
        return reserve(code, ticket, now, replace(asked, why=why))
    refusal = next(iter(refused.values()), None)
    if refusal is not None:
        raise refusal  # not closed, and perhaps not for long
    return CLOSED


def reserve_in_store_group(
    code: LiveCode,
    chat_ids: Sequence[str],
    ticket: int,
    now: datetime,
    asked: Asked,
    store_id: str,
) -> Scan | None:
    """A place in the first of a store's groups that has one; None when none has."""
    code, refused = of_store(code, chat_ids), set[str]()
    limit = limit_of(code)
    rooms = groups.rooms(chat_ids)
    rooms = [room if room.usable or room.taken else _learn_group(code, room, {}) for room in rooms]
    while (room := choose_with_room(rooms, limit, refused)) is not None:
        try:
            way = join_ways.way(code, room.chat_id, auto=False)
        except (Upstream, UsedUp) as error:
            log.failure("no join way", error, live_code_id=code.live_code_id, chat_id=room.chat_id)
            refused.add(room.chat_id)
            continue
        asked.admit()
        try:
            return _take(code, way, ticket, rooms, now, asked, store_id)
        except ConditionFailed as error:
            if "place" not in error.names:
                raise
        refused.add(room.chat_id)
    return None


def show_in_line(code: LiveCode, now: datetime) -> Scan:
    """What `reserve_in_line` would give, nothing reserved."""
    if not is_open(code.rule, now):
        return CLOSED
    limit, refused = limit_of(code), dict[str, DomainError]()
    rooms = _remembered_rooms(code) or _read_rooms(code, limit, refused)
    shown = _show(code, rooms, limit, refused)
    return shown or unreserved.show(code, now)


def show_in_store_group(code: LiveCode, chat_ids: Sequence[str], store_id: str) -> Scan | None:
    """What `reserve_in_store_group` would give, nothing reserved."""
    code = of_store(code, chat_ids)
    shown = _show(code, groups.rooms(chat_ids), limit_of(code), {})
    return shown and replace(shown, store_id=store_id)


def _show(
    code: LiveCode, rooms: Sequence[Room], limit: int, refused: Mapping[str, DomainError]
) -> Scan | None:
    """The first group that has room, by its own code."""
    room = choose_with_room(rooms, limit, refused)
    if room is None:
        return None
    way = join_ways.way(code, room.chat_id, _opens_next(code, rooms, room.chat_id))
    return Scan("group", chat_id=room.chat_id, qr_url=way.qr_url)


def _remembered_rooms(code: LiveCode) -> list[Room] | None:
    kept = _lines.get(code.live_code_id)
    return kept[2] if kept and clock.now() < kept[0] and kept[1] == code.version else None


def _read_rooms(code: LiveCode, limit: int, refused: dict[str, DomainError]) -> list[Room]:
    """The line as it is. Groups that nobody has heard of are asked for, up to the first that has room.

    refused: those of which WeCom tells nothing are added.
    """
    rooms = groups.rooms(line_of(code))
    for index, room in enumerate(rooms):
        if room.left(limit):
            break
        if not room.usable and not room.taken:
            rooms[index] = _learn_group(code, room, refused)
            if rooms[index].left(limit) or _has_no_time(refused):
                break
    _lines[code.live_code_id] = clock.now() + _FRESH, code.version, rooms
    return rooms


def _has_no_time(refused: Mapping[str, DomainError]) -> bool:
    """Whether WeCom has kept the person waiting long enough."""
    return sum(error.retryable for error in refused.values()) >= _REFUSALS


def _learn_group(code: LiveCode, room: Room, refused: dict[str, DomainError]) -> Room:
    try:
        groups.use(room.chat_id, code.live_code_id)
        groups.learn(room.chat_id)
    except Upstream as error:
        log.failure("group not read", error, live_code_id=code.live_code_id, chat_id=room.chat_id)
        refused[room.chat_id] = error
        return room
    return groups.rooms([room.chat_id])[0]


def _count_taken(code: LiveCode, known: Sequence[Room], chat_id: str) -> list[Room]:
    """What is known, and one place more taken. Others' counts of this moment may go unseen for seconds."""
    rooms = [Room(room.chat_id, room.taken + (room.chat_id == chat_id), room.usable) for room in known]
    kept = _lines.get(code.live_code_id)
    if kept is not None and kept[2] is known:
        _lines[code.live_code_id] = kept[0], kept[1], rooms
    return rooms


def _opens_next(code: LiveCode, rooms: Sequence[Room], chat_id: str) -> bool:
    last = group_rules.end_of(rooms)
    return is_opened_by_wecom(code) and last is not None and last.chat_id == chat_id


def _ask_for_next(code: LiveCode, rooms: Sequence[Room], limit: int, now: datetime) -> None:
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
    way: JoinWay,
    ticket: int,
    rooms: Sequence[Room],
    now: datetime,
    asked: Asked,
    store_id: str | None = None,
    beyond: bool = False,
) -> Scan:
    """One transaction: the place, the reservation, its line, its lapse. ConditionFailed `place`: full.

    beyond: the group is full, and who scans its code has WeCom open the next one.
    """
    live_code_id, chat_id, limit = code.live_code_id, way.chat_id, limit_of(code)
    assignment_id, expires_at = ids.ulid(now), now + code.rule.reserve_for
    full = [room.chat_id for room in rooms if not room.left(limit) and room.chat_id != chat_id]
    why = {"kind": GROUP, "rule": "fill_in_order", "ticket": ticket, "limit": limit, "full": full[:_SHOWN]}
    tx = Transaction()
    groups.take_place(tx, chat_id, group_rules.with_waiting(limit) if beyond else limit, live_code_id)
    held = Assignment(
        live_code_id=live_code_id,
        member_id=chat_id,
        assignment_id=assignment_id,
        status=RESERVED,
        at=clock.iso(now),
        expires_at=clock.iso(expires_at),
        day=day_of(code.rule, now),
        why={**why, **asked.why},
        origin=asked.origin,
        store_id=store_id,
    )
    records.reserve(tx, code, held, GROUP, listed=True)
    tx.commit()
    return Scan(
        "group", assignment_id, chat_id=chat_id, store_id=store_id, qr_url=way.qr_url, expires_at=expires_at
    )


def lapse(live_code_id: str, chat_id: str, assignment_id: str) -> bool:
    """Give back a place that nobody used. False if it is confirmed, or lapsed before."""
    lapsed = assignment_lapse.lapse(live_code_id, chat_id, assignment_id)
    if lapsed:
        forget_rooms(live_code_id)
    return lapsed


def forget_rooms(live_code_id: str) -> None:
    """The process's own: the line, or who is in it, has changed."""
    _lines.pop(live_code_id, None)
