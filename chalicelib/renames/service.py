"""A userid changes (WeCom's `update_user` with `NewUserID`): what is kept under the old one moves to the new.

Each capability declares in its `renames.py` what it moves (`RENAMES`), in parts that may be repeated and cut
in the middle. From the event on the old id gets nobody; events that still name it are the new one's.
What was on its way meanwhile is moved by two later rounds: when every process knows of the rename, and when
every reservation of that time has lapsed. History stays as it was written; the old id keeps its name for it.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import chain
from typing import Any

from chalicelib.platform import clock, declared, due, queues
from chalicelib.staff import service as staff
from chalicelib.staff import spelling
from chalicelib.wecom.events import Event

_ROUNDS = (timedelta(0), timedelta(minutes=15), timedelta(hours=25))
_FIRST = ("people", "live_codes", "stores")
_ENOUGH_MS = 60_000  # for a part


def begin(event: Event) -> None:
    """Where an event tells a new userid, the moving is ordered, and the old one gets nobody any more."""
    old, new = event.staff_id, event.new_staff_id
    if new:
        spelling.note(event.values["NewUserID"])
    if not old or not new or old == new:
        return
    for after in _ROUNDS:
        due.put("staff_rename", event.at + after, f"{old}#{new}#{event.digest}", {"old": old, "new": new})
    staff.rename(old, new, event.at)


def order_folding(staff_id: str) -> None:
    """Have what is kept under a userid that is not folded moved to the folded one."""
    new = staff.fold(staff_id)
    if new != staff_id:
        due.put("staff_rename", clock.now(), f"{staff_id}#{new}", {"old": staff_id, "new": new})


def run(old: str, new: str, number: int = 0, *, milliseconds_left: Callable[[], int]) -> None:
    """Move one part after another; what is left when the time is nearly over goes into another message."""
    if not staff.is_renamed(old, new):
        return  # renamed again, or back
    moves = _moves()
    while number < len(moves):
        if milliseconds_left() < _ENOUGH_MS:
            queues.send("migrate", {"kind": "staff_rename", "old": old, "new": new, "number": number})
            return
        if not moves[number](old, new):
            number += 1


def _moves() -> list[Callable[[str, str], Any]]:
    found = {rename.name: rename for rename in chain.from_iterable(declared.find("renames", "RENAMES"))}
    names = [*_FIRST, *sorted(set(found) - set(_FIRST))]
    return [staff.rename, *(declared.resolve(found[name].move) for name in names)]
