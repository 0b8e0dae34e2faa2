"""A card in a parcel and a code at the till, from outside: printed, bound, scanned, added, counted, given."""

import urllib.request
from typing import Any

import pypdfium2
import zxingcpp

from infra.local.client import LocalStack


def code(stack: LocalStack, channel: str, **more: Any) -> dict[str, Any]:
    stack.sandbox("POST", "staff", {"userid": "lihua", "name": "李华"})
    body = {
        "name": "包裹卡·冬",
        "channel": channel,
        "assignment": {"members": [{"staff_id": "lihua"}]},
        "welcome": {"text": "您好", "attachments": []},
    }
    made = stack.api("POST", "/api/live-codes", body | more, expect=201)
    stack.drain()
    return dict(made)


def scan(stack: LocalStack, path: str) -> Any:
    return stack.request("GET", path, headers={"Accept": "application/json"})


def test_a_printed_card_is_bound_scanned_and_counted(stack: LocalStack) -> None:
    made = code(stack, "parcel_cards")
    path = f"/api/live-codes/{made['live_code_id']}/print-runs"
    body = {"name": "冬", "count": 12, "format": "pdf", "prefix": "E2E"}
    job = stack.api("POST", path, body, expect=202)
    stack.drain()
    done = stack.api("GET", f"/api/jobs/{job['job_id']}")
    assert (done["status"], done["done"]) == ("finished", 12), done
    with urllib.request.urlopen(done["result_url"], timeout=10) as answer:
        document = pypdfium2.PdfDocument(answer.read())
    links = [
        found.text
        for page in document
        for found in zxingcpp.read_barcodes(page.render(scale=120 / 72).to_pil().convert("L"))
    ]
    assert len(set(links)) == 12
    link = links[0]
    bound = stack.api("POST", "/api/cards/bind", {"code": link, "order_id": "M-E2E-1", "batch": "B1"})
    assert bound["status"] == "bound" and bound["card"].startswith("E2E-")

    token = link.rsplit("/", 1)[1]
    got = scan(stack, f"/s/{token}").json()
    assert (got["kind"], got["staff_id"]) == ("staff", "lihua")
    forged = token[:-1] + ("2" if token[-1] != "2" else "3")
    assert scan(stack, f"/s/{forged}").status == 404
    added = stack.sandbox("POST", "add", {"qr_code": got["qr_url"], "name": "包裹客"})
    stack.drain()
    items = stack.api("GET", f"/api/customers/{added['external_userid']}/timeline")["items"]
    (line,) = [item["data"] for item in items if item["type"] == "customer_added"]
    wanted = {
        "print_run_id": job["print_run_id"],
        "card": bound["number"],
        "order_id": "M-E2E-1",
        "batch": "B1",
    }
    assert line | wanted == line
    stats = stack.api("GET", f"/api/print-runs/{job['print_run_id']}/stats")["items"]
    assert stats == [{"scans": 1, "cards": 1, "adds": 1}]


def test_the_gift_at_the_till_is_in_the_welcome_once_for_a_person(stack: LocalStack) -> None:
    pool = stack.api("POST", "/api/coupon-pools", {"name": "新人礼"}, expect=201)
    headers = {"Authorization": f"Bearer {stack.key}", "Content-Type": "text/plain"}
    loaded = stack.request("POST", f"/api/coupon-pools/{pool['pool_id']}/codes", b"TILL-1\nTILL-2\n", headers)
    assert loaded.json()["added"] == 2
    gift = {"pool_id": pool["pool_id"], "empty_text": "已领完"}
    made = code(stack, "counter", gift=gift, welcome={"text": "新人礼：{coupon_code}", "attachments": []})
    texts = []
    for name in ("甲", "乙", "丙"):
        got = scan(stack, f"/s/{made['code']}").json()
        added = stack.sandbox("POST", "add", {"qr_code": got["qr_url"], "name": name})
        stack.drain()
        calls = stack.sandbox_calls("send_welcome_msg")
        texts += [
            c["body"]["text"]["content"] for c in calls if c["body"]["welcome_code"] == added["welcome_code"]
        ]
    assert sorted(texts[:2]) == ["新人礼：TILL-1", "新人礼：TILL-2"] and texts[2] == "新人礼：已领完"
    now = stack.api("GET", f"/api/coupon-pools/{pool['pool_id']}")
    assert (now["given"], now["left"]) == (2, 0)
