"""`make run DEMO=1`: a small believable business, played through the product's own doors.

A skin-care brand with three stores and six guides, ten days of it: scans of parcel cards and store
posters, customers who add a guide (and some who leave again), a 48-hour SOP, orders, four
distributors, a settlement. Nothing is written past the doors, so what the console shows is what
the product does.
"""

import random
import sys
import time
from typing import Any

import urllib3

STORES = [
    ("sh-jingan", "上海静安店", "上海", "静安区南京西路 1515 号", 31.2244, 121.4455, ["lihua", "chenjie"]),
    ("hz-hubin", "杭州湖滨店", "杭州", "上城区延安路 258 号", 30.2550, 120.1640, ["wangwu", "zhaomin"]),
    ("cd-taikoo", "成都太古里店", "成都", "锦江区中纱帽街 8 号", 30.6541, 104.0833, ["sunli", "zhouting"]),
]
STAFF = {
    "lihua": "李华",
    "chenjie": "陈洁",
    "wangwu": "王五",
    "zhaomin": "赵敏",
    "sunli": "孙丽",
    "zhouting": "周婷",
}
PEOPLE = "林晓 何静 苏苏 小鹿 王先生 茉莉 橙子 Kiki 叶子 安然 可可 南风 豆豆 一诺 子墨 雨桐 欣怡 思远".split()
GOODS = [
    ("MASK-01", "玻尿酸补水面膜", 4950),
    ("SERUM-02", "烟酰胺精华液 30ml", 16900),
    ("CREAM-03", "神经酰胺面霜", 12800),
]
DAYS = 10
WORKDAY = [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": "09:00", "to": "22:00"}]


class Business:
    """Speaks to the product as an operator, a phone and a mall do; to the sandbox as people in WeCom."""

    def __init__(self, base: str, key: str):
        self.base, self.key = base, key
        self.http = urllib3.PoolManager(maxsize=4)
        self.dice = random.Random(20261122)  # noqa: S311 (the same business at every run)
        self.customers: list[dict[str, Any]] = []
        self.orders = 0

    def call(self, method: str, path: str, body: Any = None, key: bool = True) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"} if key else {"Accept": "application/json"}
        answer = self.http.request(method, self.base + path, json=body, headers=headers, timeout=120)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data[:300]!r}")
        return answer.json() if answer.data else None

    def world(self, path: str, body: Any) -> Any:
        return self.call("POST", f"/_sandbox/{path}", body, key=False)

    def advance(self, duration: str) -> None:
        self.call("POST", "/local/clock", {"advance": duration}, key=False)

    def now(self) -> str:
        return str(self.call("GET", "/local/clock", key=False)["now"])


def play(base: str, key: str) -> None:
    """Play the ten days. RuntimeError names the call that was refused."""
    begun = time.monotonic()
    business = Business(base, key)
    codes = open_shop(business)
    for day in range(DAYS):
        visitors(business, codes, 5 + day % 3)
        business.call("POST", "/local/drain", key=False)
        if day == 1:
            recruit(business)
        if day >= 1:
            purchases(business, 4)
        if day == 5:
            farewell(business)
        business.advance("P1D")
    settle(business)
    took = time.monotonic() - begun
    say(f"demo: {len(business.customers)} customers, {business.orders} orders, {took:.0f} s")


