"""What a phone sees of the sandbox: a contact way's QR picture, its add page, avatars."""

import html
import urllib.parse
import zlib
from typing import TYPE_CHECKING

from infra.sandbox import oauth, qr, receiver

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

Page = tuple[int, bytes, str] | tuple[int, bytes, str, dict[str, str]]  # status, body, type, headers
_HTML = "text/html; charset=utf-8"
_ADD = """<!doctype html><html lang="zh"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>添加企业微信</title>
<body style="font-family:sans-serif;text-align:center;padding:2em"><h1>{name}</h1>
<form method="post"><p><label>昵称 <input name="name" value=""></label></p>
<button style="font-size:1.2em;padding:.5em 2em">添加到通讯录</button></form></body></html>"""
_DONE = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>已添加</title>
<body style="font-family:sans-serif;text-align:center;padding:2em">
<h1>已添加 {name}</h1><p>{external}</p></body></html>"""


def add_page_url(sandbox: "Sandbox", config_id: str) -> str:
    """What the QR code of a contact way holds."""
    return f"{sandbox.world.base_url}/add/{config_id}"


def answer(sandbox: "Sandbox", method: str, path: str, query: dict[str, str], raw: bytes) -> Page:
    """A picture or a page; 404 for what is not there."""
    if path == oauth.PATH:
        return oauth.authorize(sandbox, query)
    kind, _, name = path.strip("/").partition("/")
    if kind == "collect":
        return receiver.answer(sandbox, method, name, raw)
    if kind == "avatar":
        return 200, qr.solid(64, 64 + zlib.crc32(name.encode()) % 128), "image/png"
    if kind == "join" or name.startswith("jw"):
        return _join_way(sandbox, method, kind, name.removesuffix(".png"), raw)
    if kind == "ca":
        return _acquisition(sandbox, method, name, query, raw)
    config_id = name.removesuffix(".png")
    with sandbox.world.lock:
        way = sandbox.world.state.ways.get(config_id)
        names = [sandbox.world.staff(userid).name for userid in way.fields["user"]] if way else []
    if way is None or kind not in ("qr", "add"):
        return 404, "没有这个二维码".encode(), "text/plain; charset=utf-8"
    if kind == "qr":
        return 200, qr.png(add_page_url(sandbox, config_id)), "image/png"
    if method == "GET":
        return 200, _ADD.format(name=html.escape("、".join(names))).encode(), _HTML
    nick = urllib.parse.parse_qs(raw.decode(errors="replace")).get("name", [""])[0]
    added = sandbox.actions.add(config_id=config_id, name=nick)
    shown = _DONE.format(name=html.escape(added["userid"]), external=html.escape(added["external_userid"]))
    return 200, shown.encode(), _HTML


def _join_way(sandbox: "Sandbox", method: str, kind: str, config_id: str, raw: bytes) -> Page:
    """A join way's QR picture, and the page that it leads to."""
    if config_id not in sandbox.world.state.join_ways or kind not in ("qr", "join"):
        return 404, "没有这个二维码".encode(), "text/plain; charset=utf-8"
    if kind == "qr":
        return 200, qr.png(f"{sandbox.world.base_url}/join/{config_id}"), "image/png"
    if method == "GET":
        return 200, _ADD.format(name="加入群聊").replace("添加到通讯录", "加入群聊").encode(), _HTML
    nick = urllib.parse.parse_qs(raw.decode(errors="replace")).get("name", [""])[0]
    joined = sandbox.actions.join(config_id=config_id, name=nick)
    if joined["full"]:
        return 200, "群聊人数已满，只可通过邀请进群".encode(), "text/plain; charset=utf-8"
    external = html.escape(joined["external_userid"])
    return 200, _DONE.format(name=html.escape(joined["chat_id"]), external=external).encode(), _HTML


def _acquisition(sandbox: "Sandbox", method: str, link_id: str, query: dict[str, str], raw: bytes) -> Page:
    """An acquisition link as a phone opens it; WeChat's own add page on the real one."""
    if link_id not in sandbox.world.state.links:
        return 404, "没有这个链接".encode(), "text/plain; charset=utf-8"
    if method == "GET":
        return 200, _ADD.format(name="获客链接").encode(), _HTML
    nick = urllib.parse.parse_qs(raw.decode(errors="replace")).get("name", [""])[0]
    url = f"/ca/{link_id}?{urllib.parse.urlencode(query)}"
    try:
        added = sandbox.actions.acquire(url, name=nick)
    except ValueError as error:
        return 200, str(error).encode(), "text/plain; charset=utf-8"
    shown = _DONE.format(name=html.escape(added["userid"]), external=html.escape(added["external_userid"]))
    return 200, shown.encode(), _HTML
