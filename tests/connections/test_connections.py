"""Connections as an operator sees them: what is set, what was heard, what is wrong, and what mends it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.callbacks import service as callbacks
from chalicelib.connections import messages, pay_probes, probes, rules
from chalicelib.connections.rules import Heard
from chalicelib.platform import connections, settings
from chalicelib.platform.auth import Scope
from chalicelib.platform.errors import Unauthorized, Upstream
from chalicelib.wechatoa import client as wechatoa
from chalicelib.wechatpay import client as wechatpay
from chalicelib.wecom import crypto, health
from chalicelib.wecom.errors import WeComError
from tests.support.api import Api

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TOKEN, AES_KEY = "token1", "a" * 43
SECRETS = {"secret": "s3cret-app", "contact_secret": "s3cret-contact", "callback_token": TOKEN, "callback_aes_key": AES_KEY}  # fmt: skip
ENVIRONMENT = {
    "WECOM_CORP_ID": "ww1",
    "WECOM_AGENT_ID": "1000002",
    "SECRET_WECOM": "arn",
    "PUBLIC_BASE_URL": "https://m.example",
}


@pytest.fixture
def api(client: Client, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch) -> Api:
    at(NOW)
    connections.forget()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(settings, "_secrets", {**settings._secrets, "wecom": (10**12, SECRETS)})
    return Api(client, "operator")


def one(api: Api, connection: str, **headers: str) -> dict[str, Any]:
    status, found = api.get(f"/api/connections/{connection}", **headers)
    assert status == 200, found
    return dict(found)


def test_no_value_of_a_setting_is_in_an_answer(api: Api) -> None:
    status, found = api.get("/api/connections")
    assert status == 200 and found["total"] == 6
    assert "s3cret" not in json.dumps(found) and AES_KEY not in json.dumps(found)
    rows = {row["connection"]: row for row in found["items"]}
    assert {one["name"]: one["is_set"] for one in rows["wecom_app"]["settings"]} == {
        "WECOM_CORP_ID": True, "WECOM_AGENT_ID": True, "WECOM_SECRET": True,
    }  # fmt: skip
    assert rows["wecom_callback"]["address"] == "https://m.example/wecom/callback"
    assert rows["wecom_callback"]["status"] == "untested" and rows["wecom_callback"]["refused"] == []
    assert rows["wechat_oa"]["status"] == "not_set_up"
    private_key = next(s for s in rows["wechatpay"]["settings"] if s["name"] == "WECHATPAY_PRIVATE_KEY")
    assert private_key["is_set"] is None  # this function can't know


def test_what_went_well_had_its_secrets(api: Api) -> None:
    connections.note_success("wechatpay")
    connections.note_success("mall_generic")
    pay, mall = one(api, "wechatpay")["settings"], one(api, "mall_generic")["settings"]
    assert mall == [{"name": "MALL_GENERIC_SECRET", "is_set": True}]
    assert {s["name"]: s["is_set"] for s in pay if s["is_set"] is not False} == {
        "WECHATPAY_PRIVATE_KEY": True, "WECHATPAY_PUBLIC_KEY": True, "WECHATPAY_APIV3_KEY": None,
    }  # fmt: skip


def test_what_wecom_refuses_is_said_with_its_cure_until_it_goes_well(
    api: Api, at: Callable[[datetime], None]
) -> None:
    note = health.noting("wecom_contact")
    note(WeComError("externalcontact/get", 60020))
    row = one(api, "wecom_contact", Accept_Language="zh")
    assert (row["status"], row["problem"]["errcode"]) == ("failing", 60020)
    assert "可信 IP" in row["problem"]["message"] and "固定出口 IP" in row["problem"]["cure"]
    assert "fixed address" in one(api, "wecom_contact", Accept_Language="en")["problem"]["cure"]
    at(NOW + timedelta(seconds=1))
    note(WeComError("user/get", 60111))  # one member is not known: WeCom answers
    row = one(api, "wecom_contact")
    assert (row["status"], row["problem"]) == ("working", None)
    at(NOW + timedelta(seconds=2))
    note(Upstream(code="wecom_silent", path="user/get"))
    assert one(api, "wecom_contact")["problem"]["code"] == "silent"


def test_a_process_notes_the_same_once_a_minute(
    api: Api, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    update = connections.ConnectionItem.update
    monkeypatch.setattr(
        connections.ConnectionItem, "update", lambda self, **more: [written.append("x"), update(self, **more)][1]
    )  # fmt: skip
    for second in range(61):
        at(NOW + timedelta(seconds=second))
        connections.note_success("wecom_app")
    assert len(written) == 2


def test_a_note_that_fails_costs_nobody_their_work(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise Upstream(code="busy")

    monkeypatch.setattr(connections.ConnectionItem, "update", broken)
    connections.note_success("wecom_app")


def callback(client: Client, signature: str = "", seconds: int = 0, body: bytes | None = None) -> int:
    timestamp = str(int((NOW + timedelta(seconds=seconds)).timestamp()))
    box = crypto.encrypt(AES_KEY, b"<xml><ToUserName>ww1</ToUserName></xml>", "ww1")
    signature = signature or crypto.sign(TOKEN, timestamp, "n", box)
    path = f"/wecom/callback?msg_signature={signature}&timestamp={timestamp}&nonce=n"
    raw = f"<xml><Encrypt>{box}</Encrypt></xml>".encode() if body is None else body
    return int(client.http.request("POST", path, headers={}, body=raw).status_code)


def test_the_callback_says_when_it_was_last_heard_and_how_many_it_refused_and_why(
    api: Api, client: Client, at: Callable[[datetime], None], sent: list[Any]
) -> None:
    assert callback(client, "f" * 40) == 403
    at(NOW + timedelta(seconds=11))
    assert [callback(client, seconds=-1000), callback(client, body=b"<xml/>"), callback(client, "0" * 40)] == [
        403, 400, 403,
    ]  # fmt: skip
    at(NOW + timedelta(seconds=22))
    assert callback(client, "1" * 40) == 403
    row = one(api, "wecom_callback", Accept_Language="zh")
    assert {each["reason"]: each["count"] for each in row["refused"]} == {
        "signature": 3, "timestamp": 1, "form": 1,
    }  # fmt: skip
    assert row["status"] == "failing" and "Token" in row["problem"]["cure"]
    at(NOW + timedelta(seconds=33))
    assert callback(client) == 200
    callbacks.handle(next(message for queue, message, _ in sent if queue == "callback"))
    row = one(api, "wecom_callback")
    assert (row["status"], row["last_success_at"]) == ("working", "2026-11-23T04:00:33.000000+00:00")


def test_a_mall_that_signs_wrongly_is_counted_and_told_in_its_own_words(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        settings, "_secrets", {**settings._secrets, "mall": (10**12, {"generic_secret": "x"})}
    )
    headers = {"X-Timestamp": "1", "X-Signature": "0"}
    assert client.http.request("POST", "/mall/orders/generic", headers=headers, body=b"{}").status_code == 401
    row = one(api, "mall_generic", Accept_Language="en")
    assert row["refused"] == [{"reason": "signature", "count": 1, "message": "the mall's signature is wrong"}]
    assert "HMAC-SHA256" in row["problem"]["cure"]
    assert client.http.request("POST", "/mall/orders/generic", headers={}, body=b"{}").status_code == 401
    assert one(api, "mall_generic")["refused"][0]["count"] == 1  # without a signature it is no mall


@pytest.mark.parametrize(
    ("answer", "code"),
    [(None, None), (WeComError("gettoken", 40001), "wecom_40001"), (Upstream(code="busy"), "silent")],
)
def test_wecom_is_tested_by_a_call_that_changes_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch, answer: Exception | None, code: str | None
) -> None:
    class Asked:
        def get_follow_user_list(self, **_: Any) -> list[str]:
            if answer:
                raise answer
            return []

        def getuserinfo(self, given: str, **_: Any) -> None:
            raise answer or WeComError("auth/getuserinfo", 40029)

    monkeypatch.setattr("chalicelib.wecom.client.default_client", Asked)
    for connection in ("wecom_contact", "wecom_app"):
        status, row = api("POST", f"/api/connections/{connection}/test")
        assert (status, row["status"]) == (200, "failing" if code else "working")
        assert (row["problem"] or {}).get("code") == code and row["tested_at"]


@pytest.mark.parametrize(
    ("echo", "code"),
    [
        (lambda query: (200, crypto.verify_url(TOKEN, AES_KEY, "ww1", query)), "callback_never"),
        (lambda query: (403, "{}"), "callback_refused"),
        (lambda query: (200, "<html>"), "callback_refused"),
        (lambda query: (404, ""), "callback_unreachable"),
        (lambda query: None, "callback_unreachable"),
    ],
)
def test_the_callback_is_tested_as_wecom_tests_it(
    api: Api, monkeypatch: pytest.MonkeyPatch, echo: Any, code: str | None
) -> None:
    monkeypatch.setattr(probes, "_ask", lambda method, path, query: echo(query))
    row = api("POST", "/api/connections/wecom_callback/test")[1]
    assert (row["problem"] or {}).get("code") == code
    assert row["last_success_at"] is None  # it was we who called
    assert row["status"] == ("untested" if code == "callback_never" else "failing")


@pytest.mark.parametrize(
    ("status", "code", "is_set"),
    [
        (401, None, True),
        (500, "mall_unsigned", False),
        (404, "mall_unreachable", True),
        (0, "mall_unreachable", True),
    ],
)
def test_a_malls_door_is_tested_by_a_message_without_a_signature(
    api: Api, monkeypatch: pytest.MonkeyPatch, status: int, code: str | None, is_set: bool
) -> None:
    monkeypatch.setattr(probes, "_ask", lambda *_, **__: (status, "") if status else None)
    row = api("POST", "/api/connections/mall_generic/test")[1]
    assert (row["problem"] or {}).get("code") == code
    assert row["settings"][0]["is_set"] is is_set


def test_what_only_payout_can_test_is_tested_there(
    api: Api, sent: list[Any], monkeypatch: pytest.MonkeyPatch, at: Callable[[datetime], None]
) -> None:
    assert api("POST", "/api/connections/wechatpay/test")[0] == 409  # nothing is set
    for name in ("MCH_ID", "APP_ID", "CERT_SERIAL", "PUBLIC_KEY_ID"):
        monkeypatch.setenv(f"WECHATPAY_{name}", "1")
    status, row = api("POST", "/api/connections/wechatpay/test")
    assert (status, row["testing"]) == (200, True)
    assert sent == [("payout", {"kind": "connection_test", "connection": "wechatpay"}, "wechatpay")]
    at(NOW + timedelta(seconds=1))
    known = {"private_key": "k", "public_key": "k", "apiv3_key": "k"}
    monkeypatch.setattr(settings, "secret", lambda group, name, default=None: known.get(name, ""))

    class Merchant:
        def query(self, number: str) -> None:
            raise wechatpay.Unknown("SIGN_ERROR")

    monkeypatch.setattr("chalicelib.wechatpay.client.default_client", Merchant)
    pay_probes.test("wechatpay")
    row = one(api, "wechatpay")
    assert (row["testing"], row["problem"]["code"]) == (False, "pay_SIGN_ERROR")
    assert {s["name"]: s["is_set"] for s in row["settings"]}["WECHATPAY_PRIVATE_KEY"] is True
    at(NOW + timedelta(seconds=2))
    monkeypatch.setattr(Merchant, "query", lambda self, number: None)
    pay_probes.test("wechatpay")
    assert one(api, "wechatpay")["status"] == "working"
    known.pop("apiv3_key")
    pay_probes.test("wechatpay")
    assert one(api, "wechatpay")["problem"]["code"] == "not_set"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Unauthorized(code="needs_key"), None),
        (wechatoa.Refused(40125), "oa_40125"),
        (wechatoa.Refused(1), "oa_refused"),
        (Upstream(code="busy"), "silent"),
    ],
)
def test_the_official_account_is_tested_by_a_code_that_there_is_not(
    monkeypatch: pytest.MonkeyPatch, answer: Exception, code: str | None
) -> None:
    def refuse(_: str) -> None:
        raise answer

    monkeypatch.setattr(wechatoa, "person_of", refuse)
    assert pay_probes._wechat_oa() == code


def test_who_is_kept_to_a_store_sees_no_connections(api: Api, client: Client) -> None:
    for role in ("store_manager", "operator"):
        scoped = Api(client, role, Scope(("s1",)))
        assert (
            scoped.get("/api/connections")[0] == scoped("POST", "/api/connections/wecom_app/test")[0] == 403
        )
    assert api.get("/api/connections/other")[0] == 404


def test_every_error_of_a_connection_has_words_and_a_cure() -> None:
    codes = {f"wecom_{code}" for code in health.OF_THE_CONNECTION}
    assert {f"connection_{code}" for code in codes} <= messages.TEXTS.keys()
    assert {
        code.removeprefix("connection_") for code in messages.TEXTS if code.startswith("connection_")
    } == {code.removeprefix("cure_") for code in messages.TEXTS if code.startswith("cure_")}


def test_what_is_said_is_what_came_last() -> None:
    early, late = "2026-11-23T04:00:00.000000+00:00", "2026-11-23T05:00:00.000000+00:00"
    failed = Heard(success_at=early, failure_at=late, failure="silent")
    assert rules.problem_of(failed) == ("silent", late)
    assert rules.problem_of(Heard(failure_at=early, failure="silent", tested_at=late)) is None
    assert rules.problem_of(Heard(success_at=early, tested_at=late, test_failure="x")) == ("x", late)
    assert rules.problem_of(Heard(success_at=late, tested_at=early, test_failure="x")) is None
    assert [rules.last_success_of(heard) for heard in (
        Heard(tested_at=late), Heard(success_at=early, tested_at=late), Heard(tested_at=late, test_failure="x"),
    )] == [late, late, None]  # fmt: skip
    assert [rules.status_of(heard, True) for heard in (Heard(), failed, Heard(success_at=early))] == [
        "untested", "failing", "working",
    ]  # fmt: skip
    asked = Heard(asked_at=early)
    at = datetime.fromisoformat(early)
    assert rules.is_testing(asked, at) and not rules.is_testing(asked, at + rules.WAIT)
    assert not rules.is_testing(Heard(asked_at=early, tested_at=late), at)


assert app
