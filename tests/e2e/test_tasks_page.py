"""The guide's task list in a real browser at phone sizes: it fits, a number is copied with one press, and it
works without script. No stack is needed."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import PROGRAM, Phone
from phone_pages import ROWS, served
from PIL import Image

pytestmark = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="no Chromium on this machine; CI installs one"
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as base:
        yield f"{base}/tasks"


@pytest.mark.parametrize(("width", "dark"), [(320, False), (375, True), (430, False)])
def test_the_list_fits_and_a_press_copies_the_number(
    address: str, tmp_path: Path, width: int, dark: bool
) -> None:
    with Phone(width, dark=dark) as phone:
        phone.open(address)
        assert phone.value("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
        sizes = phone.value(
            "[...document.querySelectorAll('button')].map(b => b.getBoundingClientRect().height)"
        )
        assert min(sizes) >= 44  # large enough for a thumb
        assert phone.value("document.querySelectorAll('.copy[hidden]').length") == 0
        assert press(phone) == "已复制 ✓"
        read = {"expression": "navigator.clipboard.readText()", "awaitPromise": True, "returnByValue": True}
        assert phone.ask("Runtime.evaluate", **read)["result"]["value"] == ROWS[0]["number"]
        shot = phone.picture(tmp_path / "tasks.png")
    light = Image.open(shot).convert("L").getpixel((4, 4))
    assert light < 60 if dark else light > 200


def press(phone: Phone) -> str:
    """Press the first copy button with a finger: what it then says."""
    kinds = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    phone.ask("Browser.grantPermissions", permissions=kinds)
    phone.value(
        "window.said = []; new MutationObserver(() => said.push(document.querySelector('.copy').textContent))"
        ".observe(document.querySelector('.copy'), {childList: true})"
    )
    box = phone.value(
        "(() => { const r = document.querySelector('.copy').getBoundingClientRect();"
        " return [r.x + r.width / 2, r.y + r.height / 2] })()"
    )
    for _ in range(5):  # a browser that is still busy with the page may lose a tap, as a phone does
        for kind in ("mousePressed", "mouseReleased"):
            place = {"x": box[0], "y": box[1], "button": "left", "clickCount": 1}
            phone.ask("Input.dispatchMouseEvent", type=kind, **place)
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            if said := phone.value("said"):
                return str(said[0])
            time.sleep(0.05)
    raise AssertionError("the button says nothing")


@pytest.mark.parametrize("how", ["() => new Promise(() => 0)", "() => Promise.reject(new Error())"])
def test_where_the_clipboard_does_not_answer_the_number_is_selected(address: str, how: str) -> None:
    with Phone(375) as phone:
        phone.open(address)
        phone.value(f"navigator.clipboard.writeText = {how}")
        assert press(phone) in ("已复制 ✓", "请长按复制")
        deadline = time.monotonic() + 5
        while phone.value("getSelection().toString()") != ROWS[0]["number"]:
            assert time.monotonic() < deadline, "the number is not selected"
            time.sleep(0.05)


def test_without_script_numbers_are_there_to_be_selected(address: str) -> None:
    with Phone(375, scripts=False) as phone:
        phone.open(address)
        text = phone.value("document.body.innerText")
        shown = phone.value(
            "[...document.querySelectorAll('.copy')].filter(b => b.getBoundingClientRect().width).length"
        )
        style = phone.value("getComputedStyle(document.querySelector('.number')).userSelect")
        forms = phone.value("[...document.forms].map(f => [f.method, new URL(f.action).pathname])")
    assert shown == 0 and style == "all"
    assert "13800138000" in text and "今日拓客" in text
    assert (
        forms[0] == ["post", f"/h5/tasks/{ROWS[0]['prospect_id']}"] and len(forms) == len(ROWS) - 1
    )  # none for who is added
