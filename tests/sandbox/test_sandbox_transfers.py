"""Customers and groups that change their member."""

from typing import Any

import pytest

EC = "externalcontact/"
DAY = 86_400


def moved(corp: Any, external: str, to: str = "wangwu", by: str = "lihua") -> int:
    body = {"handover_userid": by, "takeover_userid": to, "external_userid": [external]}
    [row] = corp(EC + "transfer_customer", body)["customer"]
    assert row["external_userid"] == external
    return int(row["errcode"])


def result(corp: Any, to: str = "wangwu", by: str = "lihua", resigned: bool = False) -> dict[str, int]:
    path = EC + ("resigned/" if resigned else "") + "transfer_result"
    rows = corp(path, {"handover_userid": by, "takeover_userid": to})["customer"]
    return {row["external_userid"]: row["status"] for row in rows}


def told(corp: Any) -> list[tuple[str, str]]:
    """(change, member) of the events that were posted."""
    posts = [post.payload for post in corp.world.state.posts.values()]
    return [
        (
            xml.split("<ChangeType><![CDATA[")[1].split("]]")[0],
            xml.split("<UserID><![CDATA[")[1].split("]]")[0],
        )
        for xml in posts
        if "<ChangeType><![CDATA[del_ext" in xml or "CDATA[add_ext" in xml or "transfer_fail" in xml
    ]


@pytest.fixture
def corp(make: Any) -> Any:
    made = make(callback_url="http://127.0.0.1:9/cb")  # nobody is there: what is posted stays to be seen
    for userid in ("lihua", "wangwu"):
        made.actions.add_staff(userid)
    return made


def friend(corp: Any, staff: str = "lihua") -> str:
    external = str(corp.friend(staff))
    corp.world.state.posts.clear()
    return external


def test_it_completes_after_24_hours_and_tells_both(corp: Any) -> None:
    external = friend(corp)
    tag = corp(EC + "add_corp_tag", {"group_name": "g", "tag": [{"name": "VIP"}]})["tag_group"]["tag"][0][
        "id"
    ]
    corp(EC + "mark_tag", {"userid": "lihua", "external_userid": external, "add_tag": [tag]})
    assert moved(corp, external) == 0
    assert moved(corp, external) == 40129
    corp.clock.forward(DAY - 1)
    assert corp.sandbox.run_due() == 0
    [waiting] = corp(EC + "transfer_result", {"handover_userid": "LiHua", "takeover_userid": "wangwu"})[
        "customer"
    ]
    assert (waiting["status"], waiting["takeover_time"]) == (2, int(corp.world.ts()) + 1)
    assert corp.sandbox.next_event_at().timestamp() == waiting["takeover_time"]
    corp.clock.forward(1)
    assert result(corp) == {external: 1}
    [bond] = corp(EC + "get", external_userid=external)["follow_user"]
    assert (bond["userid"], bond["add_way"], bond["tags"][0]["tag_name"]) == ("wangwu", 202, "VIP")
    assert told(corp) == [("del_external_contact", "lihua"), ("add_external_contact", "wangwu")]
    posted = [p.payload for p in corp.world.state.posts.values()]
    assert "DELETE_BY_TRANSFER" in posted[0] and "WelcomeCode" not in posted[1]
    assert [m["kind"] for m in corp.sandbox.messages(external)] == ["transfer"]


def test_the_customer_accepts_or_refuses(corp: Any) -> None:
    yes, no = friend(corp), friend(corp)
    assert [moved(corp, yes), moved(corp, no)] == [0, 0]
    corp.actions.answer_transfer(yes)
    corp.actions.answer_transfer(no, accept=False)
    assert result(corp) == {yes: 1, no: 3}
    assert told(corp)[-1] == ("transfer_fail", "wangwu")
    assert corp(EC + "list", userid="lihua")["external_userid"] == [no]
    corp.clock.forward(2 * DAY)
    corp.sandbox.run_due()
    assert result(corp) == {yes: 1, no: 3}
    with pytest.raises(KeyError):
        corp.actions.answer_transfer(no)


def test_each_customer_has_an_errcode_of_their_own(corp: Any) -> None:
    external, others = friend(corp), friend(corp, "zhaoliu")
    assert moved(corp, "wmNobody") == 40096
    assert moved(corp, others) == 40131
    assert moved(corp, external, to="LIHUA") == 40130
    for to, by in (("wangwu", "lihua"), ("lihua", "wangwu")):
        assert moved(corp, external, to, by) == 0
        corp.actions.answer_transfer(external)
    assert moved(corp, external) == 40128  # twice in 90 days
    corp.clock.forward(90 * DAY)
    assert moved(corp, external) == 0
    too_many = {"handover_userid": "lihua", "takeover_userid": "wangwu", "external_userid": ["wm1"] * 101}
    assert corp.code(EC + "transfer_customer", too_many) == 40032
    corp.actions.add_staff("sleeps", status=4)
    assert (
        corp.code(
            EC + "transfer_customer", {**too_many, "external_userid": ["x"], "takeover_userid": "sleeps"}
        )
        == 41054
    )


def test_a_taker_who_is_full(corp: Any) -> None:
    external = friend(corp)
    assert moved(corp, external) == 0
    corp.sandbox.settings(customers_per_member=1)
    friend(corp, "wangwu")
    corp.clock.forward(DAY)
    corp.sandbox.run_due()
    assert result(corp) == {external: 4}
    assert moved(corp, external) == 40099


