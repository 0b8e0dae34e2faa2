"""HTTP doors: one `Door` per capability's api.py. Parse, authorize, delegate, answer.

A route declares its body, query, answer and permission; the door does what all have in common (401/403,
400/413/422, Idempotency-Key, problem+json) and keeps what OpenAPI needs (`Door.routes`).
"""

import base64
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args, get_origin

import msgspec
from chalice.app import Blueprint, Response
from msgspec import Struct
from msgspec.structs import replace

from chalicelib.platform import declared, judging, log, messages, principal, validation
from chalicelib.platform.errors import (
    DomainError,
    Exhausted,
    Invalid,
    Issue,
    MethodNotAllowed,
    NotFound,
    Stale,
    TooLarge,
)
from chalicelib.platform.paging import Page, Tabular
from chalicelib.platform.principal import Principal
from chalicelib.platform.validation import convert as convert
from chalicelib.platform.versions import IfMatch, etag

MAX_BODY = 1_048_576
MAX_PAGE = 200
MAX_ID = 256
JSON = "application/json"
PROBLEM = "application/problem+json"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


Row = TypeVar("Row")
_CHECK_ANSWERS = bool(os.environ.get("CHECK_ANSWERS"))  # in tests: each answer is of the type declared for it


class Listing(Struct, Generic[Row], kw_only=True):
    """A list whose total nobody counts yet."""

    items: list[Row]
    next_cursor: str | None


class Answer(Struct, frozen=True):
    """An answer that is not plain JSON with the route's status."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] | None = None


class Route(Struct, frozen=True, kw_only=True):
    """What a door declares of a route, as OpenAPI shows it."""

    method: str
    path: str
    tag: str
    summary: str
    status: int
    permission: str | None
    body: type[Struct] | None
    rules: Callable[[Any], Iterable[Issue]] | None
    open: bool
    takes: str | None
    answer: Any
    gives: str
    query: type[Struct] | None
    headers: type[Struct] | None
    parameters: Mapping[str, Any]
    others: Mapping[int, str]
    max_body: int
    view: Callable[..., Any]
    page: Callable[[DomainError], Answer] | None
    secret: bool

    @property
    def is_list(self) -> bool:
        """Whether it can be had as a file, too (list_files.py)."""
        tabular = self.query is not None and issubclass(self.query, Tabular)
        return self.method == "GET" and tabular and get_origin(self.answer) is Page

    @property
    def row(self) -> Any:
        """The type of a list's rows."""
        return get_args(self.answer)[0]


class Call:
    """One request. `body` and `query` are the converted Structs; `raw` and `strings` are as they came."""

    def __init__(self, request: Any, max_body: int):
        self.headers: Mapping[str, str] = request.headers
        self.strings: dict[str, str] = dict(request.query_params or {})
        self.query: Any = None
        self._json: Any = None
        self.method: str = request.method
        self.path: str = request.context.get("path") or request.path
        self.source_ip: str = (request.context.get("identity") or {}).get("sourceIp") or ""
        self.raw: bytes = request.raw_body or b""
        self.body: Any = None
        self.principal = principal.NOBODY  # until the door has found out who it is
        if len(self.raw) > max_body:
            raise TooLarge(code="body_too_large", limit=max_body)

    @property
    def cookies(self) -> dict[str, str]:
        return cookies_of(self.headers)

    def json(self) -> Any:
        """The body as JSON. Malformed."""
        if self._json is None:
            self._json = validation.loads(self.raw)
        return self._json

    @property
    def if_match(self) -> IfMatch:
        return IfMatch(self.headers.get("if-match") or "")

    def page(self) -> tuple[int, str | None]:
        """`?limit=` and `?cursor=` of a route whose query is a `Paging`."""
        return self.query.limit, self.query.cursor or None


