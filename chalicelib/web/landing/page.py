"""An ad's landing page, made on the server: one small document, one button, no script.

Whatever an operator wrote is escaped; the policy lets in nothing but our own style and the one picture.
Closed and unknown campaigns are told by the scan page's notices.
"""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

from chalicelib.web.scan import page as scan
from chalicelib.web.scan.page import Page

__all__ = ["Page", "campaign", "closed", "unknown"]

_HERE = Path(__file__).parent
_STYLE = (_HERE / "landing.css").read_text(encoding="utf-8")
_FRAME = Template((_HERE / "landing.html").read_text(encoding="utf-8"))
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

closed = scan.closed
unknown = scan.unknown


def campaign(shown: Mapping[str, Any], link: str) -> Page:
    """shown: `{"title","subtitle","image_url","button","bullets","legal"}`. link: where the button leads."""
    picture = shown["image_url"]
    html = _FRAME.substitute(
        title=escape(shown["title"]),
        style=_STYLE,
        picture=f'<img src="{escape(picture)}" alt="" width="768" height="432">\n' if picture else "",
        subtitle=_block("p", shown["subtitle"], ' class="sub"'),
        bullets=_list(shown["bullets"]),
        link=escape(link),
        button=escape(shown["button"]),
        legal=_block("footer", shown["legal"]),
    )
    host = urlsplit(picture).netloc if picture else ""
    pictures = f"https://{host}" if _plain(host) else "'none'"
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
    }
    return Page(html, headers)


def _plain(host: str) -> bool:
    """Whether it can stand in a policy: nothing in it ends the directive."""
    return bool(host) and all(sign.isascii() and (sign.isalnum() or sign in ".-:") for sign in host)


def _block(tag: str, text: str, attributes: str = "") -> str:
    return f"<{tag}{attributes}>{escape(text)}</{tag}>\n" if text else ""


def _list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>\n" if lines else ""
