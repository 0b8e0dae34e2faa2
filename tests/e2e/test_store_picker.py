"""The store picker in a real browser: with the position, without it, and without scripts."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from chromium import PROGRAM, Phone
from PIL import Image

from infra.local.client import LocalStack

pytestmark = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="no Chromium on this machine; CI installs one"
)
# The Shenzhen pair of tests/stores/test_geo.py: the store as WeChat shows it, the phone's GPS beside it.
SHOWN, GPS = (22.540796, 113.917176), (22.543847, 113.912316)
CITIES = ("深圳", "广州", "上海")


@pytest.fixture(scope="module")
def address(stack: LocalStack) -> str:
    stack.sandbox("POST", "staff", {"userid": "lihua", "name": "李华"})
    head = "store_id,name,city,address,latitude,longitude,staff_ids"
    rows = [f"NEAR,南山店,深圳,海岸城一楼,{SHOWN[0]},{SHOWN[1]},lihua"]
    rows += [
        f"S{n:03},{CITIES[n % 3]}{n} 店,{CITIES[n % 3]},人民路 {n} 号,{24 + n / 100},113.9,lihua" for n in range(60)
    ]  # fmt: skip
    told = stack.api("POST", "/api/stores/import", {"csv": "\n".join([head, *rows])})
    assert told == {"imported": 61, "errors": []}
    made = stack.api("POST", "/api/live-codes", {"name": "门店", "kind": "nearest_store"})
    return f"{stack.base}/s/{made['code']}"


def until(phone: Phone, expression: str) -> Any:
    """What the expression says, as soon as it says something."""
    deadline = time.monotonic() + 20
    while not (value := phone.value(expression)):
        assert time.monotonic() < deadline, phone.value("document.body.innerText")
        time.sleep(0.1)
    return value


def follow(phone: Phone, text: str) -> None:
    """Tap the link that says so."""
    found = f"[...document.links].find(a => a.innerText.includes({text!r}))"
    phone.open(str(phone.value(f"{found}.href")))


def fits(phone: Phone) -> None:
    wide, html = phone.value(
        "[document.documentElement.scrollWidth, document.documentElement.outerHTML.length]"
    )
    assert wide <= phone.size[0] and html < 28_000 and phone.audit() == []


def guide(phone: Phone, path: Path) -> str:
    """The page's text, once its code was read from a picture of the screen."""
    until(phone, "document.images.length && document.images[0].complete")
    fits(phone)
    (found,) = zxingcpp.read_barcodes(Image.open(phone.picture(path)).convert("RGB"))
    assert "/add/cfg" in found.text
    return str(phone.value("document.body.innerText"))


@pytest.mark.parametrize(("width", "dark"), [(320, False), (430, True)])
def test_the_position_leads_to_the_nearest_stores_guide(
    address: str, tmp_path: Path, width: int, dark: bool
) -> None:
    with Phone(width, dark=dark) as phone:
        origin = "/".join(address.split("/")[:3])
        phone.ask("Browser.grantPermissions", origin=origin, permissions=["geolocation"])
        phone.ask("Emulation.setGeolocationOverride", latitude=GPS[0], longitude=GPS[1], accuracy=20)
        phone.open(address)
        fits(phone)
        shot = phone.picture(tmp_path / "choose.png")
        assert (Image.open(shot).convert("L").getpixel((4, 4)) < 60) is dark
        phone.value("document.getElementById('locate').click()")
        text = guide(phone, tmp_path / "guide.png")
        assert "李华" in text and "南山店" in text and " m\n" in text + "\n"
        phone.open(address)  # scanned again
        assert "南山店" in phone.value("document.body.innerText")


def test_refused_it_is_chosen_by_city(address: str, tmp_path: Path) -> None:
    with Phone(375) as phone:
        phone.ask("Browser.setPermission", permission={"name": "geolocation"}, setting="denied")
        phone.open(address)
        phone.value("document.getElementById('locate').click()")
        until(phone, "document.getElementById('told').innerText.includes('请在下方选择门店')")
        assert phone.value("!document.getElementById('locate').disabled")
        follow(phone, "深圳")
        fits(phone)
        follow(phone, "南山店")
        assert "南山店" in guide(phone, tmp_path / "guide.png")
        follow(phone, "换一家门店")
        follow(phone, "上海")
        follow(phone, "上海2 店")
        assert "上海2 店" in guide(phone, tmp_path / "other.png")


def test_without_scripts_too(address: str, tmp_path: Path) -> None:
    with Phone(375, scripts=False) as phone:
        phone.open(address)
        assert phone.value("document.getElementById('near').offsetHeight") == 0  # a button that does nothing
        for text in ("深圳", "南山店"):
            follow(phone, text)
        assert "李华" in guide(phone, tmp_path / "guide.png")
