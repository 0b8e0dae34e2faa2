"""Whom we call: an operator's address never leads into anybody's own network."""

import socket
from typing import Any

import pytest

from chalicelib.ads import outgoing
from chalicelib.ads.adapters.wire import Request


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x", "https://localhost/x", "https://127.0.0.1/x", "https://[::1]/x", "https://8.8.8.8/x",
        "https://user@example.com/x", "https://example.com:8443/x", "https://metadata.internal/x", "ftp://example.com",
        "https://", "https://example.com/ x", "https://exämple.com/", "https://host.local/", "//example.com", "",
    ],
)  # fmt: skip
def test_hostile_addresses(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADS_API_BASE", raising=False)
    assert outgoing.address_problem(url)


def test_a_public_name_is_taken_and_the_sandbox_where_it_is_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ADS_API_BASE", "http://127.0.0.1:9/ads")
    assert outgoing.address_problem("https://hooks.example.com/conversions?x=1") is None
    assert outgoing.address_problem("http://127.0.0.1:9/ads/generic/x") is None
    assert outgoing.address_problem("http://127.0.0.1:9/adsx") is not None


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
        ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("fe80::1", False),
        ("fc00::1", False), ("::ffff:127.0.0.1", False), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
        ("::", False), ("ff02::1", False),
    ],
)  # fmt: skip
def test_public_addresses(address: str, public: bool) -> None:
    assert outgoing.is_public(address) is public


def resolved(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved(monkeypatch, "8.8.8.8", "169.254.169.254")
    with pytest.raises(outgoing.Refused):
        outgoing.send(Request("POST", "https://rebind.example.com/", {}, b""), guarded=True)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved(monkeypatch, "8.8.8.8")
    asked: list[Any] = []

    class Pool:
        def __init__(self, host: str, port: int, **kwargs: Any) -> None:
            asked.append((host, port, kwargs["server_hostname"], kwargs["assert_hostname"]))

        def request(self, method: str, url: str, **kwargs: Any) -> Any:
            asked.append((method, url, kwargs["headers"]["Host"], kwargs["redirect"], kwargs["retries"]))
            raise outgoing.NewConnectionError(None, "no")  # type: ignore[arg-type]

        def close(self) -> None:
            asked.append("closed")

    monkeypatch.setattr(outgoing.urllib3, "HTTPSConnectionPool", Pool)
    with pytest.raises(outgoing.NotSent):
        outgoing.send(Request("POST", "https://hooks.example.com/c?x=1", {}, b""), guarded=True)
    name = "hooks.example.com"
    assert asked == [("8.8.8.8", 443, name, name), ("POST", "/c?x=1", name, False, False), "closed"]
