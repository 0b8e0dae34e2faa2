"""Groups and join ways: who may come in, what is forgotten by an update, versions, late answers."""

from typing import Any

import pytest

ADD, UPDATE = "externalcontact/groupchat/add_join_way", "externalcontact/groupchat/update_join_way"
GET, CHAT = "externalcontact/groupchat/get_join_way", "externalcontact/groupchat/get"


@pytest.fixture
def group(corp: Any) -> str:
    return str(corp.actions.add_group("lihua", "福利群1")["chat_id"])


def way(corp: Any, *chat_ids: str, **more: Any) -> str:
    return str(corp(ADD, {"scene": 2, "chat_id_list": list(chat_ids), **more})["config_id"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 0),
        ({"scene": 3}, 40058),
        ({"chat_id_list": []}, 40063),
        ({"chat_id_list": [f"wr{n}x" for n in range(5)]}, 0),
        ({"chat_id_list": [f"wr{n}x" for n in range(6)]}, 41091),
        ({"chat_id_list": ["no group"]}, 40058),
        ({"state": "x" * 31}, 40058),
        ({"room_base_name": "x" * 41}, 40058),
        ({"auto_create_room": 2}, 40058),
    ],
)
def test_parameters(corp: Any, group: str, change: dict[str, Any], code: int) -> None:
    assert corp.code(ADD, {"scene": 2, "chat_id_list": [group], **change}) == code


def test_the_quota_is_shared_with_contact_ways(make: Any) -> None:
    corp = make(contact_way_limit=1)
    made = corp.actions.add_group("lihua", "群")["chat_id"]
    way(corp, made)
    assert corp.code(ADD, {"scene": 2, "chat_id_list": [made]}) == 41045
    one = {"type": 1, "scene": 2, "user": ["lihua"]}
    assert corp.code("externalcontact/add_contact_way", one) == 41045


def test_an_update_forgets_what_it_is_not_told(corp: Any, group: str) -> None:
    config_id = way(corp, group, state="s1", auto_create_room=0, remark="备" * 40)
    told = corp(GET, {"config_id": config_id})["join_way"]
    assert (told["state"], told["auto_create_room"], len(told["remark"])) == ("s1", 0, 30)
    assert told["qr_code"].endswith(f"/qr/{config_id}.png")
    assert corp.code(UPDATE, {"config_id": config_id, "scene": 2, "chat_id_list": [group]}) == 0
    told = corp(GET, {"config_id": config_id})["join_way"]
    assert (told["state"], told["auto_create_room"], told["remark"]) == ("", 1, "")
    assert corp.code("externalcontact/groupchat/del_join_way", {"config_id": config_id}) == 0
    assert corp.code(GET, {"config_id": config_id}) == 41044
    assert corp.code(UPDATE, {"config_id": config_id, "scene": 2, "chat_id_list": [group]}) == 41044


def test_nobody_enters_a_group_of_200_by_code_but_invited_up_to_500(corp: Any, group: str) -> None:
    config_id = way(corp, group, auto_create_room=0)
    corp.actions.invite(group, [f"wm{n:030}" for n in range(198)])
    assert corp.actions.join(config_id=config_id)["joined"]
    assert corp.actions.join(config_id=config_id)["full"]
    corp.actions.invite(group, [f"wm{n:030}" for n in range(198, 498)])
    with pytest.raises(ValueError, match="500"):
        corp.actions.invite(group, ["wm" + "x" * 30])


def test_a_full_group_opens_the_next(corp: Any, group: str) -> None:
    config_id = way(corp, group, auto_create_room=1, room_base_name="福利群", room_base_id=2, state="s1")
    corp.actions.invite(group, [f"wm{n:030}" for n in range(199)])
    joined = corp.actions.join(config_id=config_id)
    assert corp(GET, {"config_id": config_id})["join_way"]["chat_id_list"] == [group, joined["chat_id"]]
    made = corp(CHAT, {"chat_id": joined["chat_id"], "need_name": 1})["group_chat"]
    assert (made["name"], made["owner"], len(made["member_list"])) == ("福利群2", "lihua", 2)
    assert made["member_list"][1]["state"] == "s1"


def test_events_tell_versions_and_only_the_detail_tells_the_state(corp: Any, group: str) -> None:
    config_id = way(corp, group, state="s1")
    joined = corp.actions.join(config_id=config_id)
    assert "<JoinScene>3</JoinScene>" in joined["xml"]
    assert "<MemChangeCnt>1</MemChangeCnt>" in joined["xml"]
    assert "s1" not in joined["xml"]
    told = corp(CHAT, {"chat_id": group})["group_chat"]
    assert f"<CurMemVer><![CDATA[{told['member_version']}]]>" in joined["xml"]
    assert (told["member_list"][1]["join_scene"], told["member_list"][1]["state"]) == (3, "s1")
    left = corp.actions.leave(group, [joined["external_userid"]], removed=True)
    assert f"<LastMemVer><![CDATA[{told['member_version']}]]>" in left["xml"]
    assert "<QuitScene>1</QuitScene>" in left["xml"]
    assert not corp.actions.join(config_id=config_id, external_userid="lihua")["joined"]


def test_an_answer_may_lag(make: Any, clock: Any) -> None:
    corp = make(group_lag=5)
    group = corp.actions.add_group("lihua", "群")["chat_id"]
    corp.actions.invite(group, ["wm" + "1" * 30])
    assert len(corp(CHAT, {"chat_id": group})["group_chat"]["member_list"]) == 1
    clock.forward(6)
    assert len(corp(CHAT, {"chat_id": group})["group_chat"]["member_list"]) == 2


def test_a_dismissed_group_is_gone(corp: Any, group: str) -> None:
    config_id = way(corp, group)
    corp.actions.dismiss_group(group)
    assert corp.code(CHAT, {"chat_id": group}) == 40058
    assert corp.actions.join(config_id=config_id)["full"]
    rows = corp("externalcontact/groupchat/list", {"limit": 10, "owner_filter": {"userid_list": ["lihua"]}})
    assert rows["group_chat_list"] == []


def test_groups_are_known_from_their_first_mention_unless_strict(make: Any) -> None:
    assert make().code(CHAT, {"chat_id": "wrOgQhDgAA"}) == 0
    assert make(strict=True).code(CHAT, {"chat_id": "wrOgQhDgAA"}) == 40058
