"""Who works with it: staff read in from WeCom, roles, and channels with an owner and what they cost."""

from infra.local.demo.business import Business

_ROLES = [
    ("zhouting", "operator", None),
    ("wangwu", "finance", None),
    ("zhaomin", "auditor", None),
    ("lihua", "store_manager", ["sh-jingan"]),
]
_CHANNELS = [  # name, as codes have it, owner, tag, costs, what its platform allows
    (
        "包裹卡",
        "parcel",
        "sunli",
        "渠道/包裹卡",
        [("add", 150, -9)],
        "卡片随包裹寄出，一单一张。",
    ),
    ("门店海报", "poster", "lihua", "渠道/门店海报", [("once", 36000, -9)], ""),
    ("收银台", "counter", "lihua", "渠道/收银台", [], ""),
    ("附近门店", "store", "lihua", "渠道/附近门店", [], ""),
    ("朋友圈", "moments", "zhaomin", "渠道/朋友圈", [], "每天不超过 3 条，避免集中发送。"),
    ("社群", "group", "chenjie", "渠道/社群", [], ""),
    ("百度搜索", "ad_baidu", "wangwu", "渠道/百度", [("day", 8000, -1)], "落地页不得出现二维码图片。"),
]


def invite(business: Business) -> None:
    business.call("POST", "/api/staff/sync")
    for staff_id, role, store_ids in _ROLES:
        scope = {"store_ids": store_ids, "department_ids": None} if store_ids else None
        wanted = {"staff_id": staff_id, "role": role, **({"scope": scope} if scope else {})}
        business.call("POST", "/api/users", wanted)


def channels(business: Business) -> None:
    for name, alias, owner, tag, costs, rules in _CHANNELS:
        wanted = {
            "name": name,
            "aliases": [alias],
            "owner_id": owner,
            "tags": [tag],
            "costs": [
                {"kind": kind, "amount_fen": fen, "from": business.day(days)} for kind, fen, days in costs
            ],
            "rules": rules,
        }
        business.call("POST", "/api/channels", wanted)
