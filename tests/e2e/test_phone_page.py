"""The scan page in a real browser at phone sizes: what a customer sees can be scanned, and fits."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from infra.local.client import LocalStack

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50"
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium on this machine; CI installs one"
)


def browse(address: str, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        f"--user-data-dir={folder}/profile", f"--user-agent={WECHAT}", "--virtual-time-budget=5000",
        "--hide-scrollbars", *flags, address,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def code(stack: LocalStack, **changes: object) -> str:
    stack.sandbox("POST", "staff", {"userid": "lihua", "name": "李华"})
    body = {
        "name": "页面", "kind": "staff", "channel": "poster",
        "assignment": {"strategy": "round_robin", "members": [{"staff_id": "lihua"}]},
    }  # fmt: skip
    made = stack.api("POST", "/api/live-codes", body | changes)
    stack.drain()
    return f"{stack.base}/s/{made['code']}"


@pytest.mark.parametrize("width", [320, 430])
def test_the_code_on_the_page_can_be_scanned_and_nothing_overflows(
    stack: LocalStack, tmp_path: Path, width: int
) -> None:
    address = code(stack)
    shot = tmp_path / "page.png"
    browse(
        address,
        tmp_path,
        f"--screenshot={shot}",
        f"--window-size={width},800",
        "--force-device-scale-factor=2",
    )
    picture = Image.open(shot).convert("RGB")
    found = zxingcpp.read_barcodes(picture)
    assert len(found) == 1 and "/add/cfg" in found[0].text
    box = found[0].position
    left, right = box.top_left.x, box.top_right.x
    assert 0 < left < right < picture.width  # whole, and not cut off at the edge
    assert right - left > 0.4 * min(picture.width, 2 * width)  # large enough for a thumb and a camera
    # The page's own soft background at the edge: no card runs out of it.
    edge = [picture.getpixel((picture.width - 1, y)) for y in range(0, picture.height, 40)]
    assert all(max(column) - min(column) < 20 for column in zip(*edge, strict=True))


def test_the_page_says_what_to_do_in_chinese_then_english_without_scripts(
    stack: LocalStack, tmp_path: Path
) -> None:
    page = browse(code(stack), tmp_path, "--dump-dom").stdout
    assert page.index("长按") < page.index("Press and hold")
    assert "李华" in page and "<script" not in page
    assert len(page.encode()) < 30_000


def test_a_closed_code_is_told_kindly(stack: LocalStack, tmp_path: Path) -> None:
    past = {"from": None, "until": "2020-01-01T00:00:00+08:00"}
    page = browse(code(stack, schedule=past), tmp_path, "--dump-dom").stdout
    assert "<img" not in page and 'lang="en"' in page
    assert "结束" in page or "关闭" in page or "未开放" in page or "暂" in page
