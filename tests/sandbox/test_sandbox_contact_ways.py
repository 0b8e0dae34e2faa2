"""Contact ways and welcome messages: parameters, quotas, the 20 seconds."""

from collections.abc import Callable
from typing import Any

import pytest

ADD, WELCOME = "externalcontact/add_contact_way", "externalcontact/send_welcome_msg"
ONE = {"type": 1, "scene": 2, "user": ["lihua"]}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": "x" * 30}, 0),
        ({"state": "x" * 31}, 40058),
        ({"remark": "备" * 31}, 40058),
        ({"type": 3}, 40058),
        ({"type": "1"}, 0),  # a number as text is that number
        ({"type": "one"}, 40058),
        ({"type": True}, 40058),
        ({"type": None}, 40063),
        ({"scene": None}, 40063),
        ({"user": []}, 40058),
        ({"type": 2, "user": []}, 40063),
        ({"user": ["a", "b"]}, 40058),
        ({"type": 2, "user": [f"u{i}" for i in range(100)]}, 0),
        ({"type": 2, "user": [f"u{i}" for i in range(101)]}, 41041),
        ({"user": ["no spaces"]}, 40003),
        ({"user": [7]}, 40058),
        ({"skip_verify": 1}, 40058),
        ({"is_temp": True}, 48002),
        ({"scene": 1, "style": 9}, 41042),
    ],
)
def test_parameters(corp: Any, change: dict[str, Any], code: int) -> None:
    assert corp.code(ADD, {**ONE, **change}) == code


def test_a_way_is_made_changed_listed_and_deleted(corp: Any) -> None:
    made = corp(ADD, {**ONE, "state": "lc_1"})
    assert made["qr_code"].endswith(f"/qr/{made['config_id']}.png")
    asked = {"config_id": made["config_id"]}
    assert (
        corp("externalcontact/update_contact_way", {**asked, "user": ["wangwu"], "state": "lc_2"})["errcode"]
        == 0
    )
    way = corp("externalcontact/get_contact_way", asked)["contact_way"]
    assert (way["user"], way["state"], way["skip_verify"], way["type"]) == (["wangwu"], "lc_2", True, 1)
    assert corp("externalcontact/list_contact_way")["contact_way"] == [asked]
    assert corp.code("externalcontact/del_contact_way", asked) == 0
    assert corp.code("externalcontact/get_contact_way", asked) == 41044


def test_listing_pages(corp: Any) -> None:
    made = [corp(ADD, ONE)["config_id"] for _ in range(5)]
    seen, cursor = [], ""
    while True:
        page = corp("externalcontact/list_contact_way", {"limit": 2, "cursor": cursor})
        seen += [w["config_id"] for w in page["contact_way"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == made
    assert corp.code("externalcontact/list_contact_way", {"cursor": "odd"}) == 50100


def test_the_quota_and_members_that_cannot_serve(make: Callable[..., Any]) -> None:
    corp = make(contact_way_limit=1, strict=True)
    assert corp.code(ADD, ONE) == 60111
    corp.actions.add_staff("lihua", status=4)
    assert corp.code(ADD, ONE) == 41054
    corp.actions.add_staff("lihua")
    assert [corp.code(ADD, ONE) for _ in range(2)] == [0, 41045]


def test_userid_is_compared_without_case(corp: Any) -> None:
    assert corp("user/get", userid="LiHua")["userid"] == "LiHua"
    assert corp("user/get", userid="lihua")["userid"] == "LiHua"


def test_escaped_chinese_is_refused_when_strict(make: Callable[..., Any]) -> None:
    for strict, code in ((False, 0), (True, 40033)):
        corp = make(strict=strict)
        corp.actions.add_staff("lihua")
        body = rb'{"type": 1, "scene": 2, "user": ["lihua"], "remark": "\u5907"}'
        assert corp.raw("POST", ADD, {"access_token": corp.token()}, body)[1]["errcode"] == code


@pytest.mark.parametrize("body", [b"[]", b"null", b"{", b"\xff"])
def test_a_body_that_is_no_object(corp: Any, body: bytes) -> None:
    assert corp.raw("POST", ADD, {"access_token": corp.token()}, body)[1]["errcode"] == 40058


def test_many_members_share_the_adds(corp: Any) -> None:
    way = corp(ADD, {"type": 2, "scene": 2, "user": ["a1", "b1", "c1"]})["config_id"]
    got = [corp.actions.add(config_id=way)["userid"] for _ in range(6)]
    assert sorted(got) == ["a1", "a1", "b1", "b1", "c1", "c1"]


def hello(code: str, text: str = "您好", **more: Any) -> dict[str, Any]:
    return {"welcome_code": code, "text": {"content": text}, **more}


def test_a_welcome_within_20_seconds_once(corp: Any) -> None:
    added = corp.actions.add("lihua")
    corp.clock.forward(20)
    assert [corp.code(WELCOME, hello(added["welcome_code"])) for _ in range(2)] == [0, 41051]
    [message] = corp.sandbox.messages(added["external_userid"])
    assert (message["kind"], message["userid"], message["text"]["content"]) == ("welcome", "lihua", "您好")


def test_too_late_unknown_or_talking_already(corp: Any) -> None:
    late, talking = corp.actions.add("lihua"), corp.actions.add("lihua")
    corp.actions.chat_started("lihua", talking["external_userid"])
    assert corp.code(WELCOME, hello(talking["welcome_code"])) == 41051
    corp.clock.forward(21)
    assert corp.code(WELCOME, hello(late["welcome_code"])) == 41050
    assert corp.code(WELCOME, hello("nobody's")) == 41050


LINK = {"msgtype": "link", "link": {"title": "新人礼", "url": "https://s.example.com/a"}}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({}, 41089),
        ({"text": {"content": ""}, "attachments": []}, 41089),
        ({"text": {"content": "字" * 1333}}, 0),
        ({"text": {"content": "字" * 1334}}, 45002),
        ({"attachments": [LINK] * 9}, 0),
        ({"attachments": [LINK] * 10}, 41064),
        ({"attachments": [{"msgtype": "voice", "voice": {"media_id": "x"}}]}, 41065),
        ({"attachments": [{"msgtype": "image", "image": {"media_id": "nobody's"}}]}, 40007),
        (
            {
                "attachments": [
                    {"msgtype": "image", "image": {"pic_url": "https://elsewhere.example.com/a.png"}}
                ]
            },
            40058,
        ),
        (
            {
                "attachments": [
                    {"msgtype": "link", "link": {"title": "字" * 43, "url": "https://a.example.com"}}
                ]
            },
            41082,
        ),
        ({"attachments": [{"msgtype": "link", "link": {"title": "x"}}]}, 40063),
        ({"attachments": ["x"]}, 41065),
    ],
)
def test_what_a_welcome_may_hold(corp: Any, content: dict[str, Any], code: int) -> None:
    added = corp.actions.add("lihua")
    assert corp.code(WELCOME, {"welcome_code": added["welcome_code"], **content}) == code


