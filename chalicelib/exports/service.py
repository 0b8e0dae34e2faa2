"""An export: the entry in the audit first, then the job, whose file whoever asked for it alone can have."""

import tempfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec.structs import replace

from chalicelib.exports.types import NewExport
from chalicelib.platform import files, http, ids, jobs, list_files
from chalicelib.platform.errors import Forbidden, Invalid, NotFound, issue
from chalicelib.platform.http import Call, Route
from chalicelib.platform.jobs import Job
from chalicelib.platform.messages import Language
from chalicelib.platform.principal import Principal, acting
from chalicelib.platform.storage import Transaction
from chalicelib.platform.table_files import Format

_TYPES = {"csv": f"{http.CSV}; charset=utf-8", "xlsx": http.XLSX}
_OWN = ("limit", "cursor", "format")
# Whose files go when a person of theirs is erased.
_ELSEWHERE = {"/api/prospects": "POST /api/prospects/exports"}


def start(new: NewExport, who: Principal, words: Language) -> Job:
    """Begin to write a list's file → its job. Invalid, Forbidden, NotFound (also by the list itself)."""
    route, call, parameters = _open(new.list, new.query, who, words)
    if other := _ELSEWHERE.get(route.path):
        raise Invalid(issue("list", "exported_by", call=other))
    route.view(call, **parameters)  # what it refuses, it refuses now
    job_id = f"job_{ids.short(16)}"
    tx = Transaction()
    list_files.note(tx, route, call.path, new.format, call.strings, None)
    tx.commit()
    wanted = {**msgspec.to_builtins(new), "language": words, "principal": msgspec.to_builtins(who)}
    jobs.start(
        "list_export",
        0,
        job_id=job_id,
        first=("export", {"kind": "list_export", **wanted}),
        permission=route.permission or "",
        private=True,
    )
    return jobs.get(job_id, who)


def write(
    job_id: str, list: str, query: str, format: str, language: str, principal: Mapping[str, Any]
) -> None:
    """Write the file of an export. A repeat writes it again. The scope is that of when it was asked for."""
    kind, words = msgspec.convert(format, Format), msgspec.convert(language, Language)
    who = msgspec.convert(principal, Principal)
    key = f"results/exports/{job_id}.{kind}"
    before = acting.set(who)
    try:
        route, call, parameters = _open(list, query, who, words)
        with files.Upload(key, _TYPES[kind]) as upload:
            rows = _write(job_id, route, call, kind, parameters, upload, words)
    finally:
        acting.reset(before)
    name = list_files.file_name(route, kind, words)
    jobs.update(job_id, status="finished", done=rows, total=rows, result_key=key, result_name=name)


def _write(
    job_id: str,
    route: Route,
    call: Call,
    kind: Format,
    parameters: Mapping[str, str],
    upload: files.Upload,
    words: Language,
) -> int:
    """All rows into the upload, by way of a temporary file, since an XLSX goes to and fro → how many."""
    rows = 0
    with tempfile.TemporaryFile() as whole:
        for rows in list_files.write(route, call, kind, parameters, whole, words):
            jobs.raise_done(job_id, rows)
        whole.seek(0)
        while part := whole.read(files.PART_BYTES):
            upload.write(part)
    return rows


def _open(path: str, query: str, who: Principal, words: Language) -> tuple[Route, Call, dict[str, str]]:
    """The list as the principal would call it. Invalid, Forbidden."""
    try:
        found = list_files.find(f"/api/{path.strip('/')}")
    except NotFound:
        found = None
    if found is None:
        raise Invalid(issue("list", "no_list"))
    route, parameters = found
    if not who.may(route.permission or ""):
        raise Forbidden(code="role_may_not", role=who.role)
    asked = {k: v for k, v in parse_qsl(query.removeprefix("?"), keep_blank_values=True) if k not in _OWN}
    try:
        call = list_files.new_call(route, f"/api/{path.strip('/')}", asked, words, who)
    except Invalid as error:
        raise Invalid(*(replace(each, field=f"query.{each.field}") for each in error.issues)) from error
    return route, call, parameters
