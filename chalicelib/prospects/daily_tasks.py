"""A guide's days: each morning a list of whom to add, made of the oldest that wait, within the paces.

WeCom has no API to add somebody by phone: the list is what a guide works off by hand. A list is one
item for guide and day; made again it keeps what is on it and grows at most to the pace.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta

import msgspec

from chalicelib.notices import service as notices
from chalicelib.platform import audit, clock, ids, queues, settings, storage, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.prospects import brand_settings, handover, matching, models, rules, status_changes
from chalicelib.prospects.models import ImportItem, ProspectItem, TaskItem
from chalicelib.prospects.types import Task
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores
from chalicelib.wecom.errors import WeComError

_GONE = 60111  # WeCom: no such member
_LEFT = 5
_EXPIRED_A_DAY = 500  # of one guide


def order_lists(day: str, due_at: str) -> None:
    """Ask for each guide's list of the day; due_at: the time of the timer that says so."""
    brand_settings.wake(clock.now())
    local = clock.parse(due_at).astimezone(clock.SHANGHAI)
    if f"{local:%H:%M}" == brand_settings.read().lists_at:  # else it was changed: another timer is right
        _order(day, brand_settings.guides())


def order_lists_now() -> None:
    """Today's lists, asked for by an operator."""
    now = clock.now()
    brand_settings.wake(now)
    _order(brand_settings.day_of(now), brand_settings.guides())


def ask_for_lists(principal: Principal) -> None:
    """An operator asks for today's lists: those of all guides, or of the scope's."""
    day = brand_settings.day_of(clock.now())
    tx = Transaction()
    audit.add(tx, "prospects.lists", day, None, {"status": "accepted"})
    tx.commit()
    guides = stores.guides_in_scope(principal)
    if guides is None:
        queues.send("prospect", {"kind": "lists"})
    else:
        _order(day, guides.intersection(brand_settings.guides()))


def _order(day: str, staff_ids: Iterable[str]) -> None:
    made = ({"kind": "list", "staff_id": staff_id, "day": day} for staff_id in staff_ids)
    queues.send_all("prospect", ((message, None) for message in made))


def make_list(staff_id: str, day: str) -> None:
    """A guide's list of the day, and the message to them that it is there. Repeats change nothing."""
    before = brand_settings.status_of(staff_id)
    if not _works_here(staff_id):
        handover.leave(staff_id)
        return
    if before == "left":  # and is back; one who leaves while we ask stays gone
        brand_settings.set_status(staff_id, "active")
    chosen = brand_settings.read()
    _expire(staff_id, chosen.expire_after)
    item = TaskItem.find(staff_id, day)
    listed = [(prospect_id, import_id) for prospect_id, import_id in item.tasks] if item else []
    paces: dict[str, int] = {}
    waiting = list(_waiting(staff_id, chosen.daily_pace, paces, listed))
    ids_now = rules.day_list(listed, waiting, chosen.daily_pace, paces)
    imports = dict([*listed, *waiting])
    tasks = [[prospect_id, imports[prospect_id]] for prospect_id in ids_now]
    if item is None or len(tasks) > len(listed):
        version = int(item.version) if item else 0
        made = TaskItem(staff_id, day, tasks=tasks, version=version + 1, told=item.told if item else None)
        same = TaskItem.version == version if item else TaskItem.staff_id.does_not_exist()
        if not storage.put_once(made, same):
            return  # the same message, twice at once: the other one sends it
        item = made
    if item.tasks and item.told is None:
        _notify(item)


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
            source = ImportItem.find(import_id)
            paces[import_id] = int(source.daily_pace) if source else pace
        for row in rows:
            if row.import_id != import_id or not room or taken[import_id] == paces[import_id]:
                break
            after = row.rank
            if not matching.is_customer(row.prospect_id, clock.now()):
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
        with suppress(ConditionFailed):  # something has become of them meanwhile
            tx.commit()


def _notify(item: TaskItem) -> None:
    """One message with a link; once a day, whatever is repeated."""
    number = len(item.tasks)
    card = {
        "title": f"今日拓客任务：{number} 位",
        "description": f"{item.day} 有 {number} 位待添加，请逐个复制号码，在企业微信中搜索添加。"
        f"\n{number} people to add today.",
        "url": f"{settings.env('PUBLIC_BASE_URL')}/h5/tasks",
        "btntxt": "去添加",
    }
    data = {
        "card": {"msgtype": "textcard", "textcard": card},
        "staff_id": item.staff_id,
        "day": item.day,
    }
    notices.add(item.staff_id, "prospect_list", item.day, data)


def of_day(staff_id: str, day: str) -> list[Task]:
    """The guide's list with the numbers in full, for the guide alone; a line says that they were shown."""
    item = TaskItem.find(staff_id, day)
    if item is None:
        return []
    keys = [(models.code_of(prospect_id), prospect_id) for prospect_id, _ in item.tasks]
    rows = {row.prospect_id: row for row in ProspectItem.batch_get(keys, consistent_read=True)}
    tasks = []
    for prospect_id, _ in item.tasks:
        row = rows.get(prospect_id)
        if row is None or row.status == rules.ERASED or row.staff_id != staff_id:
            continue  # erased, or somebody else's by now
        person = models.person(row)
        values = {
            **{name: getattr(row, name) for name in ("prospect_id", "status", "code")},
            "remark": rules.remark(rules.hidden(person.get("name", "")), row.code),
            "name": person.get("name", ""),
            "note": person.get("note", ""),
            "number": rules.dialled(person["phone"]),
        }
        tasks.append(msgspec.convert(values, Task))
    if tasks:
        data = {"day": day, "prospect_ids": [task.prospect_id for task in tasks]}
        timeline.record(Line(f"guide#{staff_id}", "prospects_shown", clock.now(), ids.short(), data))
    return tasks