def test_a_friend_already_makes_no_add_event(corp: Any) -> None:
    external = friend(corp)
    corp.actions.add("wangwu", external_userid=external)
    corp.world.state.posts.clear()
    assert moved(corp, external) == 0
    corp.actions.answer_transfer(external)
    assert told(corp) == [("del_external_contact", "lihua")]


def test_who_left(corp: Any) -> None:
    external = friend(corp)
    body = {"handover_userid": "lihua", "takeover_userid": "wangwu", "external_userid": [external]}
    assert corp.code(EC + "resigned/transfer_customer", body) == 40097
    assert corp(EC + "get_unassigned_list")["info"] == []
    at = int(corp.world.ts())
    corp.actions.add_staff("lihua", status=5)
    listed = corp(EC + "get_unassigned_list", {"page_size": 1})
    row = {"handover_userid": "lihua", "external_userid": external, "dimission_time": at}
    assert (listed["info"], listed["is_last"], listed["next_cursor"]) == ([row], True, "")
    assert corp(EC + "get_unassigned_list", {"page_id": "1", "page_size": "1"})["info"] == []
    assert corp.code(EC + "transfer_customer", body) == 60111
    corp.world.state.posts.clear()
    assert corp(EC + "resigned/transfer_customer", body)["customer"][0]["errcode"] == 0
    assert corp(EC + "get_unassigned_list")["info"] == []
    corp.clock.forward(DAY)
    corp.sandbox.run_due()
    assert result(corp, resigned=True) == {external: 1}
    assert told(corp) == [("add_external_contact", "wangwu")]


def test_one_big_step_is_as_many_small_ones(make: Any) -> None:
    """A mass send that is confirmed before the transfer comes from the old member."""
    got = []
    for step in (2 * DAY, 3600):
        corp = make(confirm_after=DAY - 60)
        external = corp.friend("lihua")
        assert moved(corp, external) == 0
        corp(EC + "add_msg_template", {"sender": "lihua", "text": {"content": "x"}})
        for _ in range(0, 2 * DAY, step):
            corp.clock.forward(step)
            corp.sandbox.run_due()
        got.append([(m["kind"], m["userid"]) for m in corp.sandbox.messages(external)])
    assert got == [[("mass_send", "lihua"), ("transfer", "wangwu")]] * 2


def test_a_member_who_is_renamed_keeps_everything(corp: Any) -> None:
    way = corp(EC + "add_contact_way", {"type": 1, "scene": 2, "user": ["lihua"]})["config_id"]
    external = corp.actions.add(config_id=way)["external_userid"]
    chat = corp.actions.add_group("lihua", "福利群", [external])["chat_id"]
    msgid = corp(EC + "add_msg_template", {"sender": "LIHUA", "text": {"content": "x"}})["msgid"]
    assert moved(corp, external) == 0
    xml = corp.actions.rename_staff("LiHua", "li.hua")["xml"]
    assert "<UserID><![CDATA[LiHua]]></UserID><NewUserID><![CDATA[li.hua]]></NewUserID>" in xml
    assert corp("user/get", userid="LI.HUA")["userid"] == "li.hua"
    assert corp(EC + "list", userid="li.hua")["external_userid"] == [external]
    assert corp(EC + "get", external_userid=external)["follow_user"][0]["userid"] == "li.hua"
    assert corp(EC + "get_contact_way", {"config_id": way})["contact_way"]["user"] == ["li.hua"]
    assert corp(EC + "groupchat/get", {"chat_id": chat})["group_chat"]["owner"] == "li.hua"
    corp.clock.forward(300)
    [task] = corp(EC + "get_groupmsg_task", {"msgid": msgid})["task_list"]
    assert (task["userid"], task["status"]) == ("li.hua", 2)
    assert result(corp, by="Li.Hua") == {external: 2}
    assert corp.actions.add(config_id=way)["userid"] == "li.hua"
    with pytest.raises(ValueError):
        corp.actions.checked("rename_staff", {"userid": "wangwu", "new_userid": "LI.HUA"})


def group_codes(corp: Any, path: str, chats: list[str], to: str = "wangwu") -> list[int]:
    body = {"chat_id_list": chats, "new_owner": to}
    return [row["errcode"] for row in corp(EC + "groupchat/" + path, body)["failed_chat_list"]]


def test_groups(corp: Any) -> None:
    chat = corp.actions.add_group("lihua", "福利群")["chat_id"]
    assert group_codes(corp, "transfer", [chat, "wrNobody"]) == [90500, 90501]
    assert group_codes(corp, "onjob_transfer", [chat], to="LiHua") == [90504]
    for to in ("wangwu", "lihua"):
        assert group_codes(corp, "onjob_transfer", [chat], to) == []
    assert group_codes(corp, "onjob_transfer", [chat]) == [90508]
    corp.actions.add_staff("lihua", status=5)
    listed = corp(EC + "groupchat/list", {"limit": 10, "status_filter": 1})["group_chat_list"]
    assert listed == [{"chat_id": chat, "status": 1}]
    assert group_codes(corp, "onjob_transfer", [chat]) == [90502]
    assert group_codes(corp, "transfer", [chat]) == []
    assert corp(EC + "groupchat/get", {"chat_id": chat})["group_chat"]["owner"] == "wangwu"
