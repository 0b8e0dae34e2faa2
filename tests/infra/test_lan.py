"""LAN=1: phones of the network see the pages, and nothing that is for the machine itself."""

import http.client
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from infra.local import settings
from infra.local.proxy import Proxy, Upstream
from infra.sandbox import Config, Sandbox

MACHINE, PHONE = "127.0.0.1", "127.0.0.2"  # whoever does not come from 127.0.0.1 is somebody else


def status(base: str, path: str, source: str) -> int:
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(MACHINE, parts.port, timeout=5, source_address=(source, 0))
    connection.request("GET", path, headers={"User-Agent": "a phone"})
    found = connection.getresponse().status
    connection.close()
    return found


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(Config(run_by_itself=False))
    made.start(host="0.0.0.0")
    yield made
    made.stop()


def test_the_sandbox(sandbox: Sandbox) -> None:
    assert sandbox.base_url.startswith(f"http://{MACHINE}:")
    for path in (
        "/_sandbox/",
        "/local/sandbox",
        "/cgi-bin/gettoken",
        "/v3/certificates",
        "/ads/baidu",
        "/sns/oauth2/access_token",
    ):
        assert status(sandbox.base_url, path, PHONE) == 403
        assert status(sandbox.base_url, path, MACHINE) != 403
    assert status(sandbox.base_url, "/", PHONE) == 200


def test_the_door(sandbox: Sandbox) -> None:
    door, upstream = socket.create_server((MACHINE, 0)), urlsplit(sandbox.base_url)
    there = Upstream(MACHINE, upstream.port or 0)
    proxy = Proxy(door, there, there, lambda *_: (200, {}), lambda *_: None)
    threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
    base = f"http://{MACHINE}:{proxy.server_address[1]}"
    for path in ("/local/sandbox", "/local/clock", "/_sandbox/", "/_sandbox"):
        assert (status(base, path, PHONE), status(base, path, MACHINE)) == (403, 200), path
    assert status(base, "/", PHONE) == 200
    proxy.shutdown()
    proxy.server_close()


def test_the_addresses() -> None:
    alone = settings.parameters("http://127.0.0.1:8000", "http://127.0.0.1:9000", Config(), {})
    assert (alone["PublicBaseUrl"], alone["WecomOauthBase"]) == (
        "http://127.0.0.1:8000",
        "http://127.0.0.1:9000",
    )
    env = {"LAN": "1"}
    here = settings.own_address(env)
    found = settings.parameters("http://127.0.0.1:8000", "http://127.0.0.1:9000", Config(), env)
    assert (found["PublicBaseUrl"], found["WecomOauthBase"]) == (f"http://{here}:8000", f"http://{here}:9000")
    assert found["WecomApiBase"] == "http://127.0.0.1:9000"  # the functions are on the machine
    given = settings.parameters(
        "http://127.0.0.1:8000", "x", Config(), {**env, "PUBLIC_BASE_URL": "https://a.example.com"}
    )
    assert given["PublicBaseUrl"] == "https://a.example.com"
