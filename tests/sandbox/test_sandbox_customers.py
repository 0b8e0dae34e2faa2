"""Customers, remarks, corp tags, staff, groups and messages to staff."""

from collections.abc import Callable
from typing import Any

import pytest

EC = "externalcontact/"


def tags(corp: Any, group: str, *names: str) -> dict[str, str]:
    made = corp(EC + "add_corp_tag", {"group_name": group, "tag": [{"name": n} for n in names]})
    return {t["name"]: t["id"] for t in made["tag_group"]["tag"]}


def test_a_customer_with_two_guides(corp: Any) -> None:
    external = corp.actions.add("lihua", state="lc_1", name="小王", unionid="o6_x")["external_userid"]
    corp.clock.forward(10)
    corp.actions.add("wangwu", external_userid=external)
    got = corp(EC + "get", external_userid=external)
    assert got["external_contact"]["unionid"] == "o6_x"
    assert [(f["userid"], f.get("state")) for f in got["follow_user"]] == [
        ("lihua", "lc_1"),
        ("wangwu", None),
    ]
    assert corp(EC + "list", userid="LIHUA")["external_userid"] == [external]


def test_who_is_nobodys_customer(corp: Any) -> None:
    assert corp.code(EC + "get", external_userid="wmNobody") == 40096
    assert corp.code(EC + "list", userid="lihua") == 84061
    external = corp.friend()
    corp.actions.delete_by_staff("lihua", external)
    assert corp.code(EC + "get", external_userid=external) == 84061
    assert corp.code(EC + "get", external_userid=external.upper()) == 40096


def test_deleted_by_the_customer_leaves_a_one_way_bond(corp: Any) -> None:
    external = corp.friend()
    deleted = corp.actions.delete_by_customer("lihua", external)
    assert "del_follow_user" in deleted["xml"]
    assert corp(EC + "list", userid="lihua")["external_userid"] == [external]
    assert corp.code(EC + "remark", {"userid": "lihua", "external_userid": external, "remark": "走了"}) == 0


def test_batch_get_by_user_pages_with_flat_tag_ids(corp: Any) -> None:
    [tag_id] = tags(corp, "来源", "海报").values()
    wanted = [corp.friend() for _ in range(3)]
    corp(EC + "mark_tag", {"userid": "lihua", "external_userid": wanted[0], "add_tag": [tag_id]})
    asked = {"userid_list": ["lihua"], "limit": 2}
    first = corp(EC + "batch/get_by_user", asked)
    second = corp(EC + "batch/get_by_user", {**asked, "cursor": first["next_cursor"]})
    rows = first["external_contact_list"] + second["external_contact_list"]
    assert sorted(r["external_contact"]["external_userid"] for r in rows) == sorted(wanted)
    assert second["next_cursor"] == ""
    assert sorted(r["follow_info"]["tag_id"] for r in rows) == [[], [], [tag_id]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"remark": "王" * 20}, 0),
        ({"remark": "王" * 21}, 40058),
        ({"description": "x" * 151}, 40058),
        ({}, 40063),
        ({"remark_mobiles": [""]}, 0),
        ({"external_userid": "wmOther", "remark": "x"}, 84061),
        ({"userid": "", "remark": "x"}, 40063),
    ],
)
def test_remark(corp: Any, body: dict[str, Any], code: int) -> None:
    assert corp.code(EC + "remark", {"userid": "lihua", "external_userid": corp.friend(), **body}) == code


def test_tags_are_marked_per_follower(corp: Any) -> None:
    ids = tags(corp, "渠道", "海报", "包裹卡")
    external = corp.friend()
    corp.friend("wangwu", external)
    pair = {"userid": "lihua", "external_userid": external}
    for _ in range(2):
        assert corp.code(EC + "mark_tag", {**pair, "add_tag": list(ids.values())}) == 0
    assert corp.code(EC + "mark_tag", {**pair, "remove_tag": [ids["海报"]]}) == 0
    mine, other = corp(EC + "get", external_userid=external)["follow_user"]
    shown = {"group_name": "渠道", "tag_name": "包裹卡", "tag_id": ids["包裹卡"], "type": 1}
    assert (mine["tags"], other["tags"]) == ([shown], [])


def test_what_mark_tag_refuses(corp: Any) -> None:
    external = corp.friend()
    pair = {"userid": "lihua", "external_userid": external}
    [tag_id] = tags(corp, "渠道", "海报").values()
    assert corp.code(EC + "mark_tag", pair) == 40063
    assert corp.code(EC + "mark_tag", {**pair, "add_tag": ["etNone"]}) == 40068
    assert corp.code(EC + "mark_tag", {**pair, "userid": "wangwu", "add_tag": [tag_id]}) == 84061


