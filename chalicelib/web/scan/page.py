"""The scan page, made on the server: one small document, no script, no other request but the QR picture.

Chinese first, English below. Whatever comes from outside is escaped; the policy lets in nothing but
our own style and the picture's host.
"""

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

_HERE = Path(__file__).parent
_STYLE = (_HERE / "scan.css").read_text(encoding="utf-8")
_FRAME = Template((_HERE / "scan.html").read_text(encoding="utf-8"))
_GUIDE = Template((_HERE / "guide.html").read_text(encoding="utf-8"))
_NOTICE = Template((_HERE / "notice.html").read_text(encoding="utf-8"))
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


@dataclass(frozen=True)
class Page:
    """A finished document and the headers that belong to it."""

    html: str
    headers: dict[str, str]


def guide(name: str, qr_url: str) -> Page:
    """The guide's contact way. `name`: as customers see it; `qr_url`: the picture of WeCom's QR code."""
    body = _GUIDE.substitute(
        name=escape(name), initial=escape(name[:1].upper()), qr_url=escape(qr_url, quote=True)
    )
    parts = urlsplit(qr_url)
    return _page(f"添加{name}", body, f"{parts.scheme}://{parts.netloc}")


def closed() -> Page:
    """Nobody can be added by this code now."""
    text, text_en = "活动时间未到、已结束或今日名额已满", "It has not begun, has ended, or is full for today"
    return _notice("clock", "活动暂未开放", "Closed for now", text, text_en)


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


def _page(title: str, body: str, pictures: str) -> Page:
    html = _FRAME.substitute(title=escape(title), style=_STYLE, body=body)
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src {pictures}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept",
    }
    return Page(html, headers)
