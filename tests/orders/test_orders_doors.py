"""The money thread's doors: who may come in, what is refused and with which answer, through Chalice."""

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

import pytest
from chalice.test import Client
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from app import app
from chalicelib.distribution import distributors
from chalicelib.orders import service as orders
from chalicelib.orders.types import Message
from chalicelib.platform import auth, queues, settings
from chalicelib.platform.errors import Upstream

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=timezone.utc)
SECRET = "mall-secret"
APIV3 = "0123456789abcdef0123456789ABCDEF"
WECHAT = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = (
    WECHAT.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
ORDER: dict[str, Any] = {
    "order_id": "M2026112200017",
    "status": "paid",
    "occurred_at": "2026-11-22T10:00:00+08:00",
    "buyer": {"unionid": "o6_b", "external_userid": None, "phone": "13800138000"},
    "items": [
        {
            "line_id": "1",
            "sku": "MASK-01",
            "title": "面膜",
            "quantity": 2,
            "price_fen": 4950,
            "discount_fen": 0,
        }
    ],
    "paid_fen": 9900,
    "freight_fen": 0,
    "share_code": "Ab3dE9xZ",
    "refund": {"refund_id": "R1", "amount_fen": 4950, "lines": [{"line_id": "1", "amount_fen": 4950}]},
}


@pytest.fixture
def client(tables: None, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    at(NOW)
    secret = {
        "mall": {"generic_secret": SECRET},
        "wechatpay_notify": {"public_key": PUBLIC, "apiv3_key": APIV3},
        "keys": {"master": "m" * 64},
    }
    monkeypatch.setattr(settings, "secret", lambda group, name, default=None: secret[group][name])
    monkeypatch.setenv("WECHATPAY_PUBLIC_KEY_ID", "PUB_KEY_ID_1")
    with Client(app) as found:
        yield found


@pytest.fixture
def key(tables: None) -> dict[str, str]:
    key = auth.create_key("test", "admin")
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def send(client: Client, body: Any, path: str = "generic", **wrong: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    timestamp = wrong.get("timestamp", str(int(NOW.timestamp())))
    signature = hmac.new(SECRET.encode(), timestamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    headers = {"X-Timestamp": timestamp, "X-Signature": wrong.get("signature", signature)}
    return client.http.post(f"/mall/orders/{path}", headers=headers, body=raw)


def test_an_order_message_goes_to_the_queue(client: Client, sent: list[Any]) -> None:
    answer = send(client, ORDER)
    assert (answer.status_code, answer.json_body) == (200, {"status": "accepted"})
    ((queue, message, group),) = sent
    assert (queue, group) == ("orders", ORDER["order_id"])
    assert "13800138000" not in json.dumps(message)
    found = Message.from_queue(message)
    assert (found.paid_fen, found.lines[0].paid_fen, found.refund) == (9_900, 9_900, None)
    refunded = {**ORDER, "status": "refunded"}
    assert send(client, refunded).status_code == 200
    refund = Message.from_queue(sent[1][1]).refund
    assert refund and refund.lines == (("1", 4_950),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "钱"},
        {"timestamp": str(int(NOW.timestamp()) - 301)},
        {"timestamp": str(int(NOW.timestamp()) + 301)},
        {"timestamp": ""},
        {"timestamp": "now"},
        {"timestamp": "1e9"},
        {"timestamp": "١٧٩٥٣١٢٨٠٠"},
    ],
)
def test_wrong_and_stale_signatures(client: Client, sent: list[Any], wrong: dict[str, str]) -> None:
    assert send(client, ORDER, **wrong).status_code == 401
    assert sent == []


def test_a_control_character_in_a_title_costs_no_order(client: Client, sent: list[Any]) -> None:
    body = json.dumps(ORDER, ensure_ascii=False).replace("面膜", "面\x1d膜\\u0000").encode()
    assert send(client, body).status_code == 200
    assert Message.from_queue(sent[0][1]).lines[0].title == "面膜"


def test_of_a_field_that_is_there_twice_nobody_says_which_is_meant(client: Client, sent: list[Any]) -> None:
    body = json.dumps(ORDER)[:-1].encode() + b', "paid_fen": 1}'
    assert send(client, body).status_code == 400
    assert sent == []


def test_bad_json_is_400_an_unknown_mall_404_a_flood_413(client: Client, sent: list[Any]) -> None:
    assert send(client, b"{").status_code == 400
    assert send(client, b"\xff\xfe").status_code == 400
    assert send(client, {**ORDER, "order_id": "\ud800"}).status_code in (400, 422)  # no text at all
    assert send(client, ORDER, path="youzan").status_code == 404
    assert send(client, b" " * (1_048_576 + 1)).status_code == 413
    assert sent == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"order_id": ""}, "order_id"),
        ({"order_id": "a\x00b"}, "order_id"),
        ({"order_id": "a\u202eb"}, "order_id"),
        ({"order_id": "\u200b "}, "order_id"),
        ({"items": [{**ORDER["items"][0], "sku": "a\u2066b"}]}, "items[0].sku"),
        ({"order_id": 17}, "order_id"),
        ({"status": "lost"}, "status"),
        ({"occurred_at": "2026-11-22T10:00:00"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+08:00"}, "occurred_at"),
        ({"items": []}, "items"),
        ({"items": None}, "items"),
        ({"paid_fen": -1}, "paid_fen"),
        ({"paid_fen": 10**12}, "paid_fen"),
        ({"paid_fen": 99.5}, "paid_fen"),
        ({"paid_fen": True}, "paid_fen"),
        ({"items": ORDER["items"] * 2}, "items[1].line_id"),
        ({"items": [{**ORDER["items"][0], "quantity": 0}]}, "items[0].quantity"),
        ({"items": [{**ORDER["items"][0], "price_fen": "4950"}]}, "items[0].price_fen"),
        ({"items": [{**ORDER["items"][0], "discount_fen": 9_901}]}, "items[0].discount_fen"),
        ({"order_id": "2.02611E+16"}, "order_id"),
        ({"items": [{**ORDER["items"][0], "line_id": str(i)} for i in range(41)]}, "items"),
        ({"status": "refunded", "refund": None}, "refund"),
        ({"status": "refunded", "refund": {**ORDER["refund"], "amount_fen": 4_949}}, "refund.lines"),
    ],
)
def test_bad_fields_are_422_and_named(
    client: Client, sent: list[Any], change: dict[str, Any], field: str
) -> None:
    answer = send(client, {**ORDER, **change})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json_body["errors"]] == [field]
    assert sent == []


