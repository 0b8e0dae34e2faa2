"""Acquisition links: their limits, what people do with them, the quota, the events; and the ad platforms' doors."""

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from infra.sandbox import ad_platforms

LINK = "externalcontact/customer_acquisition/"
ONE = {"link_name": "投放", "range": {"user_list": ["lihua"]}}


@pytest.fixture
def told(corp: Any, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The events that are posted, in order."""
    seen: list[dict[str, str]] = []

    def post(xml: str, **_: Any) -> dict[str, Any]:
        seen.append({child.tag: child.text or "" for child in ElementTree.fromstring(xml)})
        return {"xml": xml, "statuses": []}

    monkeypatch.setattr(corp.actions, "post", post)
    return seen


def changes(told: list[dict[str, str]]) -> list[str]:
    return [event["ChangeType"] for event in told]


def made(corp: Any, **more: Any) -> dict[str, Any]:
    return dict(corp(LINK + "create_link", {**ONE, **more})["link"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 0),
        ({"link_name": "投" * 30}, 0),
        ({"link_name": "投" * 31}, 40058),
        ({"link_name": ""}, 40063),
        ({"range": {}}, 40063),
        ({"range": {"user_list": [], "department_list": []}}, 40063),
        ({"range": {"user_list": [f"u{n}" for n in range(500)]}}, 0),
        ({"range": {"user_list": [f"u{n}" for n in range(501)]}}, 40032),
        ({"range": {"user_list": ["no spaces"]}}, 40003),
        ({"range": {"department_list": [1]}}, 0),
        ({"skip_verify": "yes"}, 40058),
    ],
)
def test_parameters(corp: Any, change: dict[str, Any], code: int) -> None:
    assert corp.code(LINK + "create_link", {**ONE, **change}) == code


def test_a_link_is_made_changed_listed_and_deleted(corp: Any) -> None:
    link = made(corp)
    asked = {"link_id": link["link_id"]}
    assert link["url"].endswith(f"/ca/{link['link_id']}")
    assert (
        corp.code(LINK + "update_link", {**asked, "range": {"user_list": ["wangwu"]}, "skip_verify": False})
        == 0
    )
    there = corp(LINK + "get", asked)
    assert (there["range"]["user_list"], there["link"]["skip_verify"]) == (["wangwu"], False)
    others = [made(corp)["link_id"] for _ in range(2)]
    page = corp(LINK + "list_link", {"limit": 2})
    rest = corp(LINK + "list_link", {"limit": 2, "cursor": page["next_cursor"]})
    assert (
        page["link_id_list"] + rest["link_id_list"] == [link["link_id"], *others]
        and rest["next_cursor"] == ""
    )
    assert corp.code(LINK + "list_link", {"limit": 101}) == 40058
    assert [corp.code(LINK + "delete_link", asked) for _ in range(2)] == [0, 60136]


def test_too_many_links_and_the_wrong_secret(make: Callable[..., Any]) -> None:
    corp = make(acquisition_link_limit=1, contact_secret="contact")
    made(corp)
    assert corp.code(LINK + "create_link", ONE) == 41095
    query = {"access_token": corp.token("contact")}
    path = "externalcontact/customer_acquisition_quota"
    assert corp.raw("GET", path, query)[1]["errcode"] == 301002
    assert corp.raw("POST", path, {"access_token": corp.token()})[1]["errcode"] == 43001


def test_an_add_carries_the_channel_cut_to_64_bytes_and_uses_quota(
    corp: Any, told: list[dict[str, str]]
) -> None:
    link = made(corp, range={"user_list": ["lihua", "wangwu"]})
    url = f"{link['url']}?customer_channel={'道' * 22}"
    first = corp.actions.acquire(url, name="小王")
    second = corp.actions.acquire(url)
    assert changes(told) == ["friend_request", "add_external_contact"] * 2
    assert (
        first["state"] == told[1]["State"] == told[0]["State"] == "道" * 21
    )  # 63 bytes: no half a character
    assert {first["userid"], second["userid"]} == {"lihua", "wangwu"}
    assert corp.actions.acquire(url, external_userid=first["external_userid"])["already"]
    quota = corp("externalcontact/customer_acquisition_quota")
    assert (quota["total"], quota["balance"], quota["quota_list"][0]["balance"]) == (2, 998, 998)
    rows = corp(LINK + "customer", {"link_id": link["link_id"]})["customer_list"]
    assert {row["state"] for row in rows} == {"道" * 21} and {row["chat_status"] for row in rows} == {0}
    day = int(corp.clock().timestamp()) // 86_400 * 86_400
    counts = corp(LINK + "statistic", {"link_id": link["link_id"], "start_time": day, "end_time": day})
    assert (counts["click_link_customer_cnt"], counts["new_customer_cnt"]) == (3, 2)
    follow = corp("externalcontact/get", external_userid=first["external_userid"])["follow_user"][0]
    assert (follow["add_way"], follow["state"]) == (16, "道" * 21)


def test_the_quota_runs_low_out_and_comes_back(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    corp = make(acquisition_balance=20)
    seen: list[dict[str, str]] = []
    monkeypatch.setattr(
        corp.actions,
        "post",
        lambda xml, **_: seen.append({c.tag: c.text or "" for c in ElementTree.fromstring(xml)}) or {},
    )
    url = made(corp)["url"]
    for _ in range(20):
        corp.actions.acquire(url)
    assert [c for c in changes(seen) if c.startswith("balance")] == ["balance_low", "balance_exhausted"]
    with pytest.raises(ValueError):
        corp.actions.acquire(url)
    assert corp("externalcontact/customer_acquisition_quota")["quota_list"] == []
    corp.actions.buy_quota(5)
    assert changes(seen)[-1] == "balance_increased"
    corp.actions.buy_quota(5)
    assert changes(seen).count("balance_increased") == 1


def test_messages_are_told_at_the_first_third_fifth_and_tenth(corp: Any, told: list[dict[str, str]]) -> None:
    person = corp.actions.acquire(made(corp)["url"] + "?customer_channel=c1")
    told.clear()
    corp.actions.customer_message("lihua", person["external_userid"], count=12)
    assert changes(told) == ["customer_start_chat", *["message_from_customer"] * 3]
    assert "UserID" in told[0] and "UserID" not in told[1] and told[1]["State"] == "c1"
    info = corp(LINK + "get_chat_info", {"chat_key": told[3]["ChatKey"]})
    assert (info["userid"], info["chat_info"]["recv_msg_cnt"], info["chat_info"]["state"]) == (
        "lihua",
        10,
        "c1",
    )
    corp.clock.forward(1801)
    assert corp.code(LINK + "get_chat_info", {"chat_key": told[3]["ChatKey"]}) == 40058
    with pytest.raises(KeyError):
        corp.actions.customer_message("lihua", corp.friend())


def test_links_go_bad_are_mended_and_deleted_by_people(corp: Any, told: list[dict[str, str]]) -> None:
    link = made(corp)
    corp.actions.break_link(link["link_id"])
    with pytest.raises(ValueError):
        corp.actions.acquire(link["url"])
    assert (
        corp.code(LINK + "update_link", {"link_id": link["link_id"], "range": {"user_list": ["wangwu"]}}) == 0
    )
    assert corp.actions.acquire(link["url"])["userid"] == "wangwu"
    corp.actions.remove_link(link["link_id"])
    assert [e["LinkId"] for e in told if e["ChangeType"] in ("link_unavailable", "delete_link")] == [
        link["link_id"]
    ] * 2
    other = made(corp)
    told.clear()
    assert corp.code(LINK + "delete_link", {"link_id": other["link_id"]}) == 0 and told == []
    with pytest.raises(KeyError):
        corp.actions.acquire(other["url"])


def test_without_skip_verify_somebody_has_to_accept(corp: Any, told: list[dict[str, str]]) -> None:
    url = made(corp, skip_verify=False)["url"]
    corp.actions.acquire(url, accept=False)
    assert changes(told) == ["friend_request"]
    corp.actions.acquire(url)
    assert changes(told)[-1] == "add_external_contact"


def test_answers_have_the_documented_shapes(corp: Any) -> None:
    link = made(corp)
    asked = {"link_id": link["link_id"]}
    assert set(link) == {"link_id", "link_name", "url", "create_time"}
    assert set(corp(LINK + "get", asked)) == {"errcode", "errmsg", "link", "range"}
    quota = corp("externalcontact/customer_acquisition_quota")
    assert set(quota) == {"errcode", "errmsg", "total", "balance", "quota_list"}
    assert set(quota["quota_list"][0]) == {"expire_date", "balance"}


def test_the_ad_platforms_doors(corp: Any) -> None:
    world, now = corp.world, int(corp.clock().timestamp())

    def post(path: str, body: Any, headers: dict[str, str] | None = None, **query: Any) -> Any:
        given = {name: str(value) for name, value in query.items()}
        return ad_platforms.answer(
            world, "POST", f"/ads/{path}", given, headers or {}, json.dumps(body).encode()
        )

    row = {"logidUrl": "https://x/?bd_vid=1", "newType": 3}
    baidu = "baidu/ocpcapi/api/uploadConvertData"
    token = world.config.ads_baidu_token
    for body, status in (
        ({"token": token, "conversionTypes": [row]}, 0),
        ({"token": token, "conversionTypes": [row, {**row, "logidUrl": "https://x/"}]}, 1),
        ({"token": token, "conversionTypes": [{**row, "newType": "3"}]}, 2),
        ({"token": "x", "conversionTypes": [row]}, 3),
    ):
        assert post(baidu, body)[1]["header"]["status"] == status
    event = {"event_type": "form", "context": {"ad": {"callback": "c"}}, "timestamp": now * 1000}
    assert post("oceanengine/api/v2/conversion", event)[1]["code"] == 0
    assert post("oceanengine/api/v2/conversion", {**event, "timestamp": now})[1]["code"] != 0
    action = {
        "actions": [
            {"trace": {"click_id": "c"}, "url": "https://x", "action_type": "A", "outer_action_id": "1"}
        ]
    }
    signed = {"access_token": world.config.ads_tencent_token, "timestamp": now}
    path = "tencent/v3.0/user_actions/add"
    assert [post(path, action, nonce=n, **signed)[1]["code"] for n in ("a", "b", "b")] == [0, 0, 11101]
    assert post(path, action, nonce="c", **{**signed, "timestamp": now - 301})[1]["code"] == 11100
    assert post(path, action, nonce="d", **{**signed, "access_token": "x"})[1]["code"] == 11002
    assert post("generic/x", {"conversion_id": "1"}, {"x-timestamp": str(now), "x-signature": "é"})[0] == 401
    assert post("nobody/x", {})[0] == 404
    assert world.state.ad_actions["tencent|1|A"] == 2  # told twice: it would count one
