"""Sign-in with WeCom as a browser meets it (wecom-api.md §4.17): the authorise page, and codes good once.

The real page knows whose phone it is. Here it is the setting `oauth_member`, or whoever is chosen on it.
"""

import html
import re
import urllib.parse
from typing import TYPE_CHECKING

from infra.sandbox import official_account
from infra.sandbox.errors import ApiError
from infra.sandbox.phone import frame
from infra.sandbox.state import Staff
from infra.sandbox.world import World

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

PATH = "/connect/oauth2/authorize"
QR_PATH = "/wwlogin/sso/login"  # the page with a code that a member scans
_CODE_SECONDS = 300
_STATE = re.compile(r"[A-Za-z0-9]{0,128}")
_HTML = "text/html; charset=utf-8"
_MANY = Staff("", "").position

Page = tuple[int, bytes, str, dict[str, str]]


def authorize(sandbox: "Sandbox", query: dict[str, str], client: str = "") -> Page:
    """302 back with a code for the member; without one, a page to choose; 400 for a wrong link.

    client: whose WeCom this browser plays, where it plays one (phone/sidebar.py).
    """
    if query.get("appid") == sandbox.config.app_id:
        return official_account.authorize(sandbox, query)
    if why := _mistake(sandbox, query):
        return _bad(why)
    world, chosen = sandbox.world, query.get("member") or sandbox.config.oauth_member or client
    with world.lock:
        if not chosen:
            return _page(PATH, query, [s for s in world.state.staff.values() if s.status != 5])
        try:
            code = new_code(world, world.staff(chosen).userid)
        except ApiError:
            return _bad("没有这个成员")
    return 302, b"", _HTML, {"Location": official_account.back_to(query, code)}


def scan(sandbox: "Sandbox", query: dict[str, str]) -> Page:
    """The console's sign-in: whoever is chosen has scanned the code. 400 for a wrong link."""
    named = {**query, "response_type": "code", "scope": "snsapi_base"}
    why = _mistake(sandbox, named) or ("login_type 参数错误" if query.get("login_type") != "CorpApp" else "")
    if why:
        return _bad(why)
    world, chosen = sandbox.world, query.get("member") or sandbox.config.oauth_member
    with world.lock:
        if not chosen:
            return _page(QR_PATH, query, [s for s in world.state.staff.values() if s.status == 1])
        try:
            code = new_code(world, world.staff(chosen).userid)
        except ApiError:
            return _bad("没有这个成员")
    return 302, b"", _HTML, {"Location": official_account.back_to(query, code)}


def new_code(world: World, userid: str) -> str:
    code = world.new_id("OAUTH", 43)
    world.oauth_codes[code] = (userid, world.ts(), False)
    return code


def redeemed(world: World, code: str) -> str | None:
    """The member of a code that the page gave out; None for a code of another kind. 40029, 42022."""
    if code not in world.oauth_codes:
        return None
    userid, at, used = world.oauth_codes[code]
    if used:
        raise ApiError(42022)
    if world.ts() - at > _CODE_SECONDS:
        raise ApiError(40029)
    world.oauth_codes[code] = (userid, at, True)
    return userid


def _mistake(sandbox: "Sandbox", query: dict[str, str]) -> str:
    target = urllib.parse.urlsplit(query.get("redirect_uri", ""))
    if query.get("appid") != sandbox.config.corp_id:
        return "appid 参数错误"
    if target.scheme not in ("http", "https") or not target.netloc:
        return "redirect_uri 参数错误 (50001)"
    if query.get("response_type") != "code" or query.get("scope") not in (
        "snsapi_base",
        "snsapi_privateinfo",
    ):
        return "scope 参数错误"
    if query.get("agentid", str(sandbox.config.agent_id)) != str(sandbox.config.agent_id):
        return "agentid 参数错误"
    return "" if _STATE.fullmatch(query.get("state", "")) else "state 参数错误"


def _page(path: str, query: dict[str, str], people: list[Staff]) -> Page:
    """Who could be scanning, under what they are in the corp: guides, of whom there are many, come last."""
    of = sorted(dict.fromkeys(s.position for s in people), key=lambda position: position == _MANY)
    lists = "".join(
        f'<p class="note">{html.escape(position)}</p><ul class="cells">'
        + "".join(_row(path, query, s) for s in people if s.position == position)
        + "</ul>"
        for position in of
    )
    return frame.page("您是谁？", lists, english="Who are you?")


def _row(path: str, query: dict[str, str], member: Staff) -> str:
    chosen = f"{path}?{urllib.parse.urlencode({**query, 'member': member.userid})}"
    return (
        f'<li><a href="{html.escape(chosen)}">'
        f'{frame.face(member.name, member.userid.lower())}<span class="text">'
        f"<b>{html.escape(member.name)}</b>"
        f"<small>{html.escape(member.userid)}</small></span></a></li>"
    )


def _bad(why: str) -> Page:
    return frame.notice("登录链接有误", (why, "This sign-in link is wrong"), status=400)
