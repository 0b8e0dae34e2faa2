"""What people type into a code, an SOP, a store and the default welcome: refused with a reason, or one form of it."""

import json
from typing import Any

import pytest

from chalicelib.customers import models as customer_models
from chalicelib.customers import rules as customer_rules
from chalicelib.customers.rules import Customer
from chalicelib.platform.plain_text import tag_name
from chalicelib.sops import rules as sop_rules
from chalicelib.sops.types import When
from chalicelib.tags import rules as tag_rules
from chalicelib.tags import service as tags
from tests.support.api import Api
from tests.support.wecom import FakeWeCom

MEMBER = {"staff_id": "lihua"}
CODE: dict[str, Any] = {"name": "卡", "assignment": {"members": [MEMBER]}}
TAG = "渠道/包裹卡"


def refused(api: Api, path: str, body: Any, method: str = "POST") -> list[tuple[str, str]]:
    status, problem = api(method, path, body)
    assert status == 422, problem
    return [(each["field"], each["code"]) for each in problem["errors"]]


@pytest.mark.parametrize("name", ["   ", "\u3000\u200b", "包裹\x00卡", "a\u202egpj", "x\x1d"])
def test_a_name_that_can_not_be_seen_or_turns_its_page_is_refused(api: Api, name: str) -> None:
    ((field, code),) = refused(api, "/api/live-codes", {**CODE, "name": name})
    assert field == "name" and code in ("blank", "control_character")
    ((field, _),) = refused(
        api, "/api/stores", {"store_id": "s1", "name": name, "latitude": 31, "longitude": 121}
    )
    assert field == "name"


def test_braces_that_are_no_placeholder_are_refused_where_texts_are_sent(api: Api) -> None:
    text = "您好 {客户昵称}"
    assert refused(api, "/api/live-codes", {**CODE, "welcome": {"text": text}}) == [
        ("welcome.text", "unknown_placeholder")
    ]
    timed = {"weekdays": [1], "from": "09:00", "to": "10:00", "text": text}
    assert refused(api, "/api/live-codes", {**CODE, "welcome": {"text": "好", "by_time": [timed]}}) == [
        ("welcome.by_time[0].text", "unknown_placeholder")
    ]
    assert refused(api, "/api/settings/welcome", {"text": text}, "PUT") == [("text", "unknown_placeholder")]
    for delivery, code in (("welcome", "unknown_placeholder"), ("mass_send", "no_placeholders")):
        step = {"step_id": "a", "delivery": delivery, "content": [{"type": "text", "text": text}]}
        sop = {"name": "x", "trigger": {"event": "customer_added"}, "steps": [step]}
        assert refused(api, "/api/sops", sop) == [("steps[0].content[0].text", code)]
    good = {"text": "您好 {customer_name}，我是 {staff_name}"}
    assert api("POST", "/api/live-codes", {**CODE, "welcome": good})[0] == 201


def test_what_wecoms_own_code_can_not_do_and_what_never_assigns(api: Api) -> None:
    weighted = {"members": [MEMBER], "strategy": "weighted"}
    assert refused(api, "/api/live-codes", {**CODE, "printing": "native", "assignment": weighted}) == [
        ("assignment.strategy", "native_has_no_weights")
    ]
    assert api("POST", "/api/live-codes", {**CODE, "assignment": weighted})[0] == 201
    assignment = {"members": [{**MEMBER, "daily_cap": 0}], "fallback_staff_ids": ["wangwu"]}
    status, made = api("POST", "/api/live-codes", {**CODE, "assignment": assignment})
    assert status == 201
    assert [each["field"] for each in made["warnings"]] == ["assignment.members[0].daily_cap"]


def test_a_store_in_the_ocean_is_refused(api: Api) -> None:
    store = {"store_id": "s1", "name": "店", "latitude": 0, "longitude": 0}
    assert refused(api, "/api/stores", store) == [("latitude", "null_island")]
    table = "store_id,name,latitude,longitude\ns1,店,0,0\ns2,店,31.2,121.4\n"
    _, answer = api("POST", "/api/stores/import", table.encode(), Content_Type="text/csv")
    assert (answer["imported"], [e["line"] for e in answer["errors"]]) == (1, [2])


def test_a_key_twice_is_malformed_and_changes_nothing(api: Api) -> None:
    body = json.dumps(CODE)[:-1].encode() + b', "name": "other"}'
    status, problem = api("POST", "/api/live-codes", body)
    assert status == 400 and "name" in problem["detail"]


def test_one_tag_whatever_spaces_stand_around_it(api: Api, wecom: FakeWeCom) -> None:
    names = [TAG + " ", " " + TAG, "渠道／包裹卡", "渠道 / 包裹卡"]
    status, made = api("POST", "/api/live-codes", {**CODE, "tags": names})
    assert (status, made["tags"]) == (201, [TAG])
    assert tag_rules.ids([{"group_name": "渠道 ", "tag": [{"name": " 包裹卡", "id": "t1"}]}]) == {TAG: "t1"}
    row = {"tags": [{"type": 1, "group_name": "渠道", "tag_name": "包裹卡 "}]}
    assert customer_rules.corp_tags([row]) == {TAG}
    older = Customer("wm1", tags=(TAG + " ",))
    assert customer_rules.with_tags(older, add=[" " + TAG]).tags == (TAG,)
    assert customer_rules.with_tags(older, remove=[TAG]).tags == ()
    for name in names:
        assert sop_rules.meets(When(all_tags=[name]), [TAG]) and sop_rules.meets(When(any_tags=[TAG]), [name])
        assert not sop_rules.meets(When(no_tags=[name]), [TAG])
        assert tag_name(name) == TAG
    customer_models.save(older)
    asked: list[tuple[Any, ...]] = []
    made_ids = {"渠道": {"group_name": "渠道", "tag": [{"name": "包裹卡 ", "id": "t1"}]}}
    wecom.get_corp_tag_list = lambda *_, **__: list(made_ids.values())  # type: ignore[attr-defined]
    wecom.mark_tag = lambda *args, **_: asked.append(args)  # type: ignore[attr-defined]
    tags.apply("lihua", "wm1", names, [])
    assert asked == [("lihua", "wm1", ["t1"], [])]
