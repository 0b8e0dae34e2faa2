"""The scan page: small, escaped, locked down, readable without a script."""

import re
from datetime import datetime
from html.parser import HTMLParser

import pytest

from chalicelib.brand.rules import Look
from chalicelib.web import frame
from chalicelib.web.frame import Visit
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
def test_every_page_is_small_and_needs_no_script(made: page.Page) -> None:
    assert len(made.html.encode()) < 30_000
    tags = Tags(made.html).found
    assert not [tag for tag, _ in tags if tag in ("script", "iframe", "form")]
    viewport = next(attrs for tag, attrs in tags if tag == "meta" and attrs.get("name") == "viewport")
    assert str(viewport["content"]).startswith("width=device-width, initial-scale=1")
    assert ("html", {"lang": "zh-CN"}) in tags
    assert not any(attrs.get("lang") for tag, attrs in tags if tag != "html")
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
    assert "还没开始" in html and "11 月 25 日 09:00 开放" in html
    with frame.shown_to(Visit("en")):
        html = page.closed("not_yet", datetime(2026, 11, 25, 9, 0)).html
    assert "This event hasn&#x27;t started yet" in html and "on 25 November at 09:00" in html


def test_an_english_phone_reads_english_alone() -> None:
    with frame.shown_to(Visit("en")):
        pages = [
            page.guide("Li Hua", "https://wework.qpic.cn/1"),
            page.group("", "https://wework.qpic.cn/1"),
            *(page.closed(reason) for reason in ("not_yet", "ended", "hours", "full")),
            page.used(),
            page.unknown(),
            frame.unknown(),
            frame.busy(),
        ]
    for made in pages:
        assert '<html lang="en">' in made.html and made.headers["Content-Language"] == "en"
        assert not re.search(r"[\u4e00-\u9fff]", made.html)


def test_a_brand_is_on_the_page_in_its_own_colours() -> None:
    logo = "https://mr.example.com/brand/0123456789abcdef0123456789abcdef.png"
    with frame.shown_to(Visit("zh", Look("植里", logo, None, ("#0b6bcb", "#e8f1fb")))):
        made = page.guide("李华", "https://wework.qpic.cn/1", picture="https://mr.example.com/s/a/qr.png")
    assert "<title>添加李华 · 植里</title>" in made.html and "--brand:#0b6bcb" in made.html
    tags = Tags(made.html).found
    assert ("link", {"rel": "apple-touch-icon", "href": logo}) in tags
    assert ("meta", {"property": "og:image", "content": logo}) in tags
    assert ("meta", {"property": "og:site_name", "content": "植里"}) in tags
    assert any(tag == "img" and attrs["src"] == logo and attrs["alt"] == "植里" for tag, attrs in tags)
    policy = made.headers["Content-Security-Policy"]
    assert "img-src data: https://wework.qpic.cn https://mr.example.com;" in policy
