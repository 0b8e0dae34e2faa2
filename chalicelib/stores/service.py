"""Stores: made, changed, listed, and found by where they are.

A change is seen by the next scan: it stands beside the map from the same transaction on.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from chalicelib.platform import audit, clock, lists, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound, issue
from chalicelib.platform.patch import merged
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.userids import fold_all
from chalicelib.platform.validation import convert
from chalicelib.platform.versions import ANY_VERSION, IfMatch
from chalicelib.stores import cells, geo, maps
from chalicelib.stores.map_updates import start_rebuild
from chalicelib.stores.models import FIELDS, LISTED, StoreItem
from chalicelib.stores.queries import StoresQuery
from chalicelib.stores.rules import are_swapped, is_open, place
from chalicelib.stores.scope import groups_in_scope, guides_in_scope, is_in_scope, stores_in_scope
from chalicelib.stores.types import NewStore, Place, StoreOut, StorePatch, StorePoint, StoresMap

__all__ = [
    "Place",
    "change",
    "create",
    "everywhere",
    "find",
    "find_many",
    "get",
    "groups_in_scope",
    "guides_ever",
    "guides_in_scope",
    "ids",
    "is_open",
    "near",
    "page",
    "patch_of",
    "place",
    "points",
    "remove",
    "same_spot",
    "start_rebuild",
    "store_of",
    "stores_in_scope",
]

_LATER = FIELDS[1:]  # all but the id, which never changes


def store_of(fields: Any) -> NewStore:
    """The store that JSON's or a table's fields describe. Invalid."""
    _refuse_swapped(fields)
    store: NewStore = convert(fields, NewStore)
    check_position(store)
    return store


def patch_of(fields: Any) -> Mapping[str, Any]:
    """A merge patch of a store. Invalid."""
    _refuse_swapped(fields)
    convert(fields, StorePatch)
    patch: Mapping[str, Any] = fields
    return patch


def _refuse_swapped(fields: Any) -> None:
    if isinstance(fields, Mapping) and are_swapped(fields.get("latitude"), fields.get("longitude")):
        raise Invalid(issue("latitude", "coordinates_swapped"))


def create(store: NewStore, principal: Principal) -> StoreOut:
    """A new store. NotFound outside of the scope; Conflict when its id is taken; Invalid."""
    if not is_in_scope(principal, store.store_id, store.staff_ids):
        raise NotFound(code="unknown_store", store_id=store.store_id)
    refuse_foreign(store, None, principal)
    item = item_of(store)
    tx = Transaction()
    tx.put("store", item, StoreItem.store_id.does_not_exist())
    audit.add(tx, "stores.create", item.store_id, None, item.fields())
    maps.add_change(tx, item.store_id, place(store), None)
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict(code="store_exists", store_id=store.store_id) from error
    maps.tidy()
    return item.store()


def get(store_id: str, principal: Principal) -> StoreOut:
    """The store. NotFound, also outside of the scope."""
    return _find(store_id, principal).store()


def find(store_id: str) -> StoreOut | None:
    """The store, or None."""
    item = StoreItem.find(store_id)
    return None if item is None else item.store()


def find_many(store_ids: Collection[str]) -> dict[str, StoreOut]:
    """Those of these stores that there are, by id; perhaps as they were a second ago."""
    return {row.store_id: row.store() for row in StoreItem.batch_get(list(set(store_ids)))}


def names(ids: Collection[str]) -> dict[str, str]:
    """What those of them are called that there are, by id."""
    return {store_id: store.name for store_id, store in find_many(ids).items()}


def of_guides(staff_ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """The stores, (id, name), of each of these guides who is of any. It reads the listing: once a page."""
    wanted, found = set(staff_ids), dict[str, list[tuple[str, str]]]()
    if not wanted:
        return found
    for row in StoreItem.by_id.query(LISTED, attributes_to_get=["store_id", "name", "staff_ids"]):
        for staff_id in wanted & set(fold_all(row.staff_ids)):
            found.setdefault(staff_id, []).append((row.store_id, row.name))
    return found


def ids() -> list[str]:
    """The ids of all stores."""
    return [row.store_id for row in StoreItem.by_id.query(LISTED, attributes_to_get=["store_id"])]


def near(
    latitude: float, longitude: float, datum: str, within_m: float, wanted: Collection[str] | None = None
) -> Iterator[tuple[float, Place]]:
    """(metres, store) from the nearest to the farthest within `within_m`; only `wanted` ones, if given."""
    return maps.near(geo.wgs84(latitude, longitude, datum), within_m, wanted)


def same_spot(known: Place, store: NewStore) -> bool:
    """Whether the store is where the map has it."""
    now = place(store)
    return (known.latitude, known.longitude) == (now.latitude, now.longitude)


def everywhere() -> list[Place]:
    """Every store on the map, by id."""
    return maps.everywhere()


def points(principal: Principal) -> StoresMap:
    """The scope's stores on the map."""
    inside = stores_in_scope(principal)
    places = [known for known in maps.everywhere() if inside is None or known.store_id in inside]
    local = clock.now().astimezone(clock.SHANGHAI)
    nearest = geo.nearest_m([cells.position(known) for known in places])
    items = [
        StorePoint(
            store_id=known.store_id,
            name=known.name,
            city=known.city,
            latitude=known.latitude,
            longitude=known.longitude,
            guides=known.staff,
            groups=known.groups,
            closed=known.shut,
            open=is_open(known, local),
            nearest_m=None if metres is None else round(metres),
        )
        for known, metres in zip(places, nearest, strict=True)
    ]
    return StoresMap(items=items, total=len(items))


