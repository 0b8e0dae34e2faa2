"""What customers do once they are there: some become distributors, they buy, some leave, money is settled."""

from typing import Any

from infra.local.demo import brand
from infra.local.demo.business import Business


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
    carts = []
    for _ in range(count):
        share = business.dice.choice(shares) if shares and business.dice.random() < 0.5 else None
        carts.append(_cart(business, business.dice.choice(business.customers), share))
    business.at_once(lambda messages: _send(business, messages), carts)


def order(business: Business, buyer: dict[str, Any], share: str | None = None) -> str:
    """One order, from the mall's paid message on; its order_id."""
    messages = _cart(business, buyer, share)
    _send(business, messages)
    return str(messages[0]["order_id"])


def _send(business: Business, messages: list[dict[str, Any]]) -> None:
    for message in messages:
        business.world("mall/orders", message | {"occurred_at": business.now()})


def _cart(business: Business, buyer: dict[str, Any], share: str | None) -> list[dict[str, Any]]:
    """What the mall says of one order, message by message."""
    business.orders += 1
    sku, title, price = business.dice.choice(brand.GOODS)
    quantity = business.dice.randint(1, 2)
    message: dict[str, Any] = {
        "order_id": order_id(business.orders),
        "buyer": {"unionid": buyer["unionid"], "external_userid": None, "phone": None},
        "items": [{"line_id": "1", "sku": sku, "title": title, "quantity": quantity,
                   "price_fen": price, "discount_fen": 0}],
        "paid_fen": price * quantity, "freight_fen": 0, "share_code": share,
    }  # fmt: skip
    refund = {
        "refund_id": f"R{business.orders}",
        "amount_fen": price,
        "lines": [{"line_id": "1", "amount_fen": price}],
    }
    messages = [{**message, "status": status} for status in ("paid", "completed")]
    if business.orders % 6 == 0:
        messages.append({**message, "status": "refunded", "refund": refund})
    return messages


def order_id(number: int) -> str:
    return f"M{20261122_00000 + number}"


def farewell(business: Business, who: slice) -> None:
    """These customers delete their guide."""
    for customer in business.customers[who]:
        lost = {"staff_id": customer["userid"], "external_userid": customer["external_userid"]}
        business.world("delete-by-customer", lost)


def settle(business: Business) -> str | None:
    """Settle; one distributor refuses the money, one lets it wait, the others take it. The page of the one
    for whom it waits.
    """
    business.call("POST", "/api/settlements", {})
    business.drain()
    bills = business.call("GET", "/_sandbox/pay/bills", key=False)["items"]
    waiting = [bill["out_bill_no"] for bill in bills if bill["state"] == "WAIT_USER_CONFIRM"]
    for number in waiting[1:-1]:
        business.world("pay/confirm", {"out_bill_no": number})
    if len(waiting) > 2:
        business.world("pay/refuse", {"out_bill_no": waiting[0]})
    business.drain()
    if not waiting:
        return None
    whose = business.call("GET", f"/api/payouts/{waiting[-1]}")["distributor_id"]
    return str(business.call("GET", f"/api/distributors/{whose}")["share_url"])
