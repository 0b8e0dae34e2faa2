"""What all pages have in common: the document, the base style, the headers, the words in two languages.

A page is one small document of the server's: style and script stand in it and are let in by their hashes,
nothing else is loaded but, at most, pictures of one named host. It works without its script. Chinese first,
English below (`both`), whatever the phone's language: staff and customers show each other their screens.

string.Template, not Jinja2: the pages have no logic of their own, and its import is 35 to 50 ms of each
cold start of the api function.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from chalicelib.platform.errors import DomainError
from chalicelib.platform.http import Answer

_HERE = Path(__file__).parent
_BASE = (_HERE / "base.css").read_text(encoding="utf-8")
_FRAME = Template((_HERE / "frame.html").read_text(encoding="utf-8"))


class Page(Struct, frozen=True):
    """A finished document and the headers that belong to it."""

    html: str
    headers: dict[str, str]

    def answer(self, status: int = 200, cookie: Mapping[str, str] | None = None) -> Answer:
        """As a door's answer. cookie: its header, if one is to be set."""
        return Answer(self.html, status, {**self.headers, **(cookie or {})})


def page(
    title: str,
    body: str,
    *,
    style: str = "",
    script: str = "",
    library: str = "",
    pictures: str = "",
    forms: bool = False,
) -> Page:
    """A document around `body` (HTML, with all from outside escaped).

    style: beside the base's. library: the address of a script that `script` needs. pictures: an address; the
    policy lets in pictures of its host. forms: it may send forms to us. With a script it may call us, too.
    """
    style = _BASE + style
    rules = ["default-src 'none'", f"style-src '{_hash(style)}'"]
    if script:
        rules += [f"script-src '{_hash(script)}' {library}".rstrip(), "connect-src 'self'"]
    rules += [f"img-src data: {_host(pictures)}".strip()]  # data: the icon, so that no browser asks for one
    rules += ["form-action 'self'" if forms else "form-action 'none'"]
    rules += ["base-uri 'none'", "frame-ancestors 'none'"]
    html = _FRAME.substitute(
        title=escape(title),
        style=style,
        body=body,
        script=(f'<script src="{escape(library)}"></script>' if library else "")
        + (f"<script>{script}</script>\n" if script else ""),
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join(rules),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Page(html, headers)


def notice(
    icon: str,
    title: tuple[str, str],
    text: tuple[str, str] | None = None,
    link: tuple[str, str, str] | None = None,
) -> str:
    """All of a page that says one thing, kindly. icon: clock, question, retry, done; link: address, words."""
    said = f"<p>{both(*text)}</p>" if text else ""
    button = f'<a class="go" href="{escape(link[0])}">{both(*link[1:])}</a>' if link else ""
    return (
        f'<main class="card notice"><div class="icon {icon}" aria-hidden="true"></div>'
        f"<h1>{both(*title)}</h1>{said}{button}</main>"
    )


def unknown() -> Page:
    """There is nothing at this address."""
    title = ("没有找到这个页面", "There is no such page")
    return page(title[0], notice("question", title, ("请核对链接", "Please check the link")))


def busy() -> Page:
    """Something that we need does not answer."""
    title, text = (
        ("请稍后再试", "Please try again shortly"),
        ("现在有点忙，过一会儿就好", "We are a little busy right now"),
    )
    return page(title[0], notice("retry", title, text, ("", "再试一次", "Try again")))


def problem(error: DomainError) -> Answer:
    """How a person reads of a problem that the page itself has no words for."""
    return unknown().answer(404) if error.status == 404 else busy().answer(error.status)


def both(zh: str, en: str) -> str:
    """Chinese, and English below."""
    return f'{escape(zh)}<small lang="en">{escape(en)}</small>'


def query(kept: Mapping[str, str], **asked: str) -> str:
    """A link to this page with that query, for an attribute. kept: what each of its links has."""
    return escape(f"?{urlencode({**kept, **asked})}")


def _host(address: str) -> str:
    """Scheme and host as they can stand in a policy; "" when there is none, or it would end the directive."""
    parts = urlsplit(address)
    plain = all(sign.isascii() and (sign.isalnum() or sign in ".-:[]") for sign in parts.netloc)
    return f"{parts.scheme}://{parts.netloc}" if plain and parts.netloc else ""


@lru_cache(16)  # a process has a handful of styles and scripts
def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
