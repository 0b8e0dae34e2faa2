"""The JS-SDK's signature, and the ticket behind it: asked for once, and never in the way of the page."""

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.platform import settings
from chalicelib.platform.errors import Upstream
from chalicelib.wechatoa import client, jssdk


def test_the_published_example() -> None:
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    signed = jssdk.sign(ticket, "Wm3WZYTPz0wzccnW", 1414587457, "http://mp.weixin.qq.com?params=value")
    assert signed == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    calls: list[tuple[str, Any]] = []

    def ask(method: str, path: str, query: Any = None, body: Any = None) -> dict[str, Any]:
        calls.append((f"{method} {path}", query or body))
        if path.endswith("stable_token"):
            return {"access_token": "TOKEN", "expires_in": 7200}
        return {"errcode": 0, "ticket": "TICKET", "expires_in": 7200}

    monkeypatch.setenv("WECHAT_OA_APP_ID", "wx1")
    secret = (time.monotonic() + 1e6, {"oa_secret": "S"})
    monkeypatch.setitem(settings._secrets, "wechatpay_notify", secret)
    monkeypatch.setattr(client, "ask", ask)
    jssdk._kept.clear()
    yield calls
    jssdk._kept.clear()


def test_the_ticket_is_asked_for_once(asked: list[tuple[str, Any]]) -> None:
    first, second = (jssdk.config_of(f"https://m.example.com/h5/d/{n}") for n in "ab")
    assert asked == [
        ("POST /cgi-bin/stable_token", {"grant_type": "client_credential", "appid": "wx1", "secret": "S"}),
        ("GET /cgi-bin/ticket/getticket", {"access_token": "TOKEN", "type": "jsapi"}),
    ]
    address = "https://m.example.com/h5/d/a"
    assert first.signature == jssdk.sign("TICKET", first.nonce, first.timestamp, address)
    assert first.nonce != second.nonce and first.app_id == "wx1"


def test_a_ticket_that_ends_is_asked_for_anew(
    asked: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    jssdk.config_of("https://m.example.com/")
    later = time.monotonic() + 7000
    monkeypatch.setattr(jssdk, "time", SimpleNamespace(monotonic=lambda: later))
    jssdk.config_of("https://m.example.com/")
    assert len(asked) == 4


def test_a_refusal_is_no_ticket(asked: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ask", lambda *_, **__: {"errcode": 40164, "errmsg": "invalid ip"})
    with pytest.raises(Upstream, match="40164"):
        jssdk.config_of("https://m.example.com/")
