"""A distributor collects: the button in a real browser, and the whole way against the stack."""

import os
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import pytest
from chromium import PROGRAM, WECHAT, Phone
from phone_pages import served

from infra.local.client import LocalStack

BRIDGE = (
    "window.WeixinJSBridge = {invoke: (name, given, told) => {"
    " window.asked = [name, given.mchId, given.appId, given.package]; told({err_msg: name + ':%s'}) }}"
)
needs_browser = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="no Chromium on this machine; CI installs one"
)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with served() as address:
        yield address


def press(phone: Phone) -> str:
    """Press the button; what the page then says."""
    script = "document.querySelector('.go').click(); document.querySelector('.said').textContent"
    return str(phone.value(script))


@needs_browser
@pytest.mark.parametrize(
    ("answer", "said"),
    [("ok", "到账后会显示"), ("cancel", "24 小时内可再次点击"), ("fail", "将微信更新到最新版本")],
)
def test_the_button_opens_wechats_own_page(base: str, answer: str, said: str) -> None:
    with Phone(375) as phone:
        phone.open(f"{base}/collect")
        phone.value(BRIDGE % answer)
        assert said in press(phone)
        assert phone.value("window.asked") == ["requestMerchantTransfer", "1900000109", "wx1", 'PKG"&']
        assert phone.complaints() == []


@needs_browser
def test_a_bridge_that_comes_late_is_waited_for(base: str) -> None:
    with Phone(375) as phone:
        phone.open(f"{base}/collect")
        assert press(phone) == ""
        phone.value(BRIDGE % "ok" + "; document.dispatchEvent(new Event('WeixinJSBridgeReady'))")
        assert phone.value("window.asked[0]") == "requestMerchantTransfer"


@needs_browser
def test_where_there_is_no_wechat_the_button_says_so(base: str) -> None:
    with Phone(375) as phone:
        phone.open(f"{base}/collect_outside")
        press(phone)
        waiting = {
            "expression": "new Promise(told => setTimeout("
            "() => told(document.querySelector('.said').textContent), 1700))",
            "awaitPromise": True,
            "returnByValue": True,
        }
        assert "请在微信中打开本页领取" in phone.ask("Runtime.evaluate", **waiting)["result"]["value"]


