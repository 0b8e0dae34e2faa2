"""Doors of live codes: created, changed, archived, listed, and as a YAML file."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from chalicelib.livecodes import checks, listing, members, service
from chalicelib.livecodes.types import (
    FileIn,
    FileOut,
    LiveCodeOut,
    LiveCodePatch,
    LiveCodesQuery,
    NewLiveCode,
)
from chalicelib.platform import http, judging, lists, messages, yaml_text
from chalicelib.platform.errors import Invalid, Issue, issue
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.staff import spelling

door = http.Door(__name__, tag="Live codes")


class ExportQuery(Struct, kw_only=True):
    ids: Annotated[str, Meta(description="Only these, by live_code_id, with commas between them")] = ""


class StrictQuery(Struct, kw_only=True):
    strict: Annotated[bool, Meta(description="Refuse what there would be a warning of")] = False


def _problems(code: NewLiveCode) -> list[Issue]:
    return checks.problems(_builtins(code))


@door.route(
    "POST",
    "/api/live-codes",
    body=NewLiveCode,
    rules=_problems,
    status=201,
    permission="live_codes.write",
    summary="A new live code",
    query=StrictQuery,
    answer=LiveCodeOut,
)
def create(call: Call) -> LiveCodeOut:
    definition = _builtins(call.body)
    service.check(definition, principal=call.principal)
    found = _ask(call, definition)
    return _show(call, service.create(definition, principal=call.principal), found)


@door.route(
    "GET",
    "/api/live-codes",
    permission="live_codes.read",
    summary="Live codes, newest first, without archived ones",
    query=LiveCodesQuery,
    answer=lists.Page[LiveCodeOut],
)
def list_codes(call: Call) -> lists.Page[LiveCodeOut]:
    page = listing.list_codes(call.query, call.principal)
    return listing.show_all(page, messages.language(call.headers.get("accept-language")), call.principal)


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
    query=StrictQuery,
)
def apply(call: Call) -> FileOut:
    from chalicelib.livecodes import yaml_files

    rows = yaml_files.read(call.body.yaml)
    spelling.note_all(rows)
    try:
        changes = yaml_files.plan(rows, call.body.archive_missing, call.principal)
        wanted = {f"codes[{n}].": one.to for n, one in enumerate(changes) if one.has_news and one.to}
        found = members.ask(wanted.values())
        if call.query.strict:
            members.refuse_warnings(wanted, found)
    except Invalid as error:
        raise Invalid(*yaml_text.with_lines(call.body.yaml, error.issues)) from error
    if not call.body.dry_run:
        yaml_files.apply(changes, call.principal)
    language = messages.language(call.headers.get("accept-language"))
    shown = [
        change.show(
            listing.show_warnings(change.to, found, language) if change.has_news and change.to else []
        )
        for change in changes
    ]
    return FileOut(changes=shown, applied=not call.body.dry_run)


@door.route(
    "PATCH",
    "/api/live-codes/{live_code_id}",
    body=LiveCodePatch,
    permission="live_codes.write",
    summary="Change what is behind a code: its next scan knows",
    query=StrictQuery,
    headers=IfMatchHeader,
    answer=LiveCodeOut,
)
def change(call: Call, live_code_id: str) -> Answer:
    found: dict[str, str] = {}

    def complete(definition: Any) -> dict[str, Any]:
        made = _builtins(judging.convert(definition, NewLiveCode, _problems))
        found.update(_ask(call, made))
        return made

    def check_seen(code: service.LiveCode) -> None:
        call.if_match.check(code.version, lambda: _show(call, code))

    changed = service.change(live_code_id, call.json(), complete, call.principal, check_seen)
    return http.versioned(_show(call, changed, found), changed.version)


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


def _ask(call: Call, definition: dict[str, Any]) -> members.Problems:
    """The problems of its people, as WeCom tells them. Invalid for any warning, where `strict` says so."""
    found = members.ask([definition])
    if call.query.strict:
        members.refuse_warnings({"": definition}, found)
    return found


def _show(call: Call, code: service.LiveCode, found: members.Problems | None = None) -> LiveCodeOut:
    mine = code.live_code_id in service.select_changeable([code], call.principal)
    return listing.show(code, messages.language(call.headers.get("accept-language")), mine, found=found)


def _builtins(definition: NewLiveCode) -> dict[str, Any]:
    return msgspec.to_builtins(definition)  # type: ignore[no-any-return]
