"""Sign-in with WeCom as a browser meets it (wecom-api.md §4.17): the authorise page, and codes good once.

The real page knows whose phone it is. Here it is the setting `oauth_member`, or whoever is chosen on it.
"""

import html
import re
import urllib.parse
from typing import TYPE_CHECKING

from infra.sandbox import official_account
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

PATH = "/connect/oauth2/authorize"
_CODE_SECONDS = 300
_STATE = re.compile(r"[A-Za-z0-9]{0,128}")
_HTML = "text/html; charset=utf-8"
_CHOOSE = """<!doctype html><html lang="zh"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>企业微信登录</title>
<body style="font-family:sans-serif;padding:2em"><h1>您是谁？</h1>
<ul style="line-height:2.4">{links}</ul></body></html>"""
_BAD = '<!doctype html><html lang="zh"><meta charset="utf-8"><title>错误</title><h1>{why}</h1></html>'

Page = tuple[int, bytes, str, dict[str, str]]


def authorize(sandbox: "Sandbox", query: dict[str, str]) -> Page:
    """302 back with a code for the member; without one, a page to choose; 400 for a wrong link."""
    if query.get("appid") == sandbox.config.app_id:
        return official_account.authorize(sandbox, query)
    if why := _mistake(sandbox, query):
        return 400, _BAD.format(why=html.escape(why)).encode(), _HTML, {}
    world, chosen = sandbox.world, query.get("member") or sandbox.config.oauth_member
    with world.lock:
        if not chosen:
            names = {s.userid: s.name for s in world.state.staff.values() if s.status != 5}
            return 200, _page(query, names).encode(), _HTML, {}
        try:
            code = new_code(world, world.staff(chosen).userid)
        except ApiError:
            return 400, _BAD.format(why="没有这个成员").encode(), _HTML, {}
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


def _page(query: dict[str, str], names: dict[str, str]) -> str:
    links = []
    for userid, name in sorted(names.items()):
        address = f"{PATH}?{urllib.parse.urlencode({**query, 'member': userid})}"
        links.append(
            f'<li><a href="{html.escape(address)}">{html.escape(name)} ({html.escape(userid)})</a></li>'
        )
    return _CHOOSE.format(links="".join(links))
