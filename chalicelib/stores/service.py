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

from chalicelib.platform import audit, clock, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound, issue
from chalicelib.platform.patch import merged
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.staff import service as staff
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
    "guides_ever",
    "guides_in_scope",
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


def create(store: Store, principal: Principal = SYSTEM) -> Store:
    """A new store. NotFound outside of the scope; Conflict when its id is taken; Invalid."""
    if not is_in_scope(principal, store["store_id"], store["staff_ids"]):
        raise NotFound(f"there is no store {store['store_id']}")
    _refuse_foreign_guides(store["staff_ids"], guides_in_scope(principal))
    item = _item(store)
    tx = Transaction()
    tx.put("store", item, StoreItem.store_id.does_not_exist())
    audit.add(tx, "stores.create", item.store_id, None, item.fields())
    maps.add_change(tx, item.store_id, _place(item), None)
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict(f"there is a store {store['store_id']} already") from error
    maps.tidy()
    return _shown(item)


def get(store_id: str, principal: Principal = SYSTEM) -> Store:
    """The store. NotFound, also outside of the scope."""
    return _shown(_find(store_id, principal))


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


def page(limit: int, cursor: str | None, principal: Principal = SYSTEM) -> tuple[list[Store], str | None]:
    """Stores of the scope by id, and the next cursor."""
    if principal.is_scoped:
        stores = sorted(stores_in_scope(principal), key=lambda store: str(store["store_id"]))
        left = [store for store in stores if cursor is None or store["store_id"] > cursor]
        return left[:limit], left[limit - 1]["store_id"] if len(left) > limit else None
    query = partial(StoreItem.by_id.query, _LISTED, limit=limit)
    rows, following = storage.page(query, cursor)
    return [_shown(row) for row in rows], following


def change(
    store_id: str, patch: Mapping[str, Any], complete: Complete, principal: Principal = SYSTEM
) -> Store:
    """Apply a JSON merge patch (RFC 7396). NotFound, Invalid, Conflict."""
    item = _find(store_id, principal)
    store = complete(merged(item.fields(), patch))
    _refuse_foreign_guides(set(store["staff_ids"]) - set(item.staff_ids), guides_in_scope(principal))
    changes = [getattr(StoreItem, name).set(store[name]) for name in _LATER if store[name] is not None]
    if store["hours"] is None:
        changes.append(StoreItem.hours.remove())
    made = _item(store, item)
    if made.staff_ids_ever:
        changes.append(StoreItem.staff_ids_ever.set(made.staff_ids_ever))
    changes += [StoreItem.updated_at.set(made.updated_at), StoreItem.version.set(made.version)]
    tx = Transaction()
    tx.update("store", item, changes, StoreItem.version == item.version)
    audit.add(tx, "stores.change", store_id, item.fields(), made.fields())
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


def remove(store_id: str, principal: Principal = SYSTEM) -> None:
    """Delete the store. NotFound, Conflict."""
    item = _find(store_id, principal)
    tx = Transaction()
    tx.delete("store", StoreItem(store_id), StoreItem.version == item.version)
    maps.add_change(tx, store_id, None, _place(item))
    audit.add(tx, "stores.delete", store_id, item.fields(), None)
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict("the store was changed meanwhile: try again") from error
    maps.tidy()


def import_csv(text: str, complete: Complete, principal: Principal = SYSTEM) -> dict[str, Any]:
    """Import the rows that are right, and tell of the others.

    `{"imported", "errors": [{"line","field","message"}]}`. Of a store that is there already the columns of
    the table are replaced, so the same table twice, or once more with its bad lines put right, is the same
    stores; also of one that is changed meanwhile. One that is deleted meanwhile stays so. Invalid: no table.
    """
    guides = guides_in_scope(principal)
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
                raise Invalid(issue("store_id", "too_many_columns"))
            store = complete(_kept(known.get(fields.get("store_id", ""))) | fields)
            if store["store_id"] in stores:
                raise Invalid(issue("store_id", "duplicate"))
            before = known.get(store["store_id"])
            if not is_in_scope(principal, store["store_id"], (before or _item(store)).staff_ids):
                raise Invalid(("store_id", "is outside of your scope"))
            _refuse_foreign_guides(set(store["staff_ids"]) - set(before.staff_ids if before else ()), guides)
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


def _find(store_id: str, principal: Principal) -> StoreItem:
    item = StoreItem.find(store_id)
    if item is None or not is_in_scope(principal, store_id, item.staff_ids):
        raise NotFound(f"there is no store {store_id}")
    return item  # type: ignore[no-any-return]


def is_in_scope(principal: Principal, store_id: str, staff_ids: Collection[str]) -> bool:
    """A scope of stores holds its stores; one of departments, the stores where their people are guides."""
    scope = principal.scope
    if scope.store_ids is not None and store_id not in scope.store_ids:
        return False
    return scope.department_ids is None or not staff.in_departments(scope.department_ids).isdisjoint(
        staff_ids
    )


def stores_in_scope(principal: Principal) -> list[Store]:
    """All stores of a scope, as they are now."""
    scope = principal.scope
    if scope.store_ids is not None:
        stores = list(several(scope.store_ids).values()) if scope.store_ids else []
    else:
        stores = [_shown(row) for row in StoreItem.by_id.query(_LISTED)]
    if scope.department_ids is None:
        return stores
    guides = staff.in_departments(scope.department_ids)
    return [store for store in stores if not guides.isdisjoint(store["staff_ids"])]


def guides_in_scope(principal: Principal) -> frozenset[str] | None:
    """Whose customers, touches and tasks a principal sees, as of this request; None: everybody's.

    A guide's own; those of the scope's stores; the people of its departments; of both, where both are given.
    """
    if principal.role == "guide":
        return frozenset({principal.id})
    scope = principal.scope
    if not principal.is_scoped:
        return None
    if scope.store_ids is None:
        return staff.in_departments(scope.department_ids or ())
    stores = several(scope.store_ids).values() if scope.store_ids else ()
    guides = frozenset(staff_id for store in stores for staff_id in store["staff_ids"])
    return guides if scope.department_ids is None else guides & staff.in_departments(scope.department_ids)


def guides_ever(store_ids: Collection[str]) -> frozenset[str]:
    """Who is, or ever was, a guide of one of these stores."""
    rows = StoreItem.batch_get(list(set(store_ids))) if store_ids else ()
    return frozenset(staff_id for row in rows for staff_id in _ever(row))


def _ever(row: StoreItem | None) -> set[str]:
    """Also of a row from before this was kept."""
    return {*row.staff_ids, *(row.staff_ids_ever or ())} if row else set()


def _refuse_foreign_guides(staff_ids: Collection[str], guides: frozenset[str] | None) -> None:
    """Nobody widens their own scope by making other stores' guides theirs. Invalid."""
    if guides is not None and (foreign := sorted(set(staff_ids) - guides)):
        raise Invalid(("staff_ids", f"outside of your scope: {', '.join(foreign)}"))


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
        staff_ids_ever={*_ever(before), *store["staff_ids"]} or None,
        **{name: store[name] for name in _LATER},
    )


def _shown(item: StoreItem) -> Store:
    return {**item.fields(), "created_at": item.created_at, "updated_at": item.updated_at}
