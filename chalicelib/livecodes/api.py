"""Doors of live codes: created, changed, archived, listed, and as a YAML file."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from chalicelib.livecodes import service
from chalicelib.livecodes.types import FileCode, FileIn, FileOut, LiveCodeOut, LiveCodePatch, NewLiveCode
from chalicelib.platform import http
from chalicelib.platform.errors import Invalid, Issue, issue
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Paging

door = http.Door(__name__, tag="Live codes")


class ExportQuery(Struct, kw_only=True):
    ids: Annotated[str, Meta(description="Only these, by live_code_id, with commas between them")] = ""


@door.route(
    "POST",
    "/api/live-codes",
    body=NewLiveCode,
    status=201,
    permission="live_codes.write",
    summary="A new live code",
    answer=LiveCodeOut,
)
def create(call: Call) -> dict[str, Any]:
    return service.show(service.create(_builtins(call.body)))


@door.route(
    "GET",
    "/api/live-codes",
    permission="live_codes.read",
    summary="Live codes, newest first, without archived ones",
    query=Paging,
    answer=http.Listing[LiveCodeOut],
)
def listing(call: Call) -> dict[str, Any]:
    codes, cursor = service.page(*call.page())
    return http.listing([service.show(code) for code in codes], cursor)


@door.route(
    "GET",
    "/api/live-codes/export",
    permission="live_codes.read",
    summary="Live codes as a YAML file: those that are not archived, without defaults, in a fixed order",
    query=ExportQuery,
    gives="application/yaml",
)
def export(call: Call) -> Answer:
    from chalicelib.livecodes import yaml_files

    ids = [one for one in call.query.ids.split(",") if one]
    if len(ids) > http.MAX_PAGE:
        raise Invalid(issue("ids", "max_items", max_items=http.MAX_PAGE))
    return Answer(yaml_files.export(ids or None), headers={"Content-Type": "application/yaml; charset=utf-8"})


@door.route(
    "POST",
    "/api/live-codes/apply",
    body=FileIn,
    answer=FileOut,
    permission="live_codes.write",
    summary="Make live codes what a YAML file says; with dry_run (the default) only say what would change",
    max_body=4 * http.MAX_BODY,
)
def apply(call: Call) -> dict[str, Any]:
    from chalicelib.livecodes import yaml_files

    wanted: list[dict[str, Any]] = []
    wrong: list[Issue] = []
    for index, given in enumerate(yaml_files.read(call.body.yaml)):
        try:
            wanted.append(_builtins(http.convert(given, FileCode, f"codes[{index}].")))
        except Invalid as error:
            wrong += error.issues
    if wrong:
        raise Invalid(*wrong)
    changes = yaml_files.plan(wanted, call.body.archive_missing)
    if not call.body.dry_run:
        yaml_files.apply(changes)
    return {"changes": [change.shown() for change in changes], "applied": not call.body.dry_run}


@door.route(
    "PATCH",
    "/api/live-codes/{live_code_id}",
    body=LiveCodePatch,
    permission="live_codes.write",
    summary="Change what is behind a code: its next scan knows",
    answer=LiveCodeOut,
)
def change(call: Call, live_code_id: str) -> dict[str, Any]:
    def complete(definition: Any) -> dict[str, Any]:
        return _builtins(http.convert(definition, NewLiveCode))

    return service.show(service.change(live_code_id, call.json(), complete))


@door.route(
    "DELETE",
    "/api/live-codes/{live_code_id}",
    permission="live_codes.write",
    summary="Archive: its scans find it closed",
    answer=LiveCodeOut,
)
def archive(call: Call, live_code_id: str) -> dict[str, Any]:
    service.archive(live_code_id)
    return service.show(service.get(live_code_id))


@door.route(
    "POST",
    "/api/live-codes/{live_code_id}/restore",
    permission="live_codes.write",
    summary="Open an archived code again, as it was",
    answer=LiveCodeOut,
)
def restore(call: Call, live_code_id: str) -> dict[str, Any]:
    return service.show(service.restore(live_code_id))


def _builtins(definition: NewLiveCode) -> dict[str, Any]:
    return msgspec.to_builtins(definition)  # type: ignore[no-any-return]
