"""Doors of stores."""

from typing import Any

import msgspec

from chalicelib.platform import http, jobs
from chalicelib.platform.errors import Invalid, Malformed
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Paging
from chalicelib.stores import rules, service
from chalicelib.stores.types import Deleted, Imported, NewStore, StoreOut, StorePatch

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
def create(call: Call) -> dict[str, Any]:
    return service.create(_builtins(call.body), call.principal)


@door.route(
    "GET",
    "/api/stores",
    permission="stores.read",
    summary="Stores by id",
    query=Paging,
    answer=http.Listing[StoreOut],
)
def listing(call: Call) -> dict[str, Any]:
    return http.listing(*service.page(*call.page(), call.principal))


@door.route(
    "POST",
    "/api/stores/import",
    permission="stores.write",
    summary="Import a CSV (as text/csv, or JSON `{csv}`): right rows are taken, the others told by line",
    takes="text/csv",
    answer=Imported,
)
def import_csv(call: Call) -> dict[str, Any]:
    return service.import_csv(_csv(call), _complete, call.principal)


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
def get(call: Call, store_id: str) -> dict[str, Any]:
    return service.get(store_id, call.principal)


@door.route(
    "PATCH",
    "/api/stores/{store_id}",
    body=StorePatch,
    permission="stores.write",
    summary="Change a store",
    answer=StoreOut,
)
def change(call: Call, store_id: str) -> dict[str, Any]:
    return service.change(store_id, call.json(), _complete, call.principal)


@door.route(
    "DELETE", "/api/stores/{store_id}", permission="stores.write", summary="Delete a store", answer=Deleted
)
def remove(call: Call, store_id: str) -> dict[str, Any]:
    service.remove(store_id, call.principal)
    return {"store_id": store_id, "status": "deleted"}


def _csv(call: Call) -> str:
    if "json" in (call.headers.get("content-type") or ""):
        body = call.json()
        if not isinstance(body, dict) or not isinstance(body.get("csv"), str):
            raise Invalid(("csv", "is needed: the table as text"))
        return str(body["csv"])
    try:
        return rules.decoded(call.raw)
    except rules.BadTable as error:
        raise Malformed(str(error)) from error


def _complete(fields: Any) -> service.Store:
    return _builtins(http.convert(fields, NewStore))


def _builtins(store: NewStore) -> service.Store:
    return msgspec.to_builtins(store)  # type: ignore[no-any-return]
