"""A guide's days: each morning a list of whom to add, made of the oldest that wait, within the paces.

WeCom has no API to add somebody by phone: the list is what a guide works off by hand. A list is one
item for guide and day; made again it keeps what is on it and grows at most to the pace. When a
guide leaves, their open tasks go to the others of the same rule.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from chalicelib.platform import clock, ids, log, queues, settings, storage, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.prospects import brand_settings, matching, models, prospect_list, rules, status_changes
from chalicelib.prospects.models import ImportItem, ProspectItem, TaskItem
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError

_DUPLICATES = 14_400  # seconds in which WeCom drops an equal message, its maximum
_GONE = 60111  # WeCom: no such member
_LEFT = 5
_EXPIRED_A_DAY = 500  # of one guide
_MOVED = 200  # prospects in one message's work


def morning(day: str, due_at: str | None) -> None:
    """Ask for each guide's list of the day. due_at: of the timer; None: an operator asks for it now."""
    now = clock.now()
    brand_settings.wake(now)
    if due_at is not None:
        local = clock.parse(due_at).astimezone(clock.SHANGHAI)
        if f"{local:%H:%M}" != brand_settings.read()["lists_at"]:
            return  # the setting was changed: another timer is right
    messages = [{"kind": "list", "staff_id": staff_id, "day": day} for staff_id in brand_settings.guides()]
    queues.send_all("prospect", ((message, None) for message in messages))


def make_list(staff_id: str, day: str) -> None:
    """A guide's list of the day, and the word to them that it is there. Repeats change nothing."""
    before = brand_settings.status_of(staff_id)
    if not _works_here(staff_id):
        left(staff_id)
        return
    if before == "left":  # and is back; one who leaves while we ask stays gone
        brand_settings.set_status(staff_id, "active")
    chosen = brand_settings.read()
    _expire(staff_id, chosen["expire_after"])
    found = TaskItem.find(staff_id, day)
    listed = [(prospect_id, import_id) for prospect_id, import_id in found.tasks] if found else []
    paces: dict[str, int] = {}
    waiting = list(_waiting(staff_id, chosen["daily_pace"], paces, listed))
    ids_now = rules.day_list(listed, waiting, chosen["daily_pace"], paces)
    imports = dict([*listed, *waiting])
    tasks = [[prospect_id, imports[prospect_id]] for prospect_id in ids_now]
    if found is None or len(tasks) > len(listed):
        version = int(found.version) if found else 0
        made = TaskItem(staff_id, day, tasks=tasks, version=version + 1, told=found.told if found else None)
        same = TaskItem.version == version if found else TaskItem.staff_id.does_not_exist()
        if not storage.put_once(made, same):
            return  # the same message, twice at once: the other one tells the guide
        found = made
    if found.tasks and found.told is None:
        _tell(found)


def _works_here(staff_id: str) -> bool:
    """Whether WeCom still knows them; in doubt they do."""
    try:
        staff.learn(staff_id)
    except WeComError as error:
        return error.errcode != _GONE
    except Upstream:
        return True
    return staff.status(staff_id) != _LEFT


