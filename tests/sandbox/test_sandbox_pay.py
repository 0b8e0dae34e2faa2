"""WeChat Pay: both directions of signatures, one number paid once, the states of a bill."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.sandbox import pay_crypto
from infra.sandbox.wechatpay import BASE, PayRequest

DAY = 86400


def order(corp: Any, **change: Any) -> dict[str, Any]:
    reports = [
        {"info_type": "活动名称", "info_content": "五月推广"},
        {"info_type": "奖励说明", "info_content": "推广奖励"},
    ]
    given = {
        "appid": corp.sandbox.config.app_id, "out_bill_no": "MR1", "transfer_scene_id": "1000",
        "openid": "oOne", "transfer_amount": 880, "transfer_remark": "五月推广奖励",
        "transfer_scene_report_infos": reports, **change,
    }  # fmt: skip
    return {k: v for k, v in given.items() if v is not None}


def request(
    corp: Any, method: str, target: str, body: dict[str, Any] | None = None, **headers: str
) -> PayRequest:
    config = corp.sandbox.config
    raw = json.dumps(body, ensure_ascii=False).encode() if body is not None else b""
    stamp = str(int(corp.world.ts()))
    key = pay_crypto.private_key(config.merchant_private_key)
    signature = pay_crypto.sign(key, method, target, stamp, "nonce", raw.decode())
    parts = {"mchid": config.mch_id, "nonce_str": "nonce", "signature": signature, "timestamp": stamp}
    named = ",".join(f'{k}="{v}"' for k, v in {**parts, "serial_no": config.cert_serial}.items())
    given = {
        "authorization": f"{pay_crypto.SCHEME} {named}",
        "user-agent": "test",
        "accept": "application/json",
    }
    return PayRequest(method, target, {**given, **headers}, raw)


def pay(corp: Any, **change: Any) -> tuple[int, dict[str, Any]]:
    return corp.sandbox.pay.answer(request(corp, "POST", BASE, order(corp, **change)))  # type: ignore[no-any-return]


def state(corp: Any, number: str = "MR1") -> str:
    return str(corp.sandbox.pay.answer(request(corp, "GET", f"{BASE}/out-bill-no/{number}"))[1].get("state"))


def test_the_answer_is_signed_with_the_platforms_key(corp: Any) -> None:
    headers = corp.sandbox.pay.sign('{"a": 1}')
    assert headers["Wechatpay-Serial"] == corp.sandbox.config.public_key_id
    message = f"{headers['Wechatpay-Timestamp']}\n{headers['Wechatpay-Nonce']}\n" + '{"a": 1}\n'
    key = pay_crypto.public_key(corp.sandbox.config.platform_public_key)
    assert pay_crypto.verify(key, headers["Wechatpay-Signature"], message.encode())
    assert not pay_crypto.verify(key, headers["Wechatpay-Signature"], message.encode() + b" ")


@pytest.mark.parametrize("spoil", ["body", "target", "method", "late", "mchid", "scheme", "agent", "none"])
def test_a_request_that_is_not_signed_right_moves_nothing(corp: Any, spoil: str) -> None:
    made = request(corp, "POST", BASE, order(corp))
    if spoil == "body":
        made.body = made.body.replace(b"880", b"980")
    elif spoil == "target":
        made.target += "?a=1"
    elif spoil == "method":
        made.method = "GET"
    elif spoil == "late":
        corp.clock.forward(301)
    elif spoil == "mchid":
        corp.sandbox.config.mch_id = "1900000000"
    elif spoil == "scheme":
        made.headers["authorization"] = made.headers["authorization"].replace("RSA2048", "RSA1024")
    elif spoil == "agent":
        del made.headers["user-agent"]
    else:
        del made.headers["authorization"]
    status, answer = corp.sandbox.pay.answer(made)
    assert (status, answer["code"]) == ((403, "NO_AUTH") if spoil == "agent" else (401, "SIGN_ERROR"))
    assert corp.sandbox.pay.bills() == []


def test_a_bill_waits_for_its_user_and_is_paid(make: Callable[..., Any]) -> None:
    corp = make(pay_confirm_after=60)
    status, answer = pay(corp)
    assert (status, answer["state"]) == (200, "WAIT_USER_CONFIRM")
    assert answer["package_info"]
    corp.clock.forward(59)
    assert state(corp) == "WAIT_USER_CONFIRM"
    corp.clock.forward(1)
    assert state(corp) == "SUCCESS"
    assert corp.sandbox.pay.balance() == corp.sandbox.config.pay_balance_fen - 880


def test_the_same_number_is_one_bill(make: Callable[..., Any]) -> None:
    corp = make(pay_confirm_after=60)
    first, second = pay(corp), pay(corp)
    assert first == second
    corp.clock.forward(100)
    assert pay(corp)[1]["state"] == "SUCCESS"
    assert corp.sandbox.pay.balance() == corp.sandbox.config.pay_balance_fen - 880
    assert pay(corp, transfer_amount=881)[0] == 400
    assert len(corp.sandbox.pay.bills()) == 1


def test_nobody_taps_for_a_day(make: Callable[..., Any]) -> None:
    corp = make(pay_confirm_after=None)
    pay(corp)
    corp.clock.forward(DAY - 1)
    assert state(corp) == "WAIT_USER_CONFIRM"
    corp.clock.forward(1)
    assert state(corp) == "FAIL"
    assert corp.sandbox.pay.bills()[0]["fail_reason"] == "OVERDUE_CLOSE"
    assert corp.sandbox.pay.balance() == corp.sandbox.config.pay_balance_fen


def test_the_user_taps_when_told_to(make: Callable[..., Any]) -> None:
    corp = make(pay_confirm_after=None)
    pay(corp)
    assert corp.sandbox.confirm_transfer("MR1") == "SUCCESS"
    with pytest.raises(ValueError):
        corp.sandbox.confirm_transfer("MR1")
    with pytest.raises(KeyError):
        corp.sandbox.confirm_transfer("MR2")


def test_at_once_at_once_or_a_little_later(make: Callable[..., Any]) -> None:
    assert pay(make(pay_mode="at_once"))[1]["state"] == "SUCCESS"
    corp = make(pay_mode="at_once", pay_delay=5)
    assert pay(corp)[1]["state"] == "ACCEPTED"
    corp.clock.forward(5)
    assert state(corp) == "SUCCESS"


def test_failing_gives_the_money_back(make: Callable[..., Any]) -> None:
    corp = make(pay_modes={"oBad": "fail"}, pay_delay=3)
    assert pay(corp, openid="oBad")[1]["state"] == "ACCEPTED"
    corp.clock.forward(3)
    assert state(corp) == "FAIL"
    assert corp.sandbox.pay.balance() == corp.sandbox.config.pay_balance_fen
    assert pay(corp, openid="oGood", out_bill_no="MR2")[1]["state"] == "WAIT_USER_CONFIRM"


def test_a_short_balance_keeps_the_bill_processing_until_it_is_filled(make: Callable[..., Any]) -> None:
    corp = make(pay_balance_fen=879)
    assert (pay(corp)[0], pay(corp)[1]["code"]) == (403, "NOT_ENOUGH")
    assert state(corp) == "PROCESSING"
    corp.sandbox.pay.set_balance(1000)
    assert pay(corp)[1]["state"] == "WAIT_USER_CONFIRM"
    assert corp.sandbox.pay.balance() == 120


def test_cancelling(corp: Any) -> None:
    pay(corp)
    cancel = lambda: corp.sandbox.pay.answer(request(corp, "POST", f"{BASE}/out-bill-no/MR1/cancel"))  # noqa: E731
    assert cancel()[1]["state"] == "CANCELING"
    corp.clock.forward(3)
    assert state(corp) == "CANCELLED"
    assert corp.sandbox.pay.balance() == corp.sandbox.config.pay_balance_fen
    pay(corp, out_bill_no="MR2")
    corp.sandbox.pay.confirm("MR2")
    answer = corp.sandbox.pay.answer(request(corp, "POST", f"{BASE}/out-bill-no/MR2/cancel"))
    assert (answer[0], answer[1]["code"]) == (400, "INVALID_REQUEST")


def test_queries(corp: Any) -> None:
    made = pay(corp)[1]
    by_own = corp.sandbox.pay.answer(
        request(corp, "GET", f"{BASE}/transfer-bill-no/{made['transfer_bill_no']}")
    )
    assert by_own == corp.sandbox.pay.answer(request(corp, "GET", f"{BASE}/out-bill-no/MR1"))
    for path, code in (("/out-bill-no/MR9", "NOT_FOUND"), ("/odd", "RESOURCE_NOT_EXISTS")):
        status, answer = corp.sandbox.pay.answer(request(corp, "GET", BASE + path))
        assert (status, answer["code"]) == (404, code)


def test_rate(make: Callable[..., Any]) -> None:
    corp = make(pay_rate_per_second=2)
    assert [pay(corp)[0] for _ in range(3)] == [200, 200, 429]
    corp.clock.forward(2)
    assert pay(corp)[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"appid": "wxother"},
        {"out_bill_no": "MR-1"},
        {"out_bill_no": "x" * 33},
        {"out_bill_no": None},
        {"openid": ""},
        {"transfer_amount": 9},
        {"transfer_amount": "880"},
        {"transfer_amount": 880.0},
        {"transfer_amount": True},
        {"transfer_amount": 200_000},
        {"transfer_remark": "字" * 33},
        {"transfer_scene_id": None},
        {"transfer_scene_report_infos": []},
        {"transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "x"}]},
        {"notify_url": "http://shop.example.com/n"},
        {"notify_url": "https://shop.example.com/n?a=1"},
        {"user_name": "plain text"},
    ],
)
def test_parameters(corp: Any, change: dict[str, Any]) -> None:
    status, answer = pay(corp, **change)
    assert (status, answer["code"]) == (400, "PARAM_ERROR")
    assert corp.sandbox.pay.bills() == []


def test_the_name_from_2000_yuan_on_is_encrypted_for_the_platform(corp: Any) -> None:
    key = pay_crypto.public_key(corp.sandbox.config.platform_public_key)
    name = base64.b64encode(key.encrypt("王丽".encode(), pay_crypto._OAEP)).decode()
    body = order(corp, transfer_amount=200_000, user_name=name)
    serial = {"wechatpay-serial": corp.sandbox.config.public_key_id}
    assert corp.sandbox.pay.answer(request(corp, "POST", BASE, body, **serial))[0] == 200
    assert corp.sandbox.pay.answer(request(corp, "POST", BASE, {**body, "out_bill_no": "MR2"}))[0] == 400


def test_the_notification_opens_as_the_published_one_does(corp: Any, data: Callable[[str], Any]) -> None:
    def opened(notice: dict[str, Any], key: str) -> Any:
        resource = notice["resource"]
        sealed = base64.b64decode(resource["ciphertext"])
        plain = AESGCM(key.encode()).decrypt(
            resource["nonce"].encode(), sealed, resource["associated_data"].encode()
        )
        return json.loads(plain)

    example = data("notification.json")
    wanted = opened(example["sealed"], example["apiv3_key"])
    corp.sandbox.settings(pay_notify_url="http://127.0.0.1:9/pay/wechat/notify")
    pay(corp)
    corp.sandbox.pay.confirm("MR1")
    assert state(corp) == "SUCCESS"
    [item] = corp.world.state.posts.values()
    url, headers, body = corp.sandbox.pay.seal(item)
    notice = json.loads(body)
    plain = opened(notice, corp.sandbox.config.apiv3_key)
    assert url.endswith("/pay/wechat/notify")
    assert set(notice) == set(example["sealed"])
    assert set(notice["resource"]) == set(example["sealed"]["resource"])
    assert set(plain) == set(wanted)
    assert (plain["out_bill_no"], plain["state"], plain["transfer_amount"]) == ("MR1", "SUCCESS", 880)
    stamp, nonce = headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"]
    message = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
    key = pay_crypto.public_key(corp.sandbox.config.platform_public_key)
    assert pay_crypto.verify(key, headers["Wechatpay-Signature"], message)
    assert json.loads(corp.sandbox.pay.seal(item)[2])["id"] == notice["id"]
