"""Where WeCom sends a signed-in member of staff back to."""

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.platform import http, log
from chalicelib.platform.errors import Exhausted, Forbidden, Unauthorized, Upstream
from chalicelib.platform.http import Answer, Call
from chalicelib.staffauth import service
from chalicelib.web import frame
from chalicelib.web.tasks import page

door = http.Door(__name__, tag="Staff")


class LoginQuery(Struct, kw_only=True):
    code: Annotated[str, Meta(description="WeCom's, good once")] = ""
    state: Annotated[str, Meta(description="As it was sent")] = ""


@door.route(
    "GET",
    "/h5/login",
    status=303,
    summary="WeCom's OAuth leads back here: a cookie, and on to the page",
    page=frame.problem,
    query=LoginQuery,
    others={
        401: "The sign-in did not begin here, or its code is spent",
        403: "No member of staff",
        429: "Too many sign-ins from one address: `Retry-After`",
    },
)
def login(call: Call) -> Answer:
    try:
        where, cookie = service.finish(call.query.code, call.query.state, call.cookies, call.source_ip)
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
    headers = {"Location": service.folder() + where, "Set-Cookie": cookie, "Cache-Control": "no-store"}
    return Answer(b"", 303, headers)