class Door:
    """A capability's routes. `routes` holds every door's, for OpenAPI.

    spellings: the module that knows how WeCom spells userids, which are keys in small letters: it notes those
    of a body (`note_all`) and spells those of an answer (`show`). pages: the one that makes pages: it hears
    (`begin`) of each call that a page answers. The app names both.
    find: the app's: a path → its route's pattern and its parameters. NotFound.
    """

    routes: ClassVar[list[Route]] = []
    spellings: ClassVar[str] = ""
    pages: ClassVar[str] = ""
    find: ClassVar[Callable[[str], tuple[str, dict[str, str]]] | None] = None

    def __init__(self, name: str, tag: str):
        self.blueprint = Blueprint(name)
        self.tag = tag

    def route(
        self,
        method: str,
        path: str,
        *,
        body: type[Struct] | None = None,
        rules: Callable[[Any], Iterable[Issue]] | None = None,
        open: bool = False,
        status: int = 200,
        permission: str | None = None,
        summary: str = "",
        answer: Any = None,
        query: type[Struct] | None = None,
        headers: type[Struct] | None = None,
        parameters: Mapping[str, Any] | None = None,
        others: Mapping[int, str] | None = None,
        takes: str | None = None,
        gives: str = JSON,
        page: Callable[[DomainError], Answer] | None = None,
        max_body: int = MAX_BODY,
        secret: bool = False,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register `view(call, **path parameters)`. `permission` None: a public door that
        checks for itself.

        body, query: types of `call.body` and `call.query`. open: a body may have fields that we don't know.
        rules: what the view finds wrong with a body by itself, said together with what its type refuses.
        headers: a type whose fields are the headers that the view reads from `call.headers`.
        parameters: types of those path parameters that are no ids; what isn't of its type is not found.
        takes: the media type of a body that the view reads as it is; with `body`, by whose type it does.
        answer: the type of the JSON. gives: the media type, when it is not JSON alone.
        others: what else it may answer with, by status. page: how a person's browser is told of a problem,
        instead of problem+json. secret: the answer holds one: for an Idempotency-Key it is kept sealed.
        """

        def register(view: Callable[..., Any]) -> Callable[..., Any]:
            self._register(
                Route(
                    method=method,
                    path=path,
                    tag=self.tag,
                    summary=summary,
                    status=status,
                    permission=permission,
                    body=body,
                    rules=rules,
                    open=open,
                    takes=takes,
                    answer=answer,
                    gives=gives,
                    query=query,
                    headers=headers,
                    parameters=parameters or {},
                    others=others or {},
                    max_body=max_body,
                    view=view,
                    page=page,
                    secret=secret,
                )
            )
            return view

        return register

    def _register(self, route: Route) -> None:
        Door.routes.append(route)

        def handle(**parameters: str) -> Response:
            return _answer_or_problem(route, self.blueprint.current_request, parameters)

        handle.__name__ = route.view.__name__
        methods = [route.method, "HEAD"] if route.method == "GET" else [route.method]
        # Any content type is let in: the body is judged by what it is.
        name = f"{route.method} {route.path}"
        self.blueprint.route(route.path, methods=methods, content_types=[], name=name)(handle)


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
    """JSON is asked for, and rather than HTML; of two that are wanted alike the first."""
    wanted: dict[str, float] = {}
    for part in (headers.get("accept") or "").lower().split(","):
        kind, *parameters = (each.strip() for each in part.split(";"))
        wanted.setdefault(kind, _quality(parameters))
    html = wanted.get("text/html", 0)
    if wanted.get(JSON, 0) != html:
        return wanted.get(JSON, 0) > html
    return html > 0 and list(wanted).index(JSON) < list(wanted).index("text/html")


def _quality(parameters: Sequence[str]) -> float:
    """The weight that Accept gives a media type (RFC 9110, 12.4.2); what is none counts as 1."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return float(value) if re.fullmatch(r"[01](\.[0-9]{0,3})?", value.strip()) else 1.0
    return 1.0


def versioned(body: Any, version: int | str) -> Answer:
    """A thing with the ETag of its version."""
    return Answer(body, headers={"ETag": etag(version)})


def listing(items: list[Any], next_cursor: str | None = None) -> dict[str, Any]:
    """The shape of every list."""
    return {"items": items, "next_cursor": next_cursor}


def _answer_or_problem(route: Route, request: Any, parameters: dict[str, str]) -> Response:
    shows_page = route.page is not None and not wants_json(request.headers)
    if shows_page and Door.pages:
        declared.resolve(f"{Door.pages}:begin")(request.headers)
    try:
        return _authorize_and_answer(route, request, parameters)
    except DomainError as error:
        if error.status >= 500:
            log.failure("upstream failed", error, path=route.path)
        failure = error
    except Exception as error:  # noqa: BLE001 (the edge: a bug is logged and answered with 500)
        log.failure("request failed", error, path=route.path, method=route.method)
        failure = DomainError(code="internal")
    if route.page and shows_page:
        return _response(route.page(failure))
    return problem(failure, messages.language(request.headers.get("accept-language")))


def _authorize_and_answer(route: Route, request: Any, parameters: dict[str, str]) -> Response:
    caller = principal.NOBODY
    if route.permission:
        from chalicelib.platform import auth  # public doors do without keys and their store

        writes = request.method not in ("GET", "HEAD")
        caller = auth.authorize(request.headers, cookies_of(request.headers), route.permission, writes)
    before = principal.acting.set(caller)
    try:
        return _answer(route, request, parameters, caller)
    finally:
        principal.acting.reset(before)


def _answer(route: Route, request: Any, parameters: dict[str, str], caller: Principal) -> Response:
    if any(len(value) > MAX_ID for value in parameters.values()):  # longer than any key of the store
        raise NotFound(code="no_thing")
    call = Call(request, route.max_body)
    call.principal = caller
    typed = {**parameters, **_convert_parameters(route, parameters)}
    if route.query is not None:
        call.query = validation.convert_strings(call.strings, route.query, open=not route.permission)
        if caller.sees_masked and getattr(call.query, "cursor", None):
            from chalicelib.platform import cursors

            call.query = replace(call.query, cursor=cursors.unseal(call.query.cursor, route.path))
    if route.body is not None and route.takes is None:
        nothing = not call.raw and not any(field.required for field in msgspec.structs.fields(route.body))
        if nothing:
            call.body = route.body()
        elif route.rules:
            call.body = judging.convert(call.json(), route.body, route.rules)
        else:
            call.body = convert(call.json(), route.body, open=route.open)
        if call.raw and route.permission and Door.spellings:
            declared.resolve(f"{Door.spellings}:note_all")(call.json())

    def work() -> Answer:
        if route.is_list and (kind := _file_wanted(call)):
            from chalicelib.platform import list_files

            return list_files.answer(route, call, kind, typed)
        result = route.view(call, **typed)
        if caller.sees_masked and getattr(result, "next_cursor", None):
            from chalicelib.platform import cursors

            result = replace(result, next_cursor=cursors.seal(result.next_cursor, route.path))
        answer = result if isinstance(result, Answer) else Answer(result, route.status)
        if _CHECK_ANSWERS:
            _check_answer(route, answer)
        if answer.body is None or isinstance(answer.body, (bytes, str)) or not Door.spellings:
            return answer
        return replace(answer, body=declared.resolve(f"{Door.spellings}:show")(answer.body))

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


def _file_wanted(call: Call) -> Literal["csv", "xlsx"] | None:
    """As which kind of file a list is asked for, by `format` or by the first type of Accept."""
    if call.query.format != "json":
        return call.query.format  # type: ignore[no-any-return]
    accepted = re.split("[,;]", call.headers.get("accept") or "", maxsplit=1)[0].strip().lower()
    kinds: dict[str, Literal["csv", "xlsx"]] = {CSV: "csv", XLSX: "xlsx"}
    return kinds.get(accepted)


def _response(answer: Answer) -> Response:
    headers: dict[str, str | list[str]] = dict(answer.headers or {})
    if isinstance(answer.body, (bytes, str)):
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
        if isinstance(answer.body, bytes) and "Content-Encoding" in headers:
            return _Packed(answer.body, status_code=answer.status, headers=headers)
        if isinstance(answer.body, bytes) and not answer.body:
            return Response("", status_code=answer.status, headers=headers)
        return Response(answer.body, status_code=answer.status, headers=headers)
    headers.setdefault("Content-Type", JSON)
    return Response(
        msgspec.json.encode(answer.body).decode(),
        status_code=answer.status,
        headers=headers,
    )


class _Packed(Response):
    """Bytes that are compressed already, of whatever type."""

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:
        told: dict[str, Any] = super().to_dict(None)
        return told | {"body": base64.b64encode(self.body).decode(), "isBase64Encoded": True}


def _convert_parameters(route: Route, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The path parameters that are no ids. NotFound for one that isn't of its type."""
    try:
        return {
            name: msgspec.convert(parameters[name], kind, strict=False)
            for name, kind in route.parameters.items()
        }
    except msgspec.ValidationError as error:
        raise NotFound(code="no_thing") from error


def _check_answer(route: Route, answer: Answer) -> None:
    """TypeError when the document would lie about this answer."""
    where = f"{route.method} {route.path} answers {answer.status}"
    if answer.status < 400 and answer.status != route.status and answer.status not in route.others:
        raise TypeError(f"{where}, which is not declared")
    if route.answer is None or isinstance(answer.body, (bytes, str)):
        return
    try:
        convert(msgspec.to_builtins(answer.body), route.answer)
    except Invalid as error:
        raise TypeError(f"{where} with {error}") from error


def problem(error: DomainError, language: messages.Language) -> Response:
    """An error as RFC 9457 problem details."""
    title = error.title if language == "en" else messages.title(error.status, language)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": error.status,
        "detail": error.detail(language),
    }
    if isinstance(error, Invalid):
        body["errors"] = [
            {
                "field": issue.field,
                "code": issue.code,
                "params": issue.params,
                "message": issue.message(language),
            }
            for issue in error.issues
        ]
    if isinstance(error, Stale):
        body["present"] = msgspec.to_builtins(error.present)
    headers: dict[str, str | list[str]] = {"Content-Type": PROBLEM, "Content-Language": language}
    if isinstance(error, Exhausted) and error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    return Response(json.dumps(body, ensure_ascii=False), status_code=error.status, headers=headers)
