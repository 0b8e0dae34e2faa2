"""The doors of a distributor's page: what friends see, and what they see themselves once signed in."""

from typing import Annotated
from urllib.parse import parse_qs

from msgspec import Meta, Struct

from chalicelib.collect import page, service
from chalicelib.collect.page import Till
from chalicelib.distribution import service as distribution
from chalicelib.distribution.types import FROZEN, LEFT, Distributor
from chalicelib.platform import http, settings
from chalicelib.platform.errors import Forbidden, NotFound, Unauthorized
from chalicelib.platform.http import Answer, Call
from chalicelib.web import frame, share
from chalicelib.wechatoa import client as wechatoa
from chalicelib.wechatpay import hosts

door = http.Door(__name__, tag="Distribution")

_MAX_FORM = 4096


class PageQuery(Struct, kw_only=True):
    asked: Annotated[str, Meta(description="What lapsed has just been asked for")] = ""


class SignedInQuery(Struct, kw_only=True):
    code: Annotated[str, Meta(description="WeChat's, good once")] = ""
    state: Annotated[str, Meta(description="As it was sent")] = ""


@door.route(
    "GET",
    "/h5/d/{share_code}",
    summary="A distributor's page: to share, and to collect what they have earned",
    query=PageQuery,
    gives="text/html",
    page=frame.problem,
)
def show_page(call: Call, share_code: str) -> Answer:
    who = _distributor(share_code)
    session = service.find_session(who, call.cookies)
    sign_in = _sign_in(call, who)
    if session is None and who.status == LEFT:
        return share.ended(sign_in).answer()
    if session is None:
        return share.distributor(who.share_code, sign_in).answer()
    shown = page.earnings(
        distribution.payee(who).name,
        who.share_code,
        _address(who),
        service.earnings(who),
        _till(call, who),
        session.csrf_token,
        bool(call.query.asked),
        who.status == FROZEN,
    )
    return shown.answer()


@door.route(
    "GET",
    "/h5/d/{share_code}/login",
    status=303,
    summary="To WeChat's sign-in, for the distributor",
    page=frame.problem,
)
def login(call: Call, share_code: str) -> Answer:
    who = _distributor(share_code)
    if not wechatoa.is_set_up():
        raise NotFound(code="no_page")
    where, cookie = service.begin(who)
    return _see_other(where, cookie)


@door.route(
    "GET",
    "/h5/d/{share_code}/signed-in",
    status=303,
    summary="WeChat's sign-in leads back here: a cookie, and on to the page",
    query=SignedInQuery,
    page=frame.problem,
    others={401: "The sign-in did not begin here, or its code is spent", 403: "Somebody else"},
)
def signed_in(call: Call, share_code: str) -> Answer:
    who = _distributor(share_code)
    try:
        cookie = service.finish(who, call.query.code, call.query.state, call.cookies)
    except Unauthorized:
        return page.again(_address(who)).answer(401)
    except Forbidden as error:
        return page.another_person(error.params["openid"]).answer(403)
    return _see_other(_address(who), cookie)


@door.route(
    "POST",
    "/h5/d/{share_code}/offer",
    status=303,
    summary="The distributor asks for what lapsed once more (a form: csrf, payout_id)",
    max_body=_MAX_FORM,
    takes="application/x-www-form-urlencoded",
    page=frame.problem,
    others={401: "Nobody is signed in", 403: "The page is of another session, or the payout not theirs"},
)
def ask_offer(call: Call, share_code: str) -> Answer:
    who = _distributor(share_code)
    session = service.find_session(who, call.cookies)
    if session is None:
        return page.again(_address(who)).answer(401)
    form = _form(call.raw)
    if not session.has_csrf_token(form.get("csrf", [""])[0]):
        return page.again(_address(who)).answer(403)
    try:
        service.ask_offer(who, form.get("payout_id", [""])[0])
    except Forbidden:
        return page.again(_address(who)).answer(403)
    return _see_other(f"{_address(who)}?asked=1")


def _form(raw: bytes) -> dict[str, list[str]]:
    """What our own form sends; nothing, when it is none of ours."""
    try:
        return parse_qs(raw.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:  # more fields than that
        return {}


def _distributor(share_code: str) -> Distributor:
    who = distribution.of_share_code(share_code)
    if who is None:
        raise NotFound(code="no_page")
    return who


def _address(who: Distributor) -> str:
    return f"{service.folder()}/h5/d/{who.share_code}"


def _sign_in(call: Call, who: Distributor) -> str | None:
    """Where the distributor signs in; "": in WeChat, which this is not; None: it is not set up."""
    if not wechatoa.is_set_up():
        return None
    return f"{_address(who)}/login" if _is_wechat(call) or wechatoa.is_sandbox() else ""


def _till(call: Call, who: Distributor) -> Till:
    """What the button hands to WeChat. In a trial there is none: the sandbox's own page is opened."""
    base = settings.env("WECHATPAY_API_BASE", "")
    return Till(
        mch_id=settings.env("WECHATPAY_MCH_ID"),
        app_id=settings.env("WECHATPAY_APP_ID"),
        is_wechat=_is_wechat(call),
        elsewhere=f"{base.rstrip('/')}/collect/" if hosts.is_sandbox(base) else None,
        config=service.page_config(who, call.strings) if _is_wechat(call) else None,
    )


def _is_wechat(call: Call) -> bool:
    """WeChat's browser. WeCom's says so too, but can't open the page where money is taken."""
    agent = call.headers.get("user-agent") or ""
    return "MicroMessenger" in agent and "wxwork" not in agent


def _see_other(where: str, cookie: str | None = None) -> Answer:
    headers = {"Location": where, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Answer(b"", 303, headers | ({"Set-Cookie": cookie} if cookie else {}))
