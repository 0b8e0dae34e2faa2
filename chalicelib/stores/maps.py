"""The map of all stores: read as a scan needs it, and kept true by whoever writes a store.

A store's writer puts a change beside the map in the same transaction as the row, so that all who
write at once get through, and the next scan sees each. Now and then one of them takes the changes into
the cells (`fold`), under the condition that the map is still as it was read: who loses leaves it.
A process keeps the cells it has read; one query at each scan tells which of them are still true.
"""

import heapq
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from pynamodb.expressions.update import Action

from chalicelib.platform import ids, storage
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.stores import cells, geo, map_bytes
from chalicelib.stores.cells import Node
from chalicelib.stores.geo import Position
from chalicelib.stores.map_bytes import Cell
from chalicelib.stores.models import HEAD, NOW, MapItem
from chalicelib.stores.types import Place

FOLD_AT = 24  # changes beside the map from which a writer takes them in
_PARTS = 45  # cells that a transaction writes: each is a put and a delete
_ATTEMPTS = 12
_CHANGE = "change#"


class Moved(Exception):
    """The map was changed while it was being read."""


class Change(Struct, frozen=True):
    place: Place | None
    was: frozenset[int]
    stamp: str


class View(Struct, frozen=True):
    """The map at a moment. `version` 0: nothing was ever put in it. `changes`: by store_id."""

    version: int
    cells: Mapping[int, Cell]
    root: Node | None  # of the cells that have stores
    changes: Mapping[str, Change]


class _Kept:
    """What a process has of the map; its threads share it, so each part is replaced as a whole."""

    def __init__(self) -> None:
        self.list: tuple[int, dict[int, Cell], Node | None] = (-1, {}, None)  # version, cells, root
        self.places: dict[int, tuple[int, list[Place]]] = {}  # cell: stamp, stores
        self.trees: dict[int, tuple[int, Node | None]] = {}


_kept = _Kept()


def forget() -> None:
    """As in a new process."""
    _kept.__init__()  # type: ignore[misc]


def view() -> View:
    """The map now: one query."""
    head, changes = None, {}
    for row in MapItem.query(NOW, consistent_read=True):
        if row.part == HEAD:
            head = row
            continue
        place = msgspec.convert(row.place, Place) if row.place else None
        was = frozenset(map(int, row.was or ()))
        changes[row.part.removeprefix(_CHANGE)] = Change(place, was, str(row.stamp))
    version = int(head.version) if head is not None else 0
    known = _kept.list
    if known[0] != version:
        listed = map_bytes.unpack_cells(head.cells) if head is not None else {cells.EARTH: Cell(0, 0)}
        root = cells.forest(cell for cell, known in listed.items() if known.stores)
        known = _kept.list = version, listed, root
        for kept in (_kept.places, _kept.trees):
            for cell, (stamp, _) in list(kept.items()):
                if cell not in listed or listed[cell].stamp != stamp:
                    kept.pop(cell, None)
    return View(*known, changes)


def near(at: Position, within: float, wanted: Collection[str] | None = None) -> Iterator[tuple[float, Place]]:
    """(metres, store) by distance, from the nearest to `within` metres; only `wanted` ones, if given."""
    given: set[str] = set()
    for _attempt in range(_ATTEMPTS):
        try:
            for _, place in _near(view(), at, within):
                if place.store_id in given or (wanted is not None and place.store_id not in wanted):
                    continue
                metres = geo.distance_m(at, cells.position(place))
                if metres <= within:
                    given.add(place.store_id)
                    yield metres, place
            return
        except Moved:
            continue
    raise storage.Busy("the map of the stores is being changed")


def everywhere() -> list[Place]:
    """Every store, by id."""
    for _ in range(_ATTEMPTS):
        now = view()
        try:
            mapped = [p for places in _load(now.cells, [*now.cells]).values() for p in places]
        except Moved:
            continue
        places = {p.store_id: p for p in mapped if p.store_id not in now.changes}
        places |= {key: change.place for key, change in now.changes.items() if change.place is not None}
        return sorted(places.values(), key=lambda place: place.store_id)
    raise storage.Busy("the map of the stores is being changed")


def spots(now: View, wanted: Collection[str]) -> dict[str, set[int]]:
    """The deepest cells in which these stores stand on the map, changes beside it aside. Moved.

    It reads the whole map.
    """
    spots: dict[str, set[int]] = {}
    for places in _load(now.cells, [*now.cells]).values():
        for place in places:
            if place.store_id in wanted:
                spots.setdefault(place.store_id, set()).add(cells.deepest(cells.position(place)))
    return spots


def add_change(tx: Transaction, store_id: str, place: Place | None, was: Place | None) -> None:
    """Add to the transaction that writes a store's row what the map must know of it."""
    actions: list[Action] = [MapItem.stamp.set(ids.short(12))]
    actions.append(MapItem.place.set(msgspec.to_builtins(place)) if place else MapItem.place.remove())
    if was is not None:
        actions.append(MapItem.was.add({str(cells.deepest(cells.position(was)))}))
    tx.update("change", MapItem(NOW, _CHANGE + store_id), actions)


def tidy() -> None:
    """Take the changes into the cells if there are many, and nobody else is at it."""
    now = view()
    if len(now.changes) >= FOLD_AT:
        part = dict(list(now.changes.items())[:_PARTS])
        fold(now, {key: (change.was, change.place) for key, change in part.items()})


