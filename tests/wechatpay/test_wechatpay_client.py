"""The WeChat Pay client over real HTTP, against a stub that checks our signature and signs its answers."""

import base64
import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from chalicelib.platform import clock, settings
from chalicelib.platform.errors import Invalid, Upstream
from chalicelib.wechatpay import client as wechatpay_client
from chalicelib.wechatpay import scenes
from chalicelib.wechatpay.client import HOST, Bill, State, TransferRejected, Unknown, WeChatPay
from chalicelib.wechatpay.signer import Signer, Verifier

BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
KEY_ID = "PUB_KEY_ID_0119000001092025060100000001"
OPENID = "oTESTopenid0000000000000001"
NAME = "王小明"
NUMBER = "MR20250601000001"
SCENE = scenes.scene("1005", "[]")
MERCHANT = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WECHAT = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = MERCHANT.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = (
    WECHAT.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
OFFERED = {
    "out_bill_no": NUMBER,
    "transfer_bill_no": "1330009999900000012506010000000001",
    "create_time": "2025-06-01T10:00:00+08:00",
    "state": "WAIT_USER_CONFIRM",
    "package_info": "PKG_TEST_BASE64==",
}

Answer = tuple[int, Any]


class Stub:
    """Answers `answers` in turn (the last one stays): (status, JSON); status 0 cuts the connection.

    `sign` "yes", "no" (no signature headers) or "wrong".
    """

    def __init__(self) -> None:
        self.answers: list[Answer] = [(200, OFFERED)]
        self.sign = "yes"
        self.seen: list[dict[str, Any]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def signature(self, body: bytes) -> dict[str, str]:
        if self.sign == "no":
            return {}
        timestamp = str(int(clock.now().timestamp()))
        signed = f"{timestamp}\nN\n".encode() + (body if self.sign == "yes" else b"other") + b"\n"
        return {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": "N",
            "Wechatpay-Serial": KEY_ID,
            "Wechatpay-Signature": base64.b64encode(
                WECHAT.sign(signed, padding.PKCS1v15(), SHA256())
            ).decode(),
        }

    def _handler(stub: "Stub") -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                check_signature(self.command, self.path, raw, self.headers["Authorization"])
                stub.seen.append(
                    {"method": self.command, "path": self.path, "raw": raw, "headers": self.headers}
                )
                status, answer = stub.answers.pop(0) if len(stub.answers) > 1 else stub.answers[0]
                if not status:
                    self.close_connection = True
                    return
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {**stub.signature(body), "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def check_signature(method: str, path: str, body: bytes, header: str) -> None:
    fields = {
        k: v.strip('"') for k, v in (part.split("=", 1) for part in header.partition(" ")[2].split(","))
    }
    message = f"{method}\n{path}\n{fields['timestamp']}\n{fields['nonce_str']}\n".encode() + body + b"\n"
    signature = base64.b64decode(fields["signature"])
    MERCHANT.public_key().verify(signature, message, padding.PKCS1v15(), SHA256())
    assert (fields["mchid"], fields["serial_no"]) == ("1900000109", "CERT1")


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()
    yield made
    made.stop()


def make(stub: Stub, prefix: str = "", **extra: Any) -> WeChatPay:
    signer, verifier = Signer("1900000109", "CERT1", PRIVATE), Verifier(KEY_ID, PUBLIC)
    return WeChatPay(stub.base + prefix, "wxTESTappid00000001", signer, verifier, **extra)


def offer(client: WeChatPay, amount_fen: int = 880, name: str | None = None) -> Bill:
    return client.transfer(NUMBER, OPENID, amount_fen, "五月推广奖励", SCENE, name)


def test_a_transfer_is_offered(stub: Stub) -> None:
    bill = offer(make(stub, notify_url="https://api.example.com/pay/wechat/notify"))
    assert bill == Bill(
        NUMBER,
        OFFERED["transfer_bill_no"],
        State.WAIT_USER_CONFIRM,
        package_info="PKG_TEST_BASE64==",
        created_at=datetime(2025, 6, 1, 2, tzinfo=UTC),
    )
    (request,) = stub.seen
    assert (request["method"], request["path"]) == ("POST", BILLS)
    assert json.loads(request["raw"]) == {
        "appid": "wxTESTappid00000001",
        "out_bill_no": NUMBER,
        "transfer_scene_id": "1005",
        "openid": OPENID,
        "transfer_amount": 880,
        "transfer_remark": "五月推广奖励",
        "transfer_scene_report_infos": [
            {"info_type": "岗位类型", "info_content": "推广员"},
            {"info_type": "报酬说明", "info_content": "推广佣金"},
        ],
        "notify_url": "https://api.example.com/pay/wechat/notify",
    }
    assert request["headers"]["Wechatpay-Serial"] == KEY_ID
    assert request["headers"]["User-Agent"] and request["headers"]["Accept"] == "application/json"
    assert "PKG_TEST" not in repr(bill)


def test_a_base_with_a_path_is_signed_with_it(stub: Stub) -> None:
    offer(make(stub, "/sandbox/pay"))
    assert stub.seen[0]["path"] == "/sandbox/pay" + BILLS


def test_the_receivers_name_is_sent_sealed_and_only_when_wechat_takes_it(stub: Stub) -> None:
    client = make(stub)
    for fen, sent in ((29, False), (30, True), (200_000, True)):
        offer(client, fen, NAME)
        body = json.loads(stub.seen[-1]["raw"])
        assert ("user_name" in body) is sent
    oaep = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)
    assert WECHAT.decrypt(base64.b64decode(body["user_name"]), oaep).decode() == NAME
    offer(client, 199_999)
    assert "user_name" not in json.loads(stub.seen[-1]["raw"])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda c: offer(c, 200_000),
        lambda c: offer(c, 0),
        lambda c: offer(c, -1),
        lambda c: c.transfer("MR/../1", OPENID, 880, "x", SCENE),
        lambda c: c.transfer("M" * 33, OPENID, 880, "x", SCENE),
        lambda c: c.transfer("", OPENID, 880, "x", SCENE),
        lambda c: c.transfer(NUMBER, OPENID, 880, "x" * 33, SCENE),
        lambda c: c.query("a b"),
        lambda c: c.cancel("../x"),
    ],
)
def test_what_cannot_be_right_is_never_sent(stub: Stub, wrong: Callable[[WeChatPay], Any]) -> None:
    with pytest.raises(Invalid):
        wrong(make(stub))
    assert not stub.seen


