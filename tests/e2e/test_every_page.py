"""Every page in every state, in a real browser at phone sizes: it fits, can be read and tapped, says its
languages, and asks for nothing but the picture that belongs to it."""

import os
import re
from collections.abc import Iterator
from html import escape

import pytest
from chromium import PROGRAM, Phone
from phone_pages import NASTY, PAGES, WRITTEN, served

from chalicelib.web import frame
from chalicelib.web.frame import Visit

pytestmark = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="no Chromium on this machine; CI installs one"
)
PICTURED = {name for name in PAGES if name.startswith(("guide", "group", "ad_picture"))}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    ("width", "how"), [(320, ""), (375, "?en"), (390, ""), (430, "?brand"), (320, "?en&brand")]
)
def test_every_page_fits_is_readable_and_asks_for_nothing_else(
    base: str, width: int, how: str, dark: bool
) -> None:
    """In Chinese and in English, plain and in a brand's look."""
    wrong: dict[str, object] = {}
    with Phone(width, dark=dark) as phone:
        for name in PAGES:
            address = f"{base}/{name}{how}"
            phone.open(address)
            if found := phone.audit():
                wrong[name] = found
            pictures = ["qr.png"] if name in PICTURED else []
            pictures += ["brand/logo.png"] if "brand" in how else []
            # A set: the browser asks for its icon, the same picture, as it likes.
            if {*phone.requested()} != {address, *(f"{base}/{picture}" for picture in pictures)}:
                wrong[f"{name} asks"] = phone.requested()
    assert not wrong


@pytest.mark.parametrize("name", PAGES)
def test_a_page_speaks_one_language(name: str) -> None:
    """What the phone's person reads is in their language; only what others wrote may be in another."""
    with frame.shown_to(Visit("en")):
        made = PAGES[name]("https://wework.qpic.cn")
    assert '<html lang="en">' in made.html
    ours = re.sub(r"<script>.*?</script>", "", made.html, flags=re.S)
    for theirs in sorted(map(escape, WRITTEN), key=len, reverse=True):
        ours = ours.replace(theirs, "")
    assert not re.findall(r"[^<>]*[\u4e00-\u9fff][^<>]*", ours)


def test_a_desktop_says_to_scan_with_the_phone_and_shows_the_code_large(base: str) -> None:
    with Phone(1280, desktop=True) as screen:
        for name in ("guide_store", "group"):
            screen.open(f"{base}/{name}")
            shown = screen.value("document.body.innerText")
            assert "请用手机微信扫一扫" in shown and "长按" not in shown
            assert screen.value("document.querySelector('.qr img').getBoundingClientRect().width") >= 340
            assert not screen.audit()


def test_without_scripts_every_page_says_the_same(base: str) -> None:
    with Phone(375, scripts=False) as phone:
        for name in PAGES:
            phone.open(f"{base}/{name}")
            assert not phone.audit(), name


def test_what_was_written_by_others_is_text(base: str) -> None:
    with Phone(375) as phone:
        for name in ("guide_nasty", "stores_nasty", "ad_nasty", "tasks_nasty"):
            phone.open(f"{base}/{name}")
            assert NASTY[:24] in phone.value("document.body.innerText"), name
            assert phone.value("document.querySelectorAll('b:not(li b)').length") == 0, name


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_small_and_kept_by_nobody(name: str) -> None:
    made = PAGES[name]("https://wework.qpic.cn")
    assert len(made.html.encode()) < 30_000
    policy = made.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy
    assert ("img-src data: https://wework.qpic.cn;" in policy) is (name in PICTURED)
    assert made.headers["Cache-Control"] == "no-store" and made.headers["Referrer-Policy"] == "no-referrer"
