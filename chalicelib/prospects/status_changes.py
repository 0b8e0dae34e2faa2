"""A prospect moves from status to status: the item, its figures and its line in one transaction."""

from datetime import datetime
from typing import Any

from chalicelib.platform import audit, clock, storage, timeline
from chalicelib.platform.errors import Conflict, NotFound
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.prospects import brand_settings, models, rules
from chalicelib.prospects.models import FigureItem, ProspectItem
from chalicelib.stores import service as stores

BUSY = "others keep changing this prospect"


def find(prospect_id: str, principal: Principal = SYSTEM) -> ProspectItem:
    """NotFound, also for who was erased, and outside of the scope."""
    item = models.find(prospect_id) if prospect_id else None
    if item is None or item.status == rules.ERASED or not is_in_scope(item, principal):
        raise NotFound(code="no_prospect")
    return item


def is_in_scope(item: ProspectItem, principal: Principal) -> bool:
    """A prospect is a store's while its guide is."""
    guides = stores.guides_in_scope(principal)
    return guides is None or item.staff_id in guides


@storage.retrying(BUSY)
def change(
    prospect_id: str, status: str, by: str, of_staff: str | None = None, principal: Principal = SYSTEM
) -> ProspectItem:
    """A guide or an operator says what became of a prospect. The same again changes nothing.

    of_staff: the guide who says so; it must be their task. NotFound, Conflict.
    """
    item = find(prospect_id, principal)
    if of_staff is not None and item.staff_id != of_staff:
        raise NotFound(code="no_prospect")
    if item.status == status:
        return item
    if not rules.may(item.status, status):
        raise Conflict(code="prospect_status", before=item.status, after=status)
    now, tx = clock.now(), Transaction()
    audit.add(tx, "prospects.change", prospect_id, {"status": item.status}, {"status": status})
    if status == rules.ASKED:
        item.asked_at = clock.iso(now)
    move(tx, item, status, now, {"by": by})
    tx.commit()
    return item


def move(
    tx: Transaction,
    item: ProspectItem,
    after: str,
    at: datetime,
    details: dict[str, Any],
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
    data = {"status": after, "before": before, "staff_id": to_staff, "import_id": item.import_id, **details}
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