def _waiting(
    staff_id: str, pace: int, paces: dict[str, int], listed: list[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """(prospect_id, import_id) of the guide's open work, oldest first; `paces` is filled on the way.

    No more of an import than its pace is read: then the next import is begun. Who is a customer already
    is not asked for: that is looked up here, for a list's people, and not for each row of an import.
    """
    after, room = "", pace if len(listed) < pace else 0
    taken: Counter[str] = Counter()
    already = {prospect_id for prospect_id, _ in listed}
    while room > 0:
        beyond = ProspectItem.rank > after if after else None
        rows = list(ProspectItem.lanes.query(f"{staff_id}#{rules.TO_ADD}", beyond, limit=pace + len(listed)))
        rows = [row for row in rows if row.prospect_id not in already]
        if not rows:
            return
        import_id = rows[0].import_id
        if import_id not in paces:
            found = ImportItem.find(import_id)
            paces[import_id] = int(found.daily_pace) if found else pace
        for row in rows:
            if row.import_id != import_id or not room or taken[import_id] == paces[import_id]:
                break
            after = row.rank
            if not matching.known(row.prospect_id, clock.now()):
                yield row.prospect_id, import_id
                room -= 1
                taken[import_id] += 1
        if taken[import_id] == paces[import_id]:
            after = f"{import_id}#~"


def _expire(staff_id: str, days: int) -> None:
    """Who was asked so long ago is given up; who arrives later still counts."""
    now = clock.now()
    before = clock.iso(now - timedelta(days=days))
    lane = f"{staff_id}#{rules.ASKED}"
    rows = ProspectItem.lanes.query(lane, ProspectItem.rank < before, limit=_EXPIRED_A_DAY)
    for prospect_id in [row.prospect_id for row in rows]:
        item = models.find(prospect_id)
        if item is None or item.status != rules.ASKED:
            continue
        tx = Transaction()
        status_changes.move(tx, item, rules.EXPIRED, now, {"by": "time"})
        status_changes.committed(tx)


def _tell(item: TaskItem) -> None:
    """One message with a link. WeCom drops an equal one, so that a death before the note sends no second."""
    base = settings.env("PUBLIC_BASE_URL")
    number = len(item.tasks)
    card = {
        "title": f"今日拓客任务：{number} 位",
        "description": f"{item.day} 有 {number} 位待添加，请逐个复制号码，在企业微信中搜索添加。"
        f"\n{number} people to add today.",
        "url": f"{base}/h5/tasks",
        "btntxt": "去添加",
    }
    message = {"touser": item.staff_id, "msgtype": "textcard", "textcard": card}
    again = {"enable_duplicate_check": 1, "duplicate_check_interval": _DUPLICATES}
    try:
        wecom.default_client().message_send({**message, **again})
    except WeComError as error:
        if error.retryable:
            raise
        log.logger.warning("guide not told of the day's tasks", extra={"errcode": error.errcode})
        return
    storage.update_if(item, [TaskItem.told.set(clock.iso(clock.now()))], TaskItem.version == item.version)


def of_day(staff_id: str, day: str) -> list[dict[str, Any]]:
    """The guide's list with the numbers in full, for the guide alone; a line says that they were shown."""
    found = TaskItem.find(staff_id, day)
    if found is None:
        return []
    keys = [(models.code_of(prospect_id), prospect_id) for prospect_id, _ in found.tasks]
    rows = {row.prospect_id: row for row in ProspectItem.batch_get(keys, consistent_read=True)}
    shown = []
    for prospect_id, _ in found.tasks:
        row = rows.get(prospect_id)
        if row is None or row.status == rules.ERASED or row.staff_id != staff_id:
            continue  # erased, or somebody else's by now
        person = models.person(row)
        texts = {name: person.get(name, "") for name in ("name", "note")}
        shown.append({**prospect_list.show(row), **texts, "number": rules.dialled(person["phone"])})
    if shown:
        data = {"day": day, "prospect_ids": [row["prospect_id"] for row in shown]}
        line = Line(f"guide#{staff_id}", "prospects_shown", clock.now(), ids.short(), data)
        timeline.record(line)
    return shown


def left(staff_id: str) -> None:
    """A guide has left: their open tasks go to the others."""
    if not brand_settings.has_prospects(staff_id):
        return
    brand_settings.set_status(staff_id, "left")
    queues.send("prospect", {"kind": "respread", "staff_id": staff_id, "to": [], "after": "", "done": 0})


def respread(staff_id: str, to: list[str], after: str, done: int) -> None:
    """Move a part of a guide's open tasks, the oldest first, and go on with the next.

    Who was asked by the one who is gone is to be added anew. `to`: in turn; empty: as their import
    has it, without those who left. With nobody there they wait under "-".
    """
    statuses = dict.fromkeys(rules.OPEN)
    gone = {s for s, status in brand_settings.guides().items() if status == "left"} | {staff_id}
    for status in statuses:
        lane = f"{staff_id}#{status}"
        beyond = ProspectItem.rank > after if after and status == rules.TO_ADD else None
        rows = list(ProspectItem.lanes.query(lane, beyond, limit=_MOVED))
        for row in rows:
            target = _heir(row, to, gone, done)
            if target != staff_id and _hand_on(row.prospect_id, staff_id, target):
                done += 1
        if len(rows) == _MOVED:
            reached = rows[-1].rank if status == rules.TO_ADD else "~"
            more = {"kind": "respread", "staff_id": staff_id, "to": to, "after": reached, "done": done}
            queues.send("prospect", more)
            return


def _heir(row: ProspectItem, to: list[str], gone: Iterable[str], number: int) -> str:
    if to:
        return to[number % len(to)]
    found = ImportItem.find(row.import_id)
    if found is None:
        return rules.NOBODY
    rule = brand_settings.rule_of(found.staff).without(gone)
    of_store: list[str] = []
    if rule.kind == "by_store" and row.store_id:
        store = stores.find(row.store_id)
        of_store = [s for s in store.staff_ids if s not in set(gone)] if store else []
    return rules.guide_of(rule, number, "", of_store) or rules.NOBODY


def _hand_on(prospect_id: str, from_staff: str, target: str) -> bool:
    item = models.find(prospect_id)
    if item is None or item.staff_id != from_staff or item.status not in rules.OPEN:
        return False
    if target != rules.NOBODY:
        brand_settings.enlist([target])
    tx = Transaction()
    item.asked_at = None
    status_changes.move(tx, item, rules.TO_ADD, clock.now(), {"by": "respread"}, staff_id=target)
    return status_changes.committed(tx)
