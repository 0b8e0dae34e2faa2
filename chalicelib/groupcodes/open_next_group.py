"""The next group of a line: opened by WeCom and found, or asked for by a task of an owner's."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from chalicelib.groupcodes import join_ways
from chalicelib.groupcodes import reservations as group_reservations
from chalicelib.groupcodes.group_order import (
    add_group,
    is_group_code,
    is_native,
    is_opened_by_wecom,
    limit_of,
    line_of,
)
from chalicelib.groups import mirror, rules, tasks
from chalicelib.groups.rules import Room
from chalicelib.groups.types import OPEN, TaskOut
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, due, log, queues
from chalicelib.platform.errors import Invalid, NotFound, issue

_FIRST_LOOK, _SELDOM = timedelta(minutes=10), timedelta(hours=1)
_SOON = timedelta(minutes=1)
_TASKS = 5  # groups at the end of a line after which another may have been asked for


def notice(live_code_ids: Iterable[str], before: int, after: int) -> None:
    """A group has so many places taken: its codes may need another group, or may not any more."""
    for live_code_id in live_code_ids:
        code = _code(live_code_id)
        if code is None:
            continue
        limit = limit_of(code)
        if max(before, after) > limit - rules.spare(limit):
            queues.send("assign", {"kind": "group_room", "live_code_id": live_code_id})


def look(live_code_id: str) -> None:
    """Whether the code's line has room enough, and what follows when it has not. WeComError, Upstream."""
    code = _code(live_code_id)
    if code is None:
        return
    line = line_of(code)
    if is_opened_by_wecom(code):
        line = _extend_by_opened(code, line)
    rooms = mirror.rooms(line)
    if is_native(code) and not join_ways.keep_native_in_step(live_code_id):
        again = clock.now() + _SOON
        due.put("group_room", again, live_code_id, {"live_code_id": live_code_id})
    if rules.needs_another(rooms, limit_of(code)):
        _open_next(code, line, rooms)


def _open_next(code: LiveCode, line: Sequence[str], rooms: Sequence[Room]) -> None:
    known = mirror.several(line)
    last = next((known[r.chat_id] for r in reversed(rooms) if r.usable and r.chat_id in known), None)
    if last is None:
        log.logger.warning("no group to go on from", extra={"live_code_id": code.live_code_id})
        return
    how = tasks.BY_WECOM if is_opened_by_wecom(code) else tasks.BY_OWNER
    groups = code.definition["groups"]
    names = [known[chat_id].name or "" for chat_id in line if chat_id in known]
    name = rules.next_name(groups["room_base_name"], names, int(groups.get("room_base_id", 1)))
    task_id = tasks.open_group(last, code.live_code_id, how, name)
    if how == tasks.BY_WECOM:
        _look_later(task_id, code.live_code_id, 1)


def _look_later(task_id: str, live_code_id: str, time: int) -> None:
    """WeCom opens a room when one is full, whenever that is: looked for ever more seldom, hourly at last."""
    task = tasks.find(task_id)
    if task.status != OPEN:
        return
    after = clock.parse(task.created_at) + min(_FIRST_LOOK * time * (time + 1) / 2, _SELDOM * time)
    work = {"live_code_id": live_code_id, "task_id": task_id, "time": time}
    due.put("group_poll", after, f"{task_id}#{time}", work)


def poll(live_code_id: str, task_id: str, time: int) -> None:
    """Look for the room that WeCom was to open; or end what put it on the line and died over it."""
    code, task = _code(live_code_id), tasks.find(task_id)
    if code is None or task.status != OPEN:
        return
    _look_later(task_id, live_code_id, time + 1)  # before WeCom is asked: it may not answer
    line, own = line_of(code), code.definition["groups"]["chat_ids"]
    opened = [chat_id for chat_id in mirror.there(_after(line, task.chat_id)) if chat_id not in own]
    if opened:
        extend(code, opened[0])
    else:
        _extend_by_opened(code, line)


def _extend_by_opened(code: LiveCode, line: list[str]) -> list[str]:
    """The line, with the rooms that WeCom has opened after its last group (of a native code: its groups)."""
    found = join_ways.find_opened_by_wecom(code, mirror.there(line))
    opened = [chat_id for chat_id in found if chat_id not in line]
    for chat_id in opened:
        extend(code, chat_id)
    return [*line, *opened]


def extend(code: LiveCode, chat_id: str, by_hand: str | None = None) -> None:
    """Let the line go on in this group, and have what belongs to it made. Twice is once.

    The tasks that asked for it are finished last: while one is open, whoever finds the group in the line does
    the rest. by_hand: the task that the caller finishes.
    """
    add_group(code, chat_id)
    group_reservations.forget_rooms(code.live_code_id)
    queues.send("assign", {"kind": "group_code", "live_code_id": code.live_code_id})
    line = line_of(code)
    for before in line[: line.index(chat_id)][-_TASKS:]:
        task_id = tasks.next_of(code.live_code_id, before)
        if task_id != by_hand:
            tasks.finish_if_there(task_id, chat_id)


def _after(line: list[str], chat_id: str) -> list[str]:
    """What of the line comes after a group; nothing when that is not in it."""
    return line[line.index(chat_id) + 1 :] if chat_id in line else []


def recognise(chat_id: str, owner: str | None, name: str) -> None:
    """A new group, or one with a new name: the one that its owner was asked for goes on the line."""
    if not owner:
        return
    for task in tasks.waiting_for(owner):
        code = _code(task.live_code_id) if task.kind == tasks.OPEN_GROUP else None
        if code is None:
            continue
        if task.how == tasks.BY_WECOM:
            queues.send("assign", {"kind": "group_room", "live_code_id": code.live_code_id})
        elif rules.is_that_group(task.name or "", name):
            extend(code, chat_id)


def finish_task(task_id: str, chat_id: str | None) -> TaskOut:
    """An operator says that a task is done: for a new group, which one it is. NotFound, Invalid."""
    task = tasks.find(task_id)
    if task.kind == tasks.OPEN_GROUP and task.status == OPEN:
        if not chat_id:
            raise Invalid(issue("chat_id", "which_group"))
        code = _code(task.live_code_id)
        if code is None:
            raise NotFound(code="task_code_archived")
        line = line_of(code)
        if chat_id in line and chat_id not in _after(line, task.chat_id):
            raise Invalid(issue("chat_id", "group_in_line"))
        extend(code, chat_id, by_hand=task_id)
    return tasks.finish(task_id, chat_id)


def _code(live_code_id: str | None) -> LiveCode | None:
    """The group code; None when it is archived or gone."""
    try:
        code = livecodes.current(live_code_id) if live_code_id else None
    except NotFound:
        return None
    return code if code is not None and code.active and is_group_code(code) else None
