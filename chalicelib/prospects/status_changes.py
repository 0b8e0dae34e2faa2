"""A prospect moves from status to status: the item, its figures and its line in one transaction."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chalicelib.platform import clock, timeline
from chalicelib.platform.errors import Conflict, NotFound
from chalicelib.platform.storage import Busy, ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.prospects import brand_settings, models, rules
from chalicelib.prospects.models import FigureItem, ProspectItem

_TRIES = 6


def find(prospect_id: str) -> ProspectItem:
    """NotFound, also for who was erased."""
    item = models.find(prospect_id) if prospect_id else None
    if item is None or item.status == rules.ERASED:
        raise NotFound("there is no such prospect")
    return item


def change(prospect_id: str, status: str, by: str, of_staff: str | None = None) -> ProspectItem:
    """A guide or an operator says what became of a prospect. The same again changes nothing.

    of_staff: the guide who says so; it must be their task. NotFound, Conflict.
    """
    for item in _attempts(prospect_id):
        if of_staff is not None and item.staff_id != of_staff:
            raise NotFound("there is no such task")
        if item.status == status:
            return item
        if not rules.may(item.status, status):
            raise Conflict(f"a prospect that is {item.status} can't become {status}")
        now, tx = clock.now(), Transaction()
        if status == rules.ASKED:
            item.asked_at = clock.iso(now)
        move(tx, item, status, now, {"by": by})
        if committed(tx):
            return item
    raise AssertionError("unreachable")


def move(
    tx: Transaction,
    item: ProspectItem,
    after: str,
    at: datetime,
    told: dict[str, Any],
    staff_id: str | None = None,
    seconds: int = 0,
) -> None:
    """Add a prospect's next state to a transaction: the item, its figures, its line."""
    before, from_staff, version = item.status, str(item.staff_id), int(item.version)
    to_staff = staff_id or from_staff
    models.placed(item, to_staff, after, clock.iso(at))
    item.version = version + 1
    tx.put("prospect", item, ProspectItem.version == version)
    _count(tx, item, (from_staff, before), (to_staff, after), at, seconds)
    data = {"status": after, "before": before, "staff_id": to_staff, "import_id": item.import_id, **told}
    line = Line(f"prospect#{item.prospect_id}", "prospect_changed", at, f"v{version + 1}", data)
    timeline.add(tx, line)


def _count(
    tx: Transaction,
    item: ProspectItem,
    before: tuple[str, str],
    after: tuple[str, str],
    at: datetime,
    seconds: int,
) -> None:
    moved: dict[str, list[Any]] = {}
    for (staff_id, status), number in ((before, -1), (after, 1)):
        moved.setdefault(staff_id, []).append(getattr(FigureItem, status).add(number))
    for number, (staff_id, actions) in enumerate(moved.items()):
        tx.update(f"figure:{number}", FigureItem(item.import_id, f"staff#{staff_id}"), actions)
    if before[1] != after[1]:
        day = [getattr(FigureItem, after[1]).add(1)]
        day += [FigureItem.seconds.add(seconds)] if seconds else []
        tx.update("figure:day", FigureItem(item.import_id, f"day#{brand_settings.day_of(at)}"), day)


def attempts(prospect_id: str) -> Iterator[ProspectItem | None]:
    """The prospect as stored, anew for each attempt at writing it. Busy when all have failed."""
    for _ in range(_TRIES):
        yield models.find(prospect_id)
    raise Busy("others keep changing this prospect")


def _attempts(prospect_id: str) -> Iterator[ProspectItem]:
    for item in attempts(prospect_id):
        if item is None or item.status == rules.ERASED:
            raise NotFound("there is no such prospect")
        yield item


def committed(tx: Transaction) -> bool:
    """False when somebody else was first with one of the items: look again."""
    try:
        tx.commit()
    except ConditionFailed:
        return False
    return True
