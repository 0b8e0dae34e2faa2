"""Where WeCom sends a signed-in member of staff back to: a phone's page, or the console."""

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.platform import http, log, settings
from chalicelib.platform.errors import DomainError, Exhausted, Forbidden, Unauthorized, Upstream
from chalicelib.platform.http import Answer, Call
from chalicelib.staffauth import pages, service
from chalicelib.web import frame
from chalicelib.web.tasks import page

door = http.Door(__name__, tag="Staff")


class LoginQuery(Struct, kw_only=True):
    code: Annotated[str, Meta(description="WeCom's, good once")] = ""
    state: Annotated[str, Meta(description="As it was sent")] = ""


class ConsoleLoginQuery(LoginQuery, kw_only=True):
    next: Annotated[str, Meta(description="The console's address to come back to")] = ""


_REFUSED = {
    401: "The sign-in did not begin here, or its code is spent",
    429: "Too many codes that were nobody's from one address, or refusals of one person: `Retry-After`",
}


@door.route(
    "GET",
    "/h5/login",
    status=303,
    summary="WeCom's OAuth leads back here: a cookie, and on to the page",
    page=frame.problem,
    query=LoginQuery,
    others={**_REFUSED, 403: "No member of staff"},
)
def login(call: Call) -> Answer:
    try:
        where, cookie = service.finish(
            call.query.code, call.query.state, call.cookies, call.source_ip, _user_agent(call)
        )
    except Unauthorized:
        return page.again(f"{service.folder()}/h5/tasks").answer(401)
    except Exhausted as error:
        problem = frame.problem(error)
        return Answer(
            problem.body, problem.status, {**(problem.headers or {}), "Retry-After": str(error.retry_after)}
        )
    except Forbidden:
        return page.outsider().answer(403)
    except Upstream as error:
        log.failure("sign-in failed", error)
        return page.again(f"{service.folder()}/h5/tasks").answer(503)
    return _on(where, cookie)


@door.route(
    "GET",
    "/console/login",
    status=303,
    summary="Sign in to the console by WeCom: to its page, from there back here, and on to the console",
    page=frame.problem,
    query=ConsoleLoginQuery,
    others={
        **_REFUSED,
        302: "To WeCom's page: its QR code, or, inside of WeCom, its OAuth",
        403: "No member of staff, or one without a role",
        503: "WeCom is not connected, or does not answer",
    },
)
def console_login(call: Call) -> Answer:
    if not (call.query.code or call.query.state):
        return _begin(call)
    try:
        where, cookie = service.finish_console(
            call.query.code, call.query.state, call.cookies, call.source_ip, _user_agent(call)
        )
    except DomainError as error:
        if isinstance(error, Upstream):
            log.failure("sign-in failed", error)
        ask = service.whom_to_ask() if error.message_code == "no_role" else ()
        after = {"Retry-After": str(error.retry_after)} if isinstance(error, Exhausted) else {}
        return pages.refused(error, service.folder(), ask).answer(error.status, after)
    return _on(where, cookie)


def _begin(call: Call) -> Answer:
    try:
        where, cookie = service.begin_console(call.query.next, _user_agent(call))
    except settings.Missing:
        return pages.not_connected(service.folder()).answer(503)
    headers = {"Location": where, "Set-Cookie": cookie, "Cache-Control": "no-store"}
    return Answer(b"", 302, {**headers, "Referrer-Policy": "no-referrer"})


def _on(where: str, cookie: str) -> Answer:
    headers = {"Location": service.folder() + where, "Set-Cookie": cookie, "Cache-Control": "no-store"}
    return Answer(b"", 303, {**headers, "Referrer-Policy": "no-referrer"})


def _user_agent(call: Call) -> str:
    return call.headers.get("user-agent") or ""
