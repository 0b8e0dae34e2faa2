"""The main job from outside: poster, scan, callback, welcome, SOP, order, commission, payout, figures."""

import hashlib
import io
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from chalicelib.platform import clock
from infra.local.client import LocalStack
from infra.sandbox import crypto, events

WELCOME = "您好 {customer_name}，我是 {staff_name}"


def live_code(stack: LocalStack, channel: str, **changes: Any) -> dict[str, Any]:
    """A live code of two guides and a fallback, all hired."""
    for staff_id, name in (("lihua", "李华"), ("chenjie", "陈洁"), ("wangwu", "王五")):
        stack.sandbox("POST", "staff", {"userid": staff_id, "name": name})
    body = {
        "name": "包裹卡·冬",
        "kind": "staff",
        "channel": channel,
        "tags": ["渠道/包裹卡"],
        "assignment": {
            "strategy": "round_robin",
            "sticky": True,
            "members": [{"staff_id": "lihua", "daily_cap": 100}, {"staff_id": "chenjie", "daily_cap": 100}],
            "fallback_staff_ids": ["wangwu"],
            "reserve_for": "PT10M",
        },
        "welcome": {"text": WELCOME, "attachments": []},
        "skip_verify": True,
    }
    made = stack.api("POST", "/api/live-codes", body | changes, expect=201)
    stack.drain()
    return dict(made)


def scan(stack: LocalStack, code: dict[str, Any]) -> dict[str, Any]:
    answer = stack.request("GET", f"/s/{code['code']}", headers={"Accept": "application/json"})
    assert answer.status == 200
    return dict(answer.json())


def lines(stack: LocalStack, external_userid: str, kind: str) -> list[dict[str, Any]]:
    items = stack.api("GET", f"/api/customers/{external_userid}/timeline")["items"]
    return [item["data"] for item in items if item["type"] == kind]


def order(number: str, at: str, **changes: Any) -> dict[str, Any]:
    line = {"line_id": "1", "sku": "MASK-01", "title": "面膜", "quantity": 2, "price_fen": 4950}
    return {
        "order_id": number,
        "status": "paid",
        "occurred_at": at,
        "buyer": {"unionid": None, "external_userid": None, "phone": None},
        "items": [line | {"discount_fen": 0}],
        "paid_fen": 9900,
        "freight_fen": 0,
        "share_code": None,
    } | changes


