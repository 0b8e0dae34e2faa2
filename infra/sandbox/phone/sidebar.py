"""A guide's chat with the app's sidebar beside it, as WeCom's client on a computer shows them.

The sidebar is the product's own page in a frame. WeCom's script in it is a stand-in (jssdk.js) that hands
each call to the page around it (sidebar.js), and that asks here whether the signatures are right.
"""

import hashlib
import hmac
import json
import urllib.parse
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from infra.sandbox.phone import frame
from infra.sandbox.phone.frame import Page
from infra.sandbox.world import World

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

_HERE = Path(__file__).parent
_JSSDK = (_HERE / "jssdk.js").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "sidebar.js").read_text(encoding="utf-8")
_STYLE = (
    "*{box-sizing:border-box}html,body{height:100%;margin:0}"
    "body{display:flex;background:#d8dde3;font:14px/1.5 sans-serif}"
    "iframe{border:0;height:100%;background:#fff}.chat{flex:1;min-width:0}.sidebar{width:360px;flex:none}"
    "@media(max-width:760px){body{flex-direction:column}.chat{height:45%;flex:none}.sidebar{width:100%;flex:1}}"
)
PATH = "/jssdk.js"


def script() -> Page:
    """What Tencent's scripts are to the product's page."""
    return 200, _JSSDK.encode(), "text/javascript; charset=utf-8", {"Cache-Control": "no-store"}


def page(sandbox: "Sandbox", userid: str, external: str) -> Page:
    """The chat, and the sidebar; whoever looks is this guide for the sign-in, too."""
    world = sandbox.world
    member, contact = world.state.staff.get(userid.lower()), world.state.contacts.get(external)
    product = _product(sandbox)
    if member is None or contact is None or not product:
        return frame.notice("没有这个聊天", ("请从首页选择", "Please choose on the first screen"), 404)
    chat = frame.path("guide", member.userid, external)
    setup = json.dumps({"product": product, "chat": chat, "external": external}).replace("<", "\\u003c")
    html = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><link rel="icon" href="data:,"><title>{escape(contact.name)}</title>'
        f"<style>{_STYLE}</style></head><body data-setup='{escape(setup, quote=True)}'>"
        f'<iframe class="chat" title="聊天" src="{escape(chat)}"></iframe>'
        f'<iframe class="sidebar" title="侧边栏" src="{escape(product)}/sidebar"></iframe>'
        f"<script>{_SCRIPT}</script></body></html>"
    )
    origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(product))
    rules = f"default-src 'none'; style-src {frame.hash_of(_STYLE)}; script-src {frame.hash_of(_SCRIPT)}; "
    rules += f"frame-src 'self' {origin}; connect-src 'self'; img-src data:"
    headers = {"Content-Security-Policy": rules, "Cache-Control": "no-store"}
    headers["Set-Cookie"] = f"wecom={member.userid}; Path=/; HttpOnly; SameSite=Lax"
    return 200, html.encode(), "text/html; charset=utf-8", headers


def check(world: World, raw: bytes) -> Page:
    """Whether a signature is that of the page, by the ticket of its kind: `errcode` 0, or 40093."""
    given = json.loads(raw or b"{}")
    ticket, until = world.tickets.get("app" if given.get("agent") else "corp", ("", 0.0))
    text = f"jsapi_ticket={ticket}&noncestr={given.get('nonceStr')}&timestamp={given.get('timestamp')}"
    wanted = hashlib.sha1(f"{text}&url={given.get('url')}".encode()).hexdigest()  # noqa: S324 (WeCom's choice)
    is_same = hmac.compare_digest(str(given.get("signature")).encode(), wanted.encode())
    right = ticket and until > world.ts() and is_same
    body = json.dumps({"errcode": 0 if right else 40093})
    return 200, body.encode(), "application/json", {"Cache-Control": "no-store"}


def _product(sandbox: "Sandbox") -> str:
    """Where the product is, without a slash at its end; "" while it has told no callback."""
    return sandbox.config.callback_url.removesuffix("/wecom/callback")