def fold(now: View, stores: Mapping[str, tuple[Collection[int], Place | None]]) -> int | None:
    """Bring stores (the cells they were in, and what they are now) into the cells of the map.

    How many were taken in: from the first on, as many as one transaction bears; None when somebody
    changed the map meanwhile. Their changes beside it go.
    """
    count = len(stores)
    while True:
        part = dict(list(stores.items())[:count])
        try:
            parts = _parts(now, part)
        except Moved:
            return None
        touched = [cell for cell in now.cells if cell not in parts.kept]
        changed = [key for key in part if key in now.changes]
        actions = len(parts.made) + sum(now.cells[c].stores > 0 for c in touched) + len(changed) + 1
        if actions <= storage.MAX_ACTIONS or count == 1:
            break
        count = max(1, count // 2)
    tx = Transaction()
    list_of_cells = dict(parts.kept)
    for cell, places in parts.made.items():
        list_of_cells[cell], item = cell_item(cell, places)
        tx.put(f"cell:{cell}", item)
    for cell in touched:
        if now.cells[cell].stores:
            tx.delete(f"old:{cell}", cell_key(cell, now.cells[cell]))
    for cell in parts.empty:
        list_of_cells[cell] = Cell(0, 0)
    for key in changed:
        same = MapItem.stamp == now.changes[key].stamp
        tx.delete(f"change:{key}", MapItem(NOW, _CHANGE + key), same)
    add_head(tx, now.version, list_of_cells)
    try:
        tx.commit()
    except (ConditionFailed, storage.Busy):
        return None
    return count


def cell_item(cell: int, places: Collection[Place]) -> tuple[Cell, MapItem]:
    """A cell's stores under a stamp of their own."""
    made = Cell(secrets.randbits(32) | 1, len(places))
    item = cell_key(cell, made)
    item.places = map_bytes.pack(places)
    return made, item


def cell_key(cell: int, known: Cell) -> MapItem:
    return MapItem(f"cell#{cell}", _stamp(known.stamp))


def add_head(tx: Transaction, version: int, list_of_cells: Mapping[int, Cell]) -> None:
    """The list of cells that replaces that of `version`."""
    head = MapItem(NOW, HEAD, version=version + 1, cells=map_bytes.pack_cells(list_of_cells))
    same = MapItem.version == version if version else MapItem.map.does_not_exist()
    tx.put("head", head, same)


class _Parts(Struct, frozen=True):
    kept: dict[int, Cell]  # as they were
    made: dict[int, list[Place]]
    empty: list[int]


def _parts(now: View, stores: Mapping[str, tuple[Collection[int], Place | None]]) -> _Parts:
    """The map with these stores in it, and where they were no more."""
    gone: dict[int, set[str]] = {}
    come: dict[int, dict[str, Place]] = {}
    for store_id, (was, place) in stores.items():
        change = now.changes.get(store_id)
        for spot in {*was, *(change.was if change else ())}:
            gone.setdefault(cells.covering(spot, now.cells), set()).add(store_id)
        if place is not None:
            cell = cells.covering(cells.deepest(cells.position(place)), now.cells)
            come.setdefault(cell, {})[store_id] = place
    touched = {*gone, *come}
    kept = {cell: known for cell, known in now.cells.items() if cell not in touched}
    made: dict[int, list[Place]] = {}
    for cell, before in _load(now.cells, touched).items():
        left = {p.store_id: p for p in before if p.store_id not in gone.get(cell, ())}
        made |= cells.cut(cell, (left | come.get(cell, {})).values())
    empty = [cell for cell, places in made.items() if not places]
    return _Parts(kept, {cell: places for cell, places in made.items() if places}, empty)


def _near(now: View, at: Position, within: float) -> Iterator[tuple[float, Place]]:
    """By the straight line, which is no longer than the way."""

    def load(wanted: list[int]) -> dict[int, Node | None]:
        return _trees(now.cells, wanted)

    mapped = (
        near for near in cells.nearest(now.root, at, load, within) if near[1].store_id not in now.changes
    )
    changed = cells.tree(change.place for change in now.changes.values() if change.place is not None)
    beside = cells.nearest(changed, at, load, within)
    return heapq.merge(mapped, beside, key=lambda near: near[0])


def _trees(known: Mapping[int, Cell], wanted: list[int]) -> dict[int, Node | None]:
    trees = {
        cell: kept[1] for cell in wanted if (kept := _kept.trees.get(cell, (0, None)))[0] == known[cell].stamp
    }
    for cell, places in _load(known, [cell for cell in wanted if cell not in trees]).items():
        trees[cell] = cells.tree(places)
        _kept.trees[cell] = known[cell].stamp, trees[cell]
    return trees


def _load(known: Mapping[int, Cell], wanted: Iterable[int]) -> dict[int, list[Place]]:
    """The stores of cells, from the process or from storage. Moved when one of them is no more."""
    loaded: dict[int, list[Place]] = {}
    missing: list[int] = []
    for cell in wanted:
        stamp, places = _kept.places.get(cell, (0, []))
        if not known[cell].stores:
            loaded[cell] = []
        elif stamp == known[cell].stamp:
            loaded[cell] = places
        else:
            missing.append(cell)
    if missing:
        keys: list[Any] = [(f"cell#{cell}", _stamp(known[cell].stamp)) for cell in missing]
        for row in MapItem.batch_get(keys, consistent_read=True):
            cell = int(row.map.removeprefix("cell#"))
            loaded[cell] = map_bytes.unpack(row.places)
            _kept.places[cell] = known[cell].stamp, loaded[cell]
    if any(cell not in loaded for cell in missing):
        raise Moved
    return loaded


def _stamp(stamp: int) -> str:
    return f"{stamp:08x}"
