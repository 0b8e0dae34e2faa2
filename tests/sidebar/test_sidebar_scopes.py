"""The sidebar: its page inside and outside of WeCom, the JS-SDK's signatures, what it shows of whom to whom."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.customers import models, rules
from chalicelib.customers.rules import Customer, Source
from chalicelib.platform import auth, clock, timeline
from chalicelib.platform.auth import Scope
from chalicelib.platform.timeline import Line
from chalicelib.sidebar import service
from chalicelib.staff import service as staff
from chalicelib.wecom.access import Token
from chalicelib.wecom.client import WeCom
from tests.support.api import Api
from tests.support.wecom import FakeWeCom

KEPT = {("GET", "/api/sidebar/customers/{external_userid}")}
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
IN_WECOM = {"User-Agent": "Mozilla/5.0 wxwork/4.1.0 MicroMessenger/7.0.1 WindowsWechat"}


class Corp(FakeWeCom):
    def jsapi_ticket(self) -> str:
        return "TICKET-corp-0001"

    def agent_ticket(self) -> str:
        return "TICKET-agent-0001"


@pytest.fixture
def corp(api: Api, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch) -> Corp:
    """A customer of ann's and bob's; ann is of store s1."""
    at(NOW)
    corp = Corp()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: corp)
    monkeypatch.setenv("WECOM_CORP_ID", "ww1")
    monkeypatch.setenv("WECOM_AGENT_ID", "1000002")
    customer = rules.added(Customer("wm1"), "ann", NOW, False, Source(NOW, "parcel", "lc_1")).customer
    customer = rules.added(customer, "bob", NOW + timedelta(minutes=1), False, None).customer
    customer = rules.with_remark(customer, "ann", "油皮")
    models.save(rules.with_profile(rules.with_tags(customer, add=["等级/VIP"]), {"name": "赵敏"}))
    timeline.record(Line("wm1", "follow_edited", NOW, "k1", {"staff_id": "ann"}))
    place = {"name": "s1", "latitude": 22, "longitude": 113}
    assert api.post("/api/stores", {"store_id": "s1", **place, "staff_ids": ["ann"]})[0] == 201
    return corp


def as_guide(api: Api, staff_id: str, path: str, **headers: str) -> Any:
    cookie = f"{auth.SESSION_COOKIE}={auth.begin_session('user', staff_id)}"
    return api.client.http.get(path, headers={"Cookie": cookie, **headers})


@pytest.mark.parametrize(
    ("ticket", "nonce", "timestamp", "url", "wanted"),
    [
        (
            "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg",
            "Wm3WZYTPz0wzccnW",
            1414587457,
            "http://mp.weixin.qq.com?params=value",
            "0f9de62fce790f9a083d5c99e95740ceb90c27ed",
        ),
        (
            "TICKET-agent-0001",
            "n0nce",
            1700000000,
            "https://scrm.example.com/sidebar?corp=ww1#top",
            "3252fd022782caf6a2a204f4e2e3a6c04337d7eb",
        ),
    ],
)
def test_a_signature_is_wecom_s(ticket: str, nonce: str, timestamp: int, url: str, wanted: str) -> None:
    assert service.signature(ticket, nonce, timestamp, url) == wanted


def test_tickets_are_asked_for_once_and_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: dict[str, Token] = {}

    class Store:
        def __init__(self, kind: str):
            self.kind = kind

        def get(self) -> Token | None:
            return stored.get(self.kind)

        def try_lock(self, version: int, until: datetime) -> bool:
            return True

        def unlock(self, until: datetime) -> None: ...

        def put(self, token: Token) -> bool:
            stored[self.kind] = token
            return True

    asked: list[tuple[str, Any]] = []

    def get(_: WeCom, path: str, params: Any, deadline: Any) -> dict[str, Any]:
        asked.append((path, params))
        return {"ticket": f"T-{path}", "expires_in": 7200}

    monkeypatch.setattr(WeCom, "_get", get)
    for _ in range(2):  # two processes
        wecom = WeCom("http://x", "ww1", "1", lambda: "s", Store("token"), tickets=Store)
        for _ in range(3):
            assert wecom.jsapi_ticket() == "T-get_jsapi_ticket"
            assert wecom.agent_ticket() == "T-ticket/get"
    assert asked == [("get_jsapi_ticket", {}), ("ticket/get", {"type": "agent_config"})]


def test_outside_of_wecom_it_says_where_it_belongs(api: Api, corp: Corp) -> None:
    for language, word in (("zh-CN", "侧边栏打开"), ("en", "beside a chat")):
        answer = api.client.http.get("/sidebar", headers={"Accept-Language": language})
        assert answer.status_code == 200 and word in answer.body.decode()
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src" not in policy and "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("headers", [IN_WECOM, {"Sec-Fetch-Dest": "iframe"}])
def test_in_wecom_it_signs_in_and_comes_back(api: Api, corp: Corp, headers: dict[str, str]) -> None:
    answer = api.client.http.get("/sidebar", headers=headers)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=ww1"
    )
    page = as_guide(api, "ann", "/sidebar", **headers)
    assert page.status_code == 200 and 'id="sidebar"' in page.body.decode()


def test_only_tencent_s_scripts_and_ours_run_and_by_setting_others(
    api: Api, corp: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = as_guide(api, "ann", "/sidebar", **IN_WECOM)
    policy, html = page.headers["Content-Security-Policy"], page.body.decode()
    (scripts,) = re.findall(r"script-src ([^;]+)", policy)
    assert re.sub(r"'sha256-[^']+'", "#", scripts).split() == [
        "https://res.wx.qq.com/open/js/jweixin-1.2.0.js",
        "https://open.work.weixin.qq.com/wwopen/js/jwxwork-1.0.0.js",
        "#",
    ]
    assert "unsafe" not in policy and html.count("<script src=") == 2 and "frame-ancestors 'none'" in policy
    monkeypatch.setenv("WECOM_JSSDK", "http://127.0.0.1:9000/jssdk.js")
    monkeypatch.setenv("SIDEBAR_FRAME_ANCESTORS", "http://127.0.0.1:9000")
    policy = as_guide(api, "ann", "/sidebar", **IN_WECOM).headers["Content-Security-Policy"]
    assert "script-src http://127.0.0.1:9000/jssdk.js 'sha256-" in policy and "qq.com/" not in policy
    assert "frame-ancestors http://127.0.0.1:9000" in policy
    assert "img-src data: https://*.qlogo.cn https://*.qpic.cn http://127.0.0.1:9000" in policy


def test_the_config_is_for_our_own_pages(api: Api, corp: Corp) -> None:
    answer = as_guide(api, "ann", "/api/sidebar/config?url=http%3A%2F%2F127.0.0.1%3A8000%2Fsidebar")
    found = answer.json_body
    assert answer.status_code == 200 and found["csrf_token"] and found["staff_name"]
    for kind, name in (("corp", "signature"), ("agent", "agent_signature")):
        wanted = service.signature(
            f"TICKET-{kind}-0001", found["nonce"], found["timestamp"], "http://127.0.0.1:8000/sidebar"
        )
        assert found[name] == wanted
    assert (found["corp_id"], found["agent_id"]) == ("ww1", "1000002")
    assert found["timestamp"] == int(clock.now().timestamp())
    for url in ("https://evil.example/sidebar", "http://127.0.0.1:8000.evil.example/", "javascript:1"):
        assert api.get(f"/api/sidebar/config?url={url}")[0] == 422
    assert api.client.http.get("/api/sidebar/config?url=x").status_code == 401


def test_a_guide_sees_who_it_is_with_their_own_bond_first(api: Api, corp: Corp) -> None:
    found = as_guide(api, "ann", "/api/sidebar/customers/wm1").json_body
    assert (found["name"], found["channel"], found["tags"]) == ("赵敏", "parcel", ["等级/VIP"])
    assert [(f["is_mine"], f["remark"]) for f in found["follows"]] == [(True, "油皮"), (False, "")]
    assert found["follows"][0]["staff_name"] == staff.name("ann")
    assert [event["type"] for event in found["events"]] == ["follow_edited"]
    assert (found["orders"], found["tasks"], found["can_change"]) == (None, 0, True)


def test_who_has_the_sidebar_alone_has_no_console(api: Api, corp: Corp) -> None:
    """As the sign-in of the console says to them."""
    assert as_guide(api, "ann", "/api/me").json_body["console"] is False
    api.acting_as("admin").post("/api/users", {"staff_id": "ann", "role": "guide"})
    assert as_guide(api, "ann", "/api/me").json_body["console"] is True


def test_a_channel_has_its_name_of_now(api: Api, corp: Corp) -> None:
    assert as_guide(api, "ann", "/api/sidebar/customers/wm1").json_body["channel_name"] == "parcel"
    assert api.acting_as("admin").post("/api/channels", {"name": "包裹卡", "aliases": ["parcel"]})[0] == 201
    found = as_guide(api, "ann", "/api/sidebar/customers/wm1").json_body
    assert (found["channel"], found["channel_name"]) == ("parcel", "包裹卡")


def test_scope_role_and_masking_are_kept(api: Api, corp: Corp) -> None:
    assert as_guide(api, "cid", "/api/sidebar/customers/wm1").status_code == 404
    elsewhere = api.acting_as("store_manager", Scope(store_ids=("none",)))
    assert elsewhere.get("/api/sidebar/customers/wm1")[0] == 404
    manager = api.acting_as("store_manager", Scope(store_ids=("s1",)))
    assert manager.get("/api/sidebar/customers/wm1")[1]["orders"] == []
    auditor = api.acting_as("auditor").get("/api/sidebar/customers/wm1")[1]
    assert (auditor["name"], auditor["external_userid"]) == ("赵***", "***")
    assert "油皮" not in str(auditor) and auditor["can_change"] is False