def open_shop(business: Business) -> list[str]:
    """Staff, stores, live codes, an SOP; the live codes' short links."""
    for staff_id, name in STAFF.items():
        business.world("staff", {"userid": staff_id, "name": name})
    for store_id, name, city, address, latitude, longitude, staff_ids in STORES:
        store = {"store_id": store_id, "name": name, "city": city, "address": address, "chat_ids": []}
        business.call(
            "POST",
            "/api/stores",
            store | {"latitude": latitude, "longitude": longitude, "staff_ids": staff_ids},
        )
    welcome = "您好 {customer_name}，我是{staff_name}，您的专属护肤顾问 🌿\n回复「肤质」领取一份护肤建议。"
    everyone = [{"staff_id": s, "weight": 1, "daily_cap": 50, "hours": WORKDAY} for s in STAFF]
    plans = [
        ("冬季包裹卡", "parcel", "渠道/包裹卡", "round_robin", everyone),
        ("静安店门口海报", "poster", "渠道/门店海报", "least_loaded", everyone[:2]),
        (
            "收银台",
            "counter",
            "渠道/收银台",
            "weighted",
            [m | {"weight": n + 1} for n, m in enumerate(everyone[2:4])],
        ),
    ]
    codes, ids = [], []
    for name, channel, tag, strategy, members in plans:
        made = business.call("POST", "/api/live-codes", {
            "name": name, "kind": "staff", "channel": channel, "tags": [tag],
            "assignment": {"strategy": strategy, "sticky": True, "members": members,
                           "fallback_staff_ids": ["zhouting"], "reserve_for": "PT10M"},
            "welcome": {"text": welcome, "attachments": []}, "skip_verify": True,
        })  # fmt: skip
        codes.append(made["code"])
        ids.append(made["live_code_id"])
    text = [{"type": "text", "text": "亲，昨天加您后整理了一份换季护肤清单，需要我发给您吗？"}]
    offer = [{"type": "text", "text": "老朋友专享：补水面膜第二件半价，今晚 22 点前有效～"}]
    business.call("POST", "/api/sops", {
        "name": "新客 48 小时", "audience": "customer",
        "trigger": {"event": "customer_added", "live_code_ids": ids},
        "quiet_hours": {"from": "22:00", "to": "08:00"}, "stop_on": ["order_paid", "customer_lost"],
        "steps": [
            {"step_id": "hello", "after": "PT1H", "delivery": "mass_send", "content": text},
            {"step_id": "offer", "after": "P2D", "at": "10:00", "delivery": "mass_send", "content": offer},
        ],
    })  # fmt: skip
    return codes


def visitors(business: Business, codes: list[str], count: int) -> None:
    """Some scan; four of five add the guide they are shown."""
    for _ in range(count):
        code = business.dice.choices(codes, weights=[6, 3, 2])[0]
        shown = business.call("GET", f"/s/{code}", key=False)
        if business.dice.random() < 0.8:
            number = len(business.customers)
            person = {"name": f"{PEOPLE[number % len(PEOPLE)]}", "unionid": f"o6_demo_{number:05d}"}
            added = business.world("add", {"qr_code": shown["qr_url"], **person})
            business.customers.append({**added, **person})


def recruit(business: Business) -> None:
    """Four customers become distributors, two of them brought by the first."""
    plan = business.call("POST", "/api/distribution/plans", {
        "name": "达人分享计划", "levels": [{"rate_bps": 1000}, {"rate_bps": 300}], "scope": {},
        "mature_after": "P3D", "attribution_window": "P30D", "minimum_payout_fen": 100, "withhold_tax": True,
    })  # fmt: skip
    first: str | None = None
    for number, customer in enumerate(business.customers[:4]):
        distributor = {
            "external_userid": customer["external_userid"],
            "name": customer["name"],
            "openid": f"o_demo_openid_{number}",
            "plan_id": plan["plan_id"],
        }
        if first and number > 1:
            distributor["parent_id"] = first
        made = business.call("POST", "/api/distributors", distributor)
        first = first or made["distributor_id"]
        customer["share_code"] = made["share_code"]


def purchases(business: Business, count: int) -> None:
    """Orders of customers, half of them by a distributor's share; completed at once, one in six refunded."""
    shares = [c["share_code"] for c in business.customers if "share_code" in c]
    for _ in range(count):
        business.orders += 1
        buyer = business.dice.choice(business.customers)
        sku, title, price = business.dice.choice(GOODS)
        quantity = business.dice.randint(1, 2)
        paid = price * quantity
        order: dict[str, Any] = {
            "order_id": f"M{20261122_00000 + business.orders}",
            "buyer": {"unionid": buyer["unionid"], "external_userid": None, "phone": None},
            "items": [{"line_id": "1", "sku": sku, "title": title, "quantity": quantity,
                       "price_fen": price, "discount_fen": 0}],
            "paid_fen": paid, "freight_fen": 0,
            "share_code": business.dice.choice(shares) if shares and business.dice.random() < 0.5 else None,
        }  # fmt: skip
        refund = {
            "refund_id": f"R{business.orders}",
            "amount_fen": price,
            "lines": [{"line_id": "1", "amount_fen": price}],
        }
        for status in ("paid", "completed", *(["refunded"] if business.orders % 6 == 0 else [])):
            message = {**order, "status": status, "occurred_at": business.now()}
            if status == "refunded":
                message["refund"] = refund
            business.world("mall/orders", message)


def farewell(business: Business) -> None:
    """Two customers delete their guide."""
    for customer in business.customers[6:8]:
        lost = {"staff_id": customer["userid"], "external_userid": customer["external_userid"]}
        business.world("delete-by-customer", lost)


def settle(business: Business) -> None:
    """Settle, and let the distributors take their money."""
    business.call("POST", "/api/settlements", {})
    business.advance("PT10M")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
