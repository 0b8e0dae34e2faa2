"""The shop is opened: staff, stores, live codes of guides, and an SOP. And those who come by these codes."""

from infra.local.demo import brand
from infra.local.demo.business import Business


def open_shop(business: Business) -> tuple[list[str], list[str]]:
    """Staff, stores, live codes; the live codes' short codes (parcel, poster, counter), and their ids."""
    for staff_id, name in {**brand.STAFF, **brand.MORE_STAFF}.items():
        business.world("staff", {"userid": staff_id, "name": name})
    head = "store_id,name,city,address,latitude,longitude,staff_ids"
    rows = [",".join(map(str, store)) for store in brand.STORES]
    imported = business.call("POST", "/api/stores/import", {"csv": "\n".join([head, *rows])})
    if imported["errors"]:
        raise RuntimeError(f"stores: {imported['errors']}")
    everyone = [{"staff_id": s, "weight": 1, "daily_cap": 50, "hours": brand.WORKDAY} for s in brand.STAFF]
    till = [m | {"weight": n + 1} for n, m in enumerate(everyone[2:4])]
    plans = [
        ("冬季包裹卡", "parcel", "渠道/包裹卡", "round_robin", everyone),
        ("静安店门口海报", "poster", "渠道/门店海报", "least_loaded", everyone[:2]),
        ("收银台", "counter", "渠道/收银台", "weighted", till),
    ]
    codes, ids = [], []
    for name, channel, tag, strategy, members in plans:
        made = business.call("POST", "/api/live-codes", {
            "name": name, "kind": "staff", "channel": channel, "tags": [tag],
            "assignment": {"strategy": strategy, "sticky": True, "members": members,
                           "fallback_staff_ids": ["zhouting"], "reserve_for": "PT10M"},
            "welcome": {"text": brand.WELCOME, "attachments": []}, "skip_verify": True,
        })  # fmt: skip
        codes.append(made["code"])
        ids.append(made["live_code_id"])
    _gift(business, ids[2])
    return codes, ids


def _gift(business: Business, live_code_id: str) -> None:
    """At the till: the welcome carries a coupon code of the pool."""
    pool = business.call("POST", "/api/coupon-pools", {"name": "新客 20 元券"})
    letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    made = {"".join(business.dice.choices(letters, k=8)) for _ in range(300)}
    lines = "\n".join(f"ZL{code}" for code in sorted(made))
    business.send(f"/api/coupon-pools/{pool['pool_id']}/codes", lines.encode(), "text/plain")
    text = "您好 {customer_name}，我是{staff_name} 🌿\n新客礼 20 元券：{coupon_code}\n结账时报给店员即可。"
    business.call("PATCH", f"/api/live-codes/{live_code_id}", {
        "gift": {"pool_id": pool["pool_id"], "empty_text": "今日已领完，请咨询店员"},
        "welcome": {"text": text},
    })  # fmt: skip


def begin_sop(business: Business, live_code_ids: list[str]) -> None:
    text = [{"type": "text", "text": "亲，刚给您整理了一份换季护肤清单，需要我发给您吗？"}]
    offer = [{"type": "text", "text": "老朋友专享：补水面膜第二件半价，今晚 22 点前有效～"}]
    business.call("POST", "/api/sops", {
        "name": "新客 48 小时", "audience": "customer",
        "trigger": {"event": "customer_added", "live_code_ids": live_code_ids},
        "quiet_hours": {"from": "22:00", "to": "08:00"}, "stop_on": ["order_paid", "customer_lost"],
        "steps": [
            {"step_id": "hello", "after": "PT1H", "delivery": "mass_send", "content": text},
            {"step_id": "offer", "after": "P2D", "at": "10:00", "delivery": "mass_send", "content": offer},
        ],
    })  # fmt: skip


def visitors(business: Business, codes: list[str], count: int) -> None:
    """Some scan; four of five add the guide they are shown."""
    weights = [6, 3, 2, 2][: len(codes)]
    plans = [
        (business.dice.choices(codes, weights=weights)[0], business.dice.random() < 0.8, business.person())
        for _ in range(count)
    ]

    def visit(plan: tuple[str, bool, dict[str, str]]) -> None:
        code, adds, who = plan
        shown = business.scan(code)
        if adds:
            business.add(shown, who)

    business.at_once(visit, plans)
