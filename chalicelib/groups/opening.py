"""The next group of a line: opened by WeCom and found, or asked for; and a native code's five groups."""

from collections.abc import Sequence
from datetime import timedelta

from chalicelib.groups import mirror, rules, tasks
from chalicelib.groups.models import OPEN, ChatItem
from chalicelib.groups.rules import Room
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, due, log, queues
from chalicelib.platform.errors import Invalid, NotFound

_FIRST_LOOK, _SELDOM = timedelta(minutes=10), timedelta(hours=1)
_SOON = timedelta(minutes=1)
_TASKS = 5  # groups at the end of a line after which another may have been asked for


def dismissed(item: ChatItem) -> None:
    """The group is no more: its codes' ways are to be put in step (another may be the last one now)."""
    for live_code_id in sorted(item.codes or ()):
        queues.send("assign", {"kind": "group_code", "live_code_id": live_code_id})


def noticed(item: ChatItem, more: int = 0) -> None:
    """People have come or gone (`more` of them): its codes may need another group, or may not any more."""
    for live_code_id in sorted(item.codes or ()):
        code = _code(live_code_id)
        if code is None:
            continue
        limit = livecodes.group_limit(code)
        before, after = int(item.taken), int(item.taken) + more
        if max(before, after) > limit - rules.spare(limit):
            queues.send("assign", {"kind": "group_room", "live_code_id": live_code_id})


def look(live_code_id: str) -> None:
    """Whether the code's line has room enough, and what follows when it has not. WeComError, Upstream."""
    code = _code(live_code_id)
    if code is None:
        return
    line = livecodes.group_line(code)
    if livecodes.opened_by_wecom(code):
        line = _with_grown(code, line)
    rooms = mirror.rooms(line)
    if livecodes.native_group(code) and not livecodes.keep_native_join_way(live_code_id):
        again = clock.now() + _SOON
        due.put("group_room", again, live_code_id, {"live_code_id": live_code_id})
    if rules.needs_another(rooms, livecodes.group_limit(code)):
        _need(code, line, rooms)


def _need(code: LiveCode, line: Sequence[str], rooms: Sequence[Room]) -> None:
    known = mirror.several(line)
    last = next((known[r.chat_id] for r in reversed(rooms) if r.usable and r.chat_id in known), None)
    if last is None:
        log.logger.warning("no group to go on from", extra={"live_code_id": code.live_code_id})
        return
    how = tasks.BY_WECOM if livecodes.opened_by_wecom(code) else tasks.BY_OWNER
    groups = code.definition["groups"]
    names = [known[one].name or "" for one in line if one in known]
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
    line, own = livecodes.group_line(code), code.definition["groups"]["chat_ids"]
    opened = [one for one in mirror.there(_after(line, task.chat_id)) if one not in own]
    if opened:
        extend(code, opened[0])
    else:
        _with_grown(code, line)


def _with_grown(code: LiveCode, line: list[str]) -> list[str]:
    """The line, with the rooms that WeCom has opened after its last group (of a native code: its groups)."""
    found = [one for one in livecodes.grown_groups(code, mirror.there(line)) if one not in line]
    for chat_id in found:
        extend(code, chat_id)
    return [*line, *found]


def extend(code: LiveCode, chat_id: str) -> None:
    """Let the line go on in this group, and have what belongs to it made. Twice is once.

    The task is finished last: while it is open, whoever finds the group in the line does the rest.
    """
    livecodes.append_group(code, chat_id)
    queues.send("assign", {"kind": "group_code", "live_code_id": code.live_code_id})
    line = livecodes.group_line(code)
    for before in line[: line.index(chat_id)][-_TASKS:]:
        tasks.finish_if_there(tasks.next_of(code.live_code_id, before), chat_id)


def _after(line: list[str], chat_id: str) -> list[str]:
    """What of the line comes after a group; nothing when that is not in it."""
    return line[line.index(chat_id) + 1 :] if chat_id in line else []


def arrived(item: ChatItem) -> None:
    """A new group, or one with a new name: the one that its owner was asked for goes on the line."""
    if not item.owner:
        return
    for task in tasks.waiting_for(item.owner):
        code = _code(task.live_code_id) if task.kind == tasks.OPEN_GROUP else None
        if code is None:
            continue
        if task.how == tasks.BY_WECOM:
            queues.send("assign", {"kind": "group_room", "live_code_id": code.live_code_id})
        elif rules.is_that_group(task.name or "", item.name or ""):
            extend(code, item.chat_id)


def done(task_id: str, chat_id: str | None) -> dict[str, object]:
    """An operator says that a task is done: for a new group, which one it is. NotFound, Invalid."""
    task = tasks.find(task_id)
    if task.kind == tasks.OPEN_GROUP and task.status == OPEN:
        if not chat_id:
            raise Invalid(("chat_id", "which group is it?"))
        code = _code(task.live_code_id)
        if code is None:
            raise NotFound("the live code of this task is archived")
        line = livecodes.group_line(code)
        if chat_id in line and chat_id not in _after(line, task.chat_id):
            raise Invalid(("chat_id", "is in the code's line already"))
        extend(code, chat_id)
    return tasks.shown(tasks.finish(task_id, chat_id))


def _code(live_code_id: str | None) -> LiveCode | None:
    """The group code; None when it is archived or gone."""
    try:
        code = livecodes.current(live_code_id) if live_code_id else None
    except NotFound:
        return None
    return code if code is not None and code.active and livecodes.is_group_code(code) else None
