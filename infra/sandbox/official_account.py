"""The official account's OAuth: whose phone it is, as openid (and unionid) under the merchant's AppID.

The real page knows whose WeChat it runs in. Here it is the setting `oauth_openid`, or whoever is chosen on
it: people whom money waits for first, then customers, then any openid at all.
"""

import html
import urllib.parse
from typing import TYPE_CHECKING, Any

from chalicelib.web import frame
from infra.sandbox.world import World, digest

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

PREFIX = "/sns/"
_SCOPES = ("snsapi_base", "snsapi_userinfo")
_CODE_SECONDS = 300
_MOST = 40  # people on the page
_HTML = "text/html; charset=utf-8"
_STYLE = """
.who{display:block;margin-top:10px;padding:12px 16px;border-radius:16px;background:var(--tint);color:var(--ink);text-decoration:none}
.card form{display:flex;gap:8px;margin-top:18px}
input{flex:1;min-width:0;min-height:48px;padding:0 12px;border:1px solid var(--edge);border-radius:12px;background:none;color:var(--ink);font:inherit;font-size:15px}
button{min-height:48px;padding:0 16px;border:0;border-radius:12px;background:var(--brand);color:var(--on);font:inherit;font-size:15px}
"""  # noqa: E501

Page = tuple[int, bytes, str, dict[str, str]]


def authorize(sandbox: "Sandbox", query: dict[str, str]) -> Page:
    """302 back with a code for the person; without one, a page to choose; 400 for a wrong link."""
    target = urllib.parse.urlsplit(query.get("redirect_uri", ""))
    is_right = query.get("response_type") == "code" and query.get("scope") in _SCOPES
    if not is_right or target.scheme not in ("http", "https") or not target.netloc:
        return _page(400, "参数错误", frame.notice("question", ("参数错误", "A wrong link")))
    openid = query.get("openid") or sandbox.config.oauth_openid
    world = sandbox.world
    with world.lock:
        if not openid:
            return _page(200, "您是谁？", _choices(world, query))
        code = world.new_id("WXOAUTH", 32)
        world.person_codes[code] = (openid, query["scope"], world.ts(), False)
    return 302, b"", _HTML, {"Location": back_to(query, code)}


def back_to(query: dict[str, str], code: str) -> str:
    """Where the browser goes with its code."""
    parts = urllib.parse.urlsplit(query["redirect_uri"])
    given = [*urllib.parse.parse_qsl(parts.query), ("code", code), ("state", query.get("state", ""))]
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(given), fragment=""))


def answer(sandbox: "Sandbox", path: str, query: dict[str, str]) -> dict[str, Any]:
    """`sns/oauth2/access_token`: who is behind a code. Errors as WeChat gives them, with 200."""
    if path != "/sns/oauth2/access_token":
        return _error(40066, "invalid url")
    config, world = sandbox.config, sandbox.world
    if query.get("appid") != config.app_id:
        return _error(40013, "invalid appid")
    if query.get("secret") != config.oa_secret:
        return _error(40125, "invalid appsecret")
    with world.lock:
        openid, scope, at, used = world.person_codes.get(query.get("code", ""), ("", "", 0.0, False))
        if used:
            return _error(40163, "code been used")
        if not openid or world.ts() - at > _CODE_SECONDS:
            return _error(40029, "invalid code")
        world.person_codes[query["code"]] = (openid, scope, at, True)
        unionid = _unionid(world, openid) if scope == "snsapi_userinfo" else ""
    token = {"access_token": digest("oa", query["code"]), "expires_in": 7200, "refresh_token": ""}
    return {**token, "openid": openid, "scope": scope} | ({"unionid": unionid} if unionid else {})


def openid_of(unionid: str) -> str:
    """A person's openid under the official account."""
    return "o" + digest("official account", unionid)[:27]


def _unionid(world: World, openid: str) -> str:
    people = (contact.unionid for contact in world.state.contacts.values() if contact.unionid)
    return next((unionid for unionid in people if openid_of(unionid) == openid), "")


def _choices(world: World, query: dict[str, str]) -> str:
    people: dict[str, str] = {}
    for bill in sorted(world.state.bills.values(), key=lambda b: b.created_at, reverse=True):
        waits = "，有一笔待领取" if bill.state == "WAIT_USER_CONFIRM" else ""
        people.setdefault(bill.request["openid"], f"收款人 {bill.request['openid']}{waits}")
    for contact in world.state.contacts.values():
        if contact.unionid:
            people.setdefault(openid_of(contact.unionid), contact.name)
    kept = {key: value for key, value in query.items() if key not in ("member", "openid")}
    links = "".join(
        f'<a class="who" href="{html.escape("?" + urllib.parse.urlencode({**kept, "openid": openid}))}">'
        f"{html.escape(name)}</a>"
        for openid, name in list(people.items())[:_MOST]
    )
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(key)}" value="{html.escape(value)}">'
        for key, value in kept.items()
    )
    form = f'<form method="get">{hidden}<input name="openid" aria-label="openid" placeholder="openid"><button>登录</button></form>'  # noqa: E501
    asked = frame.words("您是谁？", "Whose WeChat is this? (the sandbox asks, WeChat knows)")
    return f'<main class="card"><h1>{asked}</h1>{links}{form}</main>'


def _page(status: int, title: str, body: str) -> Page:
    made = frame.page(title, body, style=_STYLE, forms=True)
    return status, made.html.encode(), _HTML, {}


def _error(errcode: int, errmsg: str) -> dict[str, Any]:
    return {"errcode": errcode, "errmsg": errmsg}
