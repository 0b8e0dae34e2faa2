"""Doors of stores."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from chalicelib.platform import http, jobs, messages
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.staff import problems
from chalicelib.stores import imports, rules, service
from chalicelib.stores.queries import ImportQuery, StoresQuery
from chalicelib.stores.types import (
    Deleted,
    Imported,
    NewStore,
    StoreOut,
    StorePatch,
    StoresMap,
)
from chalicelib.tables import previews, reading
from chalicelib.tables.types import TablePreview

door = http.Door(__name__, tag="Stores")


@door.route(
    "POST",
    "/api/stores",
    body=NewStore,
    takes="application/json",
    status=201,
    permission="stores.write",
    summary="A new store",
    answer=StoreOut,
)
def create(call: Call) -> StoreOut:
    store = service.create(service.store_of(call.json()), call.principal)
    return _show(call, store, problems.ask(store.staff_ids))


@door.route(
    "GET",
    "/api/stores",
    permission="stores.read",
    summary="Stores by name",
    query=StoresQuery,
    answer=Page[StoreOut],
)
def listing(call: Call) -> Page[StoreOut]:
    page = service.page(call.query, call.principal)
    found = problems.known(staff_id for store in page.items for staff_id in store.staff_ids)
    return page.map(lambda store: _show(call, store, found))


@door.route(
    "POST",
    "/api/stores/import",
    permission="stores.write",
    summary="Import a CSV or XLSX (or JSON `{csv}`): right rows are taken, the others answered by line",
    takes=reading.CSV,
    max_body=reading.MAX_BYTES,
    query=ImportQuery,
    answer=Imported,
)
def import_file(call: Call) -> Imported:
    language = messages.language(call.headers.get("accept-language"))
    if "json" in (call.headers.get("content-type") or ""):
        body: Any = call.json()
        if not isinstance(body, dict) or not isinstance(body.get("csv"), str):
            raise Invalid(issue("csv", "required"))
        with reading.file_errors("csv"):
            text = body["csv"].encode("utf-8", "surrogatepass")
            return imports.import_file(text, call.query, call.principal, language, is_utf8=True)
    with reading.file_errors():
        return imports.import_file(call.raw, call.query, call.principal, language)


@door.route(
    "POST",
    "/api/stores/import/preview",
    permission="stores.write",
    summary="The columns of a CSV or XLSX of stores, and its first rows",
    takes=reading.CSV,
    max_body=reading.MAX_BYTES,
    answer=TablePreview,
)
def preview_import(call: Call) -> TablePreview:
    with reading.file_errors():
        return previews.preview(call.raw, rules.COLUMNS)


@door.route(
    "GET",
    "/api/stores/map",
    permission="stores.read",
    summary="All stores of the scope as points, with the distance to the next one",
    answer=StoresMap,
)
def points(call: Call) -> StoresMap:
    return service.points(call.principal)


@door.route(
    "POST",
    "/api/stores/rebuild",
    status=202,
    permission="stores.rebuild",
    summary="Make the map, by which the nearest store is found, anew from all stores",
    answer=jobs.Job,
)
def rebuild(call: Call) -> jobs.Job:
    return jobs.get(service.start_rebuild())


@door.route("GET", "/api/stores/{store_id}", permission="stores.read", summary="One store", answer=StoreOut)
def get(call: Call, store_id: str) -> Answer:
    store = service.get(store_id, call.principal)
    return http.versioned(_show(call, store, problems.known(store.staff_ids)), store.version)


@door.route(
    "PATCH",
    "/api/stores/{store_id}",
    body=StorePatch,
    takes="application/json",
    permission="stores.write",
    summary="Change a store",
    headers=IfMatchHeader,
    answer=StoreOut,
)
def change(call: Call, store_id: str) -> Answer:
    store = service.change(store_id, service.patch_of(call.json()), call.principal, call.if_match)
    return http.versioned(_show(call, store, problems.ask(store.staff_ids)), store.version)


@door.route(
    "DELETE", "/api/stores/{store_id}", permission="stores.write", summary="Delete a store", answer=Deleted
)
def remove(call: Call, store_id: str) -> Deleted:
    service.remove(store_id, call.principal)
    return Deleted(store_id=store_id)


def _show(call: Call, store: StoreOut, found: Mapping[str, str]) -> StoreOut:
    language = messages.language(call.headers.get("accept-language"))
    named = problems.fields("staff_ids", store.staff_ids)
    return replace(store, warnings=problems.warnings(named, found, language))