@pytest.mark.parametrize("typed", [" Ab3dE9xZ ", "\tAb3dE9xZ\n", "Ａｂ３ｄＥ９ｘＺ", "Ab3d\u200bE9xZ\ufeff"])
def test_a_share_code_as_people_type_it(client: Client, sent: list[Any], typed: str) -> None:
    assert send(client, {**ORDER, "share_code": typed}).status_code == 200
    assert Message.from_queue(sent[0][1]).share_code == "Ab3dE9xZ"


def test_a_buyer_s_ids_as_they_are_pasted(client: Client, sent: list[Any]) -> None:
    """With a space they would be nobody's, and a purchase of one's own would earn."""
    buyer = {"external_userid": " wm1\u3000", "unionid": "u1\u200b"}
    assert send(client, {**ORDER, "buyer": buyer}).status_code == 200
    told = Message.from_queue(sent[0][1])
    assert (told.external_userid, told.unionid) == ("wm1", "u1")


@pytest.mark.parametrize(
    ("told_at", "status"),
    [
        ("1970-01-01T00:00:00Z", 422),
        ("1999-12-31T23:59:59Z", 422),
        ("2000-01-01T00:00:00Z", 200),
        ("2026-11-22T10:00:00Z", 200),  # Shanghai's time, told as UTC
        ("2026-11-23T02:00:01Z", 422),
        ("2099-11-22T10:00:00Z", 422),
        ("9999-12-31T23:59:59+00:00", 422),
    ],
)
def test_a_clock_that_can_not_be_is_refused(
    client: Client, sent: list[Any], told_at: str, status: int
) -> None:
    answer = send(client, {**ORDER, "occurred_at": told_at})
    assert (answer.status_code, len(sent)) == (status, status == 200)
    assert status == 200 or [error["field"] for error in answer.json_body["errors"]] == ["occurred_at"]


@pytest.mark.parametrize("order_id", ["A/B", "A?b=1#2", "订单 7", "100%", "a+b", "%2F", "../orders"])
def test_an_order_is_found_by_its_id_whatever_is_in_it(
    client: Client, key: dict[str, str], sent: list[Any], order_id: str
) -> None:
    assert send(client, {**ORDER, "order_id": order_id}).status_code == 200
    orders.take(sent[0][1])
    found = get(client, key, f"/api/orders/{quote(order_id, safe='')}")
    assert (found["order_id"], found["adjusted_fen"], found["contradictions"]) == (order_id, 0, [])


