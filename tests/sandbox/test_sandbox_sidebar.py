"""A guide's chat with the product's sidebar beside it: whose client it plays, and which signatures it takes."""

import hashlib
import html
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from infra.sandbox import Config, Sandbox

URL = "https://scrm.example.com/sidebar"


@pytest.fixture
def sandbox(keys: dict[str, str]) -> Iterator[Sandbox]:
    given = {**keys, "callback_url": "https://scrm.example.com/wecom/callback"}
    made = Sandbox(Config(**given, run_by_itself=False))  # type: ignore[arg-type]
    made.start()
    made.actions.add_staff("ZhouTing", "周婷")
    yield made
    made.stop()


def get(sandbox: Sandbox, path: str, **query: str) -> dict[str, Any]:
    base, config = f"{sandbox.base_url}/cgi-bin/", sandbox.config
    secret = {"corpid": config.corp_id, "corpsecret": config.secret}
    token = requests.get(base + "gettoken", secret, timeout=5).json()["access_token"]
    return dict(requests.get(base + path, {**query, "access_token": token}, timeout=5).json())


def test_the_chat_frames_the_product_and_its_guide_signs_in_unasked(sandbox: Sandbox) -> None:
    external = sandbox.actions.add("zhouting", name="小雨</script>")["external_userid"]
    browser = requests.Session()
    answer = browser.get(f"{sandbox.base_url}/guide/zhouting/{external}/sidebar", timeout=5)
    assert answer.status_code == 200 and f'src="{URL}"' in answer.text
    assert json.loads(html.unescape(answer.text.partition("data-setup='")[2].partition("'")[0])) == {
        "product": "https://scrm.example.com",
        "chat": f"/guide/ZhouTing/{external}",
        "external": external,
    }
    assert "frame-src 'self' https://scrm.example.com;" in answer.headers["Content-Security-Policy"]
    query = {
        "appid": sandbox.config.corp_id,
        "redirect_uri": "https://scrm.example.com/h5/login",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s1",
    }
    authorize = f"{sandbox.base_url}/connect/oauth2/authorize"
    back = browser.get(authorize, params=query, allow_redirects=False, timeout=5)
    code = back.headers["Location"].partition("code=")[2].partition("&")[0]
    assert get(sandbox, "auth/getuserinfo", code=code)["userid"] == "ZhouTing"
    assert requests.get(authorize, query, allow_redirects=False, timeout=5).status_code == 200  # asks who


@pytest.mark.parametrize("agent", [False, True])
def test_a_signature_is_right_by_the_ticket_of_its_kind_alone(sandbox: Sandbox, agent: bool) -> None:
    corp = get(sandbox, "get_jsapi_ticket")["ticket"]
    app = get(sandbox, "ticket/get", type="agent_config")["ticket"]

    def check(ticket: str, url: str = URL) -> int:
        text = f"jsapi_ticket={ticket}&noncestr=n1&timestamp=1700000000&url={url}"
        signature = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        given = {"nonceStr": "n1", "timestamp": 1700000000, "signature": signature, "agent": agent}
        answer = requests.post(f"{sandbox.base_url}/jssdk/check", json={**given, "url": URL}, timeout=5)
        return int(answer.json()["errcode"])

    right, wrong = (app, corp) if agent else (corp, app)
    assert (check(right), check(wrong), check(right, URL + "?a=1")) == (0, 40093, 40093)


def test_the_stand_in_is_a_script_of_the_sandbox(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.base_url}/jssdk.js", timeout=5)
    assert answer.headers["Content-Type"].startswith("text/javascript") and "window.wx" in answer.text
    assert requests.get(f"{sandbox.base_url}/guide/zhouting/wmnobody/sidebar", timeout=5).status_code == 404
