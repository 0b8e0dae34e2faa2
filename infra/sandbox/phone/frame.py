"""What the phone's screens have in common: the document, its bar, faces, messages as WeChat shows them."""

import base64
import hashlib
import re
import urllib.parse
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from chalicelib.platform.clock import SHANGHAI
from infra.sandbox.world import World, digest

_HERE = Path(__file__).parent
_STYLE = (_HERE / "phone.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "phone.js").read_text(encoding="utf-8")
_BACK = '<svg viewBox="0 0 12 21" aria-hidden="true"><path d="M10.5 1.5l-9 9 9 9"/></svg>'
_FACES = ("#3b6ea5", "#7a4f9a", "#a3542e", "#2f7469", "#9c3f63", "#5b6b2f", "#4a5fa8", "#8a5a1f")
_LINK = re.compile(r'<a href="(https?://[^"\s]+)">([^<]*)</a>|(https?://[^\s<>"，。；！？、）]+)')
_PAUSE = 300  # seconds after which a chat shows the time again
_KINDS = {
    "mass_send": ("企业群发", "mass send"),
    "welcome": ("欢迎语", "welcome"),
    "group_welcome": ("入群欢迎语", "welcome of the group"),
    "transfer": ("客户继承", "transfer"),
}

Page = tuple[int, bytes, str, dict[str, str]]


def both(zh: str, en: str) -> str:
    """Chinese, and English below."""
    return f'{escape(zh)}<small lang="en">{escape(en)}</small>'


def page(
    title: str, body: str, *, back: str = "", english: str = "", more: str = "", foot: str = "",
    lively: bool = False, status: int = 200, cookie: str = "",
) -> Page:  # fmt: skip
    """A screen: its bar with the title, the body (HTML), what is at its foot. back, more: addresses, where
    the bar leads; lively: a chat that goes on; cookie: whose phone it is from now on."""
    arrow = f'<a href="{back}" aria-label="返回">{_BACK}</a>' if back else "<span></span>"
    dots = f'<a class="more" href="{more}" aria-label="更多">⋯</a>' if more else "<span></span>"
    small = f'<small lang="en">{escape(english)}</small>' if english else ""
    script = f"<script>{_SCRIPT}</script>" if lively else ""
    html = (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{_STYLE}</style></head><body>'
        f'<div class="phone"><header>{arrow}<h1><span>{escape(title)}</span>{small}</h1>{dots}</header>'
        f"<main>{body}</main>{foot}</div>{script}</body></html>"
    )
    rules = f"default-src 'none'; style-src {hash_of(_STYLE)}; img-src * data:; form-action 'self'"
    rules += f"; script-src {hash_of(_SCRIPT)}; connect-src 'self'" if lively else ""
    headers = {
        "Content-Security-Policy": rules,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    if cookie:
        headers["Set-Cookie"] = f"phone={cookie}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"
    return status, html.encode(), "text/html; charset=utf-8", headers


def go(path: str, cookie: str = "") -> Page:
    """303 to another screen; the phone is this person's from now on."""
    headers = {"Location": path}
    if cookie:
        headers["Set-Cookie"] = f"phone={cookie}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"
    return 303, b"", "text/html; charset=utf-8", headers


def notice(title: str, text: tuple[str, str], status: int = 200) -> Page:
    """A screen that says one thing."""
    return page(title, f'<p class="note">{both(*text)}</p>', back="/", status=status)


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def path(*parts: str) -> str:
    """An address of ours, for an attribute."""
    return "/" + "/".join(escape(urllib.parse.quote(part, safe="")) for part in parts)


# People


def face(name: str, seed: str, kind: str = "") -> str:
    """The square with somebody's last character."""
    colour = _FACES[int(digest(seed)[:4], 16) % len(_FACES)]
    letter = next((sign for sign in reversed(name) if sign.isalnum()), "客")
    style = "" if kind in ("group", "app") else f' data-face="{_FACES.index(colour)}"'
    return f'<span class="face {kind}"{style} aria-hidden="true">{escape(letter)}</span>'


def name_of(world: World, person: str) -> str:
    """What a member or a customer is called."""
    member = world.state.staff.get(person.lower())
    if member is not None:
        return member.name
    contact = world.state.contacts.get(person)
    return contact.name if contact is not None else person


def when(at: float) -> str:
    return datetime.fromtimestamp(at, SHANGHAI).strftime("%H:%M")


def day_and_time(at: float) -> str:
    moment = datetime.fromtimestamp(at, SHANGHAI)
    return f"{moment.month}月{moment.day}日 {moment:%H:%M}"


# Messages


def talk(world: World, rows: list[dict[str, Any]], me: str, named: bool = False) -> str:
    """A chat's messages, oldest first; each row {"at", "kind", "from", "text", "attachments"}."""
    shown, last = [], float("-inf")
    for row in rows:
        if row["at"] - last > _PAUSE:
            shown.append(f'<p class="at">{day_and_time(row["at"])}</p>')
        last = row["at"]
        if row["kind"] == "note":
            shown.append(f'<p class="note">{both(*row["text"])}</p>')
            continue
        mine = row["from"].lower() == me.lower()
        name = name_of(world, row["from"]) if row["from"] else "应用"
        head = f'<p class="name">{escape(name)}</p>' if named and not mine else ""
        tag = _KINDS.get(row["kind"])
        foot = f'<span class="kind">{escape(tag[0])} <span lang="en">{tag[1]}</span></span>' if tag else ""
        picture = face(name, row["from"].lower() or "app", "" if row["from"] else "app")
        for part in _parts(world, row):
            shown.append(
                f'<div class="say {"mine" if mine else ""}">{picture}<div>{head}{part}{foot}</div></div>'
            )
    return f'<div class="talk">{"".join(shown)}</div>'


def _parts(world: World, row: dict[str, Any]) -> list[str]:
    """The text and each attachment: a message of its own each."""
    words = row["text"]
    parts = [f'<span class="bubble">{linked(words, not row["from"])}</span>'] if words else []
    return parts + [attachment(world, item) for item in row["attachments"]]


def linked(text: str, is_app: bool = False) -> str:
    """A text in which addresses can be tapped, as in WeChat; in the app's words also <a href="…">."""
    shown, end = "", 0
    for found in _LINK.finditer(text):
        url, label = (found[1], found[2]) if found[1] and is_app else (found[3] or "", found[3] or "")
        if url:
            shown += escape(text[end : found.start()])
            shown += f'<a href="{escape(url)}" rel="noreferrer">{escape(label)}</a>'
            end = found.end()
    return shown + escape(text[end:])


def attachment(world: World, item: dict[str, Any]) -> str:
    """A picture, a link, a mini program, a video or a file, as a chat shows it."""
    kind = item["msgtype"]
    body = item.get(kind) or {}
    if kind == "image":
        return f'<img class="picture" alt="图片" src="{_picture(body)}">'
    title = f"<b>{escape(body.get('title') or '')}</b>"
    if kind == "miniprogram":
        wide = f'<img class="wide" alt="" src="{path("media", body.get("pic_media_id", ""))}">'
        return f'<span class="box">{title}{wide}<span class="foot">小程序</span></span>'
    if kind == "link":
        thumb = f'<img class="thumb" alt="" src="{_web(body["picurl"])}">' if body.get("picurl") else ""
        text = f"{title}<p><span>{escape(body.get('desc') or '')}</span>{thumb}</p>"
        url = _web(body.get("url") or "")
        tag = f'a href="{url}" rel="noreferrer"' if url else "span"
        return f'<{tag} class="box">{text}</{tag[:4].split()[0]}>'
    return _file(world, kind, body.get("media_id") or "")


def _file(world: World, kind: str, media_id: str) -> str:
    media, size = world.state.media.get(media_id), len(world.files.get(media_id) or b"")
    fallback, icon = ("视频", "▶") if kind == "video" else ("文件", "文件")
    name = media.filename if media is not None and media.filename else fallback
    text = f'<p><span>{size // 1024 + 1} KB</span><span class="icon">{icon}</span></p>'
    return f'<a class="box" href="{path("media", media_id)}"><b>{escape(name)}</b>{text}</a>'


def _picture(body: dict[str, Any]) -> str:
    return path("media", body["media_id"]) if body.get("media_id") else _web(body.get("pic_url", ""))


def _web(url: str) -> str:
    """A link that leads to the web, for an attribute; "" for another."""
    return escape(url) if url.startswith(("https://", "http://")) else ""