def test_a_poster_leads_to_a_welcomed_and_tagged_customer(stack: LocalStack) -> None:
    code = live_code(stack, "thread_1")
    png = stack.request(
        "GET",
        f"/api/live-codes/{code['live_code_id']}/poster.png?width=750",
        headers={"Authorization": f"Bearer {stack.key}"},
    )
    picture = Image.open(io.BytesIO(png.data))
    assert png.headers["content-type"] == "image/png" and picture.width == 750
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [code["url"]]

    shown = scan(stack, code)
    assert shown["kind"] == "staff" and shown["staff_id"] == "lihua"
    assert set(shown) == {
        "assignment_id", "kind", "staff_id", "chat_id", "store_id", "qr_url", "expires_at"
    }  # fmt: skip
    page = stack.request("GET", f"/s/{code['code']}", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html") and b"/qr/cfg" in page.data

    person = {"name": "林晓 <b>", "unionid": "o6_thread_1"}
    added = stack.sandbox("POST", "add", {"qr_code": shown["qr_url"], "repeat": 3, **person})
    stack.drain()
    who = added["external_userid"]
    customer = stack.api("GET", f"/api/customers/{who}")
    assert customer["follows"][0] | {"added_at": ""} == {
        "staff_id": "lihua", "staff_name": "李华", "added_at": "", "status": "active", "remark": "林晓 <b>"
    }  # fmt: skip
    assert (customer["name"], customer["unionid"]) == (person["name"], person["unionid"])
    assert (customer["channel"], customer["tags"]) == ("thread_1", ["渠道/包裹卡"])
    # Two scans of the same code wait; the newest of that member is the one that is confirmed.
    rows = stack.api("GET", f"/api/assignments?live_code_id={code['live_code_id']}")["items"]
    assert sorted(row["status"] for row in rows) == ["confirmed", "reserved"]

    welcomes = [
        c
        for c in stack.sandbox_calls("send_welcome_msg")
        if c["body"]["welcome_code"] == added["welcome_code"]
    ]
    assert [c["response"]["errcode"] for c in welcomes] == [0]
    assert welcomes[0]["body"]["text"]["content"] == "您好 林晓 <b>，我是 李华"
    (sent,) = lines(stack, who, "welcome_sent")
    assert 0 <= sent["ms"] < 20_000
    marks = [c for c in stack.sandbox_calls("mark_tag") if c["body"]["external_userid"] == who]
    assert marks and all(c["response"]["errcode"] == 0 for c in marks)
    (bond,) = stack.sandbox("GET", f"customers?external_userid={who}")["items"][0]["bonds"]
    assert len(bond["tag_ids"]) == 1


def test_an_unused_reservation_lapses_and_its_place_comes_back(stack: LocalStack) -> None:
    assignment = {"strategy": "round_robin", "members": [{"staff_id": "lihua", "daily_cap": 1}]}
    code = live_code(stack, "lapse", assignment=assignment | {"fallback_staff_ids": ["wangwu"]})
    assert [scan(stack, code)["staff_id"] for _ in range(2)] == ["lihua", "wangwu"]
    stack.advance("PT11M")
    rows = stack.api("GET", f"/api/assignments?live_code_id={code['live_code_id']}")["items"]
    assert {row["status"] for row in rows} == {"lapsed"}
    # Another process may still take the guide for full, for five seconds at most.
    deadline = time.monotonic() + 10
    while scan(stack, code)["staff_id"] != "lihua":
        assert time.monotonic() < deadline


def test_an_sop_goes_out_by_mass_send_batched_by_guide(stack: LocalStack) -> None:
    code = live_code(stack, "sop")
    steps = [
        {
            "step_id": "hour",
            "after": "PT1H",
            "delivery": "mass_send",
            "content": [{"type": "text", "text": "一小时"}],
        },
        {
            "step_id": "days",
            "after": "P2D",
            "delivery": "mass_send",
            "content": [{"type": "text", "text": "两天"}],
        },
    ]
    trigger = {"event": "customer_added", "live_code_ids": [code["live_code_id"]]}
    plan = {
        "name": "新客",
        "audience": "customer",
        "trigger": trigger,
        "stop_on": ["customer_lost"],
        "steps": steps,
    }
    sop_id = stack.api("POST", "/api/sops", plan, expect=201)["sop_id"]
    # One message goes to a guide for all of a minute: none may turn while the customers come.
    moment = clock.parse(stack.api("GET", "/local/clock")["now"])
    stack.advance(f"PT{60 - moment.second}S")
    people = []
    for number in range(5):
        shown = scan(stack, code)
        people.append(stack.sandbox("POST", "add", {"qr_code": shown["qr_url"], "name": f"客户{number}"}))
    stack.drain()  # they are enrolled: who is gone before that never is
    gone = people.pop()
    stack.sandbox(
        "POST", "delete-by-customer", {"staff_id": gone["userid"], "external_userid": gone["external_userid"]}
    )
    stack.drain()

    def sends(text: str) -> list[dict[str, Any]]:
        bodies = [c["body"] for c in stack.sandbox_calls("add_msg_template")]
        return [b for b in bodies if (b.get("text") or {}).get("content") == text]

    def touches(step: str) -> dict[str, str]:
        items = stack.api("GET", f"/api/touches?sop_id={sop_id}")["items"]
        return {i["external_userid"]: i["status"] for i in items if i["step_id"] == step}

    stack.advance("PT50M")
    assert not sends("一小时") and set(touches("hour").values()) <= {"scheduled", "skipped"}
    stack.advance("PT12M")
    reached = {p["external_userid"] for p in people}
    assert sorted(b["sender"] for b in sends("一小时")) == ["chenjie", "lihua"]
    assert {who for b in sends("一小时") for who in b["external_userid"]} == reached
    assert {who: s for who, s in touches("hour").items() if who in reached} == dict.fromkeys(
        reached, "handed_over"
    )
    assert touches("hour")[gone["external_userid"]] == "skipped"
    assert not sends("两天")
    stack.advance("P2D")
    assert {who for b in sends("两天") for who in b["external_userid"]} == reached
    assert set(touches("hour").values()) == {"sent", "skipped"}
    assert len(sends("一小时")) == 2  # nothing twice
    counts = stack.api("GET", f"/api/sops/{sop_id}")["counts"]
    assert counts["hour"]["sent"] == 4


def test_a_share_becomes_a_commission_and_a_payout_once(stack: LocalStack) -> None:
    code = live_code(stack, "money")
    shown = scan(stack, code)
    stack.sandbox("POST", "add", {"qr_code": shown["qr_url"], "name": "买家", "unionid": "o6_money"})
    stack.drain()
    plan = {
        "name": "分享计划", "levels": [{"rate_bps": 1000}, {"rate_bps": 300}], "scope": {}, "mature_after": "P7D",
        "attribution_window": "P30D", "minimum_payout_fen": 100, "withhold_tax": True,
    }  # fmt: skip
    plan_id = stack.api("POST", "/api/distribution/plans", plan, expect=201)["plan_id"]
    parent = stack.api(
        "POST", "/api/distributors", {"unionid": "o6_p", "name": "上级", "openid": "oP", "plan_id": plan_id}
    )
    me = {"unionid": "o6_seller", "name": "团长", "openid": "oM", "plan_id": plan_id}
    mine = stack.api("POST", "/api/distributors", me | {"parent_id": parent["distributor_id"]}, expect=201)
    share = mine["share_code"]

    def now() -> str:
        return str(stack.api("GET", "/local/clock")["now"])

    def balance(distributor: dict[str, Any]) -> dict[str, int]:
        return dict(stack.api("GET", f"/api/distributors/{distributor['distributor_id']}/balance"))

    def tell(message: dict[str, Any], repeat: int = 1) -> None:
        answer = stack.sandbox("POST", "mall/orders", {"message": message, "repeat": repeat})
        assert answer["statuses"] == [200] * repeat
        stack.drain()

    buyer = {"unionid": "o6_money", "external_userid": None, "phone": None}
    paid = order("M-e2e-1", now(), share_code=share, buyer=buyer)
    tell(paid, repeat=3)
    items = stack.api("GET", "/api/commissions?order_id=M-e2e-1")["items"]
    assert sorted((i["level"], i["base_fen"], i["amount_fen"], i["status"]) for i in items) == [
        (1, 9900, 990, "pending"), (2, 9900, 297, "pending")
    ]  # fmt: skip
    tell(order("M-e2e-own", now(), share_code=share, buyer=buyer | {"unionid": "o6_seller"}))
    assert stack.api("GET", "/api/commissions?order_id=M-e2e-own")["items"] == []
    assert balance(mine)["pending_fen"] == 990

    tell(paid | {"status": "completed", "occurred_at": now()})
    refund = {"refund_id": "R1", "amount_fen": 4950, "lines": [{"line_id": "1", "amount_fen": 4950}]}
    tell(paid | {"status": "refunded", "occurred_at": now(), "refund": refund}, repeat=2)
    assert (balance(mine)["pending_fen"], balance(parent)["pending_fen"]) == (495, 148)
    stack.advance("P7D")
    assert (balance(mine)["pending_fen"], balance(mine)["available_fen"]) == (0, 495)

    run = stack.api("POST", "/api/settlements", {}, expect=202)
    stack.drain()
    assert stack.api("GET", f"/api/jobs/{run['job_id']}")["status"] == "finished"
    settled = stack.api("GET", f"/api/settlements/{run['settlement_id']}")
    assert (settled["distributors"], settled["gross_fen"], settled["net_fen"]) == (2, 643, 643)
    assert {p["amount_fen"] for p in settled["payouts"]} == {495, 148}
    assert balance(mine)["in_payout_fen"] == 495  # offered; the receiver has yet to confirm
    for payout in settled["payouts"]:
        stack.sandbox("POST", "pay/confirm", {"out_bill_no": payout["payout_id"]})
    stack.drain()
    stack.advance("PT5M")
    settled = stack.api("GET", f"/api/settlements/{run['settlement_id']}")
    assert {p["status"] for p in settled["payouts"]} == {"paid"}
    assert balance(mine) == {
        "pending_fen": 0, "available_fen": 0, "in_payout_fen": 0, "paid_fen": 495, "debt_fen": 0, "tax_withheld_fen": 0
    }  # fmt: skip
    bills = {b["out_bill_no"] for b in stack.sandbox("GET", "pay/bills")["items"]}
    assert {p["payout_id"] for p in settled["payouts"]} <= bills

    # The rest is refunded after it was paid out: a debt.
    second = {"refund_id": "R2", "amount_fen": 4950, "lines": [{"line_id": "1", "amount_fen": 4950}]}
    tell(paid | {"status": "refunded", "occurred_at": now(), "refund": second})
    assert balance(mine)["debt_fen"] == 495
    trial = stack.api("GET", "/api/ledger/trial-balance")
    assert trial["total_debit_fen"] == trial["total_credit_fen"] > 0

    for name in ("seal-distributors", "seal-payouts"):  # nothing is left to do; they may
        job = stack.api("POST", f"/api/migrations/{name}", expect=202)["job_id"]
        stack.drain()
        assert stack.api("GET", f"/api/jobs/{job}")["status"] == "finished"

    until = clock.parse(now())
    days = f"from={until - timedelta(days=60):%Y-%m-%d}&to={until + timedelta(days=1):%Y-%m-%d}"
    funnel = stack.api("GET", f"/api/metrics/funnel?{days}&by=channel")
    row = next(r for r in funnel["items"] if r["channel"] == "money")
    assert row == {
        "channel": "money",
        "scans": 1,
        "adds": 1,
        "kept": 1,
        "buyers": 1,
        "orders": 1,
        "gmv_fen": 0,
    }


def test_a_lost_pay_answer_is_found_by_query_and_never_paid_twice(stack: LocalStack) -> None:
    plan = {
        "name": "p",
        "levels": [{"rate_bps": 2000}],
        "scope": {},
        "mature_after": "P0D",
        "minimum_payout_fen": 100,
    }
    plan_id = stack.api(
        "POST", "/api/distribution/plans", plan | {"attribution_window": "P30D", "withhold_tax": False}
    )["plan_id"]
    mine = stack.api(
        "POST", "/api/distributors", {"unionid": "o6_lost", "name": "n", "openid": "oL", "plan_id": plan_id}
    )
    at = stack.api("GET", "/local/clock")["now"]
    for status in ("paid", "completed"):
        message = order("M-e2e-lost", at, status=status, share_code=mine["share_code"])
        stack.sandbox("POST", "mall/orders", message)
    stack.drain()
    stack.advance("PT1M")
    stack.sandbox("POST", "faults", {"path": "mch-transfer/transfer-bills", "kind": "lost", "times": 1})
    run = stack.api("POST", "/api/settlements", {})
    stack.drain()
    stack.advance("PT30M")
    (waiting,) = stack.api("GET", f"/api/settlements/{run['settlement_id']}")["payouts"]
    stack.sandbox("POST", "pay/confirm", {"out_bill_no": waiting["payout_id"]})
    stack.drain()
    stack.advance("PT30M")
    (payout,) = [
        p
        for p in stack.api("GET", f"/api/settlements/{run['settlement_id']}")["payouts"]
        if p["distributor_id"] == mine["distributor_id"]
    ]
    assert (payout["amount_fen"], payout["status"]) == (1980, "paid")
    calls = [
        c
        for c in stack.sandbox_calls("mch-transfer")
        if payout["payout_id"] in str(c["path"]) + str(c["body"])
    ]
    assert {c["method"] for c in calls} == {"GET", "POST"}
    assert sum(c["method"] == "POST" for c in calls) == 1
    stack.sandbox("DELETE", "faults")


@pytest.mark.slow
def test_copies_of_distinct_events_of_one_second_have_one_effect_each(stack: LocalStack) -> None:
    """20 customers, each event three times, in any order, at once; some are deleted before the add arrives."""
    code = live_code(
        stack, "storm", assignment={"strategy": "round_robin", "members": [{"staff_id": "lihua"}]}
    )
    qr_url = scan(stack, code)["qr_url"]
    stack.sandbox("POST", "settings", {"callback_repeat": 3, "callback_reorder": True, "callback_hold": 1})
    try:
        with ThreadPoolExecutor(4) as pool:
            add = [{"qr_code": qr_url, "name": f"风暴{n}", "unionid": f"o6_storm{n}"} for n in range(20)]
            people = list(pool.map(lambda body: stack.sandbox("POST", "add", body), add))
            for person in people[:6]:
                bond = {"staff_id": "lihua", "external_userid": person["external_userid"]}
                stack.sandbox("POST", "delete-by-customer", bond)
        stack.sandbox("POST", "event", {"event": "brand_new_event", "elements": {"Foo": "1"}})
        stack.advance("PT5S")
        stack.drain()
    finally:
        stack.sandbox("POST", "settings", {"callback_repeat": 1, "callback_reorder": False})
    for number, person in enumerate(people):
        who = person["external_userid"]
        assert len(lines(stack, who, "customer_added")) == 1
        assert len(lines(stack, who, "customer_lost")) == (number < 6)
        (follow,) = stack.api("GET", f"/api/customers/{who}")["follows"]
        assert (follow["status"] == "active") == (number >= 6)
        codes = [
            c
            for c in stack.sandbox_calls("send_welcome_msg")
            if c["body"]["welcome_code"] == person["welcome_code"]
        ]
        assert len(codes) == 1


def test_a_callback_that_the_sandbox_did_not_send_is_as_good(stack: LocalStack) -> None:
    """Programs that we don't see make their own callbacks, with the corp's token and key."""
    world = stack.api("GET", "/local/sandbox")
    code = live_code(stack, "outside")
    scan(stack, code)
    (way,) = [
        c["body"]
        for c in stack.sandbox_calls("add_contact_way")
        if c["body"]["user"] == ["lihua"] and c["body"]["remark"] == code["name"]
    ][-1:]
    stamp = str(int(clock.parse(stack.api("GET", "/local/clock")["now"]).timestamp()))
    who = "wm" + hashlib.sha256(code["code"].encode()).hexdigest()[:30]
    xml = events.event_xml(
        world["corp_id"], int(stamp), "change_external_contact", ChangeType="add_external_contact",
        UserID="lihua", ExternalUserID=who, State=way["state"], WelcomeCode="WC_outside",
    )  # fmt: skip
    box = crypto.seal(world["callback_aes_key"], xml.encode(), world["corp_id"])
    body = crypto.envelope(box, world["corp_id"], world["agent_id"])
    signature = crypto.signature(world["callback_token"], stamp, "nonce", box)
    path = f"/wecom/callback?msg_signature={signature}&timestamp={stamp}&nonce=nonce"
    answer = stack.request("POST", path, body, {"Content-Type": "text/xml"})
    assert (answer.status, answer.data) == (200, b"")
    stack.drain()
    assert stack.api("GET", f"/api/customers/{who}")["follows"][0]["staff_id"] == "lihua"
    assert [
        c["response"]["errcode"]
        for c in stack.sandbox_calls("send_welcome_msg")
        if c["body"]["welcome_code"] == "WC_outside"
    ] == [0]
    forged = stack.request("POST", path.replace(signature, "0" * 40), body)
    assert forged.status == 403
