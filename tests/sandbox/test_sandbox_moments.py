"""Moments, group welcomes and figures: what members do, and what is counted of it."""

from typing import Any

import pytest

EC = "externalcontact/"
DAY = 86_400


def made(corp: Any, **body: Any) -> str:
    """A moment of the corp, with its result read."""
    jobid = corp(EC + "add_moment_task", {"text": {"content": "新品上架"}, **body})["jobid"]
    assert corp(EC + "get_moment_task_result", jobid=jobid)["status"] == 2
    corp.clock.forward(10)
    answer = corp(EC + "get_moment_task_result", jobid=jobid)
    assert (answer["status"], answer["result"]["errcode"]) == (3, 0)
    return str(answer["result"]["moment_id"])


def test_members_publish_in_their_own_time(corp: Any) -> None:
    one, two = corp.friend("lihua"), corp.friend("wangwu")
    corp.actions.add_staff("wangwu", confirms=False)
    moment = {"moment_id": made(corp)}
    tasks = corp(EC + "get_moment_task", moment)["task_list"]
    assert tasks == [{"userid": u, "publish_status": 0} for u in ("lihua", "wangwu")]
    of_lihua = {**moment, "userid": "LIHUA"}
    assert corp(EC + "get_moment_send_result", of_lihua)["customer_list"] == []
    with pytest.raises(KeyError):
        corp.actions.react(moment["moment_id"], "lihua", one)
    corp.clock.forward(300)
    assert corp.sandbox.run_due() == 1
    assert corp(EC + "get_moment_send_result", of_lihua)["customer_list"] == [{"external_userid": one}]
    corp.actions.react(moment["moment_id"], "lihua", one)
    corp.actions.react(moment["moment_id"], "lihua", how="comment")
    told = corp(EC + "get_moment_comments", of_lihua)
    assert [row["external_userid"] for row in told["like_list"]] == [one]
    assert [row["userid"] for row in told["comment_list"]] == ["lihua"]
    assert [m["kind"] for m in corp.sandbox.messages(one)] == ["moment"]
    assert corp.sandbox.messages(two) == []
    assert corp.code(EC + "cancel_moment_task", moment) == 0
    corp.actions.publish_moment(moment["moment_id"], "wangwu")
    assert [t["publish_status"] for t in corp(EC + "get_moment_task", moment)["task_list"]] == [1, 0]


def test_the_audience_by_tags_and_senders(corp: Any) -> None:
    tagged, _ = corp.friend("lihua"), corp.friend("lihua")
    other = corp.friend("wangwu")
    tag = corp(EC + "add_corp_tag", {"group_name": "g", "tag": [{"name": "VIP"}]})["tag_group"]["tag"][0][
        "id"
    ]
    for userid, external in (("lihua", tagged), ("wangwu", other)):
        corp(EC + "mark_tag", {"userid": userid, "external_userid": external, "add_tag": [tag]})
    named = {
        "sender_list": {"user_list": ["lihua", "no spaces"]},
        "external_contact_list": {"tag_list": [tag, "x"]},
    }
    moment = {"moment_id": made(corp, visible_range=named), "userid": "lihua"}
    listed = corp(EC + "get_moment_customer_list", moment)["customer_list"]
    assert [row["external_userid"] for row in listed] == [tagged]
    jobid = corp.world.state.moments[moment["moment_id"]].jobid
    result = corp(EC + "get_moment_task_result", jobid=jobid)["result"]
    assert result["invalid_sender_list"]["user_list"] == ["no spaces"]
    assert result["invalid_external_contact_list"]["tag_list"] == ["x"]
    assert corp.code(EC + "get_moment_customer_list", {**moment, "userid": "wangwu"}) == 40003
    now = int(corp.world.ts())
    [shown] = corp(EC + "get_moment_list", {"start_time": now - DAY, "end_time": now})["moment_list"]
    assert (shown["visible_type"], shown["create_type"]) == (0, 0)


def attach(corp: Any, purpose: int) -> dict[str, Any]:
    query = {"media_type": "image", "attachment_type": str(purpose)}
    made = corp.upload("media/upload_attachment", b"0123456789", **query)
    return {"msgtype": "image", "image": {"media_id": made["media_id"]}}


def test_what_a_moment_may_hold(corp: Any) -> None:
    corp.friend()
    plain = {
        "msgtype": "image",
        "image": {"media_id": corp.upload("media/upload", b"0123456789", type="image")["media_id"]},
    }
    good, link = attach(corp, 1), {"msgtype": "link", "link": {"url": "https://a.example.com"}}
    for body, code in (
        ({}, 41089), ({"attachments": [good] * 9}, 0), ({"attachments": [good] * 10}, 41064),
        ({"attachments": [good, link]}, 41065), ({"attachments": [link, link]}, 41064),
        ({"attachments": [link]}, 0), ({"attachments": [plain]}, 41072), ({"attachments": [attach(corp, 2)]}, 41072),
        ({"attachments": [{"msgtype": "image", "image": {"media_id": "x"}}]}, 40007),
        ({"text": {"content": "字" * 1334}}, 45002), ({"attachments": [{"msgtype": "file"}]}, 41065),
    ):  # fmt: skip
        assert corp.code(EC + "add_moment_task", body) == code, body
    assert (
        corp.code(
            EC + "send_welcome_msg",
            {"welcome_code": corp.actions.add("a1")["welcome_code"], "attachments": [good]},
        )
        == 40007
    )
    corp.sandbox.settings(moment_job_limit=1)
    assert corp.code(EC + "add_moment_task", {"text": {"content": "x"}}) == 41078


