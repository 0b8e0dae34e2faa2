"""The local door keeps Lambda's and API Gateway's limits, which the emulator does not."""

import socket
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3

from infra.local import settings
from infra.local.proxy import MAX_PAYLOAD, Proxy, Upstream

received: list[int] = []
addresses: list[str] = []
done = threading.Event()


class Api(BaseHTTPRequestHandler):
    """Answers `/{n}` with n bytes, `/never` not at all."""

    def do_POST(self) -> None:
        received.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
        addresses.append(self.path)
        name = self.path.rpartition("/")[2]
        if name == "never":
            done.wait()
        content = b"x" * (int(name) if name.isdecimal() else 0)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    done.clear()
    received.clear()
    api = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    door = socket.create_server(("127.0.0.1", 0))
    upstream = Upstream("127.0.0.1", api.server_port, seconds=1)
    proxy = Proxy(door, upstream, Upstream("", 0, "none"), lambda *_: (200, {}), lambda *_: None)
    for server in (api, proxy):
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{proxy.server_address[1]}"
    done.set()
    for server in (proxy, api):
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("0", MAX_PAYLOAD * 3 // 4, 200),
        ("0", MAX_PAYLOAD * 3 // 4 + 8, 413),
        (str(MAX_PAYLOAD), 0, 200),
        (str(MAX_PAYLOAD + 1), 0, 502),
        ("never", 0, 504),
    ],
)
def test_what_is_over_a_limit_is_refused(url: str, path: str, body: int, status: int) -> None:
    answer = urllib3.request("POST", f"{url}/{path}", body=b"x" * body, retries=False)
    assert answer.status == status
    assert received == ([] if status == 413 else [body])
    if status != 200:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_an_address_goes_on_as_it_came_and_raw_bytes_as_percent_encoded(url: str) -> None:
    """Latin-1 reads a byte of 包 as a line's end. API Gateway hands the path on encoded; the emulator decodes."""
    host = url.removeprefix("http://").split(":")
    with socket.create_connection((host[0], int(host[1]))) as connection:
        address = "/api/A%2FB/包裹卡?title=包裹卡&x=%E5%8C%85".encode()
        connection.sendall(b"POST " + address + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    path, _, query = addresses[-1].partition("?")
    assert urllib.parse.unquote(path) == "/api/A%2FB/" + urllib.parse.quote("包裹卡")
    assert urllib.parse.parse_qs(query) == {"title": ["包裹卡"], "x": ["包"]}


@pytest.mark.parametrize("port", ["80a", "0", "65536", "-1", "８０", " 80"])
def test_a_port_that_is_none_is_one_clear_line(port: str) -> None:
    with pytest.raises(SystemExit, match=r"PORT is .*: a number from 1 to 65535 is needed"):
        settings.port({"PORT": port})
    assert settings.port({"PORT": ""}) == 8000
