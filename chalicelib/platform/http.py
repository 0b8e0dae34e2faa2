"""HTTP doors: one `Door` per capability's api.py. Parse, authorize, delegate, answer.

A route declares its body type, status and permission; the door does what all have in common (401/403,
400/413/422, Idempotency-Key, problem+json) and keeps what OpenAPI needs (`Door.routes`).
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec
from chalice.app import Blueprint, Response
from msgspec import Struct

from chalicelib.platform import log, principal
from chalicelib.platform.errors import (
    DomainError,
    Exhausted,
    Invalid,
    Malformed,
    MethodNotAllowed,
    NotFound,
    TooLarge,
)
from chalicelib.platform.principal import Principal

MAX_BODY = 1_048_576
MAX_PAGE = 200
PAGING = {"limit": "Items on a page, 1 to 200", "cursor": "`next_cursor` of the page before"}
MAX_ID = 256
JSON = "application/json"
PROBLEM = "application/problem+json"


class Answer(Struct, frozen=True):
    """An answer that is not plain JSON with the route's status."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] | None = None


class Route(Struct, frozen=True):
    """What OpenAPI tells of a route."""

    method: str
    path: str
    tag: str
    summary: str
    status: int
    permission: str | None
    body: type[msgspec.Struct] | None
    takes: str | None
    answer: Any
    gives: str
    query: Mapping[str, str]
    view: Callable[..., Any]
    page: Callable[[DomainError], Answer] | None
    secret: bool


