"""What finance does: opens a number down to one order, pays a settlement, gets a stuck payout to move."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.console.browser import Seat

ROWS = ".datalist-title"


class Office:
    """The API and the sandbox beside the screen, with the admin's key."""

    def __init__(self, seat: Seat, stack: Any):
        self.seat, self.base = seat, stack.base
        self.headers = {"Authorization": f"Bearer {stack.key}"}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        given = {} if body is None else {"data": body}
        answer = self.seat.context.request.fetch(
            self.base + path, method=method, headers=self.headers, **given
        )
        assert 200 <= answer.status < 300, f"{method} {path}: {answer.status} {answer.text()[:300]}"
        return answer.json() if answer.body() else None

    def until(self, path: str, holds: Any) -> Any:
        """Until the answer is as it should be."""
        return self.seat.until(lambda: (found := self.ask("GET", path)) and holds(found) and found, path)


@pytest.fixture
def office(seat: Seat, stack: Any) -> Office:
    return Office(seat, stack)


def fen(text: str) -> int:
    """¥1,234.50 as fen."""
    found = re.search(r"(-?)¥([\d,]+)\.(\d\d)", text)
    assert found, text
    sign, yuan, rest = found.groups()
    return int(f"{sign}{yuan.replace(',', '')}{rest}")


def figure(seat: Seat, label: str) -> Any:
    return seat.page.locator(".figure", has_text=label).first


def test_a_number_is_opened_down_to_one_order_line(seat: Seat, office: Office) -> None:
    seat.open("/ledger")
    seat.sees("借贷平衡")
    tile = fen(figure(seat, "待结算").inner_text())
    figure(seat, "待结算").click()
    seat.sees("已核对全部")
    assert fen(seat.page.inner_text(".figure-large")) == tile
    seat.page.click("role=tab[name=按分销员]")
    seat.settle()
    seat.sees(f"累计等于 {seat.page.inner_text('.figure-large .figure-value').strip()}")
    shares = seat.page.eval_on_selector_all(
        ".datalist-row", "(rows) => rows.map((row) => row.cells[1].innerText)"
    )
    assert sum(map(fen, shares)) == tile > 0
    share = fen(shares[0])
    seat.page.locator(ROWS).first.click()
    seat.settle()
    seat.sees("已核对全部")
    assert fen(seat.page.inner_text(".figure-large")) == share
    changes = seat.page.eval_on_selector_all(
        ".datalist-row", "(rows) => rows.map((row) => row.cells[1].innerText)"
    )
    assert sum(map(fen, changes)) == share
    earned = seat.page.locator(".datalist-row", has_text="计佣").first
    amount = fen(earned.locator("td").nth(1).inner_text())
    earned.locator(ROWS).click()
    seat.settle()
    seat.sees("订单各行现在的佣金")
    debit, credit = (fen(text) for text in seat.page.locator("tfoot td").all_inner_texts())
    assert debit == credit == amount
    seat.page.click("main a[href*='/orders/']")
    seat.settle()
    rate = seat.page.locator(".order-rates li").first.inner_text()
    found = re.search(r"¥([\d,.]+) × ([\d.]+)% = ¥([\d,.]+)", rate)
    assert found, rate
    base, result = fen(f"¥{found[1]}"), fen(f"¥{found[3]}")
    assert result == int(base * round(float(found[2]) * 100)) // 10_000
    assert seat.page.locator("main .bad").count() == 0


def test_a_settlement_is_paid_and_what_is_stuck_is_put_right(seat: Seat, office: Office) -> None:
    who, order = sale(office)
    office.ask("POST", "/_sandbox/pay/balance", {"fen": 0})
    try:
        seat.open("/settlements/new")
        seat.sees("会付")
        row = seat.page.locator("tbody tr", has_text=who["name"])
        assert fen(row.locator("td").last.inner_text()) == 990
        total = fen(figure(seat, "将付出").inner_text())
        seat.page.click("button.primary:has-text('开始结算')")
        seat.sees("人？")
        seat.page.click("dialog[open] button[type=submit]")
        seat.until(lambda: re.search(r"/settlements/st_", seat.page.url), "no settlement has begun")
        settlement = seat.page.url.split("/settlements/")[1].partition("?")[0]
        done = office.until(f"/api/settlements/{settlement}", lambda one: one["status"] == "finished")
        assert done["net_fen"] == total
        seat.open(f"/settlements/{settlement}")
        seat.sees("与结算单一致")
        mine = office.until(
            f"/api/payouts?distributor_id={who['distributor_id']}",
            lambda page: page["items"] and page["items"][0]["needs"] == "top_up",
        )["items"][0]
        seat.open("/payouts?stuck=true")
        seat.sees("商户余额不足")
        seat.sees("给微信支付商户号充值后点「立即重试」")
        seat.page.locator(ROWS, has_text=who["name"]).first.click()
        seat.settle()
        seat.sees("累计 ¥9.90，等于税前加抵扣的欠款")
        assert order in seat.page.inner_text("main")
    finally:
        office.ask("POST", "/_sandbox/pay/balance", {"fen": 10**10})
    seat.page.click("button:has-text('立即重试')")
    seat.sees("不会重复打款")
    seat.page.click("dialog[open] button[type=submit]")
    seat.sees("已提交重试")
    office.until(f"/api/payouts/{mine['payout_id']}", lambda one: one["status"] == "wait_user_confirm")
    seat.open(f"/payouts/{mine['payout_id']}")
    seat.sees("等收款人在微信里点「确认收款」")
    seat.page.click(".figure-large")
    seat.sees("已核对全部")
    assert fen(seat.page.inner_text(".figure-large")) == 990


def sale(office: Office) -> tuple[dict[str, Any], str]:
    """A distributor with a sale of ¥99 that has matured."""
    mark = f"{int(time.time() * 1000):x}"
    plan = {"name": "控制台测试方案", "levels": [{"rate_bps": 1000}], "mature_after": "PT0S", "tax": "none"}
    plan_id = office.ask("POST", "/api/distribution/plans", plan)["plan_id"]
    person = {"name": f"测试{mark[-5:]}", "openid": f"o{mark}", "unionid": f"u{mark}", "plan_id": plan_id}
    who = office.ask("POST", "/api/distributors", person)
    order = f"C{int(time.time() * 1000)}"
    began = datetime.now(UTC) - timedelta(days=3)
    told = {
        "order_id": order,
        "buyer": {"unionid": f"b{mark}"},
        "items": [{"line_id": "1", "sku": "MASK-01", "title": "面膜", "quantity": 2, "price_fen": 4950}],
        "paid_fen": 9900,
        "share_code": who["share_code"],
    }
    for hours, status in enumerate(("paid", "completed")):
        at = (began + timedelta(hours=hours)).isoformat()
        office.ask("POST", "/_sandbox/mall/orders", {**told, "status": status, "occurred_at": at})
    office.until(
        f"/api/commissions?order_id={order}",
        lambda page: page["items"] and page["items"][0]["mature_at"],
    )
    return {**who, "name": person["name"]}, order
