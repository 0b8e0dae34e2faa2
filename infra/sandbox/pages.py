"""What a phone sees of the sandbox: QR pictures, what they lead to, chats, avatars, uploaded pictures."""

import urllib.parse
from contextlib import nullcontext
from functools import lru_cache
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

from infra.sandbox import media_api, oauth, qr, receiver
from infra.sandbox.phone import adding, customer, guide, sidebar
from infra.sandbox.phone.frame import notice

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

Page = tuple[int, bytes, str] | tuple[int, bytes, str, dict[str, str]]  # status, body, type, headers


def answer(
    sandbox: "Sandbox", method: str, path: str, query: dict[str, str], raw: bytes, cookie: str = ""
) -> Page:
    """A picture or a page; 404 for what is not there. cookie: the header, which says whose phone it is."""
    if path == oauth.PATH:
        return oauth.authorize(sandbox, query, _cookie_of(cookie, "wecom"))
    if path == oauth.QR_PATH:
        return oauth.scan(sandbox, query)
    if path == sidebar.PATH:
        return sidebar.script()
    if path == "/jssdk/check" and method == "POST":
        return sidebar.check(sandbox.world, raw)
    kind, *names = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
    name = names[0] if names else ""
    if kind == "collect":
        return receiver.answer(sandbox, method, name, raw)
    if picture := _picture(sandbox, kind, name):
        return picture
    # What people do posts callbacks, and who gets one asks us at once: that must not wait for a lock.
    with sandbox.world.lock if method == "GET" else nullcontext():
        phone = _cookie_of(cookie, "phone")
        match (kind, *names):
            case ("",):
                return customer.people(sandbox)
            case ("add" | "qr", config_id) if config_id in sandbox.world.state.ways:
                return adding.contact(sandbox, method, config_id, raw, phone)
            case ("join", config_id):
                return adding.group(sandbox, method, config_id, raw, phone)
            case ("ca", link_id):
                return adding.link(sandbox, method, link_id, query, raw, phone)
            case ("me", external):
                return customer.home(sandbox, external)
            case ("moments", external):
                return customer.moments(sandbox, external)
            case ("chat", external, userid):
                return customer.chat(sandbox, method, external, userid, raw)
            case ("chat", external, userid, "more"):
                return customer.more(sandbox, external, userid, is_guide=False)
            case ("guide", userid, external, "more"):
                return customer.more(sandbox, external, userid, is_guide=True)
            case ("group", chat_id, member_id):
                return customer.group(sandbox, method, chat_id, member_id, raw)
            case ("guide", userid):
                return guide.home(sandbox, method, userid, raw)
            case ("guide", userid, "app"):
                return guide.app(sandbox, userid)
            case ("guide", userid, external, "sidebar"):
                return sidebar.page(sandbox, userid, external)
            case ("guide", userid, external):
                return guide.chat(sandbox, method, userid, external, raw)
            case ("add" | "qr", _):
                return adding.gone()
    return notice("没有这个页面", ("请核对链接", "There is no such page"), status=404)


def _cookie_of(cookie: str, name: str) -> str:
    found = SimpleCookie(cookie).get(name)
    return found.value if found is not None else ""


def _picture(sandbox: "Sandbox", kind: str, name: str) -> Page | None:
    """A QR code, a face, or something that was uploaded."""
    world, own = sandbox.world, name.removesuffix(".png")
    if kind == "avatar":
        return 200, _avatar(name), "image/png", {"Cache-Control": "max-age=86400"}
    if kind == "qr" and own in world.state.ways:
        return 200, qr.png(f"{world.base_url}/add/{own}"), "image/png"
    if kind == "qr" and own in world.state.join_ways:
        return 200, qr.png(f"{world.base_url}/join/{own}"), "image/png"
    media = world.state.media.get(name) if kind in ("img", "media") else None
    data = world.files.get(name) if media is not None and (kind == "media" or media.url) else None
    if media is None or data is None:
        return None
    shown = media_api.download(media, data)
    safe = shown.content_type if shown.content_type.startswith(("image/p", "image/j", "video/")) else ""
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return 200, data, safe or "application/octet-stream", headers


@lru_cache(1000)
def _avatar(name: str) -> bytes:
    return qr.face(name)
