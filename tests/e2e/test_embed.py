"""The button on somebody else's website, in a real browser: another origin, a strict policy, styles of its own."""

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import zxingcpp
from chromium import PROGRAM, Phone
from PIL import Image

from infra.local.client import LocalStack

pytestmark = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="no Chromium on this machine; CI installs one"
)
NASTY = "&quot;&gt;&lt;img src=x onerror=document.title=1&gt;"


@pytest.fixture(scope="module")
def code(stack: LocalStack) -> str:
    stack.sandbox("POST", "staff", {"userid": "lihua", "name": "李华"})
    body = {"name": "官网", "kind": "staff", "assignment": {"members": [{"staff_id": "lihua"}]}}
    return str(stack.api("POST", "/api/live-codes", body)["code"])


@pytest.fixture(scope="module")
def site(stack: LocalStack, code: str) -> Iterator[str]:
    """A shop's page with the button as it is pasted; /nasty has a label that is HTML, /wrong no code, /open no policy."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            of = f'data-code="{code}"' if self.path != "/wrong" else 'data-code="../../x?"'
            label = f'data-label="{NASTY}"' if self.path == "/nasty" else ""
            body = (
                "<!doctype html><title>shop</title><meta name=viewport content='width=device-width'><link rel=icon href=data:,>"
                "<style>div,a,button,img{display:none!important;transform:rotate(9deg)}</style>"
                f'<h1>shop</h1><script src="{stack.base}/embed.js" {of} {label} async></script>'
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header(
                "X-None" if self.path == "/open" else "Content-Security-Policy",
                f"default-src 'none'; style-src 'unsafe-inline'; script-src {stack.base}; img-src data: {stack.base}",
            )
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def press(phone: Phone, x: int, y: int) -> None:
    for kind in ("mousePressed", "mouseReleased"):
        phone.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


@pytest.fixture
def desktop() -> Iterator[Phone]:
    with Phone(1000, 700, desktop=True) as phone:
        yield phone


@pytest.mark.parametrize("path", ["/", "/nasty"])
def test_on_a_desktop_it_shows_the_code_to_scan(
    stack: LocalStack, desktop: Phone, site: str, code: str, tmp_path: Path, path: str
) -> None:
    desktop.open(site + path)
    assert desktop.requested() == [
        site + path,
        f"{stack.base}/embed.js",
    ]  # nothing more until it is asked for
    found: list[zxingcpp.Barcode] = []
    deadline = time.monotonic() + 60
    while not found and time.monotonic() < deadline:
        press(desktop, 930, 655)
        found = zxingcpp.read_barcodes(Image.open(desktop.picture(tmp_path / "shop.png")).convert("RGB"))
    assert found[0].text.endswith(f"/s/{code}?via=website")
    assert desktop.value("document.title") == "shop" and desktop.value("document.images.length") == 0
    assert desktop.complaints() == []


def test_on_a_phone_it_leads_to_the_scan_page(site: str, code: str) -> None:
    with Phone(375) as phone:
        phone.open(site + "/")
        phone.events.clear()
        for _ in range(5):  # a browser that is still busy with the page may lose a tap, as a phone does
            press(phone, 300, 735)
            if phone.loaded(6):
                break
        assert phone.value("location.pathname + location.search") == f"/s/{code}?via=website"
        assert "李华" in phone.value("document.body.innerText")


def test_without_a_code_it_is_not_there(stack: LocalStack, desktop: Phone, site: str) -> None:
    desktop.open(site + "/wrong")
    assert desktop.value("document.querySelectorAll('millrace-code').length") == 0
    assert desktop.requested() == [site + "/wrong", f"{stack.base}/embed.js"]


def test_the_picture_may_be_read_from_anywhere(
    stack: LocalStack, desktop: Phone, site: str, code: str
) -> None:
    """By fetch too, from another origin, without cookies; the scan itself may not."""
    desktop.open(site + "/open")
    fetched = "fetch({!r}).then(a => a.status + ' ' + a.headers.get('content-type'), e => 'refused')"
    read = {"awaitPromise": True, "returnByValue": True}
    for path, told in ((f"/s/{code}/qr.svg", "200 image/svg+xml"), (f"/s/{code}", "refused")):
        answer = desktop.ask("Runtime.evaluate", expression=fetched.format(stack.base + path), **read)
        assert answer["result"]["value"] == told