def test_corp_tags(corp: Any) -> None:
    first = tags(corp, "来源", "海报", "海报", "门店")
    assert len(first) == 2
    assert corp.code(EC + "add_corp_tag", {"group_name": "来源", "tag": [{"name": "门店"}]}) == 40071
    tags(corp, "来源", "直播")
    [group] = corp(EC + "get_corp_tag_list")["tag_group"]
    assert {t["name"] for t in group["tag"]} == {"海报", "门店", "直播"}
    assert "deleted" not in group
    asked = corp(EC + "get_corp_tag_list", {"tag_id": [first["海报"]]})["tag_group"]
    assert [[t["name"] for t in g["tag"]] for g in asked] == [["海报"]]
    assert corp.code(EC + "edit_corp_tag", {"id": first["海报"], "name": "门店"}) == 40071
    assert corp.code(EC + "edit_corp_tag", {"id": first["海报"], "name": "展架"}) == 0
    assert corp.code(EC + "add_corp_tag", {"group_name": "来源", "tag": [{"name": "x" * 31}]}) == 40058
    assert corp.code(EC + "add_corp_tag", {"group_name": "空", "tag": []}) == 40063


def test_deleting_the_last_tag_deletes_the_group_and_takes_it_off_everybody(corp: Any) -> None:
    external = corp.friend()
    [tag_id] = tags(corp, "来源", "海报").values()
    corp(EC + "mark_tag", {"userid": "lihua", "external_userid": external, "add_tag": [tag_id]})
    assert corp.code(EC + "del_corp_tag", {"tag_id": [tag_id]}) == 0
    assert corp(EC + "get_corp_tag_list")["tag_group"] == []
    assert corp(EC + "get", external_userid=external)["follow_user"][0]["tags"] == []
    [shown] = corp(EC + "get_corp_tag_list", {"tag_id": [tag_id]})["tag_group"]
    assert shown["deleted"]
    assert corp.code(EC + "del_corp_tag", {"tag_id": [tag_id]}) == 40068


def test_the_tag_quota(make: Callable[..., Any]) -> None:
    corp = make(tag_limit=2)
    tags(corp, "a", "1", "2")
    assert corp.code(EC + "add_corp_tag", {"group_name": "b", "tag": [{"name": "3"}]}) == 40126


def test_openids_are_of_wechat_users_only(corp: Any) -> None:
    one, other = corp.friend(), corp.friend(external="woColleague")
    assert corp(EC + "convert_to_openid", {"external_userid": one})["openid"].startswith("o")
    assert corp.code(EC + "convert_to_openid", {"external_userid": other}) == 40096


def text(corp: Any, touser: str, content: str = "x") -> dict[str, Any]:
    body = {
        "touser": touser,
        "msgtype": "text",
        "agentid": corp.sandbox.config.agent_id,
        "text": {"content": content},
    }
    return dict(corp("message/send", body))


def test_messages_to_staff(make: Callable[..., Any]) -> None:
    corp = make(strict=True)
    corp.actions.add_staff("lihua")
    assert text(corp, "lihua|Nobody")["invaliduser"] == "nobody"
    assert text(corp, "nobody")["errcode"] == 81013
    assert text(corp, "lihua", "")["errcode"] == 44004
    assert (
        corp.code("message/send", {"touser": "lihua", "msgtype": "text", "agentid": 1, "text": {}}) == 40056
    )
    assert corp.code("message/send", {"touser": "lihua", "msgtype": "odd", "agentid": 1}) == 40008


def test_more_than_30_messages_a_minute_are_dropped_without_a_word(corp: Any) -> None:
    assert {text(corp, "lihua")["errcode"] for _ in range(40)} == {0}
    assert len(corp.sandbox.messages("lihua")) == 30
    corp.clock.forward(61)
    text(corp, "lihua")
    assert len(corp.sandbox.messages("lihua")) == 31


def test_groups(corp: Any) -> None:
    external = corp.friend()
    chat_id = corp.actions.add_group("lihua", "福利群", [external])["chat_id"]
    asked = {"owner_filter": {"userid_list": ["LiHua"]}, "limit": 10}
    assert corp(EC + "groupchat/list", asked)["group_chat_list"] == [{"chat_id": chat_id, "status": 0}]
    group = corp(EC + "groupchat/get", {"chat_id": chat_id, "need_name": 1})["group_chat"]
    assert [m["type"] for m in group["member_list"]] == [1, 2]
    assert all(m["name"] for m in group["member_list"])