@pytest.mark.parametrize("state", list(State))
def test_every_state(stub: Stub, state: State) -> None:
    stub.answers = [(200, {**OFFERED, "state": state.value, "transfer_amount": 880, "fail_reason": "X"})]
    bill = make(stub).query(NUMBER)
    assert bill is not None and (bill.state, bill.amount_fen, bill.fail_reason) == (state, 880, "X")
    assert state.final is (state.value in {"SUCCESS", "FAIL", "CANCELLED"})
    assert (stub.seen[0]["method"], stub.seen[0]["path"]) == ("GET", f"{BILLS}/out-bill-no/{NUMBER}")


def test_never_taken_in_is_a_value_of_its_own(stub: Stub) -> None:
    stub.answers = [(404, {"code": "NOT_FOUND", "message": "记录不存在"})]
    assert make(stub).query(NUMBER) is None
    stub.answers = [(404, {"code": "OTHER"})]  # a wrong address says nothing about the transfer
    with pytest.raises(Unknown):
        make(stub).query(NUMBER)
    stub.answers, stub.sign = [(404, {"code": "NOT_FOUND"})], "wrong"
    with pytest.raises(Unknown):
        make(stub).query(NUMBER)


def test_cancel(stub: Stub) -> None:
    stub.answers = [(200, {**OFFERED, "state": "CANCELING"})]
    assert make(stub).cancel(NUMBER).state is State.CANCELING
    assert (stub.seen[0]["method"], stub.seen[0]["path"]) == ("POST", f"{BILLS}/out-bill-no/{NUMBER}/cancel")
    stub.answers = [(400, {"code": "INVALID_REQUEST"})]
    with pytest.raises(TransferRejected):
        make(stub).cancel(NUMBER)


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "PARAM_ERROR", False),
        (401, "SIGN_ERROR", True),
        (403, "NO_AUTH", True),
        (400, "INVALID_REQUEST", True),
        (403, "NOT_ENOUGH", True),
        (429, "FREQUENCY_LIMIT_EXCEED", True),
    ],
)
@pytest.mark.parametrize("sign", ["yes", "no"])
def test_a_definite_refusal(stub: Stub, status: int, code: str, retryable: bool, sign: str) -> None:
    stub.answers, stub.sign = [(status, {"code": code, "message": "…"})], sign
    with pytest.raises(TransferRejected) as error:
        offer(make(stub))
    assert (error.value.code, error.value.retryable) == (code, retryable)
    assert len(stub.seen) == 1


