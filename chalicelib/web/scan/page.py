"""The scan page, made on the server: one small document, no script, no other request but the QR picture.

Chinese first, English below. Whatever comes from outside is escaped; the policy lets in nothing but
our own style and the picture's host.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

_HERE = Path(__file__).parent
_STYLE = (_HERE / "scan.css").read_text(encoding="utf-8")
_FRAME = Template((_HERE / "scan.html").read_text(encoding="utf-8"))
_GUIDE = Template((_HERE / "guide.html").read_text(encoding="utf-8"))
_STORE = Template((_HERE / "store.html").read_text(encoding="utf-8"))
_GROUP = Template((_HERE / "group.html").read_text(encoding="utf-8"))
_NOTICE = Template((_HERE / "notice.html").read_text(encoding="utf-8"))


_CLOSED = {  # title and what to do, Chinese and English
    "not_yet": (
        "活动还没开始",
        "It has not begun yet",
        "再等等，开始后再扫一次就好",
        "Just scan it again later",
    ),
    "ended": ("活动已结束", "It has ended", "感谢您的关注，欢迎到门店看看", "Thank you for coming by"),
    "hours": ("现在是休息时间", "We are off duty", "请在服务时间再扫一次", "Please scan again in our hours"),
    "full": (
        "今天的名额已满",
        "Full for today",
        "请明天再扫一次，我们会为您留位",
        "Please scan again tomorrow",
    ),
}


@dataclass(frozen=True)
class Page:
    """A finished document and the headers that belong to it."""

    html: str
    headers: dict[str, str]


def guide(name: str, qr_url: str, store: str | None = None, distance_m: int | None = None) -> Page:
    """The guide's contact way. `name`: as customers see it; `qr_url`: the picture of WeCom's QR code.

    store: the name of the store whose guide it is; distance_m: to it, when it is known.
    """
    body = _GUIDE.substitute(
        name=escape(name),
        initial=escape(name[:1].upper()),
        qr_url=escape(qr_url, quote=True),
        store="" if store is None else _STORE.substitute(name=escape(store), far=_far(distance_m)),
    )
    parts = urlsplit(qr_url)
    return _page(f"添加{name}", body, f"{parts.scheme}://{parts.netloc}")


def group(name: str, qr_url: str) -> Page:
    """A group's join way. `name`: the group's, as its members see it."""
    shown = name or "客户群"
    body = _GROUP.substitute(
        name=escape(shown), initial=escape(shown[:1].upper()), qr_url=escape(qr_url, quote=True)
    )
    parts = urlsplit(qr_url)
    return _page(f"加入{shown}", body, f"{parts.scheme}://{parts.netloc}")


def _far(distance_m: int | None) -> str:
    if distance_m is None:
        return ""
    return f" · {distance_m / 1000:.1f} km" if distance_m >= 1000 else f" · {distance_m} m"


def closed(reason: str = "ended", opens_at: datetime | None = None) -> Page:
    """Nobody can be added by this code now. `reason`: not_yet, ended, hours, full; `opens_at`: local time."""
    title, title_en, text, text_en = _CLOSED[reason]
    if opens_at is not None:
        text = f"{opens_at.month} 月 {opens_at.day} 日 {opens_at:%H:%M} 开放，到时再扫一次就好"
        text_en = f"It opens on {opens_at:%-d %B, %H:%M}; just scan it again"
    return _notice("clock", title, title_en, text, text_en)


def used() -> Page:
    """A card for one person, which another person holds."""
    text, text_en = "每张卡仅限一位顾客使用，如有疑问请联系客服", "Each card is for one person only"
    return _notice("clock", "此卡已使用", "This card has been used", text, text_en)


def unknown() -> Page:
    """No such code."""
    text, text_en = "请核对二维码后重新扫描", "Please check the code and scan it again"
    return _notice("question", "没有找到这个活码", "We don't know this code", text, text_en)


def busy() -> Page:
    """Something that we need does not answer."""
    text, text_en = "现在有点忙，过一会儿就好", "We are a little busy right now"
    return _notice("retry", "请稍后再扫", "Please scan again shortly", text, text_en)


def _notice(icon: str, title: str, title_en: str, text: str, text_en: str) -> Page:
    body = _NOTICE.substitute(icon=icon, title=title, title_en=title_en, text=text, text_en=text_en)
    return _page(title, body, "'none'")


def frame(title: str, body: str, *, style: str, script: str) -> Page:
    """A page with a style and a script of its own, that may call and send forms to our own address."""
    own = _STYLE + style
    html = _FRAME.substitute(title=escape(title), style=own, body=f"{body}<script>{script}</script>")
    rules = f"style-src '{_hash(own)}'; script-src '{_hash(script)}'; connect-src 'self'; form-action 'self'"
    return Page(html, _headers(rules))


def _page(title: str, body: str, pictures: str) -> Page:
    html = _FRAME.substitute(title=escape(title), style=_STYLE, body=body)
    return Page(html, _headers(f"style-src '{_STYLE_HASH}'; img-src {pictures}; form-action 'none'"))


def _headers(rules: str) -> dict[str, str]:
    policy = f"default-src 'none'; {rules}; base-uri 'none'; frame-ancestors 'none'"
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept",
    }


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_STYLE_HASH = _hash(_STYLE)
