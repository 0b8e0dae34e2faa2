"""Tag groups: changed at WeCom, read anew, carried to customers; whatever is killed or comes late."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.channels import service as channels
from chalicelib.channels.types import NewChannel
from chalicelib.customers import models as customer_models
from chalicelib.customers import rules as customer_rules
from chalicelib.lake import engine
from chalicelib.lake.engine import Lake
from chalicelib.platform import auth, clock, queues
from chalicelib.platform.due import DueItem
from chalicelib.platform.works import do
from chalicelib.taggroups import carry_work, mirror
from chalicelib.taggroups.models import TagGroupItem
from tests.support.corp_tags import CorpTags
from tests.support.lake_world import NOW, add

Ask = Callable[..., Any]


@pytest.fixture
def corp(tables: None, at: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> CorpTags:
    at(NOW)
    corp = CorpTags()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: corp)
    return corp


@pytest.fixture
def ask(corp: CorpTags) -> Any:
    with Client(app) as client:
        key = auth.create_key("k", "operator")

        def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
            raw = b"" if body is None else json.dumps(body).encode()
            headers = {"Authorization": f"Bearer {key}", **headers}
            answer = client.http.request(method, path, headers=headers, body=raw)
            return answer.status_code, json.loads(answer.body)

        yield call


def make(ask: Ask, name: str = "等级", *names: str) -> dict[str, Any]:
    tags = [{"name": each} for each in names or ("VIP", "普通")]
    status, made = ask("POST", "/api/tag-groups", {"name": name, "tags": tags})
    assert status == 201, made
    return made  # type: ignore[no-any-return]


def tag_names(group: Any) -> list[str]:
    return [tag["name"] for tag in group["tags"]]


def test_a_group_is_made_changed_and_deleted_at_wecom(ask: Ask, corp: CorpTags) -> None:
    made = make(ask)
    path, (vip, plain) = f"/api/tag-groups/{made['tag_group_id']}", made["tags"]
    assert tag_names(made) == ["VIP", "普通"]
    tags = [{"name": "新客"}, {"name": "普通"}, {"tag_id": vip["tag_id"], "name": "贵宾"}]
    status, changed = ask("PATCH", path, {"name": "会员等级", "tags": tags})
    assert status == 200 and changed["name"] == "会员等级"
    assert tag_names(changed) == ["新客", "普通", "贵宾"]
    assert changed["tags"][1]["tag_id"] == plain["tag_id"] and changed["tags"][2]["tag_id"] == vip["tag_id"]
    assert ask("PATCH", path, {"tags": [{"name": "普通"}]})[1]["tags"][0]["tag_id"] == plain["tag_id"]
    version = ask("GET", path)[1]["version"]
    mirror.refresh()
    assert ask("GET", path)[1]["version"] == version
    assert ask("PATCH", path, {"order": 7}, **{"If-Match": f'"{version - 1}"'})[0] == 409
    assert ask("PATCH", path, {"order": 7}, **{"If-Match": f'"{version}"'})[1]["order"] == 7
    assert ask("GET", "/api/tag-groups")[1]["total"] == 1
    assert ask("DELETE", path)[0] == 200 and corp.groups == {}
    assert ask("GET", path)[0] == 404 and ask("GET", "/api/tag-groups")[1]["items"] == []


@pytest.mark.parametrize("twin", ["vip", "Ｖ Ｉ Ｐ", " VIP "])
def test_no_two_tags_differ_by_space_width_or_case(ask: Ask, corp: CorpTags, twin: str) -> None:
    body = {"name": "等级", "tags": [{"name": "VIP"}, {"name": twin}]}
    status, error = ask("POST", "/api/tag-groups", body)
    assert status == 422 and error["errors"][0]["field"] == "tags[1].name" and not corp.groups
    made = make(ask)
    assert ask("POST", "/api/tag-groups", {"name": "等 级", "tags": [{"name": "x"}]})[0] == 409
    tags = [{"name": "VIP"}, {"name": "普通"}, {"name": twin}]
    assert ask("PATCH", f"/api/tag-groups/{made['tag_group_id']}", {"tags": tags})[0] == 422


def test_twins_of_wecoms_own_are_shown_and_may_stay(ask: Ask, corp: CorpTags) -> None:
    corp.groups["g1"] = ["等级", 0, {"a": ["VIP", 2], "b": ["vip", 1]}]
    mirror.refresh()
    (group,) = ask("GET", "/api/tag-groups")[1]["items"]
    assert [tag["same_as"] for tag in group["tags"]] == [None, "VIP"]
    tags = [{"tag_id": tag["tag_id"], "name": tag["name"]} for tag in group["tags"]]
    assert ask("PATCH", "/api/tag-groups/g1", {"tags": [*tags, {"name": "新"}]})[0] == 200


def test_bad_names_are_named_and_change_nothing(ask: Ask, corp: CorpTags) -> None:
    made = make(ask)
    path, before = f"/api/tag-groups/{made['tag_group_id']}", json.dumps(corp.groups)
    for body, field in (
        ({"name": "a/b"}, "name"),
        ({"name": "x" * 31}, "name"),
        ({"tags": []}, "tags"),
        ({"tags": [{"name": "a/b"}]}, "tags[0].name"),
        ({"tags": [{"name": "x", "tag_id": "nobody's"}]}, "tags[0].tag_id"),
    ):
        status, error = ask("PATCH", path, body)
        assert (status, error["errors"][0]["field"]) == (422, field)
    assert json.dumps(corp.groups) == before


def test_what_uses_a_tag_is_named_before_it_goes(ask: Ask, corp: CorpTags) -> None:
    made = make(ask)
    channels.create(NewChannel(name="包裹卡", tags=("等级/VIP",)))
    path = f"/api/tag-groups/{made['tag_group_id']}"
    for method, body in (("DELETE", None), ("PATCH", {"name": "x"}), ("PATCH", {"tags": [{"name": "普通"}]})):
        status, error = ask(method, path, body)
        assert status == 409 and "包裹卡" in error["detail"]
    tags = [{"name": "VIP"}, {"tag_id": made["tags"][1]["tag_id"], "name": "老客"}]
    assert ask("PATCH", path, {"tags": tags})[0] == 200


@pytest.mark.parametrize(("call", "body"), [
    ("add", {"tags": [{"name": "普通"}, {"name": "新"}]}),
    ("del", {"tags": [{"name": "普通"}, {"name": "新"}]}),
    ("edit", {"name": "会员", "tags": [{"name": "普通"}, {"name": "新"}]}),
])  # fmt: skip
def test_killed_behind_a_call_the_reading_repairs_and_the_same_change_does_the_rest(
    ask: Ask, corp: CorpTags, call: str, body: Any
) -> None:
    path = f"/api/tag-groups/{make(ask)['tag_group_id']}"
    corp.killed = call
    with pytest.raises(KeyboardInterrupt):
        ask("PATCH", path, body)
    assert [item.kind for item in DueItem.scan()].count("tag_sync") == 2
    do({"kind": "tag_sync"})
    (group,) = corp.groups.values()
    assert sorted(tag_names(ask("GET", path)[1])) == sorted(tag[0] for tag in group[2].values())
    status, changed = ask("PATCH", path, body)
    assert status == 200 and tag_names(changed) == ["普通", "新"]


def test_an_answer_of_before_that_comes_last_changes_nothing(
    corp: CorpTags, at: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    corp.groups["g1"] = ["等级", 0, {"a": ["VIP", 1]}]
    mirror.refresh()
    old = corp.get_corp_tag_list()

    def slow() -> Any:
        monkeypatch.setattr(corp, "get_corp_tag_list", CorpTags.get_corp_tag_list.__get__(corp))
        corp.groups.clear()
        at(clock.now().replace(minute=30))
        mirror.refresh()
        return old

    monkeypatch.setattr(corp, "get_corp_tag_list", slow)
    mirror.refresh()
    assert mirror.groups() == []
    assert TagGroupItem.find("group", "g1").gone


def test_customers_follow_a_tag_that_was_renamed_twice_or_deleted(
    corp: CorpTags, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path / "lake")
    monkeypatch.setattr(engine, "current", lambda: lake)
    corp.groups["g1"] = ["等级", 0, {"a": ["VIP", 2], "b": ["旧", 1]}]
    mirror.refresh()
    add("wm1", "ann", "等级/VIP", "等级/旧")
    add("wm2", "ann", "等级/别的")
    corp.groups["g1"][2]["a"][0] = "贵宾"
    mirror.refresh()
    corp.groups["g1"] = ["会员", 0, {"a": ["金卡", 2]}]
    mirror.refresh()
    sent: list[Any] = []
    monkeypatch.setattr(queues, "count", lambda queue: 0)
    monkeypatch.setattr(queues, "send_all", lambda queue, messages: sent.extend(m for m, _ in messages))
    orders = [item.work for item in DueItem.scan() if item.kind == "tag_moved"]
    for order in [*orders, *reversed(orders)]:  # twice, in any order
        do({"kind": "tag_moved", **order})
    assert {message["old"] for message in sent} == {"等级/VIP", "等级/旧"}
    for message in reversed(sent):
        do(message)
    assert customer_models.load("wm1").tags == ("会员/金卡",)
    assert customer_models.load("wm2").tags == ("等级/别的",)


def test_a_name_that_another_tag_has_again_stays_its_customers(corp: CorpTags) -> None:
    corp.groups["g1"] = ["等级", 0, {"a": ["金卡", 2], "c": ["VIP", 1]}]
    mirror.refresh()
    customer = customer_rules.added(customer_models.load("wm1"), "ann", NOW, False, None).customer
    customer_models.save(customer_rules.with_tags(customer, add=["等级/VIP"]))
    carry_work.carry("a", "等级/VIP", ["wm1"])
    assert customer_models.load("wm1").tags == ("等级/VIP",)


def test_a_sync_is_a_job(ask: Ask, corp: CorpTags, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(queues, "send", lambda queue, message, **_: sent.append(message))
    corp.groups["g1"] = ["等级", 0, {"a": ["VIP", 1]}]
    status, job = ask("POST", "/api/tags/sync")
    assert status == 202 and job["status"] == "queued"
    do(sent[0])
    assert ask("GET", f"/api/jobs/{job['job_id']}")[1]["status"] == "finished"
    assert ask("GET", "/api/tag-groups")[1]["items"][0]["name"] == "等级"