def test_one_bad_attachment_fails_all_and_does_not_use_the_code(corp: Any) -> None:
    code = corp.actions.add("lihua")["welcome_code"]
    bad = {"msgtype": "file", "file": {"media_id": "gone"}}
    assert corp.code(WELCOME, hello(code, attachments=[LINK, bad])) == 40007
    assert corp.code(WELCOME, hello(code)) == 0


def test_media_live_three_days(corp: Any) -> None:
    media = corp.upload("media/upload", b"0123456789", type="image")
    assert media["created_at"] == str(int(corp.world.ts()))
    image = {"msgtype": "image", "image": {"media_id": media["media_id"]}}
    corp.clock.forward(3 * 86400 - 1)
    assert corp.code(WELCOME, hello(corp.actions.add("lihua")["welcome_code"], attachments=[image])) == 0
    corp.clock.forward(2)
    assert corp.code(WELCOME, hello(corp.actions.add("lihua")["welcome_code"], attachments=[image])) == 40007
    assert corp.upload("media/upload", b"01234", type="image")["errcode"] == 44001
    assert corp.upload("media/upload", b"0123456789", type="odd")["errcode"] == 40004
    assert corp.upload("media/upload", b"0" * (10 << 20) + b"1", type="image")["errcode"] == 40006


def test_a_picture_url_from_uploadimg(corp: Any) -> None:
    url = corp.upload("media/uploadimg", b"0123456789")["url"]
    image = {"msgtype": "image", "image": {"pic_url": url}}
    assert corp.code(WELCOME, hello(corp.actions.add("lihua")["welcome_code"], attachments=[image])) == 0


def test_the_half_friends_code_leaves_none_for_the_add(corp: Any) -> None:
    half = corp.actions.add("lihua", half=True)
    external = half["external_userid"]
    assert "add_half_external_contact" in half["xml"]
    assert corp.code("externalcontact/get", external_userid=external) == 84061
    assert corp.code(WELCOME, hello(half["welcome_code"])) == 0
    full = corp.actions.add("lihua", external_userid=external)
    assert full["welcome_code"] is None
    assert "WelcomeCode" not in full["xml"]
    assert corp.code("externalcontact/get", external_userid=external) == 0


def test_friends_who_scan_again_make_no_event(corp: Any) -> None:
    external = corp.friend()
    again = corp.actions.add("lihua", external_userid=external)
    assert again["already"]
    assert "xml" not in again
