"""Each answer has the shape of the documented one: its keys, and the kinds of their values."""

from collections.abc import Callable
from typing import Any

import pytest
from test_sandbox_pay import BASE, order, request

EC = "externalcontact/"
# What the sandbox leaves out: personal fields that new apps do not get, Channels, deleted tags, who made a
# mass send (nobody, by API), who invited the owner.
LEFT_OUT = {
    "mobile", "gender", "email", "avatar", "thumb_avatar", "address", "qr_code", "wechat_channels",
    "deleted", "creator", "invitor",
}  # fmt: skip
MAY_BE_EMPTY = ("unlicensed_userid_list", "party", "admin_list", "direct_leader", "attrs", "external_attr")


def missing(wanted: Any, got: Any, where: str = "") -> list[str]:
    """Where `got` lacks a key of `wanted` or has a value of another kind."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        absent = [f"{where}.{k}" for k in wanted if k not in got and k not in LEFT_OUT]
        return absent + [m for k in wanted if k in got for m in missing(wanted[k], got[k], f"{where}.{k}")]
    if isinstance(wanted, list) and isinstance(got, list):
        if wanted and not got:
            return [] if where.endswith(MAY_BE_EMPTY) else [f"{where} is empty"]
        return missing(wanted[0], got[0], f"{where}[0]") if wanted else []
    return [] if type(wanted) is type(got) else [f"{where} is {type(got).__name__}"]


@pytest.fixture
def answers(corp: Any) -> dict[str, Any]:
    """What the sandbox answers to each call, in a world where there is something to answer."""
    got: dict[str, Any] = {}
    got["gettoken"] = corp.raw(
        "GET", "gettoken", {"corpid": corp.sandbox.config.corp_id, "corpsecret": corp.sandbox.config.secret}
    )[1]
    way = got[EC + "add_contact_way"] = corp(
        EC + "add_contact_way", {"type": 1, "scene": 2, "user": ["lihua"]}
    )
    config = {"config_id": way["config_id"]}
    got[EC + "get_contact_way"] = corp(EC + "get_contact_way", config)
    got[EC + "update_contact_way"] = corp(EC + "update_contact_way", {**config, "state": "x"})
    added = corp.actions.add(config_id=way["config_id"])
    external, pair = (
        added["external_userid"],
        {"userid": "lihua", "external_userid": added["external_userid"]},
    )
    got[EC + "send_welcome_msg"] = corp(
        EC + "send_welcome_msg", {"welcome_code": added["welcome_code"], "text": {"content": "x"}}
    )
    tag = {"group_name": "来源", "tag": [{"name": "海报"}]}
    got[EC + "add_corp_tag"] = corp(EC + "add_corp_tag", tag)
    tag_id = got[EC + "add_corp_tag"]["tag_group"]["tag"][0]["id"]
    got[EC + "mark_tag"] = corp(EC + "mark_tag", {**pair, "add_tag": [tag_id]})
    got[EC + "remark"] = corp(EC + "remark", {**pair, "remark": "王", "remark_mobiles": ["13900000001"]})
    got[EC + "edit_corp_tag"] = corp(EC + "edit_corp_tag", {"id": tag_id, "name": "展架"})
    for name, body in {
        "batch/get_by_user": {"userid_list": ["lihua"]}, "get_corp_tag_list": {}, "list_contact_way": {},
        "convert_to_openid": {"external_userid": external},
    }.items():  # fmt: skip
        got[EC + name] = corp(EC + name, body)
    got[EC + "get"] = corp(EC + "get", external_userid=external)
    got[EC + "list"] = corp(EC + "list", userid="lihua")
    got[EC + "get_follow_user_list"] = corp(EC + "get_follow_user_list")
    chat_id = corp.actions.add_group("lihua", "福利群", [external])["chat_id"]
    got[EC + "groupchat/get"] = corp(EC + "groupchat/get", {"chat_id": chat_id, "need_name": 1})
    got[EC + "groupchat/list"] = corp(EC + "groupchat/list", {"limit": 10})
    got |= mass(corp, external)
    got |= {
        "user/get": corp("user/get", userid="lihua"),
        "user/simplelist": corp("user/simplelist", department_id=1),
        "user/list_id": corp("user/list_id"),
        "department/simplelist": corp("department/simplelist"),
        "auth/getuserinfo.member": corp("auth/getuserinfo", code="member:lihua"),
        "auth/getuserinfo.external": corp("auth/getuserinfo", code=f"customer:{external}"),
        "media/upload": corp.upload("media/upload", b"0123456789", type="image"),
        "media/uploadimg": corp.upload("media/uploadimg", b"0123456789"),
        "message/send": corp(
            "message/send",
            {"touser": "lihua", "msgtype": "text", "agentid": 1000002, "text": {"content": "x"}},
        ),
    }
    got[EC + "del_corp_tag"] = corp(EC + "del_corp_tag", {"tag_id": [tag_id]})
    got[EC + "del_contact_way"] = corp(EC + "del_contact_way", config)
    return got


def mass(corp: Any, external: str) -> dict[str, Any]:
    got: dict[str, Any] = {}
    link = {"msgtype": "link", "link": {"title": "x", "url": "https://a.example.com"}}
    body = {"sender": "lihua", "text": {"content": "x"}, "external_userid": [external, "wmNobody"]}
    made = got["add_msg_template"] = corp(EC + "add_msg_template", {**body, "attachments": [link]})
    group = corp(EC + "add_msg_template", {"chat_type": "group", "sender": "lihua", "text": {"content": "x"}})
    corp.clock.forward(400)
    asked, now = {"msgid": made["msgid"]}, int(corp.world.ts())
    got["get_groupmsg_task"] = corp(EC + "get_groupmsg_task", asked)
    got["get_groupmsg_send_result.single"] = corp(
        EC + "get_groupmsg_send_result", {**asked, "userid": "lihua"}
    )
    got["get_groupmsg_send_result.group"] = corp(
        EC + "get_groupmsg_send_result", {"msgid": group["msgid"], "userid": "lihua"}
    )
    times = {"chat_type": "single", "start_time": now - 1000, "end_time": now}
    got["get_groupmsg_list_v2"] = corp(EC + "get_groupmsg_list_v2", times)
    got["remind_groupmsg_send"] = corp(EC + "remind_groupmsg_send", asked)
    got["cancel_groupmsg_send"] = corp(EC + "cancel_groupmsg_send", asked)
    return {EC + name: answer for name, answer in got.items()}


def test_wecoms_answers(answers: dict[str, Any], data: Callable[[str], Any]) -> None:
    wanted = {
        name: answer for name, answer in data("responses.json").items() if not name.startswith("wechatpay")
    }
    attachments = wanted["externalcontact_get_groupmsg_list_v2"]["group_msg_list"][0]["attachments"]
    attachments.pop(0)  # an image: ours is the link
    attachments[0]["link"] = {k: attachments[0]["link"][k] for k in ("title", "url")}
    got = {name.replace("/", "_"): answer for name, answer in answers.items()}
    assert set(got) == set(wanted)
    assert {name: found for name in wanted if (found := missing(wanted[name], got[name]))} == {}


def test_wechat_pays_answers(corp: Any, data: Callable[[str], Any]) -> None:
    wanted = data("responses.json")
    name = "wechatpay_fundapp_transfer_bills"
    pay = corp.sandbox.pay
    made = pay.answer(request(corp, "POST", BASE, order(corp)))[1]
    cancelled = pay.answer(request(corp, "POST", f"{BASE}/out-bill-no/MR1/cancel"))[1]
    shown = pay.answer(request(corp, "GET", f"{BASE}/out-bill-no/MR1"))[1]
    assert [missing(wanted[name], made), missing(wanted[name + ".cancel"], cancelled)] == [[], []]
    assert missing(wanted[name + ".query"], shown) == []
