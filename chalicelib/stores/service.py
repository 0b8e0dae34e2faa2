"""Stores: made, changed, listed, imported."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chalicelib.platform import clock, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.patch import merged
from chalicelib.stores import rules
from chalicelib.stores.models import StoreItem

Store = dict[str, Any]
Complete = Callable[[Any], Store]  # a whole store, validated, of what was given: Invalid

_LISTED = "store"
_FIELDS = ("name", "city", "address", "latitude", "longitude", "staff_ids", "chat_ids", "hours")


def create(store: Store) -> Store:
    """A new store. Conflict when its id is taken."""
    item = _item(store)
    if not storage.put_once(item, StoreItem.store_id.does_not_exist()):
        raise Conflict(f"there is a store {store['store_id']} already")
    return _shown(item)


def get(store_id: str) -> Store:
    """The store. NotFound."""
    return _shown(_find(store_id))


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
    changes = [getattr(StoreItem, name).set(store[name]) for name in _FIELDS if store[name] is not None]
    if store["hours"] is None:
        changes.append(StoreItem.hours.remove())
    changes += [
        StoreItem.updated_at.set(clock.iso(clock.now())),
        StoreItem.version.set(item.version + 1),
    ]
    if not storage.update_if(item, changes, StoreItem.version == item.version):
        raise Conflict("the store was changed meanwhile: read it again")
    return _shown(item)


def remove(store_id: str) -> None:
    """Delete the store. NotFound."""
    if not storage.delete_if(StoreItem(store_id), StoreItem.store_id.exists()):
        raise NotFound(f"there is no store {store_id}")


def import_csv(text: str, complete: Complete) -> dict[str, Any]:
    """Import the rows that are right, and tell of the others.

    `{"imported", "errors": [{"line","field","message"}]}`. A store that is there already is replaced, so
    the same table twice, or once more with its bad lines put right, is the same stores. Invalid: no table.
    """
    errors: list[dict[str, Any]] = []
    stores: dict[str, Store] = {}
    try:
        for line, fields in rules.rows(text):
            try:
                store = complete(fields)
            except Invalid as error:
                errors += [{"line": line, "field": f, "message": m} for f, m in error.errors]
                continue
            if store["store_id"] in stores:
                errors.append({"line": line, "field": "store_id", "message": "is in an earlier line already"})
                continue
            stores[store["store_id"]] = store
    except rules.BadTable as error:
        raise Invalid(("csv", str(error))) from error
    known = {row.store_id: row for row in StoreItem.batch_get(list(stores))} if stores else {}
    with StoreItem.batch_write() as batch:
        for store in stores.values():
            batch.save(_item(store, known.get(store["store_id"])))
    return {"imported": len(stores), "errors": errors}


def _find(store_id: str) -> StoreItem:
    item = StoreItem.find(store_id)
    if item is None:
        raise NotFound(f"there is no store {store_id}")
    return item  # type: ignore[no-any-return]


def _item(store: Store, before: StoreItem | None = None) -> StoreItem:
    now = clock.iso(clock.now())
    return StoreItem(
        store["store_id"],
        listing=_LISTED,
        version=int(before.version) + 1 if before else 1,
        created_at=before.created_at if before else now,
        updated_at=now,
        **{name: store[name] for name in _FIELDS},
    )


def _shown(item: StoreItem) -> Store:
    fields = {name: getattr(item, name) for name in _FIELDS}
    times = {"created_at": item.created_at, "updated_at": item.updated_at}
    return {"store_id": item.store_id, **fields, **times}
