"""The brand goes out itself: a campaign with its ad page, phone numbers as guides' tasks, a new guide."""

import re
from typing import Any
from urllib.parse import urlsplit

import urllib3

from infra.local.demo import brand, trade
from infra.local.demo.business import Business

_FORM = "application/x-www-form-urlencoded"


def open_campaign(business: Business) -> dict[str, Any]:
    """A campaign at Baidu, with a code of its own; its link is made behind a queue."""
    members = [{"staff_id": staff_id, "daily_cap": 30} for staff_id in ("wuyue", "zhaomin")]
    code = business.call("POST", "/api/live-codes", {
        "name": "百度搜索落地页", "kind": "staff", "channel": "ad_baidu", "tags": ["渠道/百度"],
        "assignment": {"strategy": "round_robin", "members": members},
        "welcome": {"text": brand.WELCOME, "attachments": []}, "skip_verify": True,
    })  # fmt: skip
    made = business.call("POST", "/api/ad-campaigns", {
        "name": "百度搜索·换季护肤", "platform": "baidu", "channel": "ad_baidu",
        "live_code_id": code["live_code_id"], "staff_ids": ["wuyue", "zhaomin"],
        "alert_staff_ids": ["lihua"], "credentials": "baidu",
        "page": brand.AD_PAGE, "report": {"added": "79", "bought": "10"},
    })  # fmt: skip
    business.drain()
    return dict(made)


def clicks(business: Business, campaign: dict[str, Any]) -> None:
    """Seven click, four add, one writes and buys."""
    page = urlsplit(campaign["url"]).path
    came = []
    for number in range(7):
        address = f"{business.base}{page}?bd_vid=demo{number:04d}"
        html = business.http.request("GET", address, timeout=60).data.decode()
        link = re.search(r'class="go" href="([^"]+)"', html)
        if link and number < 4:
            who = business.person()
            added = business.world("acquire", {"url": link[1].replace("&amp;", "&"), **who})
            came.append(business.came(added, who))
    business.drain()
    buyer = came[0]
    who = {"staff_id": buyer["userid"], "external_userid": buyer["external_userid"]}
    business.world("message", {**who, "count": 3})
    trade.order(business, buyer)


def import_phones(business: Business) -> dict[str, Any]:
    """Forty members of the old shop, two of whose numbers are no good and one of which is there twice."""
    made = business.call("POST", "/api/prospect-imports", {
        "name": "老会员名单", "format": "csv", "daily_pace": 8, "tags": ["来源/老会员"],
        "staff": {"rule": "round_robin", "staff_ids": ["lihua", "chenjie"]},
        "consent": "2025 年会员注册页勾选「同意导购联系」",
    })  # fmt: skip
    rows = ["手机号,姓名,备注"]
    for number in range(40):
        phone = f"138 0013 8{(number if number != 20 else 19) + 1:03d}"
        name = brand.MEMBERS[number % len(brand.MEMBERS)]
        note = "生日月" if number % 9 == 0 else "喜欢面膜" if number % 4 == 0 else ""
        rows.append(f"{'1.38E+10' if number == 30 else '021-6247' if number == 35 else phone},{name},{note}")
    table = "\n".join(rows).encode("gb18030")
    business.upload(made, table)
    business.call("POST", f"/api/prospect-imports/{made['import_id']}/start")
    business.drain()
    return dict(made)


class Desk:
    """A guide's browser on the task page, signed in by WeCom."""

    def __init__(self, business: Business, staff_id: str):
        self.business, self.staff_id = business, staff_id
        began = self._get("/h5/tasks", "")
        cookie = began.headers["Set-Cookie"].split(";")[0]
        chosen = f"{began.headers['Location'].split('#')[0]}&member={staff_id}"
        back = urlsplit(business.http.request("GET", chosen, redirect=False).headers["Location"])
        signed = self._get(f"{back.path}?{back.query}", cookie)
        self.cookie = signed.headers["Set-Cookie"].split(";")[0]

    def _get(self, path: str, cookie: str) -> urllib3.BaseHTTPResponse:
        headers = {"Cookie": cookie} if cookie else {}
        return self.business.http.request("GET", self.business.base + path, headers=headers, redirect=False)

    def tasks(self) -> list[dict[str, str]]:
        """`{"prospect_id","code","name","csrf"}` of each that waits."""
        html = self._get("/h5/tasks", self.cookie).data.decode()
        token = re.search('name="csrf" value="([^"]+)"', html)
        found = re.findall(r'id="t-(\w{8})".*?<h2>(.*?)</h2>.*?/h5/tasks/([a-z2-7]{26})"', html, re.DOTALL)
        return [
            {"prospect_id": prospect_id, "code": code, "name": name, "csrf": token[1] if token else ""}
            for code, name, prospect_id in found
        ]

    def mark(self, task: dict[str, str], status: str) -> None:
        body = f"csrf={task['csrf']}&status={status}"
        answer = self.business.http.request(
            "POST", f"{self.business.base}/h5/tasks/{task['prospect_id']}", body=body.encode(),
            headers={"Content-Type": _FORM, "Cookie": self.cookie}, redirect=False,
        )  # fmt: skip
        if answer.status != 303:
            raise RuntimeError(f"the task page: {answer.status}")


def work(business: Business) -> None:
    """李华 asks six of her list; two accept, and one of each sort does not. The remark tells who came."""
    business.call("POST", "/api/prospects/lists")  # it may be before nine
    business.drain()
    desk = Desk(business, "lihua")
    tasks = desk.tasks()
    for task, status in zip(tasks, ["asked"] * 4 + ["refused", "unreachable"], strict=False):
        desk.mark(task, status)
    for task in tasks[:2]:
        who = {"name": task["name"], "unionid": f"o6_demo_{task['code']}"}
        added = business.came(business.world("add", {"staff_id": "lihua", **who}), who)
        bond = {"staff_id": "lihua", "external_userid": added["external_userid"]}
        business.drain()
        business.world("edit", {**bond, "remark": f"{task['name']} {task['code']}"})


def hire(business: Business) -> None:
    """A table of ageing, and a guide whose account begins today."""
    steps = [{"until_day": day, "daily_cap": cap} for day, cap in ((3, 10), (7, 20), (14, 40), (30, 80))]
    business.call("PUT", "/api/staff/ramp", {"steps": steps})
    business.call(
        "PUT", f"/api/staff/{brand.NEWCOMER}", {"started_at": business.now()[:10], "daily_cap": None}
    )
