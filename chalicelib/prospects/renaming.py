"""Prospects of a guide who has another userid, their day, and that they have any."""

from chalicelib.platform import clock, storage
from chalicelib.platform.storage import Transaction
from chalicelib.prospects import brand_settings, models, rules, status_changes
from chalicelib.prospects.models import ProspectItem, TaskItem

_PART = 100  # prospects


def move(old: str, new: str) -> bool:
    if not brand_settings.has_prospects(old):
        return False
    brand_settings.enlist([new])
    brand_settings.set_status(old, "left")
    for task in list(TaskItem.query(old)):
        _move_day(old, new, task.day)
    for status in rules.STATUSES:
        rows = list(ProspectItem.lanes.query(f"{old}#{status}", limit=_PART))
        for row in rows:
            _move(row.prospect_id, old, new)
        if len(rows) == _PART:
            return True
    return False


@storage.retrying(status_changes.BUSY)
def _move(prospect_id: str, old: str, new: str) -> None:
    """With the time at which they got to their status: nothing has become of them."""
    item = models.find(prospect_id)
    if item is None or item.staff_id != old or item.status not in rules.STATUSES:
        return
    tx = Transaction()
    at = clock.parse(item.changed_at)
    status_changes.move(tx, item, item.status, at, {"by": "rename"}, staff_id=new)
    tx.commit()


@storage.retrying("others keep making this list")
def _move_day(old: str, new: str, day: str) -> None:
    """What is on the new id's list stays in front."""
    before, there = TaskItem.find(old, day), TaskItem.find(new, day)
    if before is None:
        return
    tasks = dict(there.tasks) if there else {}
    tasks |= {one: import_id for one, import_id in before.tasks if one not in tasks}
    version = int(there.version) if there else 0
    told = (there.told if there else None) or before.told
    made = TaskItem(new, day, tasks=[[*pair] for pair in tasks.items()], version=version + 1, told=told)
    tx = Transaction()
    tx.put("new", made, TaskItem.version == version if there else TaskItem.staff_id.does_not_exist())
    tx.delete("old", TaskItem(old, day), TaskItem.version == before.version)
    tx.commit()
