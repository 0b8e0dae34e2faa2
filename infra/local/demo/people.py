"""Who works with it: staff read in from WeCom, and channels with an owner and what they cost."""

from infra.local import people
from infra.local.demo import brand
from infra.local.demo.business import Business

_CHANNELS = [  # name, as codes have it, owner, tag, costs, what its platform allows
    (
        "包裹卡",
        "parcel",
        people.OPERATOR,
        "渠道/包裹卡",
        [("add", 150, -9)],
        "卡片随包裹寄出，一单一张。",
    ),
    ("门店海报", "poster", people.MANAGER, "渠道/门店海报", [("once", 36000, -9)], ""),
    ("收银台", "counter", people.MANAGER, "渠道/收银台", [], ""),
    ("附近门店", "store", people.MANAGER, "渠道/附近门店", [], ""),
    ("朋友圈", "moments", people.OPERATOR, "渠道/朋友圈", [], "每天不超过 3 条，避免集中发送。"),
    ("社群", "group", people.OPERATOR, "渠道/社群", [], ""),
    ("百度搜索", "ad_baidu", people.OPERATOR, "渠道/百度", [("day", 8000, -1)], "落地页不得出现二维码图片。"),
]


def read_in(business: Business) -> None:
    """The staff; and the store manager, whom the local stack has given a role, has her stores."""
    business.call("POST", "/api/staff/sync")
    mine = {"scope": {"store_ids": [store[0] for store in brand.STORES if store[2] == "上海"]}}
    business.call("PATCH", f"/api/users/{people.MANAGER}", mine)


def check_against_wecom(business: Business) -> None:
    """All that WeCom has, read in once more: what no callback told of is found."""
    business.call("POST", "/api/imports", {})


_SEGMENTS = [  # name, kind, rule
    ("买过的客户", "live", {"orders": {"gte": 1}}),
    (
        "包裹卡来的、还没买的",
        "live",
        {
            "all": [
                {"tag": {"any": ["渠道/包裹卡"]}},
                {"orders": {"eq": 0}},
                {"not": {"lost_at": {"within": "P365D"}}},
            ]
        },
    ),
    ("首批种子用户", "frozen", {"added_at": {"within": "P30D"}}),
]


def segments(business: Business) -> None:
    for name, kind, rule in _SEGMENTS:
        business.call("POST", "/api/segments", {"name": name, "kind": kind, "rule": rule})


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
