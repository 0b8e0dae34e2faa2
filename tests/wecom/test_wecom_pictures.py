"""From where a picture may be fetched, and what is taken for one."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib.platform.errors import Upstream
from chalicelib.wecom import pictures

BASE = "https://qyapi.weixin.qq.com"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.mark.parametrize(
    ("url", "base", "ours"),
    [
        ("https://wework.qpic.cn/wwpic/1/0", BASE, True),
        ("https://p.qpic.cn:443/x", BASE, True),
        ("https://open.work.weixin.qq.com/wwopen/x", BASE, True),
        ("http://wework.qpic.cn/wwpic/1/0", BASE, False),
        ("https://wework.qpic.cn:8443/x", BASE, False),
        ("https://qpic.cn.evil.com/x", BASE, False),
        ("https://evilqpic.cn/x", BASE, False),
        ("https://a@wework.qpic.cn/x", BASE, False),
        ("https://evil.com#.qpic.cn", BASE, False),
        ("https://evil.com\\.qpic.cn/", BASE, False),
        ("https://169.254.169.254/latest", BASE, False),
        ("http://169.254.169.254/latest", BASE, False),
        ("file:///etc/passwd", BASE, False),
        ("https://wework.qpic.cn:x/", BASE, False),
        ("", BASE, False),
        ("http://127.0.0.1:9000/qr/1.png", "http://127.0.0.1:9000", True),
        ("http://127.0.0.1:9001/qr/1.png", "http://127.0.0.1:9000", False),
        ("https://127.0.0.1:9000/qr/1.png", "http://127.0.0.1:9000", False),
    ],
)
def test_only_wecoms_addresses_are_asked(url: str, base: str, ours: bool) -> None:
    assert pictures.is_wecoms(url, base) is ours


class Host(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = {"/qr": PNG, "/big": PNG + b"0" * pictures.MAX_BYTES, "/text": b"<html>"}.get(self.path, b"")
        self.send_response(302 if self.path == "/away" else 200)
        if self.path == "/away":
            self.send_header("Location", "/qr")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_picture_is_fetched(base: str) -> None:
    assert pictures.fetch(f"{base}/qr", base) == PNG


@pytest.mark.parametrize("path", ["/away", "/big", "/text", "/none"])
def test_nothing_else_is_taken_and_no_redirect_followed(base: str, path: str) -> None:
    Host.asked.clear()
    with pytest.raises(Upstream):
        pictures.fetch(base + path, base)
    assert Host.asked == [path]


def test_nobody_there_is_upstream() -> None:
    with pytest.raises(Upstream):
        pictures.fetch("http://127.0.0.1:9/qr", "http://127.0.0.1:9")
