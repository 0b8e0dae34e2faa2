"""Customers by HTTP, and tags between our mirror and WeCom."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from chalice.test import Client

from app import app as product
from chalicelib.customers import models, rules, service
from chalicelib.customers.rules import Customer, Source
from chalicelib.platform import auth, clock, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import ConditionFailed
from chalicelib.platform.timeline import Line
from chalicelib.tags import models as tag_models
from chalicelib.tags import service as tags
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CARD, VIP = "渠道/包裹卡", "等级/VIP"


class Corp:
    """WeCom's corp tags: ids by (group, name), and what has been put on whom."""

    def __init__(self) -> None:
        self.ids: dict[tuple[str, str], str] = {}
        self.marked: set[tuple[str, str, str]] = set()
        self.calls: list[str] = []
        self.errors: dict[str, list[Exception]] = {}
        self.others: dict[tuple[str, str], str] = {}  # made by somebody else just before our add

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.errors.get(name):
            raise self.errors[name].pop(0)

    def get_corp_tag_list(self) -> list[dict[str, Any]]:
        self._called("list")
        return [{"group_name": g, "tag": [{"id": i, "name": n}]} for (g, n), i in self.ids.items()]

    def add_corp_tag(self, group: str, names: list[str]) -> dict[str, Any]:
        self._called("add")
        self.ids |= self.others
        self.others = {}
        if any((group, name) in self.ids for name in names):
            raise WeComError("externalcontact/add_corp_tag", 40071)
        for name in names:
            self.ids[group, name] = f"et{len(self.ids)}-{len(self.calls)}"
        return {"group_name": group, "tag": [{"id": self.ids[group, n], "name": n} for n in names]}

    def mark_tag(self, staff_id: str, external_userid: str, add: list[str], remove: list[str]) -> None:
        self._called("mark")
        if not set(add) | set(remove) <= set(self.ids.values()):
            raise WeComError("externalcontact/mark_tag", 40068)
        self.marked |= {(staff_id, external_userid, tag) for tag in add}
        self.marked -= {(staff_id, external_userid, tag) for tag in remove}

    def names(self) -> set[str]:
        """What is on customers, by name."""
        names = {tag_id: f"{group}/{name}" for (group, name), tag_id in self.ids.items()}
        return {names[tag_id] for _, _, tag_id in self.marked}


@pytest.fixture
def corp(tables: None, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch) -> Corp:
    at(NOW)
    corp = Corp()
    monkeypatch.setattr(wecom, "default_client", lambda: corp)
    return corp


@pytest.fixture
def customer(corp: Corp) -> Customer:
    source = Source(NOW, "parcel", "lc_1")
    found = rules.added(Customer("wm1"), "lihua", NOW, False, source).customer
    found = rules.with_tags(rules.with_profile(found, {"name": "小王", "unionid": "o1"}), add=[CARD])
    return models.save(found)


@pytest.fixture
def client(customer: Customer) -> Iterator[Client]:
    with Client(product) as client:
        yield client


def changes() -> list[tuple[list[str], list[str]]]:
    """(added, removed) of each line, the newest first."""
    return [
        (line["data"]["added"], line["data"]["removed"])
        for line in timeline.read("wm1")[0]
        if line["type"] == "tags_changed"
    ]


def test_a_customer_by_http_has_the_contracts_keys(client: Client) -> None:
    headers = {"Authorization": f"Bearer {auth.create_key('test', 'operator')}"}
    answer = client.http.get("/api/customers/wm1", headers=headers)
    assert answer.status_code == 200
    assert answer.json_body == {
        "external_userid": "wm1",
        "unionid": "o1",
        "name": "小王",
        "avatar": None,
        "channel": "parcel",
        "live_code_id": "lc_1",
        "follows": [
            {
                "staff_id": "lihua",
                "staff_name": "lihua",
                "added_at": "2026-11-22T02:00:00.000000+00:00",
                "status": "active",
                "remark": "",
            }
        ],
        "tags": [CARD],
        "rfm": {},
        "score": 0,
        "groups": [],
    }
    assert client.http.get("/api/customers/nobody", headers=headers).status_code == 404
    assert client.http.get("/api/customers/nobody/timeline", headers=headers).status_code == 404
    assert client.http.get("/api/customers/wm1").status_code == 401


def test_the_timeline_is_a_list_newest_first(client: Client) -> None:
    headers = {"Authorization": f"Bearer {auth.create_key('test', 'operator')}"}
    for n in range(3):
        timeline.record(Line("wm1", "follow_edited", NOW.replace(minute=n), f"k{n}", {"staff_id": f"s{n}"}))
    page = client.http.get("/api/customers/wm1/timeline?limit=2", headers=headers).json_body
    assert [item["data"]["staff_id"] for item in page["items"]] == ["s2", "s1"]
    rest = client.http.get(
        f"/api/customers/wm1/timeline?limit=2&cursor={page['next_cursor']}", headers=headers
    ).json_body
    assert [item["data"]["staff_id"] for item in rest["items"]] == ["s0"]
    assert rest["next_cursor"] is None
    for wrong in ("limit=0", "cursor=!"):
        answer = client.http.get(f"/api/customers/wm1/timeline?{wrong}", headers=headers)
        assert answer.status_code == 422


