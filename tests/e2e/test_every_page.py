"""Every page in every state, in a real browser at phone sizes: it fits, can be read and tapped, says its
languages, and asks for nothing but the picture that belongs to it."""

import os
from collections.abc import Iterator

import pytest
from chromium import PROGRAM, Phone
from phone_pages import NASTY, PAGES, served

pytestmark = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="no Chromium on this machine; CI installs one"
)
PICTURED = {name for name in PAGES if name.startswith(("guide", "group", "ad_picture"))}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 375, 390, 430])
def test_every_page_fits_is_readable_and_asks_for_nothing_else(base: str, width: int, dark: bool) -> None:
    wrong: dict[str, object] = {}
    with Phone(width, dark=dark) as phone:
        for name in PAGES:
            phone.open(f"{base}/{name}")
            if found := phone.audit():
                wrong[name] = found
            asked = [f"{base}/{name}", *([f"{base}/qr.png"] if name in PICTURED else [])]
            if phone.requested() != asked:
                wrong[f"{name} asks"] = phone.requested()
    assert not wrong


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
