"""The scan page: small, escaped, locked down, readable without a script."""

import re
from datetime import datetime
from html.parser import HTMLParser

import pytest

from chalicelib.web.scan import page

PAGES = {
    "guide": page.guide("李华", "https://wework.qpic.cn/wwpic/1/0"),
    "closed": page.closed(),
    "not_yet": page.closed("not_yet", datetime(2026, 11, 25, 9, 0)),
    "hours": page.closed("hours"),
    "full": page.closed("full"),
    "used": page.used(),
    "unknown": page.unknown(),
}


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("made", PAGES.values(), ids=PAGES.keys())
def test_every_page_is_small_bilingual_and_needs_no_script(made: page.Page) -> None:
    assert len(made.html.encode()) < 30_000
    tags = Tags(made.html).found
    assert not [tag for tag, _ in tags if tag in ("script", "iframe", "form")]
    viewport = next(attrs for tag, attrs in tags if tag == "meta" and attrs.get("name") == "viewport")
    assert str(viewport["content"]).startswith("width=device-width, initial-scale=1")
    assert ("html", {"lang": "zh-CN"}) in tags
    assert any(attrs.get("lang") == "en" for _, attrs in tags)
    assert "prefers-color-scheme:dark" in made.html
    assert "$" not in made.html
    assert made.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in made.headers["Content-Security-Policy"]
    assert "unsafe" not in made.headers["Content-Security-Policy"]


def test_the_guides_page_shows_the_code_and_what_to_do() -> None:
    made = PAGES["guide"]
    images = [attrs for tag, attrs in Tags(made.html).found if tag == "img"]
    assert [i["src"] for i in images] == ["https://wework.qpic.cn/wwpic/1/0"]
    assert "长按识别二维码" in made.html
    assert "img-src data: https://wework.qpic.cn;" in made.headers["Content-Security-Policy"]


def test_the_policy_lets_our_own_style_in() -> None:
    import base64
    import hashlib

    style = re.search(r"<style>(.*?)</style>", PAGES["guide"].html, re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in PAGES["guide"].headers["Content-Security-Policy"]


def test_what_comes_from_outside_is_escaped() -> None:
    nasty = '"><script>alert(1)</script>$name${initial}'
    made = page.guide(nasty, 'https://x.example/q?a=1&b="><script>')
    assert "<script" not in made.html
    images = [attrs["src"] for tag, attrs in Tags(made.html).found if tag == "img"]
    assert images == ['https://x.example/q?a=1&b="><script>']
    assert "$name${initial}" in made.html  # put in once, never read as a placeholder


def test_a_closed_page_says_when_to_come_again() -> None:
    html = PAGES["not_yet"].html
    assert "还没开始" in html and "11 月 25 日 09:00" in html and "25 November, 09:00" in html
