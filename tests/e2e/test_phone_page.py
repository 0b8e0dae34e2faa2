"""The scan page in a real browser at phone sizes: what a customer sees can be scanned, and fits."""

import os
from pathlib import Path

import pytest
import zxingcpp
from chromium import PROGRAM, Phone
from PIL import Image

from infra.local.client import LocalStack

pytestmark = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="no Chromium on this machine; CI installs one"
)


def code(stack: LocalStack, **changes: object) -> str:
    stack.sandbox("POST", "staff", {"userid": "lihua", "name": "李华"})
    body = {
        "name": "页面",
        "kind": "staff",
        "channel": "poster",
        "assignment": {"strategy": "round_robin", "members": [{"staff_id": "lihua"}]},
    }
    made = stack.api("POST", "/api/live-codes", body | changes)
    stack.drain()
    return f"{stack.base}/s/{made['code']}"


@pytest.mark.parametrize(("width", "dark"), [(320, False), (375, True), (430, False)])
def test_the_code_can_be_scanned_and_the_page_fits(
    stack: LocalStack, tmp_path: Path, width: int, dark: bool
) -> None:
    with Phone(width, dark=dark, scripts=False) as phone:
        phone.open(code(stack))
        shot = phone.picture(tmp_path / "page.png")
        assert phone.value("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
        assert phone.audit() == []
        page, picture = phone.requested()
        assert "/qr/cfg" in picture and page.startswith(stack.base)
        size = phone.value("document.querySelector('.qr img').getBoundingClientRect().width")
    (found,) = zxingcpp.read_barcodes(Image.open(shot).convert("RGB"))
    assert "/add/cfg" in found.text
    assert size >= 0.6 * width or size >= 240  # large enough to press and to recognise


def test_dark_is_dark(stack: LocalStack, tmp_path: Path) -> None:
    address, light = code(stack), {}
    for dark in (False, True):
        with Phone(375, dark=dark) as phone:
            phone.open(address)
            picture = Image.open(phone.picture(tmp_path / "page.png")).convert("L")
            light[dark] = picture.getpixel((4, 4))
    assert light[False] > 200 and light[True] < 60


@pytest.mark.parametrize(
    ("language", "said", "unsaid"), [("zh-CN", "长按", "Press"), ("en-US", "Press and hold", "长按")]
)
def test_the_page_says_what_to_do_in_the_phones_language(
    stack: LocalStack, language: str, said: str, unsaid: str
) -> None:
    with Phone(375, language=language) as phone:
        phone.open(code(stack))
        text, html = phone.value("[document.body.innerText, document.documentElement.outerHTML]")
    assert said in text and unsaid not in text and "李华" in text
    assert "<script" not in html and len(html.encode()) < 30_000


def test_a_closed_code_is_told_kindly(stack: LocalStack) -> None:
    with Phone(375) as phone:
        phone.open(code(stack, schedule={"from": None, "until": "2020-01-01T00:00:00+08:00"}))
        text, pictures = phone.value("[document.body.innerText, document.images.length]")
    assert pictures == 0 and len(text.strip()) > 10
    assert "活动已结束" in text
