"""The sandbox over HTTP: a public SDK against it, faults on the wire, callbacks and notices as posted."""

import hashlib
import hmac
import http.client
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import cv2
import numpy
import pytest
import requests
import zxingcpp
from requests.adapters import HTTPAdapter
from wechatpy.exceptions import WeChatClientException
from wechatpy.work import WeChatClient
from wechatpy.work.crypto import WeChatCrypto

from infra.sandbox import Config, Sandbox
from infra.sandbox.__main__ import main
from infra.sandbox.config import new_private_key

OFFICIAL = "https://qyapi.weixin.qq.com"


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 10, 2, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Door:
    """A door of ours that keeps what is posted to it and answers with `statuses`, then 200."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                door.posts.append((self.path, dict(self.headers), body))
                self.send_response(door.statuses.pop(0) if door.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 64  # the default of 5 makes a burst wait a second for its SYN

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class ToSandbox(HTTPAdapter):
    """Takes what an SDK sends to WeCom to the sandbox: the SDK itself stays as it is."""

    def __init__(self, base: str) -> None:
        self._base = base
        super().__init__()

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        request.url = request.url.replace(OFFICIAL, self._base)
        return super().send(request, *args, **kwargs)


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    return {"merchant_private_key": new_private_key(), "platform_private_key": new_private_key()}


@pytest.fixture
def door() -> Iterator[Door]:
    made = Door()
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(keys: dict[str, str], clock: Clock) -> Iterator[Callable[..., Sandbox]]:
    running: list[Sandbox] = []

    def begin(**settings: Any) -> Sandbox:
        sandbox = Sandbox(Config(**{**keys, "now": clock, "run_by_itself": False, **settings}))
        sandbox.start()
        running.append(sandbox)
        return sandbox

    yield begin
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def sandbox(start: Callable[..., Sandbox], door: Door) -> Sandbox:
    return start(callback_url=f"{door.url}/wecom/callback", mall_order_url=f"{door.url}/mall/orders/generic")


@pytest.fixture
def sdk(sandbox: Sandbox) -> Any:
    client = WeChatClient(sandbox.config.corp_id, sandbox.config.secret)
    client._http.mount(OFFICIAL, ToSandbox(sandbox.base_url))
    return client


def control(sandbox: Sandbox, method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(method, f"{sandbox.base_url}/_sandbox/{path}", json=body, timeout=10)
    return answer.json() if answer.status_code == 200 else answer.status_code


# A public SDK


def test_half_a_character_is_refused_since_it_could_be_neither_sent_nor_saved(sandbox: Sandbox) -> None:
    for path, body in (("event", '{"xml": "\\ud800"}'), ("add", '{"staff_id": "lihua", "name": "\\ud83d"}')):
        answer = requests.post(f"{sandbox.base_url}/_sandbox/{path}", data=body, timeout=10)
        assert answer.status_code == 422, answer.text
    assert sandbox.run_due() == 0


def test_a_sandbox_that_runs_alone_tells_what_an_sdk_needs_where_the_stack_does(sandbox: Sandbox) -> None:
    told = requests.get(f"{sandbox.base_url}/local/sandbox", timeout=10).json()
    assert told == sandbox.sdk_settings() and told["wecom_api_base"] == sandbox.base_url


def test_a_public_sdk_works_against_it(sandbox: Sandbox, sdk: Any, clock: Clock) -> None:
    assert sdk.user.get("lihua")["userid"] == "lihua"
    assert sdk.message.send_text(sandbox.config.agent_id, "lihua", "你好")["errcode"] == 0
    assert sdk.media.upload("image", ("a.png", b"0123456789"))["type"] == "image"
    clock.forward(7201)
    assert sdk.user.get("lihua")["userid"] == "lihua"  # 42001: the SDK fetches a new token by itself
    assert len(sandbox.calls("gettoken")) == 2
    with pytest.raises(WeChatClientException) as error:
        sdk.user.get("no spaces")
    assert error.value.errcode == 40003


def test_the_calls_are_recorded_without_secrets(sandbox: Sandbox, sdk: Any) -> None:
    sdk.user.get("lihua")
    token = sdk.access_token
    shown = control(sandbox, "GET", "calls?path=user/get&limit=5")
    assert shown["next_cursor"] is None
    [call] = shown["items"]
    assert (call["service"], call["path"], call["status"]) == ("wecom", "/cgi-bin/user/get", 200)
    assert call["response"]["userid"] == "lihua"
    everything = json.dumps(sandbox.calls())
    assert token not in everything
    assert sandbox.config.secret not in everything


def test_the_qr_code_is_a_picture_that_leads_to_the_add_page(sandbox: Sandbox, sdk: Any, door: Door) -> None:
    body = {"type": 1, "scene": 2, "user": ["lihua"], "state": "lc_1"}
    way = sdk.post("externalcontact/add_contact_way", data=body)
    picture = requests.get(way["qr_code"], timeout=5)
    assert picture.headers["content-type"] == "image/png"
    image = cv2.imdecode(numpy.frombuffer(picture.content, numpy.uint8), cv2.IMREAD_GRAYSCALE)
    [code] = zxingcpp.read_barcodes(image)
    page = requests.get(code.text, timeout=5)
    assert "添加到通讯录" in page.text
    requests.post(code.text, data={"name": "小明"}, timeout=5)
    [customer] = sandbox.customers()
    assert (customer["name"], customer["bonds"][0]["state"]) == ("小明", "lc_1")
    assert len(door.posts) == 1
    assert requests.get(f"{sandbox.base_url}/qr/none.png", timeout=5).status_code == 404


# Faults


def post(sandbox: Sandbox, sdk: Any, path: str, body: Any) -> Any:
    url = f"{sandbox.base_url}/cgi-bin/externalcontact/{path}?access_token={sdk.access_token}"
    return requests.post(url, json=body, timeout=5).json()


def test_a_lost_answer_did_its_work_and_a_dropped_call_did_not(sandbox: Sandbox, sdk: Any) -> None:
    sandbox.actions.add("lihua")
    body = {"sender": "lihua", "text": {"content": "x"}}
    for kind, sends in (("drop", 0), ("lost", 1)):
        sandbox.fault("add_msg_template", kind)
        with pytest.raises(requests.ConnectionError):
            post(sandbox, sdk, "add_msg_template", body)
        assert len(sandbox.mass_sends()) == sends
    assert [c["status"] for c in sandbox.calls("add_msg_template")] == [None, None]
    assert post(sandbox, sdk, "add_msg_template", body)["errcode"] == 0


@pytest.mark.parametrize(("after", "ways"), [(False, 0), (True, 1)])
def test_an_error_before_or_after_the_work(sandbox: Sandbox, sdk: Any, after: bool, ways: int) -> None:
    sandbox.fault("add_contact_way", "errcode", -1, after=after)
    body = {"type": 1, "scene": 2, "user": ["lihua"]}
    assert post(sandbox, sdk, "add_contact_way", body)["errcode"] == -1
    assert len(sandbox.world.state.ways) == ways


def test_http_errors_and_latency(sandbox: Sandbox, sdk: Any) -> None:
    token = sdk.access_token
    url = f"{sandbox.base_url}/cgi-bin/user/get?userid=lihua&access_token={token}"
    sandbox.fault("user/get", "status", 502)
    assert requests.get(url, timeout=5).status_code == 502
    sandbox.fault("user/get", "latency", 0.3)
    begun = time.monotonic()
    assert requests.get(url, timeout=5).json()["errcode"] == 0
    assert time.monotonic() - begun >= 0.3


def test_too_many_at_once(start: Callable[..., Sandbox]) -> None:
    sandbox = start(concurrency=2)
    sandbox.fault("user/get", "latency", 2.0, times=None)  # in which all five have come
    token = sandbox.wecom.tokens.issue(
        {"corpid": sandbox.config.corp_id, "corpsecret": sandbox.config.secret}, ""
    )["access_token"]
    url = f"{sandbox.base_url}/cgi-bin/user/get?userid=lihua&access_token={token}"
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(requests.get(url, timeout=30).json()["errcode"]))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [0, 0, 45033, 45033, 45033]


def test_faults_from_the_command_line(sandbox: Sandbox, sdk: Any, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--url", sandbox.base_url]
    assert main([*at, "fault", "user/get", "errcode", "60020", "--times", "0"]) == 0
    assert main([*at, "faults"]) == 0
    assert '"value": 60020' in capsys.readouterr().out
    with pytest.raises(WeChatClientException):
        sdk.user.get("lihua")
    assert main([*at, "clear"]) == 0
    assert sdk.user.get("lihua")["errcode"] == 0
    assert main([*at, "set", "rate_per_minute", "7"]) == 0
    assert sandbox.config.rate_per_minute == 7
    assert main([*at, "kill-tokens", "invalid"]) == 0
    assert main([*at, "do", "POST", "add", '{"staff_id": "lihua"}']) == 0
    assert len(sandbox.customers()) == 1
    assert main([*at, "fault", "x", "errcode"]) == 1


# Callbacks


def opened(sandbox: Sandbox, sent: tuple[str, dict[str, str], bytes]) -> str:
    """The event in a post, read by the public SDK."""
    query = dict(parse_qsl(urlsplit(sent[0]).query))
    config = sandbox.config
    crypto = WeChatCrypto(config.callback_token, config.callback_aes_key, config.corp_id)
    plain = crypto.decrypt_message(sent[2], query["msg_signature"], query["timestamp"], query["nonce"])
    return plain.decode() if isinstance(plain, bytes) else str(plain)


def test_an_add_is_posted_encrypted_and_read_by_a_public_sdk(sandbox: Sandbox, door: Door) -> None:
    added = sandbox.actions.add("lihua", state="lc_1", name="小王")
    assert added["statuses"] == [200]
    [sent] = door.posts
    assert sent[0].startswith("/wecom/callback?")
    assert opened(sandbox, sent) == added["xml"]
    assert f"<WelcomeCode><![CDATA[{added['welcome_code']}]]></WelcomeCode>" in added["xml"]
    assert not sandbox.observe(dict(parse_qsl(urlsplit(sent[0]).query)), sent[2])


def test_a_callback_that_fails_is_sent_three_times_in_all(sandbox: Sandbox, door: Door, clock: Clock) -> None:
    door.statuses = [500, 500, 500, 500]
    sandbox.actions.add("lihua")
    for _ in range(4):
        due = sandbox.next_event_at()
        if due is None:
            break
        assert sandbox.run_due() == 0
        clock.moment = due
        assert sandbox.run_due() == 1
    assert len(door.posts) == 3
    assert len({sent[2] for sent in door.posts}) == 3
    assert len({opened(sandbox, sent) for sent in door.posts}) == 1
    assert sandbox.quiet()


def test_a_callback_that_is_taken_at_the_second_try(sandbox: Sandbox, door: Door, clock: Clock) -> None:
    door.statuses = [503]
    assert sandbox.actions.delete_by_customer("lihua", sandbox.actions.add("lihua")["external_userid"])[
        "statuses"
    ] == [200]
    clock.forward(2)
    sandbox.run_due()
    assert len(door.posts) == 3
    assert sandbox.next_event_at() is None


def test_nobody_listens(start: Callable[..., Sandbox]) -> None:
    sandbox = start(callback_url="http://127.0.0.1:9/wecom/callback")
    assert sandbox.actions.add("lihua")["statuses"] == [0]


def test_chaos_repeats_delays_and_reorders(sandbox: Sandbox, door: Door, clock: Clock) -> None:
    sandbox.settings(callback_repeat=3, callback_reorder=True, callback_hold=60)
    events = [sandbox.actions.add("lihua") for _ in range(10)]
    clock.forward(61)
    while not sandbox.quiet():
        sandbox.run_due()
    got = [opened(sandbox, sent) for sent in door.posts]
    assert sorted(got) == sorted(3 * [e["xml"] for e in events])
    assert list(dict.fromkeys(got)) != [e["xml"] for e in events]


def test_a_delayed_event_waits_for_its_time(sandbox: Sandbox, door: Door, clock: Clock) -> None:
    sandbox.actions.add("lihua", delay=30, repeat=2)
    sandbox.run_due()
    assert door.posts == []
    due = sandbox.next_event_at()
    assert due is not None
    clock.moment = due
    assert sandbox.run_due() == 2
    assert len(door.posts) == 2


def test_it_runs_by_itself(start: Callable[..., Sandbox], door: Door, clock: Clock) -> None:
    sandbox = start(callback_url=door.url, run_by_itself=True)
    sandbox.actions.add("lihua", delay=30)
    clock.forward(30)
    deadline = time.monotonic() + 30
    while not door.posts and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(door.posts) == 1


def test_a_killed_one_has_kept_its_world(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    kept = tmp_path / "sandbox.json"
    sandbox = start(run_by_itself=True, state_path=str(kept))
    added = control(sandbox, "POST", "add", {"staff_id": "lihua"})["external_userid"]
    deadline = time.monotonic() + 30
    while not (kept.exists() and added in kept.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [row["external_userid"] for row in Sandbox(Config(state_path=str(kept))).customers()] == [added]


def test_the_control_api(sandbox: Sandbox, door: Door) -> None:
    added = control(sandbox, "POST", "add", {"staff_id": "lihua", "name": "小王", "repeat": 2})
    pair = {"staff_id": "lihua", "external_userid": added["external_userid"]}
    assert len(door.posts) == 2
    assert control(sandbox, "POST", "edit", {**pair, "remark": "老客"})["statuses"] == [200]
    assert control(sandbox, "POST", "chat-started", pair) == {"status": "ok"}
    assert control(sandbox, "POST", "delete-by-customer", pair)["statuses"] == [200]
    unknown = control(sandbox, "POST", "event", {"event": "from_the_future", "elements": {"Thing": "x"}})
    assert "<Event><![CDATA[from_the_future]]></Event>" in unknown["xml"]
    raw = control(sandbox, "POST", "event", {"xml": "<xml><odd/></xml>"})
    assert opened(sandbox, door.posts[-1]) == raw["xml"] == "<xml><odd/></xml>"
    assert control(sandbox, "POST", "delete-by-staff", {**pair, "staff_id": "nobody"}) == 404
    assert control(sandbox, "POST", "add", {"config_id": "none"}) == 404
    assert control(sandbox, "POST", "add", {"odd": 1}) == 422
    assert control(sandbox, "POST", "settings", {"state_path": "/tmp/x"}) == 422
    assert control(sandbox, "GET", "nothing") == 404
    assert "secret" not in json.dumps(control(sandbox, "GET", ""))
    assert control(sandbox, "DELETE", "calls") == {"status": "ok"}


# Money


def test_an_order_is_signed_as_the_contract_says_and_repeated(sandbox: Sandbox, door: Door) -> None:
    message = {"order_id": "M1", "status": "paid", "items": [{"title": "面膜"}]}
    door.statuses = [500]
    assert control(sandbox, "POST", "mall/orders", {"message": message, "repeat": 2}) == {
        "statuses": [200, 200]
    }
    assert len(door.posts) == 3
    path, headers, body = door.posts[0]
    assert (path, json.loads(body)) == ("/mall/orders/generic", message)
    signed = headers["X-Timestamp"].encode() + b"." + body
    wanted = hmac.new(sandbox.config.mall_generic_secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Signature"] == wanted


def test_a_notice_is_repeated_until_it_is_taken(sandbox: Sandbox, door: Door, clock: Clock) -> None:
    sandbox.settings(pay_notify_url=f"{door.url}/pay/wechat/notify", pay_mode="at_once")
    given = {
        "appid": "x",
        "out_bill_no": "MR1",
        "openid": "oOne",
        "transfer_amount": 100,
        "transfer_remark": "x",
    }
    with sandbox.world.lock:
        sandbox.pay._begin(sandbox.pay._new_bill(given))
    door.statuses = [500, 500]
    times = []
    while (due := sandbox.next_event_at()) is not None:
        clock.moment = due
        sandbox.run_due()
        times.append(int(due.timestamp()))
    assert [later - earlier for earlier, later in pairwise(times)] == [15, 15]
    assert len(door.posts) == 3
    assert len({json.loads(body)["id"] for _, _, body in door.posts}) == 1
    assert len({headers["Wechatpay-Nonce"] for _, headers, _ in door.posts}) == 3


def test_pay_over_http_signs_its_errors_too(sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url}/v3/fund-app/mch-transfer/transfer-bills/out-bill-no/MR1"
    answer = requests.get(url, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
    assert answer.headers["Wechatpay-Serial"] == sandbox.config.public_key_id
    sandbox.fault("transfer-bills", "status", 500)
    answer = requests.get(url, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (500, "SYSTEM_ERROR")
    assert [c["service"] for c in sandbox.calls("transfer-bills")] == ["wechatpay"] * 2


# Life


def test_stopping_drops_connections_that_are_kept_alive(keys: dict[str, str]) -> None:
    sandbox = Sandbox(Config(**keys))
    parts = urlsplit(sandbox.start())
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    for _ in range(2):
        connection.request("GET", "/cgi-bin/user/get")
        assert json.loads(connection.getresponse().read())["errcode"] == 41001
    sandbox.stop()
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.request("GET", "/cgi-bin/user/get")
        connection.getresponse()
    with pytest.raises(OSError):
        urllib.request.urlopen(sandbox.base_url, timeout=1)


def test_a_broken_request_does_no_harm(sandbox: Sandbox, sdk: Any) -> None:
    parts = urlsplit(sandbox.base_url)
    for length in ("x", "-1", "9" * 30):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        connection.putrequest("POST", "/cgi-bin/user/list_id")
        connection.putheader("Content-Length", length)
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()
    url = f"{sandbox.base_url}/cgi-bin/media/upload?access_token={sdk.access_token}&type=image"
    for kind in (
        "multipart/form-data",
        "multipart/form-data; boundary=\xe9",
        "multipart/form-data; boundary=b",
    ):
        answer = requests.post(
            url, data=b"--b\r\n\r\nnothing", headers={"Content-Type": kind.encode("latin-1")}, timeout=5
        )
        assert (answer.status_code, answer.json()["errcode"]) == (200, 44001)
    assert requests.put(url, timeout=5).json()["errcode"] == 43002


def test_a_mistake_of_the_sandbox_is_a_wecom_out_of_order(
    sandbox: Sandbox, sdk: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(userid: str) -> None:
        raise ZeroDivisionError

    token = sdk.access_token
    monkeypatch.setattr(sandbox.world, "staff", broken)
    answer = requests.get(f"{sandbox.base_url}/cgi-bin/user/get?access_token={token}&userid=a", timeout=5)
    assert (answer.status_code, answer.json()["errcode"]) == (200, -1)
    assert "ZeroDivisionError" in capsys.readouterr().err  # and whoever runs it is told
