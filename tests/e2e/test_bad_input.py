"""Every door with what nobody should send: the contract's answer, no 5xx, and nothing changed."""

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.platform import clock
from infra.local.client import LocalStack
from infra.sandbox import crypto


def seconds(stack: LocalStack) -> int:
    return int(clock.parse(stack.api("GET", "/local/clock")["now"]).timestamp())


def callback(stack: LocalStack, xml: str, *, corp: str = "", age: int = 0, outer: bytes | None = None) -> int:
    """Post a well-signed callback; its status."""
    world = stack.api("GET", "/local/sandbox")
    stamp = str(seconds(stack) - age)
    box = crypto.seal(world["callback_aes_key"], xml.encode(), corp or world["corp_id"])
    signature = crypto.signature(world["callback_token"], stamp, "n", box)
    body = outer.replace(b"BOX", box.encode()) if outer else crypto.envelope(box, world["corp_id"], 1)
    path = f"/wecom/callback?msg_signature={signature}&timestamp={stamp}&nonce=n"
    return stack.request("POST", path, body, {"Content-Type": "text/xml"}).status


EVENT = "<xml><ToUserName>CORP</ToUserName><CreateTime>1</CreateTime><MsgType>event</MsgType><Event>e</Event></xml>"


def test_callbacks_that_are_not_ours(stack: LocalStack) -> None:
    corp = stack.api("GET", "/local/sandbox")["corp_id"]
    event = EVENT.replace("CORP", corp)
    assert callback(stack, event) == 200
    assert callback(stack, event, corp="ww0000000000000000") == 403
    assert callback(stack, event, age=16 * 60) == 403
    assert callback(stack, event, age=-16 * 60) == 403
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><Encrypt>BOX</Encrypt></xml>'
    assert callback(stack, event, outer=bomb) == 400
    twice = b"<xml><Encrypt>BOX</Encrypt><Encrypt>BOX</Encrypt></xml>"
    assert callback(stack, event, outer=twice) == 400
    inner = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + event
    assert callback(stack, inner) == 200  # verified, so kept, as a dead letter that nobody parses
    assert stack.request("POST", "/wecom/callback", b"<xml/>").status == 400
    assert stack.request("GET", "/wecom/callback").status == 400
    query = "?msg_signature=a&timestamp=1&nonce=n"
    large = b"<xml><Encrypt>" + b"A" * 1_100_000 + b"</Encrypt></xml>"
    assert stack.request("POST", "/wecom/callback" + query, large).status == 413


def test_the_url_check_answers_the_decrypted_echo_plain(stack: LocalStack) -> None:
    world = stack.api("GET", "/local/sandbox")
    stamp, box = "1", crypto.seal(world["callback_aes_key"], b"1616140317555161061", world["corp_id"])
    signature = crypto.signature(world["callback_token"], stamp, "n", box)
    from urllib.parse import quote

    path = (
        f"/wecom/callback?msg_signature={signature}&timestamp={stamp}&nonce=n&echostr={quote(box, safe='')}"
    )
    answer = stack.request("GET", path)
    assert (answer.status, answer.data) == (200, b"1616140317555161061")
    assert stack.request("GET", path.replace(signature, "0" * 40)).status == 403


