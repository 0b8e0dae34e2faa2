"""Which of a member's contact ways a scan is shown: one that no other open reservation has.

The ways' holders stand in the member's `total` counter, which each scan writes anyway: a claim costs
nothing more. It ends with its reservation's time, or when the add confirms it. A process remembers what
it saw and tries the first slot it takes for free; when others have been faster the transaction fails,
and it looks. When all are held (a guide with more than five people on the way at once, or a code that is
scanned very fast) the first is shared without a claim.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.assignments.models import TOTAL, PlaceItem
from chalicelib.contactways.service import SLOTS
from chalicelib.platform import clock

_TRUSTED = timedelta(seconds=1)  # what is remembered, when a way would have to be made for it
_EXHAUSTED = timedelta(seconds=10)  # what is remembered, when it says that all are held
_KEPT = 20_000
_NEVER = datetime.min.replace(tzinfo=UTC)
_held: dict[str, tuple[datetime, list[str]]] = {}  # member: as of when, and each slot's mark


def mark(expires_at: str, assignment_id: str) -> str:
    """What stands in a held slot. It sorts by its time."""
    return f"{expires_at}#{assignment_id}"


def choose_slot(member: str, now: datetime, is_known: Callable[[int], bool]) -> int | None:
    """The first slot that seems free; None: all are held. `is_known`: whether a slot's way is at hand."""
    as_of, marks = _held.get(member, (_NEVER, [""] * SLOTS))
    free = _first_free(marks, now)
    if free == 0:
        return 0
    age = now - as_of
    doubt = age >= _EXHAUSTED if free is None else age >= _TRUSTED and not is_known(free)
    if doubt:
        row = PlaceItem.find(member, TOTAL)
        remember(member, [getattr(row, f"slot{n}", None) for n in range(SLOTS)], now)
        free = _first_free(_held[member][1], now)
    return free


def remember(member: str, marks: Sequence[str | None], now: datetime) -> None:
    """Remember what was read."""
    if len(_held) >= _KEPT:
        _held.clear()
    _held[member] = now, [mark or "" for mark in marks]


def remember_claim(member: str, slot: int, holder: str) -> None:
    """Remember one's own claim."""
    as_of, marks = _held.get(member, (_NEVER, [""] * SLOTS))
    _held[member] = as_of, [holder if n == slot else mark for n, mark in enumerate(marks)]


def remember_free(member: str, slot: int) -> None:
    """Remember that a slot is free."""
    if member in _held:
        remember_claim(member, slot, "")


def claim_slot(slot: int, holder: str, now: datetime) -> tuple[Any, Any]:
    """(action, condition) on the member's `total` counter."""
    attribute = getattr(PlaceItem, f"slot{slot}")
    return attribute.set(holder), attribute.does_not_exist() | (attribute < clock.iso(now))


def holder(row: PlaceItem | None, slot: int) -> str | None:
    """The assignment that holds the slot, or was the last to."""
    held_by = getattr(row, f"slot{slot}", None)
    return str(held_by).partition("#")[2] if held_by else None


def free_slot(row: PlaceItem, slot: int) -> tuple[Any, Any]:
    """(action, condition): free the slot, if its holder is still the one that `row` names."""
    attribute = getattr(PlaceItem, f"slot{slot}")
    return attribute.remove(), attribute == getattr(row, f"slot{slot}")


def _first_free(marks: Sequence[str], now: datetime) -> int | None:
    text = clock.iso(now)
    return next((n for n, mark in enumerate(marks) if mark < text), None)
