"""Doors of live codes: the scan, the codes, and what each scan got."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from chalicelib.livecodes import checks, service
from chalicelib.livecodes.types import (
    FileCode,
    FileIn,
    FileOut,
    LiveCodePatch,
    Location,
    NewLiveCode,
    ScanOut,
    WaysInUse,
)
from chalicelib.platform import clock, http, settings
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.platform.http import Answer, Call
from chalicelib.printruns import service as printruns
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores
from chalicelib.web import frame
from chalicelib.web.scan import choose, page

door = http.Door(__name__, tag="Live codes")

_COOKIE = "mr_"  # and the live code's code: a person is known with any card of the code
_ADVISER = "专属顾问"  # whom WeCom chooses, in a native code
_CHOOSING = ("choose", "city", "page", "q")
# What a link may tell beside the code, kept with the assignment. ad: the click (chalicelib.ads knows it).
_TOLD = {"via": re.compile(r"[a-z0-9_-]{1,32}"), "ad": re.compile(r"[A-Za-z0-9]{1,40}")}
_YEAR = 365 * 86_400


@door.route(
    "GET",
    "/s/{code}",
    summary="A scan: a page for a phone, JSON for `Accept: application/json`",
    answer=ScanOut,
    gives="text/html",
    page=frame.problem,
    query={
        "via": "Where the link stands, e.g. website, mini_program: kept with the assignment",
        "ad": "The click of an ad whose page leads here while its own link can't be used",
        "store_id": "The store that was chosen (nearest_store)",
        "city": "Choose among its stores",
        "q": "Choose among stores with this in their name",
        "page": "Of the stores to choose from",
        "choose": "Choose a store although one has a guide already",
    },
)
def scan(call: Call, code: str) -> Answer:
    if call.method == "HEAD":  # a preview: it reserves nothing
        service.get(f"lc_{printruns.find(code).code if printruns.is_token(code) else code}")
        return Answer("", headers={"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})
    store_id = call.query.get("store_id")
    where = service.Where(store_id=store_id) if store_id else None
    if http.wants_json(call.headers):
        return _scanned(call, code, where)
    try:
        if call.query.keys() & {*_CHOOSING} and (picker := _picker(call, code)):
            return picker
        try:
            code, found = _found(call, code, where)
        except Invalid:  # a store that is no more
            found = service.Scan("choose_store")
        if found.kind == "choose_store":
            return _picker(call, code) or _closed(code)
    except NotFound:
        return page.unknown().answer(404)
    if found.kind == "closed":
        cards = {id(printruns.USED): page.used, id(printruns.CLOSED): page.closed}
        told = cards.get(id(found))
        return told().answer() if told else _closed(code)
    if found.kind == "group" and found.chat_id:
        made = page.group(service.group_name(found.chat_id), str(found.qr_url))
        return made.answer(cookie=_cookie(code, found))
    name = staff.name(found.staff_id) if found.staff_id else _ADVISER
    store = stores.find(found.store_id) if found.store_id else None
    its_name = store["name"] if store else None
    made = page.guide(name, str(found.qr_url), its_name, found.distance_m, _told_by(call))
    return made.answer(cookie=_cookie(code, found))


@door.route(
    "POST",
    "/s/{code}/location",
    body=Location,
    answer=ScanOut,
    summary="A scan by one who says where they are",
)
def locate(call: Call, code: str) -> Answer:
    return _scanned(call, code, service.Where(**msgspec.structs.asdict(call.body)))


@door.route(
    "POST",
    "/api/live-codes",
    body=NewLiveCode,
    status=201,
    permission="live_codes.write",
    summary="A new live code",
)
def create(call: Call) -> dict[str, Any]:
    return _told(service.create(_builtins(call.body)))


@door.route(
    "GET",
    "/api/live-codes",
    permission="live_codes.read",
    summary="Live codes, newest first, without archived ones",
    paged=True,
)
def listing(call: Call) -> dict[str, Any]:
    codes, cursor = service.page(*call.page())
    return http.listing([_shown(code) for code in codes], cursor)


@door.route(
    "GET",
    "/api/live-codes/export",
    permission="live_codes.read",
    summary="Live codes as a YAML file: those that are not archived, without defaults, in a fixed order",
    query={"ids": "Only these, by live_code_id, with commas between them"},
    gives="application/yaml",
)
def export(call: Call) -> Answer:
    from chalicelib.livecodes import files

    ids = [one for one in call.query.get("ids", "").split(",") if one]
    if len(ids) > http.MAX_PAGE:
        raise Invalid(("ids", f"at most {http.MAX_PAGE}"))
    return Answer(files.export(ids or None), headers={"Content-Type": "application/yaml; charset=utf-8"})


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
    from chalicelib.livecodes import files

    wanted: list[dict[str, Any]] = []
    wrong: list[tuple[str, str]] = []
    for index, given in enumerate(files.read(call.body.yaml)):
        try:
            wanted.append(_builtins(http.convert(given, FileCode, f"codes[{index}].")))
            wrong += files.unknown(given, wanted[-1], f"codes[{index}]")
        except Invalid as error:
            wrong += error.errors
    if wrong:
        raise Invalid(*wrong)
    changes = files.plan(wanted, call.body.archive_missing)
    if not call.body.dry_run:
        files.apply(changes)
    return {"changes": [change.shown() for change in changes], "applied": not call.body.dry_run}


@door.route("GET", "/api/live-codes/{live_code_id}", permission="live_codes.read", summary="One live code")
def get(call: Call, live_code_id: str) -> dict[str, Any]:
    code = service.get(live_code_id)
    return {**_shown(code), **({"native": service.native_status(code)} if code.native else {})}


@door.route(
    "GET",
    "/api/contact-ways/usage",
    permission="contact_ways.read",
    answer=WaysInUse,
    summary="How many of WeCom's contact ways the corp has in use, of 500,000",
)
def ways_in_use(call: Call) -> dict[str, Any]:
    return service.ways_in_use()


@door.route(
    "PATCH",
    "/api/live-codes/{live_code_id}",
    body=LiveCodePatch,
    permission="live_codes.write",
    summary="Change what is behind a code: its next scan knows",
)
def change(call: Call, live_code_id: str) -> dict[str, Any]:
    def complete(definition: Any) -> dict[str, Any]:
        return _builtins(http.convert(definition, NewLiveCode))

    return _told(service.change(live_code_id, call.json(), complete))


@door.route(
    "DELETE",
    "/api/live-codes/{live_code_id}",
    permission="live_codes.write",
    summary="Archive: its scans find it closed",
)
def archive(call: Call, live_code_id: str) -> dict[str, Any]:
    service.archive(live_code_id)
    return _shown(service.get(live_code_id))


@door.route(
    "POST",
    "/api/live-codes/{live_code_id}/restore",
    permission="live_codes.write",
    summary="Open an archived code again, as it was",
)
def restore(call: Call, live_code_id: str) -> dict[str, Any]:
    return _told(service.restore(live_code_id))


@door.route(
    "GET",
    "/api/assignments",
    permission="assignments.read",
    summary="What a code's scans got, newest first, and what became of it",
    query={"live_code_id": "The live code"},
    paged=True,
)
def assignments(call: Call) -> dict[str, Any]:
    limit, cursor = call.page()
    live_code_id = call.query.get("live_code_id")
    if not live_code_id:
        raise Invalid(("live_code_id", "is needed"))
    return http.listing(*service.assignments(live_code_id, limit, cursor))


@door.route(
    "GET",
    "/api/assignments/{assignment_id}",
    permission="assignments.read",
    summary="Why a scan got whom it got, and what became of it, also in a sentence",
)
def assignment(call: Call, assignment_id: str) -> dict[str, Any]:
    return service.assignment(assignment_id)


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/why",
    permission="assignments.read",
    summary="Who would get a scan now, and why; nothing is written",
    query={"at": "Another time (ISO 8601 with its offset); the places are those taken at present"},
)
def would_get(call: Call, live_code_id: str) -> dict[str, Any]:
    at = call.query.get("at")
    try:
        # A "+" that was not escaped comes as a space.
        when = clock.parse(at.replace(" ", "+")) if at else None
    except ValueError as error:
        raise Invalid(("at", "an ISO 8601 time with its offset")) from error
    return service.would_get(live_code_id, when)


def _found(call: Call, code: str, where: service.Where | None) -> tuple[str, service.Scan]:
    """(the live code's own code, what the scan gets). The code in the link may also be a printed card's."""
    card = printruns.find(code) if printruns.is_token(code) else None
    code = card.code if card else code
    cookie = call.cookies.get(_COOKIE + code)
    told = _told_by(call)

    def decide(origin: Mapping[str, Any]) -> service.Scan:
        whence = {**origin, **told}
        return service.locate(code, where, cookie, whence) if where else service.scan(code, cookie, whence)

    return code, printruns.scan(card, cookie, decide) if card else decide({})


def _told_by(call: Call) -> dict[str, str]:
    """What the link tells beside the code."""
    return {
        name: call.query[name] for name, good in _TOLD.items() if good.fullmatch(call.query.get(name, ""))
    }


def _picker(call: Call, code: str) -> Answer | None:
    """The page on which one says where one is, or chooses a store. None: this code has no stores."""
    asked = {name: call.query[name][:100] for name in _CHOOSING if name in call.query and name != "page"}
    text = call.query.get("page", "")
    number = int(text) if text.isdecimal() and len(text) < 5 else 1
    code = printruns.find(code).code if printruns.is_token(code) else code
    found = service.choices(code, asked.get("city"), asked.get("q", "").strip(), number)
    if found is None:
        return None
    number = found.page if found.stores else number
    told = _told_by(call)
    return choose.choose(found.cities, found.stores, asked, number, found.pages, told).answer()


def _scanned(call: Call, code: str, where: service.Where | None = None) -> Answer:
    code, found = _found(call, code, where)
    answer = ScanOut(
        assignment_id=found.assignment_id,
        kind=found.kind,
        staff_id=found.staff_id,
        chat_id=found.chat_id,
        store_id=found.store_id,
        qr_url=found.qr_url,
        expires_at=clock.iso(found.expires_at) if found.expires_at else None,
    )
    return Answer(answer, headers={"Cache-Control": "no-store", **_cookie(code, found)})


def _cookie(code: str, found: service.Scan) -> dict[str, str]:
    if found.cookie is None:
        return {}
    base = urlsplit(settings.env("PUBLIC_BASE_URL"))
    secure = "; Secure" if base.scheme == "https" else ""
    folder = base.path.rstrip("/")  # API Gateway's own address has the stage in its path
    rules = f"Path={folder}/s; Max-Age={_YEAR}; HttpOnly; SameSite=Lax{secure}"
    return {"Set-Cookie": f"{_COOKIE}{code}={found.cookie}; {rules}"}


def _closed(code: str) -> Answer:
    """Kindly: why, and when to come again. A card's code is not a live code's: its run is over."""
    try:
        why = service.closure(code)
    except NotFound:
        return page.closed().answer()
    return page.closed(why.reason, why.opens_at).answer()


def _shown(code: service.LiveCode) -> dict[str, Any]:
    return {
        "live_code_id": code.live_code_id,
        "code": code.code,
        "url": code.url,
        **code.definition,
        "version": code.version,
        "archived": not code.active,
        "created_at": code.created_at,
        "updated_at": code.updated_at,
    }


def _told(code: service.LiveCode) -> dict[str, Any]:
    warnings = [{"field": field, "message": text} for field, text in checks.warnings(code.definition)]
    return {**_shown(code), "warnings": warnings}


def _builtins(definition: NewLiveCode) -> dict[str, Any]:
    return msgspec.to_builtins(definition)  # type: ignore[no-any-return]