def mall(stack: LocalStack, body: bytes, *, age: int = 0, secret: str = "", source: str = "generic") -> Any:
    world = stack.api("GET", "/local/sandbox")
    stamp = str(seconds(stack) - age)
    key = (secret or world["mall_generic_secret"]).encode()
    signature = hmac.new(key, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return stack.request(
        "POST", f"/mall/orders/{source}", body, {"X-Timestamp": stamp, "X-Signature": signature}
    )


ORDER: dict[str, Any] = {
    "order_id": "M-bad", "status": "paid", "occurred_at": "2026-11-22T10:00:00+08:00",
    "buyer": {"unionid": None, "external_userid": None, "phone": None},
    "items": [{"line_id": "1", "sku": "S", "title": "t", "quantity": 1, "price_fen": 100, "discount_fen": 0}],
    "paid_fen": 100, "freight_fen": 0, "share_code": None,
}  # fmt: skip


def test_orders_that_are_forged_stale_or_wrong(stack: LocalStack) -> None:
    raw = json.dumps(ORDER).encode()
    assert mall(stack, raw, secret="wrong").status == 401
    assert mall(stack, raw, age=301).status == 401
    assert stack.request("POST", "/mall/orders/generic", raw).status == 401
    assert mall(stack, b"{").status == 400
    assert mall(stack, raw, source="nobody").status == 404
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"order_id": ""}, "order_id"),
        ({"status": "lost"}, "status"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "2026-11-22T10:00:00"}, "occurred_at"),
        ({"paid_fen": -1}, "paid_fen"),
        ({"paid_fen": 1.5}, "paid_fen"),
        ({"items": [{**ORDER["items"][0], "quantity": 0}]}, "items[0].quantity"),
        ({"items": [{**ORDER["items"][0], "discount_fen": 101}]}, "items[0].discount_fen"),
        ({"status": "refunded"}, "refund"),
    ]
    for change, field in wrong:
        answer = mall(stack, json.dumps(ORDER | change).encode())
        assert answer.status == 422, change
        assert answer.json()["errors"][0]["field"] == field
    stack.drain()
    answer = stack.request("GET", "/api/orders/M-bad", headers={"Authorization": f"Bearer {stack.key}"})
    assert answer.status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "teleport"}, "kind"),
        ({"name": ""}, "name"),
        ({"assignment": {"strategy": "alphabetical", "members": [{"staff_id": "a"}]}}, "assignment.strategy"),
        ({"assignment": {"strategy": "random", "members": []}}, "assignment.members"),
        (
            {"assignment": {"strategy": "random", "members": [{"staff_id": "a", "daily_cap": -1}]}},
            "assignment.members[0].daily_cap",
        ),
        ({"tags": ["no group"]}, "tags[0]"),
    ],
)
def test_live_codes_name_the_field(stack: LocalStack, body: dict[str, Any], field: str) -> None:
    whole = {
        "name": "c",
        "kind": "staff",
        "channel": "poster",
        "assignment": {"strategy": "round_robin", "members": [{"staff_id": "a"}]},
    }
    headers = {"Authorization": f"Bearer {stack.key}", "Content-Type": "application/json"}
    answer = stack.request("POST", "/api/live-codes", json.dumps(whole | body).encode(), headers)
    assert answer.status == 422 and answer.json()["errors"][0]["field"] == field


def test_a_third_level_is_refused_with_the_reason(stack: LocalStack) -> None:
    plan = {"name": "p", "levels": [{"rate_bps": 1}] * 3, "scope": {}, "mature_after": "P7D"}
    plan |= {"attribution_window": "P30D", "minimum_payout_fen": 100, "withhold_tax": True}
    headers = {"Authorization": f"Bearer {stack.key}"}
    answer = stack.request("POST", "/api/distribution/plans", json.dumps(plan).encode(), headers)
    assert answer.status == 422 and answer.json()["errors"][0]["field"] == "levels"


def test_nobody_gets_in_without_a_key(stack: LocalStack) -> None:
    document = stack.api("GET", "/api/openapi.json")
    for path, operations in document["paths"].items():
        for method in operations:
            if path.startswith("/api/"):
                answer = stack.request(method.upper(), path.replace("{", "").replace("}", ""), b"{}")
                assert answer.status == 401, (method, path)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.binary(max_size=400), path=st.sampled_from(["/wecom/callback?msg_signature=a&timestamp=1&nonce=b",
       "/mall/orders/generic", "/pay/wechat/notify", "/mall/orders/youzan", "/s/abcdefgh/location"]))  # fmt: skip
def test_random_bytes_at_the_webhooks(stack: LocalStack, body: bytes, path: str) -> None:
    headers = {"X-Timestamp": str(int(time.time())), "X-Signature": body.hex() or "0", "Wechatpay-Nonce": "x"}
    assert 400 <= stack.request("POST", path, body, headers).status < 500
