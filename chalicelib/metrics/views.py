"""Which counters a principal sees: the corp's, or those of the stores and guides of a scope.

A figure stays with the store of its time; of a guide who is of no store, with the guide.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from msgspec import Struct

from chalicelib.metrics import models, rules
from chalicelib.metrics.rules import Cell
from chalicelib.platform.principal import Principal
from chalicelib.stores import guides
from chalicelib.stores.scope import guides_in_scope

_AT_ONCE = 16  # reads


class View(Struct, frozen=True):
    """Stores whose counters are read, guides of no store, and whose figures alone count (None: everybody's).

    A figure of no guide, such as an order, is its store's: `whole` says whether it is in view.
    """

    store_ids: frozenset[str]
    alone: frozenset[str]
    only: frozenset[str] | None = None
    whole: bool = True


def of(principal: Principal, staff_id: str | None = None) -> View | None:
    """None: the whole corp's. staff_id: of this guide alone, with the store that they are of now."""
    seen = _of(principal)
    if staff_id is None:
        return seen
    if seen is None:
        return _of_guide(staff_id)
    if seen.only is not None and staff_id not in seen.only:
        return View(frozenset(), frozenset())
    return View(seen.store_ids, seen.alone & {staff_id}, frozenset({staff_id}), whole=False)


def _of(principal: Principal) -> View | None:
    if principal.role == "guide":
        return _of_guide(next(iter(guides_in_scope(principal) or ())))
    if not principal.is_scoped:
        return None
    store_ids = guides.store_ids_in_scope(principal) or frozenset()
    if principal.scope.department_ids is None:
        return View(store_ids, frozenset())
    people = guides_in_scope(principal) or frozenset()
    alone = frozenset(one for one in people if guides.store_of([one]) is None)
    return View(store_ids, alone if principal.scope.store_ids is None else frozenset(), people)


def _of_guide(staff_id: str) -> View:
    me = frozenset({staff_id})
    store_id = guides.store_of([staff_id])
    return View(frozenset(filter(None, [store_id])), me, me, whole=False)


def read(view: View, start: date, end: date) -> Iterator[tuple[Cell, tuple[str, str, str]]]:
    """The counters in view of those days, each with its day, guide and channel."""
    months = [f"{month}-01" for month in rules.months(start, end)]
    hashes = [rules.of_store(store_id, month) for store_id in sorted(view.store_ids) for month in months]
    hashes += [rules.of_guide(staff_id, month) for staff_id in sorted(view.alone) for month in months]
    parts = read_all(hashes, start.isoformat(), f"{end.isoformat()}#\uffff")
    yield from _in_view(view, (cell for part in parts for cell in part))


def read_all(hashes: Iterable[str], first: str = "", final: str = "") -> list[list[Cell]]:
    """The counters under each of the hash keys, side by side."""
    keys = list(hashes)
    if len(keys) == 1:
        return [list(models.cells(keys[0], first, final))]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda key: list(models.cells(key, first, final)), keys))


def _in_view(view: View, cells: Iterator[Cell]) -> Iterator[tuple[Cell, tuple[str, str, str]]]:
    for cell in cells:
        parts = rules.parts_of(cell.what)
        staff_id = parts[1]
        if (not staff_id and view.whole) or (staff_id and (view.only is None or staff_id in view.only)):
            yield cell, parts
