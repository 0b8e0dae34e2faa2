"""Names that are code, and that are too long: in everything that people can name, before the screens are looked at."""

from typing import Any

CODE = '<img src=x onerror="window.hurt=1">\'"{{ 7*7 }}<script>window.hurt=1</script>'
LONG = "名字特别特别长的一家旗舰店" * 3 + "W8" * 12
TEXT = CODE.replace("{{ 7*7 }}", "")  # a message's placeholders are judged
STORE = "nasty"


def plant(stack: Any) -> None:
    """Once for each stack."""
    answer = stack.request("GET", f"/api/stores/{STORE}", headers={"Authorization": f"Bearer {stack.key}"})
    if answer.status == 200:
        return
    guide = stack.api("GET", "/api/staff?limit=1")["items"][0]["staff_id"]
    members = {"members": [{"staff_id": guide}]}
    where = {"latitude": 31.2, "longitude": 121.4, "city": CODE[:30], "address": CODE}
    stack.api("POST", "/api/stores", {"store_id": STORE, "name": CODE, "staff_ids": [guide], **where})
    stack.api("POST", "/api/stores", {"store_id": f"{STORE}2", "name": LONG, "staff_ids": [guide], **where})
    code = {
        "channel": "nasty",
        "assignment": members,
        "tags": ["渠道/<b>粗"],
        "welcome": {"text": TEXT},
    }
    stack.api("POST", "/api/live-codes", {"name": LONG, **code})
    made = stack.api("POST", "/api/live-codes", {"name": CODE, **code})
    stack.api("POST", "/api/channels", {"name": CODE[:64], "aliases": ["nasty"], "tags": ["渠道/<b>粗"]})
    stack.api("POST", "/api/segments", {"name": CODE, "rule": {"tag": {"any": ["渠道/<b>粗"]}}})
    stack.api("POST", "/api/coupon-pools", {"name": CODE})
    stack.api("POST", "/api/api-keys", {"name": CODE, "role": "auditor"})
    step = {
        "step_id": "a",
        "after": "PT0S",
        "delivery": "mass_send",
        "content": [{"type": "text", "text": TEXT}],
    }
    stack.api("POST", "/api/sops", {"name": CODE, "trigger": {"event": "customer_added"}, "steps": [step]})
    plan = stack.api("POST", "/api/distribution/plans", {"name": CODE, "levels": [{"rate_bps": 1000}]})
    seller = {"openid": "o_nasty", "plan_id": plan["plan_id"], "external_userid": "wm_nasty"}
    stack.api("POST", "/api/distributors", {"name": CODE, **seller})
    rows = [{"phone": "13900139001", "name": CODE, "note": CODE}]
    told = {"rows": rows, "staff": {"staff_ids": [guide]}, "consent": f"收银台登记 {CODE}"}
    stack.api("POST", "/api/prospect-imports/rows", {"name": f"{CODE}.csv", **told})
    headers = {"Accept": "application/json"}
    for name in (CODE, LONG):
        scan = stack.request("GET", f"/s/{made['code']}", headers=headers).json()
        stack.sandbox("POST", "add", {"qr_code": scan["qr_url"], "name": name})
    stack.drain()