class Call:
    """One request. `body` is the converted Struct; `raw` the bytes as they came."""

    def __init__(self, request: Any, max_body: int):
        self.headers: Mapping[str, str] = request.headers
        self.query: dict[str, str] = dict(request.query_params or {})
        self.method: str = request.method
        self.path: str = request.context.get("path") or request.path
        self.source_ip: str = (request.context.get("identity") or {}).get("sourceIp") or ""
        self.raw: bytes = request.raw_body or b""
        self.body: Any = None
        self.principal = principal.NOBODY  # until the door has found out who it is
        if len(self.raw) > max_body:
            raise TooLarge(f"the body is over {max_body} bytes")

    @property
    def cookies(self) -> dict[str, str]:
        return cookies_of(self.headers)

    def json(self) -> Any:
        """The body as JSON. Malformed, also for half a surrogate pair, which no store takes."""
        try:
            return msgspec.json.decode(self.raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed("the body is not JSON") from error

    def page(self) -> tuple[int, str | None]:
        """`?limit=` (1 to 200, default 50) and `?cursor=`."""
        text = self.query.get("limit", "50")
        if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_PAGE:
            raise Invalid(("limit", f"a whole number from 1 to {MAX_PAGE}"))
        return int(text), self.query.get("cursor") or None


class Door:
    """A capability's routes. `routes` holds every door's, for OpenAPI."""

    routes: ClassVar[list[Route]] = []

    def __init__(self, name: str, tag: str):
        self.blueprint = Blueprint(name)
        self.tag = tag

    def route(
        self,
        method: str,
        path: str,
        *,
        body: type[msgspec.Struct] | None = None,
        status: int = 200,
        permission: str | None = None,
        summary: str = "",
        answer: Any = None,
        query: Mapping[str, str] | None = None,
        paged: bool = False,
        takes: str | None = None,
        gives: str = JSON,
        page: Callable[[DomainError], Answer] | None = None,
        max_body: int = MAX_BODY,
        secret: bool = False,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register `view(call, **path parameters)`. `permission` None: a public door that
        checks for itself.

        query: the names of the query's parameters and what they mean; paged: those of `Call.page` too.
        takes: the media type of a body that the view reads as it is. gives: the answer's, when it is not
        JSON alone. page: how a person's browser is told of a problem, instead of problem+json.
        secret: the answer holds one, so that it is kept sealed for an Idempotency-Key.
        """

        def register(view: Callable[..., Any]) -> Callable[..., Any]:
            route = Route(
                method,
                path,
                self.tag,
                summary,
                status,
                permission,
                body,
                takes,
                answer,
                gives,
                {**(query or {}), **(PAGING if paged else {})},
                view,
                page,
                secret,
            )
            Door.routes.append(route)

            def handle(**parameters: str) -> Response:
                request = self.blueprint.current_request
                return _guarded(route, request, parameters, max_body)

            handle.__name__ = view.__name__
            methods = [method, "HEAD"] if method == "GET" else [method]
            # Any content type is let in: the body is judged by what it is.
            self.blueprint.route(path, methods=methods, content_types=[], name=f"{method} {path}")(handle)
            return view

        return register


def cookies_of(headers: Mapping[str, str]) -> dict[str, str]:
    sent = headers.get("cookie")
    if not sent:
        return {}
    from http.cookies import CookieError, SimpleCookie

    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(sent)
    except CookieError:  # a browser may send any cookie; ours is then simply not there
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def wants_json(headers: Mapping[str, str]) -> bool:
    """JSON is asked for, and not after HTML (a browser's Accept begins with text/html)."""
    kinds = [part.split(";")[0].strip() for part in (headers.get("accept") or "").lower().split(",")]
    if JSON not in kinds:
        return False
    return "text/html" not in kinds or kinds.index(JSON) < kinds.index("text/html")


def listing(items: list[Any], next_cursor: str | None = None) -> dict[str, Any]:
    """The shape of every list."""
    return {"items": items, "next_cursor": next_cursor}


def _guarded(route: Route, request: Any, parameters: dict[str, str], max_body: int) -> Response:
    try:
        return _run(route, request, parameters, max_body)
    except DomainError as error:
        if error.status >= 500:
            log.failure("upstream failed", error, path=route.path)
        wrong = error
    except Exception as error:  # noqa: BLE001 (the edge: a bug is logged and answered with 500)
        log.failure("request failed", error, path=route.path, method=route.method)
        wrong = DomainError("something went wrong here; it has been logged")
    if route.page and not wants_json(request.headers):
        return _response(route.page(wrong))
    return problem(wrong)


def _run(route: Route, request: Any, parameters: dict[str, str], max_body: int) -> Response:
    caller = principal.NOBODY
    if route.permission:
        from chalicelib.platform import auth  # public doors do without keys and their store

        writes = request.method not in ("GET", "HEAD")
        caller = auth.authorize(request.headers, cookies_of(request.headers), route.permission, writes)
    before = principal.acting.set(caller)
    try:
        return _answer(route, request, parameters, max_body, caller)
    finally:
        principal.acting.reset(before)


def _answer(
    route: Route, request: Any, parameters: dict[str, str], max_body: int, caller: Principal
) -> Response:
    if any(len(value) > MAX_ID for value in parameters.values()):  # longer than any key of the store
        raise NotFound("there is no such thing")
    call = Call(request, max_body)
    call.principal = caller
    if route.body is not None:
        nothing = not call.raw and not any(field.required for field in msgspec.structs.fields(route.body))
        call.body = route.body() if nothing else convert(call.json(), route.body)

    def work() -> Answer:
        result = route.view(call, **parameters)
        return result if isinstance(result, Answer) else Answer(result, route.status)

    key = request.headers.get("idempotency-key")
    if key is None or not route.permission or route.method != "POST" or route.gives != JSON:
        return _response(work())

    def work_as_text() -> tuple[int, str]:
        done = work()
        return done.status, msgspec.json.encode(done.body).decode()

    from chalicelib.platform import idempotency

    status, text, again = idempotency.once(caller.id, call.path, key, call.raw, work_as_text, route.secret)
    headers: dict[str, str | list[str]] = {"Content-Type": JSON}
    if again:
        headers["Idempotency-Replayed"] = "true"
    return Response(text, status_code=status, headers=headers)


def _response(answer: Answer) -> Response:
    headers: dict[str, str | list[str]] = dict(answer.headers or {})
    if isinstance(answer.body, (bytes, str)):
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
        if isinstance(answer.body, bytes) and not answer.body:
            return Response("", status_code=answer.status, headers=headers)
        return Response(answer.body, status_code=answer.status, headers=headers)
    headers.setdefault("Content-Type", JSON)
    return Response(
        msgspec.json.encode(answer.body).decode(),
        status_code=answer.status,
        headers=headers,
    )


def convert(value: Any, kind: type[Any], prefix: str = "") -> Any:
    """JSON values as a Struct. Invalid names the field: `assignment.members[0].daily_cap`."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".").removesuffix(".[...]")
        # A missing or unknown field is told in the text, and its parent in the path.
        if named := re.search(r"(?:required|unknown) field `([^`]+)`", text):
            field = f"{field}.{named.group(1)}" if field else named.group(1)
        raise Invalid((prefix + (field or "body"), text)) from error


def problem(error: DomainError) -> Response:
    """An error as RFC 9457 problem details."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": str(error) or error.title,
    }
    if isinstance(error, Invalid):
        body["errors"] = [{"field": field, "message": message} for field, message in error.errors]
    headers: dict[str, str | list[str]] = {"Content-Type": PROBLEM}
    if isinstance(error, Exhausted) and error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    return Response(json.dumps(body, ensure_ascii=False), status_code=error.status, headers=headers)
