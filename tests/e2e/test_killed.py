"""`kill -9` of the local stack: what was drained is there again, and both sides tell the same of money."""

import json
import threading
import time
from pathlib import Path
from typing import Any

from infra.local.client import LocalStack
from infra.local.deploy import Account
from infra.local.settings import STACK

KEY = "mr_killed"
DAY = "P1D"


def test_what_was_saved_is_there_after_a_kill_and_money_agrees(tmp_path: Path) -> None:
    stack = LocalStack(tmp_path, ADMIN_API_KEY=KEY)
    with LocalStack(tmp_path, ADMIN_API_KEY=KEY) as first:
        assert "killed" not in first.said
        code = live_code(first)
        customers = [add_customer(first, code, number) for number in range(3)]
        first.drain()
        distributor = sell(first)
    with stack:
        assert "killed" not in stack.said
        settle = threading.Thread(target=quietly, args=(settle_and_pay, stack))
        settle.start()
        customers.append(add_customer(stack, code, 3))
        stack.drain()
        settle.join(0.5)
        stack.kill()  # while payouts are on their way
        settle.join()
        with LocalStack(tmp_path, ADMIN_API_KEY=KEY) as again:
            assert "the last run was killed" in again.said
            assert names(again, customers) == ["客户0", "客户1", "客户2", "客户3"]
            settle_and_pay(again)
            agree(again, distributor)
            add_customer(again, code, 4)
            again.drain()
            assert len(again.api("GET", "/api/customers")["items"]) == 5
            poison(again, tmp_path)


def live_code(stack: LocalStack) -> dict[str, Any]:
    stack.sandbox("POST", "staff", {"userid": "lihua", "name": "李华"})
    body = {"name": "包裹卡", "channel": "x", "assignment": {"members": [{"staff_id": "lihua"}]}}
    return dict(stack.api("POST", "/api/live-codes", body))


def add_customer(stack: LocalStack, code: dict[str, Any], number: int) -> str:
    scan = stack.request("GET", f"/s/{code['code']}", headers={"Accept": "application/json"}).json()
    person = {"qr_code": scan["qr_url"], "name": f"客户{number}", "unionid": f"o6_{number}"}
    return str(stack.sandbox("POST", "add", person)["external_userid"])


def names(stack: LocalStack, customers: list[str]) -> list[str]:
    return [stack.api("GET", f"/api/customers/{who}")["name"] for who in customers]


def sell(stack: LocalStack) -> str:
    """A distributor with a commission of ¥9.90 that is available."""
    plan = {"name": "推广", "levels": [{"rate_bps": 1000}], "mature_after": "PT1H", "withhold_tax": False}
    plan_id = stack.api("POST", "/api/distribution/plans", plan)["plan_id"]
    person = {"unionid": "o6_seller", "name": "王小雅", "openid": "oSeller0001", "plan_id": plan_id}
    made = stack.api("POST", "/api/distributors", person)
    line = {"line_id": "1", "sku": "A", "title": "礼盒", "quantity": 1, "price_fen": 9900, "discount_fen": 0}
    for number, status in enumerate(("paid", "completed")):
        message = {
            "order_id": "M1", "status": status, "occurred_at": stack.api("GET", "/local/clock")["now"],
            "buyer": {"unionid": "o6_buyer", "external_userid": None, "phone": None}, "items": [line],
            "paid_fen": 9900, "freight_fen": 0, "share_code": made["share_code"],
        }  # fmt: skip
        answer = stack.sandbox("POST", "mall/orders", {"message": message})
        assert answer["statuses"] == [200], number
        stack.drain()
    stack.advance("PT3H")
    return str(made["distributor_id"])


def settle_and_pay(stack: LocalStack) -> None:
    stack.api("POST", "/api/settlements", {})
    stack.drain()


def quietly(work: Any, *arguments: Any) -> None:
    """The stack may be killed in the middle of it."""
    try:
        work(*arguments)
    except Exception:
        return


def poison(stack: LocalStack, data: Path) -> None:
    """Messages that no function can read: neither `/local/drain` nor `/local/clock` waits for their time-outs."""
    port = json.loads((data / "ports.json").read_text())["emulator"]
    sqs = Account(f"http://127.0.0.1:{port}").client("sqs")
    for name in ("assign", "callback.fifo"):
        url = sqs.get_queue_url(QueueName=f"{STACK}-{name}")["QueueUrl"]
        group = {"MessageGroupId": "x", "MessageDeduplicationId": "x"} if name.endswith("fifo") else {}
        sqs.send_message(QueueUrl=url, MessageBody='{"kind": "assign', **group)
    begun = time.monotonic()
    stack.drain()
    stack.advance("PT6H")
    assert time.monotonic() - begun < 120  # five receives, six time-outs of a function between: 12 minutes
    given_up = {row["queue"] for row in stack.api("GET", "/api/dead-letters")["items"]}
    assert {"assign", "callback"} <= given_up


def agree(stack: LocalStack, distributor: str) -> None:
    """One payout here, the same bill there, and not a fen is in one of them alone."""
    bills = {bill["out_bill_no"]: bill for bill in stack.sandbox("GET", "pay/bills")["items"]}
    settlements = stack.api("GET", "/api/settlements")["items"]
    wholes = [stack.api("GET", f"/api/settlements/{row['settlement_id']}") for row in settlements]
    payouts = {payout["payout_id"]: payout for whole in wholes for payout in whole["payouts"]}
    assert set(bills) == set(payouts)
    assert sum(bill["transfer_amount"] for bill in bills.values()) == 990
    assert len(payouts) == 1
    balance = stack.api("GET", f"/api/distributors/{distributor}/balance")
    assert balance["in_payout_fen"] + balance["paid_fen"] == 990
