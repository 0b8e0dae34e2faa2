"""What each platform is told, to the byte where it matters, and what its answers mean."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ads.adapters import PLATFORMS, baidu, generic, oceanengine, tencent
from chalicelib.ads.adapters.wire import Conversion
from chalicelib.ads.rules import CLICK_IDS

AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 2, 5, tzinfo=UTC)
STAMP = 1795312800


def conversion(**changes: Any) -> Conversion:
    given = {"conversion_id": "cvabc", "ad_campaign_id": "ac_1", "kind": "bought", "event": "10"}
    page = {
        "click_id": "123",
        "landing_url": "https://s.example.com/h5/a/x?bd_vid=123",
        "at": AT,
        "amount_fen": 9900,
    }
    return Conversion(**{**given, **page, **changes})


def test_every_platform_is_whole() -> None:
    assert set(PLATFORMS) == set(CLICK_IDS)


def test_baidu() -> None:
    request = baidu.request(conversion(), {"token": "T"}, baidu.BASE, NOW, "n")
    assert (request.method, request.url) == ("POST", "https://ocpc.baidu.com/ocpcapi/api/uploadConvertData")
    (row,) = json.loads(request.body)["conversionTypes"]
    assert json.loads(request.body)["token"] == "T"
    assert row == {
        "logidUrl": "https://s.example.com/h5/a/x?bd_vid=123",
        "newType": 10,
        "convertTime": STAMP,
        "convertValue": 9900,
    }
    bare = baidu.request(conversion(amount_fen=None, kind="added"), {"token": "T"}, "http://b", NOW, "n")
    assert "convertValue" not in json.loads(bare.body)["conversionTypes"][0]


def test_oceanengine() -> None:
    request = oceanengine.request(conversion(event="form"), {}, oceanengine.BASE, NOW, "n")
    assert request.url == "https://analytics.oceanengine.com/api/v2/conversion"
    assert json.loads(request.body) == {
        "event_type": "form", "context": {"ad": {"callback": "123"}}, "timestamp": STAMP * 1000,
        "properties": {"pay_amount": 9900},
    }  # fmt: skip
    assert "Access-Token" not in request.headers
    assert (
        oceanengine.request(conversion(), {"access_token": "A"}, "x", NOW, "n").headers["Access-Token"] == "A"
    )


def test_tencent() -> None:
    credentials = {"access_token": "A", "account_id": "7", "user_action_set_id": 8}
    request = tencent.request(conversion(event="PURCHASE"), credentials, tencent.BASE, NOW, "nonce1")
    parts = urlsplit(request.url)
    assert (parts.netloc, parts.path) == ("api.e.qq.com", "/v3.0/user_actions/add")
    assert parse_qs(parts.query) == {
        "access_token": ["A"],
        "timestamp": [str(STAMP + 300)],
        "nonce": ["nonce1"],
    }
    body = json.loads(request.body)
    assert (body["account_id"], body["user_action_set_id"]) == (7, 8)
    assert body["actions"] == [{
        "outer_action_id": "cvabc", "action_time": STAMP, "action_type": "PURCHASE", "trace": {"click_id": "123"},
        "url": "https://s.example.com/h5/a/x?bd_vid=123", "action_param": {"value": 9900},
    }]  # fmt: skip


def test_generic_is_signed_as_the_contracts_orders_are() -> None:
    request = generic.request(
        conversion(event="pay"), {"secret": "s"}, "https://x.example.com/hook", NOW, "n"
    )
    assert request.url == "https://x.example.com/hook" and request.headers["Idempotency-Key"] == "cvabc"
    signed = request.headers["X-Timestamp"].encode() + b"." + request.body
    assert request.headers["X-Signature"] == hmac.new(b"s", signed, hashlib.sha256).hexdigest()
    assert json.loads(request.body)["amount_fen"] == 9900


@pytest.mark.parametrize(
    ("platform", "status", "body", "kind"),
    [
        ("baidu", 200, {"header": {"status": 0}}, "done"),
        ("baidu", 200, {"header": {"status": 2, "errors": [{"code": 501}]}}, "refused"),
        ("baidu", 200, {"header": {"status": 1}}, "refused"),
        ("baidu", 200, {"header": {"status": 3}}, "again"),
        ("baidu", 200, {"header": {"status": 4}}, "again"),
        ("baidu", 200, {"header": []}, "again"),
        ("baidu", 400, {}, "refused"),
        ("baidu", 503, {}, "again"),
        ("oceanengine", 200, {"code": 0}, "done"),
        ("oceanengine", 200, {"code": 40001}, "refused"),
        ("oceanengine", 200, {"code": 50000}, "again"),
        ("oceanengine", 200, {"code": "0"}, "again"),
        ("tencent", 200, {"code": 0}, "done"),
        ("tencent", 200, {"code": 11000}, "again"),
        ("tencent", 200, {"code": 11017}, "again"),
        ("tencent", 200, {"code": 30010}, "again"),
        ("tencent", 200, {"code": 31001}, "refused"),
        ("tencent", 200, {}, "again"),
        ("generic", 204, {}, "done"),
        ("generic", 200, {}, "done"),
        ("generic", 302, {}, "refused"),
        ("generic", 401, {}, "again"),
        ("generic", 429, {}, "again"),
        ("generic", 422, {}, "refused"),
    ],
)  # fmt: skip
def test_answers(platform: str, status: int, body: dict[str, Any], kind: str) -> None:
    assert PLATFORMS[platform].outcome(status, json.dumps(body).encode()).kind == kind


@given(st.sampled_from(sorted(PLATFORMS)), st.integers(100, 599), st.binary(max_size=200))
def test_no_answer_is_a_surprise_and_none_but_theirs_is_a_success(
    platform: str, status: int, body: bytes
) -> None:
    outcome = PLATFORMS[platform].outcome(status, body)
    assert outcome.kind in ("done", "again", "refused") and len(outcome.reason) <= 60
    if platform != "generic" and b"0" not in body:
        assert outcome.kind != "done"


@given(
    st.sampled_from(sorted(PLATFORMS)),
    st.recursive(st.none() | st.integers() | st.text(max_size=9), lambda c: st.lists(c) | st.dictionaries(st.sampled_from(["header", "status", "code", "errors"]), c), max_leaves=6),
)  # fmt: skip
def test_nor_any_json(platform: str, answer: Any) -> None:
    assert PLATFORMS[platform].outcome(200, json.dumps(answer).encode()).kind in ("done", "again", "refused")


@pytest.mark.parametrize(
    ("platform", "good", "bad"),
    [
        ("baidu", "79", "form"),
        ("oceanengine", "form", "79"),
        ("tencent", "SCANCODE", "form"),
        ("generic", "x:1", "a b"),
    ],
)
def test_events_are_checked(platform: str, good: str, bad: str) -> None:
    assert PLATFORMS[platform].check(good) is None and PLATFORMS[platform].check(bad)


def test_nothing_secret_shows() -> None:
    request = tencent.request(
        conversion(event="PURCHASE"), {"access_token": "SECRET"}, tencent.BASE, NOW, "n"
    )
    assert "SECRET" not in repr(request) and "123" not in repr(conversion())
