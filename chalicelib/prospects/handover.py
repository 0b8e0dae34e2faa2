"""A guide's open tasks go to others: when the guide leaves, or an operator says so."""

from collections.abc import Iterable

from chalicelib.platform import audit, clock, queues
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.prospects import brand_settings, models, rules, status_changes
from chalicelib.prospects.models import ImportItem, ProspectItem
from chalicelib.prospects.types import Respread
from chalicelib.stores import service as stores

_MOVED = 200  # prospects in one message's work


def leave(staff_id: str) -> None:
    """A guide has left: their open tasks go to the others."""
    if not brand_settings.has_prospects(staff_id):
        return
    brand_settings.set_status(staff_id, "left")
    _order(staff_id, [], "", 0)


def ask_for_handover(wanted: Respread, principal: Principal = SYSTEM) -> None:
    """An operator hands a guide's open tasks to others; within a scope, both are of it. NotFound, Invalid."""
    from_staff, to, guides = wanted.from_staff_id, wanted.to_staff_ids, stores.guides_in_scope(principal)
    is_known = from_staff == rules.NOBODY or brand_settings.has_prospects(from_staff)
    if not is_known or (guides is not None and from_staff not in guides):
        raise NotFound(code="no_guide_with_prospects")
    wrong = [issue("to_staff_ids", "same_as", other="from_staff_id")] if from_staff in to else []
    if guides is not None and (not to or not guides.issuperset(to)):
        wrong.append(issue("to_staff_ids", "guides_outside_scope", staff_ids=sorted(set(to) - guides)))
    if wrong:
        raise Invalid(*wrong)
    tx = Transaction()
    audit.add(tx, "prospects.respread", from_staff, None, {"to_staff_ids": to})
    tx.commit()
    _order(from_staff, to, "", 0)


def hand_over(staff_id: str, to: list[str], after: str, done: int) -> None:
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
            if target != staff_id and _move(row.prospect_id, staff_id, target):
                done += 1
        if len(rows) == _MOVED:
            reached = rows[-1].rank if status == rules.TO_ADD else "~"
            _order(staff_id, to, reached, done)
            return


def _order(staff_id: str, to: list[str], after: str, done: int) -> None:
    message = {"kind": "respread", "staff_id": staff_id, "to": to, "after": after, "done": done}
    queues.send("prospect", message)


def _heir(row: ProspectItem, to: list[str], gone: Iterable[str], number: int) -> str:
    if to:
        return to[number % len(to)]
    source = ImportItem.find(row.import_id)
    if source is None:
        return rules.NOBODY
    rule = brand_settings.rule_of(source.spread).without(gone)
    of_store: list[str] = []
    if rule.kind == "by_store" and row.store_id:
        store = stores.find(row.store_id)
        of_store = [s for s in store.staff_ids if s not in set(gone)] if store else []
    return rules.guide_of(rule, number, "", of_store) or rules.NOBODY


def _move(prospect_id: str, from_staff: str, target: str) -> bool:
    item = models.find(prospect_id)
    if item is None or item.staff_id != from_staff or item.status not in rules.OPEN:
        return False
    if target != rules.NOBODY:
        brand_settings.enlist([target])
    tx = Transaction()
    item.asked_at = None
    status_changes.move(tx, item, rules.TO_ADD, clock.now(), {"by": "respread"}, staff_id=target)
    try:
        tx.commit()
    except ConditionFailed:  # something has become of them meanwhile
        return False
    return True
