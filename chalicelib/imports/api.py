"""Doors of imports."""

from chalicelib.imports import service
from chalicelib.imports.types import ImportOut, ImportsQuery, NewImport
from chalicelib.platform import http
from chalicelib.platform.http import Call
from chalicelib.platform.jobs import Job
from chalicelib.platform.lists import Page
from chalicelib.platform.messages import language

door = http.Door(__name__, tag="Imports")


@door.route(
    "POST",
    "/api/imports",
    body=NewImport,
    status=202,
    permission="imports.write",
    summary="Read in all that the corp has in WeCom, or repair what was missed: one job at a time",
    answer=Job,
)
def start(call: Call) -> Job:
    return service.start()


@door.route(
    "GET",
    "/api/imports",
    permission="imports.read",
    query=ImportsQuery,
    summary="Imports, how far they are and what they found, the newest first",
    answer=Page[ImportOut],
)
def listing(call: Call) -> Page[ImportOut]:
    return service.page(call.query, language(call.headers.get("accept-language")))


@door.route(
    "GET",
    "/api/imports/{import_id}",
    permission="imports.read",
    summary="One import",
    answer=ImportOut,
)
def get(call: Call, import_id: str) -> ImportOut:
    return service.get(import_id, language(call.headers.get("accept-language")))
