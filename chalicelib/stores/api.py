"""Doors of stores."""

from typing import Any

from chalicelib.platform import http, jobs, messages
from chalicelib.platform.errors import Invalid, Malformed, issue
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Page
from chalicelib.stores import imports, rules, service
from chalicelib.stores.queries import StoresQuery
from chalicelib.stores.types import (
    Deleted,
    Imported,
    NewStore,
    StoreOut,
    StorePatch,
)

door = http.Door(__name__, tag="Stores")


@door.route(
    "POST",
    "/api/stores",
    body=NewStore,
    status=201,
    permission="stores.write",
    summary="A new store",
    answer=StoreOut,
)
def create(call: Call) -> StoreOut:
    return service.create(call.body, call.principal)


@door.route(
    "GET",
    "/api/stores",
    permission="stores.read",
    summary="Stores by name",
    query=StoresQuery,
    answer=Page[StoreOut],
)
def listing(call: Call) -> Page[StoreOut]:
    return service.page(call.query, call.principal)


@door.route(
    "POST",
    "/api/stores/import",
    permission="stores.write",
    summary="Import a CSV (as text/csv, or JSON `{csv}`): right rows are taken, the others answered by line",
    takes="text/csv",
    answer=Imported,
)
def import_csv(call: Call) -> Imported:
    language = messages.language(call.headers.get("accept-language"))
    return imports.import_csv(_csv(call), call.principal, language)


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
def get(call: Call, store_id: str) -> StoreOut:
    return service.get(store_id, call.principal)


@door.route(
    "PATCH",
    "/api/stores/{store_id}",
    body=StorePatch,
    permission="stores.write",
    summary="Change a store",
    answer=StoreOut,
)
def change(call: Call, store_id: str) -> StoreOut:
    return service.change(store_id, call.json(), call.principal)


@door.route(
    "DELETE", "/api/stores/{store_id}", permission="stores.write", summary="Delete a store", answer=Deleted
)
def remove(call: Call, store_id: str) -> Deleted:
    service.remove(store_id, call.principal)
    return Deleted(store_id=store_id)


def _csv(call: Call) -> str:
    if "json" in (call.headers.get("content-type") or ""):
        body: Any = call.json()
        if not isinstance(body, dict) or not isinstance(body.get("csv"), str):
            raise Invalid(issue("csv", "required"))
        return str(body["csv"])
    try:
        return rules.decoded(call.raw)
    except rules.BadTable as error:
        raise Malformed(code=error.code, **error.params) from error