def test_who_is_in_a_group_only_has_a_history_too(client: Client) -> None:
    headers = {"Authorization": f"Bearer {auth.create_key('test', 'operator')}"}
    for subject in ("wm9", "wrGroup", "distributor#d_1"):
        timeline.record(Line(subject, "joined_group", NOW, "k", {"chat_id": "wrGroup"}))
    page = client.http.get("/api/customers/wm9/timeline", headers=headers).json_body
    assert [item["type"] for item in page["items"]] == ["joined_group"]
    for other in ("wm8", "wrGroup", "distributor%23d_1", "distributor#d_1"):  # people's only
        assert client.http.get(f"/api/customers/{other}/timeline", headers=headers).status_code == 404


def test_a_write_from_an_older_version_is_refused(customer: Customer) -> None:
    models.save(customer)
    for older in (customer, Customer("wm1")):
        with pytest.raises(ConditionFailed):
            models.save(older)


def test_tags_that_wecom_lacks_are_made_and_their_ids_kept(corp: Corp, customer: Customer) -> None:
    for _ in range(2):
        tags.apply("lihua", "wm1", [CARD, VIP, CARD], [])
    assert corp.names() == {CARD, VIP}
    assert corp.calls == ["list", "add", "add", "mark", "mark"]  # a call for each group; the second time none
    found = service.get("wm1")
    assert found is not None and found.tags == (CARD, VIP)
    assert changes() == [([VIP], [])]


def test_a_name_made_by_somebody_else_meanwhile_is_used(corp: Corp, customer: Customer) -> None:
    corp.others = {("渠道", "包裹卡"): "et-theirs"}
    tags.apply("lihua", "wm1", [CARD, "渠道/海报"], [])
    assert corp.ids["渠道", "包裹卡"] == "et-theirs"
    assert corp.names() == {CARD, "渠道/海报"}


def test_an_id_that_is_gone_is_read_anew_once(corp: Corp, customer: Customer) -> None:
    tag_models.keep({CARD: "et-old"}, NOW)
    tags.apply("lihua", "wm1", [CARD], [])
    assert corp.names() == {CARD}
    assert changes() == []
    corp.errors["mark"] = [WeComError("externalcontact/mark_tag", 40068)] * 2
    tags.apply("lihua", "wm1", [CARD], [])
    assert changes() == [([], [CARD])]


def test_what_can_never_be_leaves_the_mirror(corp: Corp, customer: Customer) -> None:
    corp.errors["mark"] = [WeComError("externalcontact/mark_tag", 84061)]
    tags.apply("lihua", "wm1", [CARD], [])
    found = service.get("wm1")
    assert found is not None and found.tags == ()
    assert changes() == [([], [CARD])]


def test_what_may_pass_is_raised_and_leaves_the_mirror_alone(corp: Corp, customer: Customer) -> None:
    corp.errors["mark"] = [WeComError("externalcontact/mark_tag", 45033), Upstream("no answer")]
    for _ in range(2):
        with pytest.raises(Upstream):
            tags.apply("lihua", "wm1", [CARD], [])
    tags.apply("lihua", "wm1", [CARD], [])
    assert corp.names() == {CARD}
    assert changes() == []


def test_tags_are_cleared_at_wecom_and_in_the_mirror(corp: Corp, customer: Customer) -> None:
    tags.apply("lihua", "wm1", [CARD, VIP], [])
    tags.apply("lihua", "wm1", [], [CARD, "不存在/的"])
    assert corp.names() == {VIP}
    found = service.get("wm1")
    assert found is not None and found.tags == (VIP,)
    assert ("不存在", "的") not in corp.ids


def test_tags_of_somebody_we_do_not_know_make_no_customer(corp: Corp) -> None:
    assert not service.add_tags("wm-unknown", [CARD])
    assert service.get("wm-unknown") is None


def test_a_change_of_tags_survives_a_change_in_between(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once: the second finds another version, looks again, and loses nothing."""
    real, raced = models.load, []

    def load(external_userid: str) -> Customer:
        found = real(external_userid)
        if not raced:
            raced.append(True)
            models.save(rules.with_tags(found, add=["x/y"]))
        return found

    monkeypatch.setattr(models, "load", load)
    assert service.add_tags("wm1", [VIP])
    assert real("wm1").tags == tuple(sorted([CARD, VIP, "x/y"]))
    assert clock.parse(timeline.read("wm1")[0][0]["at"]) == NOW
