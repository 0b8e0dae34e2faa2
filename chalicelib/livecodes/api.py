"""Doors of live codes: created, changed, archived, listed, and as a YAML file."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from chalicelib.livecodes import listing, service
from chalicelib.livecodes.types import (
    FileIn,
    FileOut,
    LiveCodeOut,
    LiveCodePatch,
    LiveCodesQuery,
    NewLiveCode,
)
from chalicelib.platform import http, lists, messages
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.http import Answer, Call

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
def create(call: Call) -> LiveCodeOut:
    return _show(call, service.create(_builtins(call.body), principal=call.principal))


@door.route(
    "GET",
    "/api/live-codes",
    permission="live_codes.read",
    summary="Live codes, newest first, without archived ones",
    query=LiveCodesQuery,
    answer=lists.Page[LiveCodeOut],
)
def list_codes(call: Call) -> lists.Page[LiveCodeOut]:
    return listing.list_codes(call.query, call.principal).map(lambda code: _show(call, code))


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

    ids = [live_code_id for live_code_id in call.query.ids.split(",") if live_code_id]
    if len(ids) > http.MAX_PAGE:
        raise Invalid(issue("ids", "max_items", max_items=http.MAX_PAGE))
    text = yaml_files.export(ids or None, call.principal)
    return Answer(text, headers={"Content-Type": "application/yaml; charset=utf-8"})


@door.route(
    "POST",
    "/api/live-codes/apply",
    body=FileIn,
    answer=FileOut,
    permission="live_codes.write",
    summary="Make live codes what a YAML file says; with dry_run (the default) only say what would change",
    max_body=4 * http.MAX_BODY,
)
def apply(call: Call) -> FileOut:
    from chalicelib.livecodes import yaml_files

    changes = yaml_files.plan(yaml_files.read(call.body.yaml), call.body.archive_missing, call.principal)
    if not call.body.dry_run:
        yaml_files.apply(changes, call.principal)
    return FileOut(changes=[change.show() for change in changes], applied=not call.body.dry_run)


@door.route(
    "PATCH",
    "/api/live-codes/{live_code_id}",
    body=LiveCodePatch,
    permission="live_codes.write",
    summary="Change what is behind a code: its next scan knows",
    answer=LiveCodeOut,
)
def change(call: Call, live_code_id: str) -> LiveCodeOut:
    def complete(definition: Any) -> dict[str, Any]:
        return _builtins(http.convert(definition, NewLiveCode))

    return _show(call, service.change(live_code_id, call.json(), complete, call.principal))


@door.route(
    "DELETE",
    "/api/live-codes/{live_code_id}",
    permission="live_codes.write",
    summary="Archive: its scans find it closed",
    answer=LiveCodeOut,
)
def archive(call: Call, live_code_id: str) -> LiveCodeOut:
    return _show(call, service.archive(live_code_id, principal=call.principal))


@door.route(
    "POST",
    "/api/live-codes/{live_code_id}/restore",
    permission="live_codes.write",
    summary="Open an archived code again, as it was",
    answer=LiveCodeOut,
)
def restore(call: Call, live_code_id: str) -> LiveCodeOut:
    return _show(call, service.restore(live_code_id, call.principal))


def _show(call: Call, code: service.LiveCode) -> LiveCodeOut:
    return listing.show(code, messages.language(call.headers.get("accept-language")))


def _builtins(definition: NewLiveCode) -> dict[str, Any]:
    return msgspec.to_builtins(definition)  # type: ignore[no-any-return]
