"""What an owner is asked for by app message: to open the next group, to remove somebody. Asked once a need.

WeCom has no call for either. The natural key of a task is its need, so that however many scans find a
group nearly full, its owner hears of it once, and again after each day, three times in all.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import Any

from chalicelib.groups.models import ChatItem, TaskItem
from chalicelib.groups.types import DONE, OPEN, TaskOut
from chalicelib.notices import service as notices
from chalicelib.notices.types import SENT
from chalicelib.platform import audit, clock, due, ids, log, queues, storage
from chalicelib.platform.errors import NotFound, Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.wecom import client as wecom

OPEN_GROUP, REMOVE = "open_group", "remove_member"
BY_OWNER, BY_WECOM = "owner", "auto"
_REMIND = timedelta(days=1)
_TIMES = 3
_SAME_MOMENT = 8  # tasks of one owner that may bear the same microsecond
_TIME = timedelta(seconds=8)


def open_group(chat: ChatItem, live_code_id: str, how: str, name: str) -> str:
    """The need for a group after `chat`, the last in the code's line: its task_id, the same each time."""
    task_id = next_of(live_code_id, chat.chat_id)
    values = {"kind": OPEN_GROUP, "how": how, "live_code_id": live_code_id, "name": name}
    task = _task(task_id, chat, values)
    if not storage.put_once(task, TaskItem.task_id.does_not_exist()):
        task = find(task_id)
        if chat.owner and chat.owner != task.owner:
            _hand_on(task, chat.owner, asked=0)
    # Also when it is there and nobody was asked: whoever made it died before this.
    if how == BY_OWNER and not task.asked and task.status == OPEN and task.owner:
        queues.send("assign", {"kind": "group_ask", "task_id": task_id, "time": 1})
    return task_id


def _hand_on(task: TaskItem, owner: str, asked: int) -> None:
    """The group has another owner by now: it is theirs to do."""
    actions = [TaskItem.owner.set(owner), TaskItem.waits_for.set(owner), TaskItem.asked.set(asked)]
    storage.update_if(task, actions, (TaskItem.status == OPEN) & (TaskItem.owner == task.owner))


def next_of(live_code_id: str, chat_id: str) -> str:
    return "gt_" + ids.derived(OPEN_GROUP, live_code_id, chat_id)


def remove_member(tx: Transaction, chat: ChatItem, external_userid: str, joined: str) -> None:
    """Add to `tx` the task of a blacklisted person's being in the group, and that its owner is told.

    joined: what tells this joining from another.
    """
    task_id = _removal(chat.chat_id, external_userid, joined)
    values = {"kind": REMOVE, "how": BY_OWNER, "external_userid": external_userid}
    tx.put(f"task {external_userid}", _task(task_id, chat, values))
    if chat.owner:
        due.add(tx, "group_ask", clock.now(), task_id, {"task_id": task_id, "time": 1})


def finish_removal(tx: Transaction, chat_id: str, external_userid: str, joined: str) -> None:
    """Add to `tx` that they are out of the group."""
    task = TaskItem(_removal(chat_id, external_userid, joined))
    tx.update(f"task {external_userid}", task, _finished(), TaskItem.task_id.exists())


def _removal(chat_id: str, external_userid: str, joined: str) -> str:
    return "gt_" + ids.derived(REMOVE, chat_id, external_userid, joined)


def _task(task_id: str, chat: ChatItem, values: Mapping[str, Any]) -> TaskItem:
    return TaskItem(
        task_id,
        status=OPEN,
        created_at=clock.iso(clock.now()),
        chat_id=chat.chat_id,
        owner=chat.owner or "",
        waits_for=chat.owner or None,
        asked=0,
        **values,
    )


def _finished(chat_id: str | None = None) -> list[Any]:
    """What a task that is done has; chat_id: the group that was opened."""
    done_at = TaskItem.done_at.set(clock.iso(clock.now()))
    opened = [TaskItem.new_chat_id.set(chat_id)] if chat_id else []
    return [TaskItem.status.set(DONE), done_at, TaskItem.waits_for.remove(), *opened]


def ask(task_id: str, time: int) -> None:
    """Have the owner told, for the `time`-th time."""
    task = TaskItem.find(task_id)
    if task is None or task.status != OPEN:
        return
    if time < _TIMES:  # first: whatever becomes of this time, the next one comes
        at = clock.parse(task.created_at) + _REMIND * time
        due.put("group_ask", at, f"{task_id}#{time + 1}", {"task_id": task_id, "time": time + 1})
    asked = int(task.asked)
    if asked >= time:
        return
    chat = ChatItem.find(task.chat_id)
    if chat is not None and chat.owner and chat.owner != task.owner:
        _hand_on(task, chat.owner, asked)
    data = {"text": _text(task, chat), "task_id": task_id, "owner": task.owner, "time": time}
    notices.add(task.owner, "group_task", f"{task_id}#{time}#{task.owner}", data)


