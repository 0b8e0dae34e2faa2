"""Doors of live codes: the scan, the codes, and what each scan got."""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from chalicelib.livecodes import checks, service
from chalicelib.livecodes.types import LiveCodePatch, Location, NewLiveCode, ScanOut
from chalicelib.platform import clock, http, log, settings
from chalicelib.platform.errors import DomainError, Invalid, NotFound
from chalicelib.platform.http import Answer, Call
from chalicelib.printruns import service as printruns
from chalicelib.staff import service as staff
from chalicelib.web.scan import page

door = http.Door(__name__, tag="Live codes")

_COOKIE = "mr_"  # and the live code's code: a person is known with any card of the code
_YEAR = 365 * 86_400


@door.route("GET", "/s/{code}", summary="A scan: a page for a phone, JSON for `Accept: application/json`")
def scan(call: Call, code: str) -> Answer:
    if _wants_json(call):
        return _scanned(call, code)
    try:
        code, found = _found(call, code)
    except NotFound:
        return _html(page.unknown(), 404)
    except DomainError as error:
        log.failure("scan not answered", error, code=code[:8])
        return _html(page.busy(), error.status)
    if found.kind == "closed":
        return _html(page.used() if found is printruns.USED else page.closed())
    name = staff.name(str(found.staff_id))
    return _html(page.guide(name, str(found.qr_url)), cookie=_cookie(code, found))


@door.route(
    "POST",
    "/s/{code}/location",
    body=Location,
    answer=ScanOut,
    summary="A scan by one who says where they are",
)
def locate(call: Call, code: str) -> Answer:
    return _scanned(call, code)


@door.route("POST", "/api/live-codes", body=NewLiveCode, status=201, scope="write", summary="A new live code")
def create(call: Call) -> dict[str, Any]:
    return _told(service.create(_builtins(call.body)))


@door.route("GET", "/api/live-codes", scope="read", summary="Live codes, newest first, without archived ones")
def listing(call: Call) -> dict[str, Any]:
    codes, cursor = service.page(*call.page())
    return http.listing([_shown(code) for code in codes], cursor)


@door.route("GET", "/api/live-codes/{live_code_id}", scope="read", summary="One live code")
def get(call: Call, live_code_id: str) -> dict[str, Any]:
    return _shown(service.get(live_code_id))


@door.route(
    "PATCH",
    "/api/live-codes/{live_code_id}",
    body=LiveCodePatch,
    scope="write",
    summary="Change what is behind a code: its next scan knows",
)
def change(call: Call, live_code_id: str) -> dict[str, Any]:
    def complete(definition: Any) -> dict[str, Any]:
        return _builtins(http.convert(definition, NewLiveCode))

    return _told(service.change(live_code_id, call.json(), complete))


@door.route(
    "DELETE", "/api/live-codes/{live_code_id}", scope="write", summary="Archive: its scans find it closed"
)
def archive(call: Call, live_code_id: str) -> dict[str, Any]:
    service.archive(live_code_id)
    return _shown(service.get(live_code_id))


@door.route(
    "GET",
    "/api/assignments",
    scope="read",
    summary="What a code's scans got, newest first, and what became of it",
    query={"live_code_id": "The live code"},
)
def assignments(call: Call) -> dict[str, Any]:
    limit, cursor = call.page()
    live_code_id = call.query.get("live_code_id")
    if not live_code_id:
        raise Invalid(("live_code_id", "is needed"))
    return http.listing(*service.assignments(live_code_id, limit, cursor))


def _found(call: Call, code: str) -> tuple[str, service.Scan]:
    """(the live code's own code, what the scan gets). The code in the link may also be a printed card's."""
    if not printruns.is_token(code):
        return code, service.scan(code, call.cookies.get(_COOKIE + code))
    card = printruns.find(code)
    cookie = call.cookies.get(_COOKIE + card.code)
    return card.code, printruns.scan(card, cookie, partial(service.scan, card.code, cookie))


def _scanned(call: Call, code: str) -> Answer:
    code, found = _found(call, code)
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


def _wants_json(call: Call) -> bool:
    """JSON is asked for, and not after HTML (a browser's Accept begins with text/html)."""
    kinds = [part.split(";")[0].strip() for part in (call.headers.get("accept") or "").lower().split(",")]
    if "application/json" not in kinds:
        return False
    return "text/html" not in kinds or kinds.index("application/json") < kinds.index("text/html")


def _cookie(code: str, found: service.Scan) -> dict[str, str]:
    if found.cookie is None:
        return {}
    base = urlsplit(settings.env("PUBLIC_BASE_URL"))
    secure = "; Secure" if base.scheme == "https" else ""
    folder = base.path.rstrip("/")  # API Gateway's own address has the stage in its path
    rules = f"Path={folder}/s; Max-Age={_YEAR}; HttpOnly; SameSite=Lax{secure}"
    return {"Set-Cookie": f"{_COOKIE}{code}={found.cookie}; {rules}"}


def _html(made: page.Page, status: int = 200, cookie: dict[str, str] | None = None) -> Answer:
    return Answer(made.html, status, {**made.headers, **(cookie or {})})


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
