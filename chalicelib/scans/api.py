"""Doors of a scan: GET /s/{code}, and POST /s/{code}/location of one who says where they are."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from chalicelib.assignments.nearest_store import Where
from chalicelib.assignments.types import Scan
from chalicelib.groups import service as groups
from chalicelib.livecodes import poster_links
from chalicelib.platform import clock, http, robots, settings
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.platform.http import Answer, Call
from chalicelib.printruns import card_scan, cards
from chalicelib.scans import service
from chalicelib.scans.address_limit import Admission
from chalicelib.scans.types import Location, ScanOut, ScanQuery
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores
from chalicelib.web import frame
from chalicelib.web.scan import choose, page

door = http.Door(__name__, tag="Live codes")

_COOKIE = "mr_"  # and the live code's code: a person is known with any card of the code
_ADVISER = "专属顾问"  # whom WeCom chooses, in a native code
_CHOOSING = ("choose", "city", "page", "q")
# What a link may tell beside the code: what is kept with the assignment (ad: the click, which chalicelib.ads
# knows), and whose own poster it is.
_LINK_FIELDS = {
    "via": re.compile(r"[a-z0-9_-]{1,32}"),
    "ad": re.compile(r"[A-Za-z0-9]{1,40}"),
    "g": re.compile(rf".{{1,{poster_links.MAX}}}"),
}
_YEAR = 365 * 86_400
_OVER_LIMIT = {
    429: "The address has made many new reservations: `Retry-After`; a guide all the same, unreserved"
}


@door.route(
    "GET",
    "/s/{code}",
    summary="A scan: a page for a phone, JSON for `Accept: application/json`",
    answer=ScanOut,
    gives="text/html",
    page=frame.problem,
    query=ScanQuery,
    others=_OVER_LIMIT,
)
def scan(call: Call, code: str) -> Answer:
    store_id = call.query.store_id or None
    where = Where(store_id=store_id) if store_id else None
    if http.wants_json(call.headers):
        return _answer_json(call, code, where)
    try:
        if call.strings.keys() & {*_CHOOSING} and (picker := _picker(call, code)):
            return picker
        try:
            code, got = _decide(call, code, where)
        except Invalid:  # a store that is no more
            got = Scan("choose_store")
        if got.kind == "choose_store":
            return _picker(call, code) or _closed(code)
    except NotFound:
        return page.unknown().answer(404)
    if got.kind == "closed":
        closed_cards = {id(card_scan.USED): page.used, id(card_scan.CLOSED): page.closed}
        closed_page = closed_cards.get(id(got))
        return closed_page().answer() if closed_page else _closed(code)
    if got.kind == "group" and got.chat_id:
        made = page.group(groups.describe([got.chat_id])[0].name or "", str(got.qr_url), _picture(call))
        return made.answer(_status(got), _headers(code, got))
    name = (got.staff_id and staff.find_name(got.staff_id)) or _ADVISER
    store = stores.find(got.store_id) if got.store_id else None
    store_name = store.name if store else None
    made = page.guide(name, str(got.qr_url), store_name, got.distance_m, _link_fields(call), _picture(call))
    return made.answer(_status(got), _headers(code, got))


@door.route(
    "POST",
    "/s/{code}/location",
    body=Location,
    answer=ScanOut,
    summary="A scan by one who says where they are",
    others=_OVER_LIMIT,
)
def locate(call: Call, code: str) -> Answer:
    return _answer_json(call, code, Where(**msgspec.structs.asdict(call.body)))


def _decide(call: Call, code: str, where: Where | None) -> tuple[str, Scan]:
    """(the live code's own code, what the scan gets). The code in the link may also be a printed card's."""
    card = cards.find(code) if cards.is_token(code) else None
    code = card.code if card else code
    cookie, poster = call.cookies.get(_COOKIE + code), call.strings.get("g", "")
    beside = {name: value for name, value in _link_fields(call).items() if name != "g"}
    reserves = call.method != "HEAD" and not robots.is_robot(call.headers)
    admission = Admission(call.source_ip)

    def decide(origin: Mapping[str, Any]) -> Scan:
        whence = {**origin, **beside}
        if where:
            return service.locate(code, where, cookie, whence, reserves=reserves, admission=admission)
        return service.scan(code, cookie, whence, poster=poster, reserves=reserves, admission=admission)

    return code, card_scan.scan(card, cookie, decide) if card else decide({})


def _link_fields(call: Call) -> dict[str, str]:
    """What the link tells beside the code."""
    given = call.strings
    return {name: given[name] for name, good in _LINK_FIELDS.items() if good.fullmatch(given.get(name, ""))}


def _picker(call: Call, code: str) -> Answer | None:
    """The page on which one says where one is, or chooses a store. None: this code has no stores."""
    asked = {name: call.strings[name][:100] for name in _CHOOSING if name in call.strings and name != "page"}
    text = call.strings.get("page", "")
    number = int(text) if text.isdecimal() and len(text) < 5 else 1
    code = cards.find(code).code if cards.is_token(code) else code
    choices = service.choices(code, asked.get("city"), asked.get("q", "").strip(), number)
    if choices is None:
        return None
    number = choices.page if choices.stores else number
    beside = _link_fields(call)
    picture = _picture(call)
    return choose.choose(
        choices.cities, choices.stores, asked, number, choices.pages, beside, picture
    ).answer()


def _answer_json(call: Call, code: str, where: Where | None = None) -> Answer:
    code, got = _decide(call, code, where)
    answer = ScanOut(
        assignment_id=got.assignment_id,
        kind=got.kind,
        staff_id=got.staff_id,
        chat_id=got.chat_id,
        store_id=got.store_id,
        qr_url=got.qr_url,
        expires_at=clock.iso(got.expires_at) if got.expires_at else None,
    )
    return Answer(answer, _status(got), {"Cache-Control": "no-store", **_headers(code, got)})


def _status(got: Scan) -> int:
    return 429 if got.retry_after else 200


def _headers(code: str, got: Scan) -> dict[str, str]:
    wait = {"Retry-After": str(got.retry_after)} if got.retry_after else {}
    return {**wait, **_cookie(code, got)}


def _picture(call: Call) -> str:
    """Of the very link, for its preview in a chat."""
    asked = call.path.rstrip("/").rpartition("/s/")[2]
    query = urlencode(_link_fields(call))
    base = settings.env("PUBLIC_BASE_URL").rstrip("/")
    return f"{base}/s/{quote(asked, safe='')}/qr.png" + (f"?{query}" if query else "")


def _cookie(code: str, got: Scan) -> dict[str, str]:
    if got.cookie is None:
        return {}
    base = urlsplit(settings.env("PUBLIC_BASE_URL"))
    secure = "; Secure" if base.scheme == "https" else ""
    folder = base.path.rstrip("/")  # API Gateway's own address has the stage in its path
    rules = f"Path={folder}/s; Max-Age={_YEAR}; HttpOnly; SameSite=Lax{secure}"
    return {"Set-Cookie": f"{_COOKIE}{code}={got.cookie}; {rules}"}


def _closed(code: str) -> Answer:
    """Kindly: why, and when to come again. A card's code is not a live code's: its run is over."""
    try:
        why = service.closure(code)
    except NotFound:
        return page.closed().answer()
    return page.closed(why.reason, why.opens_at).answer()