def test_an_order_that_says_two_things_of_its_money(
    client: Client, key: dict[str, str], sent: list[Any]
) -> None:
    assert send(client, {**ORDER, "paid_fen": 8_000}).status_code == 200
    orders.take(sent[0][1])
    found = get(client, key, f"/api/orders/{ORDER['order_id']}")
    assert (found["items"][0]["paid_fen"], found["adjusted_fen"]) == (8_000, -1_900)
    assert found["contradictions"] == [{"what": "paid_fen", "kept": 8_000, "other": 9_900}]


def test_a_queue_that_refuses_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise Upstream("no")

    monkeypatch.setattr(queues, "send", refuse)
    assert send(client, ORDER).status_code == 503


PLAN = {
    "name": "P",
    "levels": [{"rate_bps": 1000}, {"rate_bps": 300}],
    "scope": {},
    "mature_after": "P7D",
    "attribution_window": "P30D",
    "minimum_payout_fen": 100,
    "withhold_tax": True,
}


def post(client: Client, key: dict[str, str], path: str, body: Any) -> Any:
    return client.http.post(path, headers=key, body=json.dumps(body).encode())


def get(client: Client, key: dict[str, str], path: str) -> Any:
    answer = client.http.get(path, headers=key)
    assert answer.status_code == 200, (path, answer.body)
    return answer.json_body


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"levels": [{"rate_bps": 1}] * 3}, "levels"),
        ({"levels": []}, "levels"),
        ({"levels": [{"rate_bps": 10_001}]}, "levels[0].rate_bps"),
        ({"levels": [{"rate_bps": 9_000}, {"rate_bps": 1_001}]}, "levels"),
        ({"mature_after": "7 days"}, "mature_after"),
        ({"minimum_payout_fen": -1}, "minimum_payout_fen"),
        ({"settle_every": "P2D"}, "settle_every"),
    ],
)
def test_plans_that_are_refused(client: Client, key: dict[str, str], change: Any, field: str) -> None:
    answer = post(client, key, "/api/distribution/plans", {**PLAN, **change})
    assert answer.status_code == 422
    assert answer.json_body["errors"][0]["field"].partition("[...]")[0] in field


def test_the_operators_way_through(client: Client, key: dict[str, str], sent: list[Any]) -> None:
    plan = post(client, key, "/api/distribution/plans", PLAN)
    assert plan.status_code == 201 and plan.json_body["levels"] == PLAN["levels"]
    plan_id = plan.json_body["plan_id"]
    assert get(client, key, f"/api/distribution/plans/{plan_id}") == plan.json_body
    assert get(client, key, "/api/distribution/plans")["items"] == [plan.json_body]

    person = {"external_userid": "wm1", "name": "<b>王</b>", "openid": "o1", "plan_id": plan_id}
    made = post(client, key, "/api/distributors", person)
    assert made.status_code == 201
    code, distributor_id = made.json_body["share_code"], made.json_body["distributor_id"]
    assert len(code) == 8 and made.json_body["share_url"] == f"http://127.0.0.1:8000/h5/d/{code}"
    assert post(client, key, "/api/distributors", person).status_code == 409
    wrong = {**person, "external_userid": "wm2", "parent_id": "d_nobody"}
    assert post(client, key, "/api/distributors", wrong).status_code == 422
    page = client.http.get(f"/h5/d/{code}")
    assert page.status_code == 200 and code in page.body.decode() and "王" not in page.body.decode()
    assert client.http.get("/h5/d/nobody99").status_code == 404

    send(client, {**ORDER, "share_code": code})
    orders.take(sent.pop()[1])
    (commission,) = get(client, key, f"/api/commissions?order_id={ORDER['order_id']}")["items"]
    expected = {"line_id": "1", "level": 1, "base_fen": 9_900, "rate_bps": 1_000, "amount_fen": 990}
    assert {**commission, **expected, "status": "pending"} == commission
    assert get(client, key, f"/api/commissions?distributor_id={distributor_id}")["items"] == [commission]
    assert get(client, key, "/api/commissions")["items"] == [commission]
    assert client.http.get("/api/commissions?distributor_id=d_nobody", headers=key).status_code == 404
    assert get(client, key, f"/api/distributors/{distributor_id}/balance") == {
        "pending_fen": 990,
        "available_fen": 0,
        "in_payout_fen": 0,
        "paid_fen": 0,
        "debt_fen": 0,
        "tax_withheld_fen": 0,
    }
    books = get(client, key, "/api/ledger/trial-balance")
    assert books["total_debit_fen"] == books["total_credit_fen"] == 990
    assert (
        get(client, key, f"/api/orders/{ORDER['order_id']}")["attribution"]["distributor_id"]
        == distributor_id
    )
    (journal,) = get(client, key, f"/api/distributors/{distributor_id}/journals")["items"]
    assert journal["kind"] == "earned" and journal["reason"]["order_id"] == ORDER["order_id"]
    assert get(client, key, f"/api/distributors/{distributor_id}/audit")["ok"]

    answer = post(client, key, "/api/settlements", {})
    assert answer.status_code == 202
    assert set(answer.json_body) == {"job_id", "status", "done", "total", "settlement_id"}
    found = get(client, key, f"/api/settlements/{answer.json_body['settlement_id']}")
    assert (found["status"], found["payouts"]) == ("running", [])
    assert len(get(client, key, "/api/settlements")["items"]) == 1
    assert [queue for queue, *_ in sent] == ["settle"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/distribution/plans/p",
        "/api/distributors/d_x",
        "/api/distributors/identity/balance",
        "/api/settlements/s",
        "/api/payouts/p",
        "/api/orders/o",
    ],
)
def test_unknown_things_are_404_and_closed_to_strangers(
    client: Client, key: dict[str, str], path: str
) -> None:
    assert client.http.get(path, headers=key).status_code == 404
    assert client.http.get(path).status_code == 401


