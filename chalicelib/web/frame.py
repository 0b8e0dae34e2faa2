"""What all pages have in common: the document, the brand, the base style, the headers, the language.

A page is one small document of the server's: style and script stand in it and are let in by their hashes,
nothing else is loaded but, at most, the brand's logo and pictures of one named host. It works without its
script. It is in the phone's own language, Chinese or English (`words`), and in the brand's colours: the door
says of each call whose it is (`begin`), so that no page has to hand them on.

string.Template, not Jinja2: the pages have no logic of their own, and its import is 35 to 50 ms of each
cold start of the api function.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct

from chalicelib.brand import service as brand
from chalicelib.brand.rules import Look
from chalicelib.platform import messages
from chalicelib.platform.errors import DomainError
from chalicelib.platform.http import Answer
from chalicelib.platform.messages import Language

_HERE = Path(__file__).parent
_BASE = (_HERE / "base.css").read_text(encoding="utf-8")
_FRAME = Template((_HERE / "frame.html").read_text(encoding="utf-8"))
_BUBBLE = "<path d='M9 10h14v9h-7l-4 4v-4H9z' fill='white'/>"  # the icon of a brand that has no name yet


class Visit(Struct, frozen=True):
    """For whom a page is made, and in whose look."""

    language: Language = "zh"
    look: Look = Look()


_NOBODY = Visit()
_visit: ContextVar[Visit] = ContextVar("visit", default=_NOBODY)


def begin(headers: Mapping[str, str]) -> None:
    """A call has come that a page will answer."""
    _visit.set(Visit(messages.language(headers.get("accept-language")), brand.look()))


@contextmanager
def shown_to(visit: Visit) -> Iterator[None]:
    """Pages made within are for that visit."""
    before = _visit.set(visit)
    try:
        yield
    finally:
        _visit.reset(before)


class Page(Struct, frozen=True):
    """A finished document and the headers that belong to it."""

    html: str
    headers: dict[str, str]

    def answer(self, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        """As a door's answer. headers: what is said beside the page's own, a cookie for one."""
        return Answer(self.html, status, {**self.headers, **(headers or {})})


class Preview(Struct, frozen=True):
    """What a chat shows of a link to the page. picture: where the brand has no logo; "" for none."""

    title: str
    text: str
    picture: str = ""

    def tags(self) -> str:
        look = _visit.get().look
        picture = look.logo_url or look.avatar_url or self.picture
        shown = {"og:type": "website", "og:title": self.title, "og:description": self.text}
        shown |= {"og:site_name": look.name} if look.name else {}
        shown |= {"og:image": picture} if picture else {}
        lines = [f'<meta property="{name}" content="{escape(value)}">\n' for name, value in shown.items()]
        lines += [f'<meta name="description" content="{escape(self.text)}">\n']
        return "".join(lines)


def page(
    title: str,
    body: str,
    *,
    style: str = "",
    script: str = "",
    library: str = "",
    pictures: str = "",
    forms: bool = False,
    preview: Preview | None = None,
) -> Page:
    """A document around `body` (HTML, with all from outside escaped).

    style: beside the base's. library: the address of a script that `script` needs. pictures: an address; the
    policy lets in pictures of its host. forms: it may send forms to us. With a script it may call us, too.
    preview: of a page whose link people send around.
    """
    visit = _visit.get()
    language, look = visit.language, visit.look
    style = _BASE + look.css + style
    rules = ["default-src 'none'", f"style-src '{_hash(style)}'"]
    if script:
        rules += [f"script-src '{_hash(script)}' {library}".rstrip(), "connect-src 'self'"]
    hosts = dict.fromkeys(_host(address or "") for address in (pictures, look.logo_url, look.avatar_url))
    rules += [" ".join(["img-src data:", *filter(None, hosts)])]  # data: an icon that no browser asks for
    rules += ["form-action 'self'" if forms else "form-action 'none'"]
    rules += ["base-uri 'none'", "frame-ancestors 'none'"]
    html = _FRAME.substitute(
        language="en" if language == "en" else "zh-CN",
        title=escape(f"{title} · {look.name}" if look.name else title),
        icons=_icons(look),
        preview=preview.tags() if preview else "",
        style=style,
        brand=_brand(look),
        body=body,
        script=(f'<script src="{escape(library)}"></script>' if library else "")
        + (f"<script>{script}</script>\n" if script else ""),
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": "en" if language == "en" else "zh-CN",
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
    """All of a page that says one thing, kindly. icon: clock, question, retry, done; link: address, words.

    Each pair is Chinese and English.
    """
    shown = f"<p>{words(*text)}</p>" if text else ""
    button = f'<a class="go" href="{escape(link[0])}">{words(*link[1:])}</a>' if link else ""
    return (
        f'<main class="card notice"><div class="icon {icon}" aria-hidden="true"></div>'
        f"<h1>{words(*title)}</h1>{shown}{button}</main>"
    )


def unknown() -> Page:
    """There is nothing at this address."""
    title = ("页面不存在或已失效", "This page doesn't exist or has expired")
    text = ("请检查链接是否完整", "Please check that the link is complete")
    return page(speak(*title), notice("question", title, text))


def busy() -> Page:
    """Something that we need does not answer."""
    title, text = (
        ("系统繁忙", "Please try again shortly"),
        ("当前访问人数较多，请稍后再试", "We are getting a lot of visits right now"),
    )
    return page(speak(*title), notice("retry", title, text, ("", "再试一次", "Try again")))


def problem(error: DomainError) -> Answer:
    """How a person reads of a problem that the page itself has no words for."""
    return unknown().answer(404) if error.status == 404 else busy().answer(error.status)


def speak(zh: str, en: str) -> str:
    """The one of the two that the visitor reads, as plain text."""
    return en if _visit.get().language == "en" else zh


def words(zh: str, en: str) -> str:
    """The same as HTML."""
    return escape(speak(zh, en))


def query(kept: Mapping[str, str], **asked: str) -> str:
    """A link to this page with that query, for an attribute. kept: what each of its links has."""
    return escape(f"?{urlencode({**kept, **asked})}")


def _icons(look: Look) -> str:
    """The browser's and the phone's. Without a picture a small drawing in the brand's colour, which no phone
    takes for its home screen.
    """
    if picture := look.avatar_url or look.logo_url:
        address = escape(picture)
        return f'<link rel="icon" href="{address}">\n<link rel="apple-touch-icon" href="{address}">\n'
    initial = next(filter(str.isalnum, look.name), "").upper()
    sign = (
        f"<text x='16' y='23' font-size='19' text-anchor='middle' fill='white'>{initial}</text>"
        if initial
        else _BUBBLE
    )
    drawn = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
        f"<rect width='32' height='32' rx='8' fill='{look.colours[0]}'/>{sign}</svg>"
    )
    return f'<link rel="icon" href="data:image/svg+xml,{quote(drawn)}">\n'


def _brand(look: Look) -> str:
    """Whose page this is: the logo, which has the name in it, or the avatar and the name."""
    if look.logo_url:
        source, name = escape(look.logo_url), escape(look.name)
        return f'<p class="brand"><img src="{source}" alt="{name}" height="40"></p>\n'
    if not look.name:
        return ""
    avatar = f'<img src="{escape(look.avatar_url)}" alt="" width="32" height="32">' if look.avatar_url else ""
    return f'<p class="brand">{avatar}<span>{escape(look.name)}</span></p>\n'


def _host(address: str) -> str:
    """Scheme and host as they can stand in a policy; "" when there is none, or it would end the directive."""
    parts = urlsplit(address)
    plain = all(sign.isascii() and (sign.isalnum() or sign in ".-:[]") for sign in parts.netloc)
    return f"{parts.scheme}://{parts.netloc}" if plain and parts.netloc else ""


@lru_cache(32)  # a process has a handful of styles and scripts
def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