class Visitor:
    """A phone that talks to the stack, and to the sandbox where WeChat would be."""

    def __init__(self, stack: LocalStack):
        self.stack, self.jar = stack, {}  # type: tuple[LocalStack, dict[str, str]]

    def ask(self, method: str, address: str, body: bytes = b"") -> Any:
        parts = urlsplit(address)
        cookies = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        headers = {
            "User-Agent": WECHAT,
            "Cookie": cookies,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = self.stack.request(method, f"{parts.path}?{parts.query}", body, headers)
        for name, morsel in SimpleCookie(answer.headers.get("Set-Cookie", "")).items():
            self.jar[name] = morsel.value
        return answer

    def text(self, address: str) -> str:
        return str(self.ask("GET", address).data.decode())


def earn(stack: LocalStack, openid: str) -> dict[str, Any]:
    """A distributor for whom 990 fen wait."""
    plan = {
        "name": "p",
        "levels": [{"rate_bps": 1000}],
        "scope": {},
        "mature_after": "P0D",
        "attribution_window": "P30D",
        "minimum_payout_fen": 100,
        "withhold_tax": False,
    }
    plan_id = stack.api("POST", "/api/distribution/plans", plan)["plan_id"]
    person = {"unionid": f"o6_{openid}", "name": "林晓", "openid": openid, "plan_id": plan_id}
    who = stack.api("POST", "/api/distributors", person)
    line = {
        "line_id": "1",
        "sku": "S",
        "title": "面膜",
        "quantity": 2,
        "price_fen": 4950,
        "discount_fen": 0,
    }
    message = {
        "order_id": f"M-{openid}",
        "occurred_at": stack.api("GET", "/local/clock")["now"],
        "buyer": {"unionid": "o6_somebody", "external_userid": None, "phone": None},
        "items": [line],
        "paid_fen": 9900,
        "freight_fen": 0,
        "share_code": who["share_code"],
    }
    for status in ("paid", "completed"):
        stack.sandbox("POST", "mall/orders", message | {"status": status})
    stack.drain()
    stack.advance("PT1M")
    stack.api("POST", "/api/settlements", {})
    stack.drain()
    return dict(who)


def sign_in(visitor: Visitor, page: str, openid: str) -> Any:
    """By the sandbox's OAuth page, where this openid is chosen."""
    to = visitor.ask("GET", f"{page}/login").headers["Location"]
    chosen = urlsplit(to)
    answer = visitor.stack.http.request(
        "GET",
        f"{visitor.stack.api('GET', '/local/sandbox')['wechatpay_api_base']}{chosen.path}?{chosen.query}&openid={openid}",
        redirect=False,
    )
    return visitor.ask("GET", answer.headers["Location"])


def test_a_distributor_signs_in_and_collects(stack: LocalStack) -> None:
    who = earn(stack, "oCollect")
    page, visitor = f"/h5/d/{who['share_code']}", Visitor(stack)
    assert "¥" not in visitor.text(page)
    stranger = Visitor(stack)
    assert sign_in(stranger, page, "oStranger").status == 403
    assert "¥" not in stranger.text(page)
    assert sign_in(visitor, page, "oCollect").status == 303
    shown = visitor.text(page)
    assert "待领取" in shown and "¥9.90" in shown
    (bill,) = [b for b in stack.sandbox("GET", "pay/bills")["items"] if b["openid"] == "oCollect"]
    assert f'data-package="{bill["package_info"]}"' in shown
    stack.sandbox("POST", "pay/confirm", {"out_bill_no": bill["out_bill_no"]})
    stack.drain()
    shown = visitor.text(page)
    assert "待领取" not in shown and "发放记录" in shown
    assert stack.api("GET", f"/api/payouts/{bill['out_bill_no']}")["status"] == "paid"


def test_a_short_balance_and_what_lapsed(stack: LocalStack) -> None:
    stack.sandbox("POST", "pay/balance", {"fen": 100})
    who = earn(stack, "oShort")
    page, visitor = f"/h5/d/{who['share_code']}", Visitor(stack)
    (row,) = stack.api("GET", f"/api/payouts?distributor_id={who['distributor_id']}")["items"]
    payout = f"/api/payouts/{row['payout_id']}"
    assert stack.api("GET", payout)["reason"] == "NOT_ENOUGH"
    stack.sandbox("POST", "pay/balance", {"fen": 100_000})
    assert stack.api("POST", f"{payout}/retry", expect=202)["payout_id"] == row["payout_id"]
    stack.drain()
    offered = stack.api("GET", payout)
    assert (offered["status"], offered["scene_id"], offered["reason"]) == ("wait_user_confirm", "1005", None)
    stack.sandbox("POST", "pay/refuse", {"out_bill_no": row["payout_id"]})
    stack.drain()
    assert stack.api("GET", payout)["status"] == "failed"
    again = stack.api("POST", f"{payout}/offer", expect=201)
    stack.drain()
    assert stack.api("GET", f"/api/payouts/{again['payout_id']}")["status"] == "wait_user_confirm"
    stack.advance("PT25H")
    assert stack.api("GET", f"/api/payouts/{again['payout_id']}")["reason"] == "OVERDUE_CLOSE"
    assert sign_in(visitor, page, "oShort").status == 303
    shown = visitor.text(page)
    csrf = shown.partition('name="csrf" value="')[2].partition('"')[0]
    asked = visitor.ask("POST", f"{page}/offer", f"csrf={csrf}&payout_id={again['payout_id']}".encode())
    assert asked.status == 303
    stack.drain()
    assert "待领取" in visitor.text(page)
    (bill,) = [b for b in stack.sandbox("GET", "pay/bills")["items"] if b["state"] == "WAIT_USER_CONFIRM"]
    stack.sandbox("POST", "pay/confirm", {"out_bill_no": bill["out_bill_no"]})
    stack.drain()
    balance = stack.api("GET", f"/api/distributors/{who['distributor_id']}/balance")
    assert (balance["paid_fen"], balance["in_payout_fen"], balance["available_fen"]) == (990, 0, 0)