def note_asked(data: Mapping[str, Any], outcome: str, at: str) -> None:
    """The owner has been told, or can't be: then they count as not asked."""
    if outcome != SENT:
        log.logger.warning("owner not reached", extra={"task_id": data["task_id"], "outcome": outcome})
        return
    actions = [TaskItem.asked.set(data["time"]), TaskItem.told_at.set(at)]
    same = (TaskItem.owner == data["owner"]) & (TaskItem.asked < data["time"])
    storage.update_if(TaskItem(data["task_id"]), actions, same)


def _text(task: TaskItem, chat: ChatItem | None) -> str:
    group = (chat.name if chat else None) or task.chat_id
    person = _name(task) if task.kind == REMOVE else ""
    return _TEXTS[task.kind].format(group=group, name=task.name, person=person)


def _name(task: TaskItem) -> str:
    """What the person is called in the group; their id when that can't be had at once."""
    try:
        answer = wecom.default_client().group_chat(task.chat_id, names=True, deadline=clock.now() + _TIME)
    except Upstream:
        return str(task.external_userid)
    rows = {row.get("userid"): row for row in answer.get("member_list", [])}
    return str(rows.get(task.external_userid, {}).get("name") or task.external_userid)


_TEXTS: Mapping[str, str] = {
    OPEN_GROUP: "【新建客户群】客户群「{group}」即将满员。请新建一个客户群，群名设为「{name}」，"
    "建好后活码会自动接上；若用了别的群名，请告知管理员登记。",
    REMOVE: "【移出群成员】黑名单中的客户（{person}）在客户群「{group}」里。企业微信没有移出成员的接口，"
    "请在群里手动将其移出。",
}


def finish(task_id: str, chat_id: str | None = None) -> TaskOut:
    """An operator's word that it is done, with the audit's entry. NotFound. Twice is once."""
    task = find(task_id)
    tx = Transaction()
    tx.update("task", task, _finished(chat_id), TaskItem.status == OPEN)
    audit.add(tx, "group_tasks.finish", task_id, {"status": OPEN}, {"status": DONE, "new_chat_id": chat_id})
    with suppress(ConditionFailed):  # it was done before
        tx.commit()
    return shown(find(task_id))


def finish_if_there(task_id: str, chat_id: str) -> None:
    """Done, if there is such an open task."""
    storage.update_if(TaskItem(task_id), _finished(chat_id), TaskItem.status == OPEN)


def find(task_id: str) -> TaskItem:
    """NotFound."""
    task: TaskItem | None = TaskItem.find(task_id)
    if task is None:
        raise NotFound(code="no_such_task")
    return task


def waiting_for(owner: str) -> list[TaskItem]:
    """Open tasks of the owner; the index may lag by moments."""
    keys = [row.task_id for row in TaskItem.waiting_for.query(owner)]
    rows = TaskItem.batch_get(keys, consistent_read=True) if keys else ()
    return [row for row in rows if row.status == OPEN]


def of_owner(owner: str, status: str, before: str | None, limit: int) -> Iterator[TaskItem]:
    """The owner's tasks whose place is before the given one, newest first; of open ones none else is read."""
    if status == OPEN:
        rows: Iterable[TaskItem] = sorted(waiting_for(owner), key=place, reverse=True)
    else:
        until = TaskItem.created_at <= before.partition("#")[0] if before else None
        rows = TaskItem.by_owner.query(owner, until, scan_index_forward=False, limit=limit + _SAME_MOMENT)
    yield from islice((row for row in rows if before is None or place(row) < before), limit)


def place(task: TaskItem) -> str:
    """Where it stands in a history."""
    return f"{task.created_at}#{task.task_id}"


def shown(task: TaskItem) -> TaskOut:
    """The task as the API has it."""
    return TaskOut(
        task_id=task.task_id,
        kind=task.kind,
        status=task.status,
        how=task.how,
        created_at=task.created_at,
        chat_id=task.chat_id,
        owner=task.owner,
        live_code_id=task.live_code_id,
        name=task.name,
        external_userid=task.external_userid,
        asked=int(task.asked),
        told_at=task.told_at,
        done_at=task.done_at,
        new_chat_id=task.new_chat_id,
    )