# WeChat Pay's notifications


def notification(event: str, bill: Any) -> bytes:
    box = AESGCM(APIV3.encode()).encrypt(b"a1b2c3d4e5f6", json.dumps(bill).encode(), b"mch_payment")
    resource = {
        "ciphertext": base64.b64encode(box).decode(),
        "nonce": "a1b2c3d4e5f6",
        "associated_data": "mch_payment",
    }
    return json.dumps({"id": "E1", "event_type": event, "resource": resource}).encode()


def notify(client: Client, body: bytes, signed: bytes | None = None) -> Any:
    timestamp = str(int(NOW.timestamp()))
    said = f"{timestamp}\nn0nce\n".encode() + (body if signed is None else signed) + b"\n"
    headers = {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": "n0nce",
        "Wechatpay-Signature": base64.b64encode(WECHAT.sign(said, padding.PKCS1v15(), SHA256())).decode(),
        "Wechatpay-Serial": "PUB_KEY_ID_1",
    }
    return client.http.post("/pay/wechat/notify", headers=headers, body=body)


BILL = {"out_bill_no": "p1", "state": "SUCCESS", "transfer_amount": 880, "transfer_bill_no": "T1"}


def test_a_notification_is_verified_opened_and_queued(client: Client, sent: list[Any]) -> None:
    assert notify(client, notification("MCHTRANSFER.BILL.FINISHED", BILL)).status_code == 200
    ((queue, message, group),) = sent
    assert (queue, group, message["kind"]) == ("payout", "p1", "payout_notice")
    assert (message["state"], message["amount_fen"]) == ("SUCCESS", 880)


def test_forged_and_foreign_notifications(client: Client, sent: list[Any]) -> None:
    body = notification("MCHTRANSFER.BILL.FINISHED", BILL)
    assert notify(client, body, signed=body + b" ").status_code == 401
    assert client.http.post("/pay/wechat/notify", body=body).status_code == 401
    assert notify(client, notification("REFUND.SUCCESS", {"x": 1})).status_code == 200
    assert sent == []


@pytest.mark.parametrize(
    "body", [notification("MCHTRANSFER.BILL.FINISHED", {"x": 1}), b"{}", b"not JSON", b"[]", b'{"a":"\x1d"}']
)
def test_a_notice_that_is_wechats_and_unknown_is_acknowledged_and_logged(
    client: Client, sent: list[Any], body: bytes, logged: io.StringIO
) -> None:
    """It would be sent for a day; what became of a transfer is asked for anyway."""
    assert notify(client, body).status_code == 200
    assert "notice" in logged.getvalue() and sent == []


def test_a_public_address_may_end_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://shop.example/")
    assert distributors.share_url("Ab3dE9xZ") == "https://shop.example/h5/d/Ab3dE9xZ"


def test_a_mall_says_nobody_with_an_empty_text(client: Client, sent: list[Any]) -> None:
    nobody = {"unionid": "", "external_userid": "", "phone": ""}
    assert send(client, {**ORDER, "share_code": "", "buyer": nobody}).status_code == 200
    found = Message.from_queue(sent[0][1])
    assert (found.share_code, found.unionid, found.external_userid) == (None, None, None)


def test_a_settlement_needs_no_body(client: Client, key: dict[str, str], sent: list[Any]) -> None:
    assert client.http.post("/api/settlements", headers=key).status_code == 202
    assert client.http.post("/api/distribution/plans", headers=key).status_code == 400
