"""Stores: made, changed, listed, imported, and found by where they are.

A change is seen by the next scan: it stands beside the map from the same transaction on.
"""

import random
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.platform import clock, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.patch import merged
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.stores import cells, folding, geo, maps, rules
from chalicelib.stores.folding import finish, rebuild, start_rebuild
from chalicelib.stores.models import FIELDS, StoreItem
from chalicelib.stores.rules import is_open, place
from chalicelib.stores.types import STORE_ID, Place

__all__ = [
    "Place",
    "change",
    "create",
    "everywhere",
    "find",
    "finish",
    "get",
    "import_csv",
    "is_open",
    "near",
    "page",
    "place",
    "rebuild",
    "remove",
    "same_spot",
    "several",
    "start_rebuild",
]

Store = dict[str, Any]
Complete = Callable[[Any], Store]  # a whole store, validated, of what was given: Invalid

_LISTED = "store"
_TRIES = 8
_LATER = FIELDS[1:]  # all but the id, which never changes


def create(store: Store) -> Store:
    """A new store. Conflict when its id is taken."""
    item = _item(store)
    tx = Transaction()
    tx.put("store", item, StoreItem.store_id.does_not_exist())
    maps.add_change(tx, item.store_id, _place(item), None)
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict(f"there is a store {store['store_id']} already") from error
    maps.tidy()
    return _shown(item)


def get(store_id: str) -> Store:
    """The store. NotFound."""
    return _shown(_find(store_id))


def find(store_id: str) -> Store | None:
    """The store, or None."""
    item = StoreItem.find(store_id)
    return None if item is None else _shown(item)


def several(store_ids: Collection[str]) -> dict[str, Store]:
    """Those of these stores that there are, by id; perhaps as they were a second ago."""
    return {row.store_id: _shown(row) for row in StoreItem.batch_get(list(store_ids))}


def near(
    latitude: float, longitude: float, datum: str, within_m: float, wanted: Collection[str] | None = None
) -> Iterator[tuple[float, Place]]:
    """(metres, store) from the nearest to the farthest within `within_m`; only `wanted` ones, if given."""
    return maps.near(geo.wgs84(latitude, longitude, datum), within_m, wanted)


def same_spot(known: Place, store: Store) -> bool:
    """Whether the store is where the map has it."""
    now = rules.place(store)
    return (known.latitude, known.longitude) == (now.latitude, now.longitude)


def everywhere() -> list[Place]:
    """Every store on the map, by id."""
    return maps.everywhere()


def page(limit: int, cursor: str | None) -> tuple[list[Store], str | None]:
    """Stores by id, and the next cursor."""
    query = partial(StoreItem.by_id.query, _LISTED, limit=limit)
    rows, following = storage.page(query, cursor)
    return [_shown(row) for row in rows], following


def change(store_id: str, patch: Mapping[str, Any], complete: Complete) -> Store:
    """Apply a JSON merge patch (RFC 7396). NotFound, Invalid, Conflict."""
    item = _find(store_id)
    store = complete(merged(_shown(item), patch))
    if store["store_id"] != store_id:
        raise Invalid(("store_id", "can't be changed"))
    changes = [getattr(StoreItem, name).set(store[name]) for name in _LATER if store[name] is not None]
    if store["hours"] is None:
        changes.append(StoreItem.hours.remove())
    made = _item(store, item)
    changes += [StoreItem.updated_at.set(made.updated_at), StoreItem.version.set(made.version)]
    tx = Transaction()
    tx.update("store", item, changes, StoreItem.version == item.version)
    before, after = _place(item), _place(made)
    if before != after:
        maps.add_change(tx, store_id, after, before)
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict("the store was changed meanwhile: read it again") from error
    if before != after:
        maps.tidy()
    return _shown(made)


def remove(store_id: str) -> None:
    """Delete the store. NotFound, Conflict."""
    item = _find(store_id)
    tx = Transaction()
    tx.delete("store", StoreItem(store_id), StoreItem.version == item.version)
    maps.add_change(tx, store_id, None, _place(item))
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict("the store was changed meanwhile: try again") from error
    maps.tidy()