def page(query: StoresQuery, principal: Principal) -> lists.Page[StoreOut]:
    """A page of the scope's stores.

    The map is what is filtered and sorted: it has names and cities, and a process keeps its cells, so that
    10,000 stores cost a query and the page's rows instead of 10 MB.
    """
    inside = stores_in_scope(principal)
    shut = {None: None, "open": False, "closed": True}[query.status]
    places = [
        known
        for known in maps.everywhere()
        if (inside is None or known.store_id in inside)
        and query.city in (None, known.city)
        and shut in (None, known.shut)
        and query.guides in (None, "some" if known.staff else "none")
    ]
    listed = lists.whole(
        places,
        query,
        key=lambda known: known.store_id,
        sorts={"name": lambda known: known.name},
        sort=query.sort,
        texts=lambda known: (known.name, known.store_id, known.city),
    )
    rows = find_many([known.store_id for known in listed.items])
    stores = [rows[known.store_id] for known in listed.items if known.store_id in rows]
    return lists.Page(stores, listed.total, listed.next_cursor)


@storage.retrying("others keep changing this store")
def change(
    store_id: str, patch: Mapping[str, Any], principal: Principal, if_match: IfMatch = ANY_VERSION
) -> StoreOut:
    """Apply a JSON merge patch (RFC 7396). NotFound, Invalid, Stale."""
    item = _find(store_id, principal)
    if_match.check(int(item.version), item.store)
    store = store_of(merged(item.fields(), patch))
    refuse_foreign(store, item, principal)
    made = item_of(store, item)
    values = {name: getattr(made, name) for name in (*_LATER, "updated_at", "version", "staff_ids_ever")}
    actions = [getattr(StoreItem, name).set(value) for name, value in values.items() if value is not None]
    if made.hours is None:
        actions.append(StoreItem.hours.remove())
    tx = Transaction()
    tx.update("store", item, actions, StoreItem.version == item.version)
    audit.add(tx, "stores.change", store_id, item.fields(), made.fields())
    before, after = place(item.store()), place(store)
    if before != after:
        maps.add_change(tx, store_id, after, before)
    tx.commit()
    if before != after:
        maps.tidy()
    return made.store()


def remove(store_id: str, principal: Principal) -> None:
    """Delete the store. NotFound, Conflict."""
    item = _find(store_id, principal)
    tx = Transaction()
    tx.delete("store", StoreItem(store_id), StoreItem.version == item.version)
    maps.add_change(tx, store_id, None, place(item.store()))
    audit.add(tx, "stores.delete", store_id, item.fields(), None)
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict(code="changed_meanwhile") from error
    maps.tidy()


def _find(store_id: str, principal: Principal) -> StoreItem:
    item: StoreItem | None = StoreItem.find(store_id)
    if item is None or not is_in_scope(principal, store_id, item.staff_ids):
        raise NotFound(code="unknown_store", store_id=store_id)
    return item


def refuse_foreign(store: NewStore, before: StoreItem | None, principal: Principal) -> None:
    """Nobody widens their own scope by making other stores' guides or groups theirs. Invalid."""
    guides, groups = guides_in_scope(principal), groups_in_scope(principal)
    refuse_foreign_members(store, before, staff_ids=guides, chat_ids=groups)


def refuse_foreign_members(
    store: NewStore, before: StoreItem | None, **allowed: frozenset[str] | None
) -> None:
    """allowed: of `staff_ids` and `chat_ids` those of the scope, None: all. Invalid."""
    wrong = [
        issue(f"{field}[{number}]", "outside_of_scope")
        for field, ids_in_scope in allowed.items()
        if ids_in_scope is not None
        for number, member_id in enumerate(getattr(store, field))
        if member_id not in ids_in_scope and member_id not in (before.fields()[field] if before else ())
    ]
    if wrong:
        raise Invalid(*wrong)


def guides_ever(store_ids: Collection[str]) -> frozenset[str]:
    """Who is, or ever was, a guide of one of these stores."""
    rows = StoreItem.batch_get(list(set(store_ids))) if store_ids else ()
    return frozenset(staff_id for row in rows for staff_id in _ever(row))


def _ever(row: StoreItem | None) -> set[str]:
    """Also of a row from before this was kept."""
    return {*fold_all(row.staff_ids), *(row.staff_ids_ever or ())} if row else set()


def check_position(store: NewStore) -> None:
    """Invalid at 0, 0: what an empty field of a table becomes, in the ocean."""
    if not store.latitude and not store.longitude:
        raise Invalid(issue("latitude", "null_island"))


def item_of(store: NewStore, before: StoreItem | None = None) -> StoreItem:
    """The store's row, the next version of the one before. Invalid."""
    check_position(store)
    at = clock.now()
    first = int(at.timestamp() * 1_000_000)  # a version that no deleted store of that id has had
    now = clock.iso(at)
    fields = msgspec.to_builtins(store)
    return StoreItem(
        store.store_id,
        listing=LISTED,
        version=int(before.version) + 1 if before else first,
        created_at=before.created_at if before else now,
        updated_at=now,
        staff_ids_ever={*_ever(before), *store.staff_ids} or None,
        **{name: fields[name] for name in _LATER},
    )