@pytest.mark.parametrize(
    ("answer", "sign", "code"),
    [
        ((0, None), "yes", ""),
        ((500, {"code": "SYSTEM_ERROR"}), "yes", "SYSTEM_ERROR"),
        ((502, b"<html>"), "no", ""),
        ((500, {"code": "PARAM_ERROR"}), "yes", "PARAM_ERROR"),
        ((400, {"code": "SYSTEM_ERROR"}), "yes", "SYSTEM_ERROR"),
        ((400, {"code": "BRAND_NEW"}), "yes", "BRAND_NEW"),
        ((400, {"code": "PARAM_ERROR"}), "wrong", ""),
        ((302, {}), "no", ""),
        ((202, OFFERED), "yes", ""),
        ((200, OFFERED), "no", ""),
        ((200, OFFERED), "wrong", ""),
        ((200, {**OFFERED, "state": "BRAND_NEW"}), "yes", ""),
        ((200, {}), "yes", ""),
        ((200, []), "yes", ""),
        ((200, b"not json"), "yes", ""),
    ],
    ids=str,
)
def test_all_else_is_unknown_and_is_not_sent_again(stub: Stub, answer: Answer, sign: str, code: str) -> None:
    stub.answers, stub.sign = [answer], sign
    with pytest.raises(Unknown) as error:
        offer(make(stub))
    assert error.value.code == code and error.value.retryable and isinstance(error.value, Upstream)
    assert len(stub.seen) == 1


def test_an_unreachable_wechat_is_unknown(stub: Stub) -> None:
    stub.stop()
    with pytest.raises(Unknown):
        offer(make(stub))


def test_after_a_lost_answer_the_same_number_is_asked_for_and_offered_again(stub: Stub) -> None:
    client = make(stub)
    stub.answers = [(0, None), (404, {"code": "NOT_FOUND"}), (200, OFFERED)]
    with pytest.raises(Unknown):
        offer(client)
    assert client.query(NUMBER) is None
    assert offer(client).state is State.WAIT_USER_CONFIRM
    assert stub.seen[0]["raw"] == stub.seen[2]["raw"]


def test_a_query_is_a_read_and_is_tried_three_times(stub: Stub) -> None:
    stub.answers = [(0, None), (500, {}), (200, OFFERED)]
    assert make(stub).query(NUMBER) is not None
    stub.seen.clear()
    stub.answers = [(500, {"code": "SYSTEM_ERROR"})]
    with pytest.raises(Unknown):
        make(stub).query(NUMBER)
    assert len(stub.seen) == 3


def test_a_stale_answer_is_not_believed(stub: Stub, at: Callable[[datetime], None]) -> None:
    at(datetime(2026, 11, 22, 10, tzinfo=UTC))
    old = stub.signature(json.dumps(OFFERED).encode())
    stub.signature = lambda body: old  # type: ignore[method-assign]
    at(datetime(2026, 11, 22, 10, 6, tzinfo=UTC))
    with pytest.raises(Unknown):
        offer(make(stub))


def test_no_secret_in_logs_or_errors(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    for answer in ((0, None), (500, {"code": "X", "message": OPENID}), (400, {"code": "PARAM_ERROR"})):
        stub.answers = [answer]
        with pytest.raises((Unknown, TransferRejected)) as error:
            offer(make(stub), 200_000, NAME)
        told += traceback.format_exception(error.value)
    text = caplog.text + "".join(told)
    assert OPENID not in text
    assert NAME not in text
    assert "signature=" not in text


@pytest.mark.parametrize(
    ("base", "public", "told"),
    [
        (HOST, "https://m.example.com/", "https://m.example.com/pay/wechat/notify"),
        (HOST + "/", "http://127.0.0.1:8000", None),
        ("http://127.0.0.1:9", "http://127.0.0.1:8000", "http://127.0.0.1:8000/pay/wechat/notify"),
    ],
)
def test_the_default_client_is_made_of_settings(
    monkeypatch: pytest.MonkeyPatch, base: str, public: str, told: str | None
) -> None:
    for name, value in {
        "WECHATPAY_API_BASE": base,
        "PUBLIC_BASE_URL": public,
        "WECHATPAY_MCH_ID": "1900000109",
        "WECHATPAY_APP_ID": "wxTESTappid00000001",
        "WECHATPAY_CERT_SERIAL": "CERT1",
        "WECHATPAY_PUBLIC_KEY_ID": KEY_ID,
    }.items():
        monkeypatch.setenv(name, value)
    secrets = {"private_key": PRIVATE, "public_key": PUBLIC}
    monkeypatch.setattr(settings, "secret", lambda group, name, default=None: secrets[name])
    wechatpay_client._client.cache_clear()
    try:
        client = wechatpay_client.default_client()
        body = client._transfer_body(NUMBER, OPENID, 880, "x", SCENE, None)
        assert body.get("notify_url") == told
        assert wechatpay_client.default_client() is client
        secrets["private_key"] = PRIVATE + "\n"
        assert wechatpay_client.default_client() is not client
    finally:
        wechatpay_client._client.cache_clear()