def import_csv(text: str, complete: Complete) -> dict[str, Any]:
    """Import the rows that are right, and tell of the others.

    `{"imported", "errors": [{"line","field","message"}]}`. Of a store that is there already the columns of
    the table are replaced, so the same table twice, or once more with its bad lines put right, is the same
    stores; also of one that is changed meanwhile. One that is deleted meanwhile stays so. Invalid: no table.
    """
    errors: list[dict[str, Any]] = []
    stores: dict[str, Store] = {}
    given: dict[str, Store] = {}
    try:
        table = list(rules.rows(text))
    except rules.BadTable as error:
        raise Invalid(("csv", str(error))) from error
    version = maps.view().version  # before the rows: they say where the stores stand on that map
    # DynamoDB refuses a whole request for one key that is too long.
    ids = {fields["store_id"] for _, fields, _ in table if re.match(STORE_ID, fields.get("store_id", ""))}
    known = {row.store_id: row for row in StoreItem.batch_get(list(ids), consistent_read=True)} if ids else {}
    for line, fields, more in table:
        try:
            if more:
                raise Invalid(("store_id", "has more fields than the first line has columns"))
            store = complete(_kept(known.get(fields.get("store_id", ""))) | fields)
            if store["store_id"] in stores:
                raise Invalid(("store_id", "is in an earlier line already"))
        except Invalid as error:
            errors += [{"line": line, "field": f, "message": _told(f, m)} for f, m in error.errors]
            continue
        stores[store["store_id"]], given[store["store_id"]] = store, fields
    _write(stores, known, version, lambda row: complete(_kept(row) | given[row.store_id]))
    return {"imported": len(stores), "errors": errors}


def _kept(row: StoreItem | None) -> Store:
    """What a table without these columns leaves as it is. The datum goes with the position."""
    return {} if row is None else {name: row.fields()[name] for name in rules.OPTIONAL}


def _told(field: str, message: str) -> str:
    return rules.HOURS_LOOK if field.startswith("hours") else message


def _write(
    stores: Mapping[str, Store],
    known: Mapping[str, StoreItem],
    version: int,
    anew: Callable[[StoreItem], Store],
) -> None:
    """Write the rows that are new or different, and bring them onto the map; `version`: it had when they
    were read. anew: what the table makes of a row that others have changed since.

    All of them, also those that stay where they were: another import may be moving them at this moment.
    """
    items = {key: _item(store, known.get(key)) for key, store in stores.items()}
    items = {key: i for key, i in items.items() if key not in known or i.fields() != known[key].fields()}
    if not items:
        return
    was = {
        key: {cells.deepest(cells.position(_place(known[key])))} if key in known else set() for key in items
    }
    import_id = folding.begin(was)
    keys, written = list(items), dict[str, StoreItem]()
    for start in range(0, len(keys), storage.MAX_ACTIONS):
        written |= _put({key: items[key] for key in keys[start : start + storage.MAX_ACTIONS]}, known, anew)
    folding.end(import_id, version, was, {key: _place(item) for key, item in written.items()})


def _put(
    items: Mapping[str, StoreItem], known: Mapping[str, StoreItem], anew: Callable[[StoreItem], Store]
) -> dict[str, StoreItem]:
    """Write rows in one transaction, each only over the row that it was made of; what was written. Busy."""
    left = dict(items)
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  # nosec B311 (not a secret)
        tx = Transaction()
        for key, item in left.items():
            tx.put(key, item, _unchanged(known.get(key)))
        try:
            tx.commit()
        except ConditionFailed as error:
            rows = {row.store_id: row for row in StoreItem.batch_get(list(error.names), consistent_read=True)}
            left = {key: item for key, item in left.items() if key not in error.names}
            left |= {key: _item(anew(row), row) for key, row in rows.items()}
            known = {**known, **rows}
            continue
        return left
    raise storage.Busy("others keep changing these stores")


def _unchanged(row: StoreItem | None) -> Condition:
    return StoreItem.version == row.version if row else StoreItem.store_id.does_not_exist()


def _place(item: StoreItem) -> Place:
    return rules.place(item.fields())


def _find(store_id: str) -> StoreItem:
    item = StoreItem.find(store_id)
    if item is None:
        raise NotFound(f"there is no store {store_id}")
    return item  # type: ignore[no-any-return]


def _item(store: Store, before: StoreItem | None = None) -> StoreItem:
    at = clock.now()
    first = int(at.timestamp() * 1_000_000)  # a version that no deleted store of that id has had
    now = clock.iso(at)
    return StoreItem(
        store["store_id"],
        listing=_LISTED,
        version=int(before.version) + 1 if before else first,
        created_at=before.created_at if before else now,
        updated_at=now,
        **{name: store[name] for name in _LATER},
    )


def _shown(item: StoreItem) -> Store:
    return {**item.fields(), "created_at": item.created_at, "updated_at": item.updated_at}
