"""What narrows the list of customers; remarks and tags that we change, and that WeCom is told of."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.customers import models, remark_work, rules
from chalicelib.customers.rules import Customer, Source
from chalicelib.platform import auth, due, timeline
from chalicelib.platform.auth import Scope
from chalicelib.platform.works import do
from chalicelib.tags import change_work
from chalicelib.wecom.errors import WeComError
from tests.support.api import Api
from tests.support.wecom import FakeWeCom

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CARD, VIP = "渠道/包裹卡", "等级/VIP"
PEOPLE = (  # who, name, guide, days after the 21st, channel, code; 23:30 in Shanghai
    ("wm1", "赵敏", "ann", 1, "parcel", "lc_1"),
    ("wm2", "钱多多", "bob", 2, "video", "lc_2"),
    ("wm3", "孙小美", "ann", 3, "parcel", "lc_2"),
    ("wm4", "李赵", "bob", 4, None, None),
)


class Corp(FakeWeCom):
    """WeCom as far as remarks and tags go."""

    def __init__(self) -> None:
        super().__init__()
        self.remarks: dict[tuple[str, str], str] = {}
        self.marked: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = []
        self.errors: list[Exception] = []
        self.strangers: set[str] = set()

    def remark(self, staff_id: str, external_userid: str, remark: str) -> None:
        if self.errors:
            raise self.errors.pop()
        self.remarks[staff_id, external_userid] = remark

    def external_contact(self, external_userid: str, *, deadline: datetime | None = None) -> dict[str, Any]:
        if external_userid in self.strangers:
            raise WeComError("externalcontact/get", 84061)
        follow = {"userid": "Ann", "remark": self.remarks.get(("ann", external_userid), "")}
        return {"external_contact": {"name": "赵敏"}, "follow_user": [follow]}

    def get_corp_tag_list(self) -> list[dict[str, Any]]:
        tags = {"渠道": "包裹卡", "等级": "VIP"}
        return [{"group_name": g, "tag": [{"id": f"id-{n}", "name": n}]} for g, n in tags.items()]

    def mark_tag(self, staff_id: str, external_userid: str, add: list[str], remove: list[str]) -> None:
        self.marked.append((staff_id, external_userid, tuple(add), tuple(remove)))


@pytest.fixture
def corp(api: Api, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch) -> Corp:
    """WeCom, and four customers of two guides, each of a store."""
    at(NOW)
    corp = Corp()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: corp)
    for who, name, guide, days, channel, code in PEOPLE:
        moment = datetime(2026, 11, 21, 15, 30, tzinfo=UTC) + timedelta(days=days)
        source = Source(moment, channel, code) if channel and code else None
        customer = rules.added(Customer(who), guide, moment, False, source).customer
        customer = rules.with_tags(customer, add=[CARD] if who in ("wm1", "wm4") else [])
        models.save(rules.with_profile(customer, {"name": name, "unionid": f"o{who}{'x' * 24}"}))
    for store_id, guide in (("s1", "ann"), ("s2", "bob")):
        place = {"name": store_id, "latitude": 22, "longitude": 113}
        assert api.post("/api/stores", {"store_id": store_id, **place, "staff_ids": [guide]})[0] == 201
    return corp


def work(sent: list[Any], kind: str) -> None:
    """All that was sent of a kind, twice: a queue may."""
    for _, message, _ in [one for one in sent if one[1]["kind"] == kind]:
        do(message)
        do(message)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=赵", ["wm4", "wm1"]),
        ("q=zm", ["wm1"]),
        ("q=wm2", ["wm2"]),
        (f"q=owm3{'x' * 24}", ["wm3"]),
        ("q=wm9", []),
        ("tag=渠道/包裹卡", ["wm4", "wm1"]),
        ("channel=parcel", ["wm3", "wm1"]),
        ("live_code_id=lc_2", ["wm3", "wm2"]),
        ("live_code_id=lc_2&staff_id=ann", ["wm3"]),
        ("q=wm2&staff_id=ann", []),
        ("q=wm2&added_from=2026-11-23&added_to=2026-11-23", ["wm2"]),
        ("q=wm2&added_from=2026-11-24", []),
        ("q=wm2&added_to=2026-11-22", []),
        ("added_from=2026-11-23&added_to=2026-11-24", ["wm3", "wm2"]),
        ("added_from=2026-11-23&staff_id=ann", ["wm3"]),
        ("added_to=2026-11-22", ["wm1"]),
        ("added_from=2026-11-26", []),
    ],
)
def test_what_narrows_the_list(api: Api, corp: Corp, query: str, wanted: list[str]) -> None:
    assert api.ids(f"/api/customers?{query}", "external_userid") == wanted
    one_by_one: list[str] = []
    cursor = ""
    while cursor is not None:
        page = api.get(f"/api/customers?{query}&limit=1{cursor and '&cursor=' + cursor}")[1]
        one_by_one += [row["external_userid"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert one_by_one == wanted


def test_a_phone_number_that_an_import_knows_finds_its_customer(
    api: Api, corp: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "chalicelib.prospects.matching.customers_of_phone",
        lambda text: {"13800138000": ["wm2"]}.get(text, []),
    )
    assert api.ids("/api/customers?q=13800138000", "external_userid") == ["wm2"]
    manager = api.acting_as("store_manager", Scope(store_ids=("s1",)))
    assert manager.ids("/api/customers?q=13800138000", "external_userid") == []
    assert api.ids("/api/customers?q=13800138001", "external_userid") == []


def test_who_sees_no_names_finds_nobody_by_one(api: Api, corp: Corp) -> None:
    auditor = api.acting_as("auditor")
    for wanted in ("赵敏", "wm1", f"owm3{'x' * 24}"):
        assert auditor.get(f"/api/customers?q={wanted}")[1]["items"] == []


def test_a_remark_is_ours_at_once_and_wecom_s_soon(api: Api, corp: Corp, sent: list[Any]) -> None:
    answer = api.raw("GET", "/api/customers/wm1")
    status, customer = api.patch(
        "/api/customers/wm1", {"remark": "赵敏 油皮"}, If_Match=answer.headers["ETag"]
    )
    assert status == 200 and customer["follows"][0]["remark"] == "赵敏 油皮"
    assert api.ids("/api/customers?q=油皮", "external_userid") == ["wm1"]
    work(sent, "remark")
    assert corp.remarks == {("ann", "wm1"): "赵敏 油皮"}
    assert api.patch("/api/customers/wm1", {"remark": "x"}, If_Match=answer.headers["ETag"])[0] == 409
    assert timeline.read("wm1")[0][0]["type"] == "remark_changed"
    entries = api.acting_as("admin").get("/api/audit?object=wm1")[1]["items"]
    assert [entry["action"] for entry in entries] == ["customers.change"]
    assert "油皮" not in json.dumps(entries, ensure_ascii=False)


def test_the_intent_outlives_a_queue_that_refuses(
    api: Api, corp: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr("chalicelib.platform.queues.send", refuse)
    assert api.patch("/api/customers/wm1", {"remark": "油皮"})[0] == 500
    assert api.post("/api/customers/wm1/tags", {"add": [VIP]})[0] == 500
    waiting = [item for item in due.read(NOW, NOW) if item.kind in ("remark", "tag_change")]
    for item in waiting:
        do(item.work)
    assert corp.remarks == {("ann", "wm1"): "油皮"}
    assert corp.marked == [("ann", "wm1", ("id-VIP",), ())]


def test_what_wecom_refuses_for_good_is_taken_back(api: Api, corp: Corp, sent: list[Any]) -> None:
    corp.remarks["ann", "wm1"] = "by hand"
    assert api.patch("/api/customers/wm1", {"remark": "油皮"})[0] == 200
    corp.errors = [WeComError("externalcontact/remark", 84061)] * 2
    work(sent, "remark")
    assert api.get("/api/customers/wm1")[1]["follows"][0]["remark"] == "by hand"
    with pytest.raises(WeComError):  # what may pass comes again
        corp.errors = [WeComError("externalcontact/remark", -1)]
        remark_work.write_remark("wm1", "ann")


def test_a_remark_on_who_has_left_meanwhile_is_no_dead_letter(api: Api, corp: Corp, sent: list[Any]) -> None:
    assert api.patch("/api/customers/wm1", {"remark": "油皮"})[0] == 200
    corp.errors, corp.strangers = [WeComError("externalcontact/remark", 84061)], {"wm1"}
    remark_work.write_remark("wm1", "ann")
    assert corp.remarks == {} and not corp.errors


def test_tags_are_set_and_cleared_here_and_there(api: Api, corp: Corp, sent: list[Any]) -> None:
    assert api.post("/api/customers/wm1/tags", {"add": [VIP], "remove": [CARD]}) == (200, {"tags": [VIP]})
    work(sent, "tag_change")
    assert set(corp.marked) == {("ann", "wm1", ("id-VIP",), ("id-包裹卡",))}
    assert api.get("/api/customers/wm1")[1]["tags"] == [VIP]
    entries = api.acting_as("admin").get("/api/audit?object=wm1")[1]["items"]
    assert [entry["action"] for entry in entries] == ["customers.tag"]
    lines = [line for line in timeline.read("wm1")[0] if line["type"] == "tags_changed"]
    assert [(line["data"]["added"], line["data"]["removed"]) for line in lines] == [([VIP], [CARD])]


def test_work_that_comes_after_a_later_change_undoes_nothing(api: Api, corp: Corp, sent: list[Any]) -> None:
    api.post("/api/customers/wm1/tags", {"add": [VIP]})
    late = sent[-1][1]
    api.post("/api/customers/wm1/tags", {"remove": [VIP]})
    change_work.write_tags(**{name: late[name] for name in ("external_userid", "on", "off", "add", "remove")})
    assert corp.marked == [] and api.get("/api/customers/wm1")[1]["tags"] == [CARD]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/tags", {"add": ["noslash"]}, "add[0]"),
        ("/tags", {"add": [VIP, "a/b/c"]}, "add[1]"),
        ("/tags", {"remove": ["x" * 31 + "/a"]}, "remove[0]"),
        ("/tags", {}, "add"),
        ("/tags", {"add": [f"a/{n}" for n in range(21)]}, "add"),
        ("/tags", {"add": [VIP], "staff_id": "bob"}, "staff_id"),
        ("", {"remark": "x" * 21}, "remark"),
        ("", {"remark": "x", "staff_id": "bob"}, "staff_id"),
        ("", {"birthday": "2000-01-01"}, "birthday"),
    ],
)
def test_what_is_refused_changes_nothing(
    api: Api, corp: Corp, sent: list[Any], path: str, body: dict[str, Any], field: str
) -> None:
    method = "POST" if path else "PATCH"
    status, problem = api(method, f"/api/customers/wm1{path}", body)
    assert status == 422 and field in {error["field"] for error in problem["errors"]}, problem
    assert sent == [] and api.get("/api/customers/wm1")[1]["tags"] == [CARD]


def test_scope_and_role_are_kept(api: Api, corp: Corp, sent: list[Any]) -> None:
    manager = api.acting_as("store_manager", Scope(store_ids=("s2",)))
    assert manager.patch("/api/customers/wm1", {"remark": "x"})[0] == 404
    assert manager.post("/api/customers/wm1/tags", {"add": [VIP]})[0] == 404
    assert manager.patch("/api/customers/wm2", {"remark": "x"})[0] == 200
    assert api.acting_as("auditor").patch("/api/customers/wm1", {"remark": "x"})[0] == 403
    session = auth.begin_session("user", "ann")
    cookie = {"Cookie": f"{auth.SESSION_COOKIE}={session}"}
    token = auth.find_session({auth.SESSION_COOKIE: session})
    assert token is not None
    headers = {**cookie, "X-CSRF-Token": token.csrf_token, "Content-Type": "application/json"}
    for who, status in (("wm1", 200), ("wm2", 404)):
        answer = api.client.http.patch(
            f"/api/customers/{who}", headers=headers, body=json.dumps({"remark": "mine"}).encode()
        )
        assert answer.status_code == status, answer.body
    without = api.client.http.patch("/api/customers/wm1", headers=cookie, body=b'{"remark": "x"}')
    assert without.status_code == 403


def test_nobody_s_friend_has_no_remark(api: Api, corp: Corp) -> None:
    models.save(rules.lost(models.load("wm1"), "ann", NOW + timedelta(days=9)).customer)
    assert api.patch("/api/customers/wm1", {"remark": "x"})[0] == 409
