"""What goes wrong in any business, so that there is something to put right."""

from infra.local.demo import brand
from infra.local.demo.business import Business


def refuse_a_welcome(business: Business) -> None:
    """WeCom refuses the next welcome: its guide is asked to greet."""
    business.world("faults", {"path": "send_welcome_msg", "kind": "errcode", "value": 41050})


def send_an_empty_file(business: Business) -> None:
    """A list of phone numbers without any: the import fails, and says why."""
    made = business.call("POST", "/api/prospect-imports", {
        "name": "展会名单（空）", "format": "csv", "daily_pace": 5,
        "staff": {"rule": "round_robin", "staff_ids": [next(iter(brand.STAFF))]}, "consent": "展会现场登记表",
    })  # fmt: skip
    business.upload(made, "手机号,姓名\n".encode())
    business.call("POST", f"/api/prospect-imports/{made['import_id']}/start")


def post_what_nobody_reads(business: Business) -> None:
    """A callback that is truly WeCom's and no XML: kept, and given up as a dead letter."""
    business.world("event", {"xml": "<xml><ToUserName>"})