def test_a_members_own_moment(corp: Any) -> None:
    external = corp.friend()
    moment = {"moment_id": corp.actions.post_moment("lihua", "早安")["moment_id"]}
    assert corp.code(EC + "get_moment_task", moment) == 41067
    assert corp.code(EC + "get_moment_task", {"moment_id": "mom"}) == 41059
    now = int(corp.world.ts())
    span = {"start_time": now - DAY, "end_time": now}
    assert corp(EC + "get_moment_list", {**span, "filter_type": 0})["moment_list"] == []
    [shown] = corp(EC + "get_moment_list", {**span, "filter_type": 1, "creator": "LIHUA"})["moment_list"]
    assert (shown["creator"], shown["create_type"]) == ("lihua", 1)
    assert corp.sandbox.messages(external)[0]["text"]["content"] == "早安"


def test_a_groups_welcome_is_said_when_its_owner_chose_it(corp: Any) -> None:
    body = {
        "text": {"content": "欢迎 %NICKNAME% 进群"},
        "link": {"title": "x", "url": "https://a.example.com"},
    }
    template = corp(EC + "group_welcome_template/add", body)["template_id"]
    chat = corp.actions.add_group("lihua", "福利群")["chat_id"]
    way = corp(EC + "groupchat/add_join_way", {"scene": 2, "chat_id_list": [chat]})["config_id"]
    before = corp.actions.join(config_id=way, name="早来")["external_userid"]
    corp.actions.choose_group_welcome(chat, template)
    after = corp.actions.join(config_id=way, name="小雨")["external_userid"]
    assert corp.sandbox.messages(before) == []
    [message] = corp.sandbox.messages(after)
    assert (message["text"]["content"], message["attachments"][0]["msgtype"]) == ("欢迎 小雨 进群", "link")
    assert corp.code(EC + "group_welcome_template/get", {"template_id": "x"}) == 41058
    assert corp.code(EC + "group_welcome_template/add", {"notify": 1}) == 41089
    for _ in range(99):
        assert corp.code(EC + "group_welcome_template/add", body) == 0
    assert corp.code(EC + "group_welcome_template/add", body) == 41055


def test_figures_count_what_happened(corp: Any) -> None:
    day = int(corp.world.ts()) // DAY * DAY - 8 * 3600
    one, two = corp.friend("lihua"), corp.friend("LiHua")
    other = corp.friend("wangwu")
    corp.actions.say("lihua", one, "在吗")
    corp.clock.forward(180)
    corp.actions.say("lihua", one, "在的", by="staff")
    corp.actions.say("lihua", one, "请讲", by="staff")
    corp.actions.say("lihua", two, "有人吗")
    corp.actions.delete_by_customer("wangwu", other)
    asked = {"start_time": day, "end_time": str(day)}
    assert corp(EC + "get_user_behavior_data", {"userid": ["lihua"], **asked})["behavior_data"] == []  # today
    corp.clock.forward(DAY)
    [row] = corp(EC + "get_user_behavior_data", {"userid": ["lihua"], **asked})["behavior_data"]
    assert row == {
        "stat_time": day, "chat_cnt": 1, "message_cnt": 2, "reply_percentage": 50.0, "avg_reply_time": 3,
        "negative_feedback_cnt": 0, "new_apply_cnt": 0, "new_contact_cnt": 2,
    }  # fmt: skip
    [both] = corp(EC + "get_user_behavior_data", {"userid": ["lihua", "wangwu"], **asked})["behavior_data"]
    assert (both["new_contact_cnt"], both["negative_feedback_cnt"]) == (3, 1)  # summed up
    [party] = corp(EC + "get_user_behavior_data", {"partyid": ["1"], **asked})["behavior_data"]
    assert party == both
    for wrong in ({"start_time": day - 181 * DAY}, {"end_time": day - 1}, {"end_time": day + 30 * DAY}):
        assert corp.code(EC + "get_user_behavior_data", {"userid": ["lihua"], **asked, **wrong}) == 40058
    assert corp.code(EC + "get_user_behavior_data", asked) == 40063


def test_figures_of_groups(corp: Any) -> None:
    day = int(corp.world.ts()) // DAY * DAY - 8 * 3600
    chat = corp.actions.add_group("lihua", "一群", ["wm1", "wm2"])["chat_id"]
    corp.actions.add_group("wangwu", "二群")
    corp.actions.say_in_group(chat, "wm1", "大家好")
    corp.actions.say_in_group(chat, "LIHUA", "欢迎")
    corp.clock.forward(DAY)
    corp.actions.leave(chat, ["wm2"])
    corp.actions.invite(chat, ["wm3", "WangWu"])
    corp.clock.forward(DAY)
    asked = {"day_begin_time": day, "day_end_time": day + DAY}
    answer = corp(EC + "groupchat/statistic", {**asked, "order_by": 4, "limit": 1})
    assert (answer["total"], answer["next_offset"]) == (2, 1)
    [item] = answer["items"]
    assert (item["owner"], item["data"]["member_total"], item["data"]["new_member_cnt"]) == ("lihua", 4, 5)
    days = corp(
        EC + "groupchat/statistic_group_by_day", {**asked, "owner_filter": {"userid_list": ["LIHUA"]}}
    )
    figures = [
        (r["data"]["member_total"], r["data"]["msg_total"], r["data"]["member_has_msg"])
        for r in days["items"]
    ]
    assert figures == [(3, 2, 2), (4, 0, 0)]
    assert [r["data"]["new_chat_cnt"] for r in days["items"]] == [1, 0]
