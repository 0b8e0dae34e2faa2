"""A typo in a staff id is seen when the code is made; whom WeCom refuses later is shown, explained and told."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.callbacks import service as callbacks
from chalicelib.contactways import refusals, upkeep
from chalicelib.livecodes import service as livecodes
from chalicelib.notices import service as notices
from chalicelib.platform.auth import UserItem
from chalicelib.platform.errors import Upstream
from chalicelib.platform.principal import Principal
from chalicelib.scans import service as scans
from chalicelib.staff import problems, ramps
from chalicelib.staff import service as staff
from chalicelib.wecom import events
from chalicelib.wecom.errors import WeComError
from infra.sandbox.events import event_xml
from tests.support.api import Api
from tests.support.scan_support import NOON, FakeWeCom, definition

At = Callable[[datetime], None]
ASKED = ("user_get", "get_follow_user_list")


def body(*staff_ids: str, fallback: tuple[str, ...] = ()) -> dict[str, Any]:
    members = [{"staff_id": one} for one in staff_ids]
    return {"name": "Card", "assignment": {"members": members, "fallback_staff_ids": [*fallback]}}


def shown(made: dict[str, Any]) -> list[tuple[str, str]]:
    return [(warning["field"], warning["code"]) for warning in made["warnings"]]


def calls(wecom: FakeWeCom) -> int:
    return sum(wecom.calls[name] for name in ASKED)


TYPO = ("assignment.members[1].staff_id", "member_unknown")


def test_a_typo_is_a_warning_and_with_strict_an_error(api: Api, wecom: FakeWeCom) -> None:
    wecom.gone = {"lihauu"}
    assert api("POST", "/api/live-codes?strict=true", body("lihua", "lihauu"))[0] == 422
    status, made = api("POST", "/api/live-codes", body("lihua", "lihauu", fallback=("bo",)))
    assert (status, shown(made)) == (201, [TYPO])
    assert "WeCom has no member lihauu" in made["warnings"][0]["message"]
    path = f"/api/live-codes/{made['live_code_id']}"
    assert shown(api("GET", path)[1]) == [TYPO]
    assert shown(api("GET", "/api/live-codes")[1]["items"][0]) == [TYPO]
    before = calls(wecom)
    assert shown(api("PATCH", path, {"name": "Other"})[1]) == [TYPO]
    assert calls(wecom) - before <= 2  # only the one in doubt is asked for again
    status, refused = api("PATCH", f"{path}?strict=true", {"name": "Third"})
    assert (status, refused["errors"][0]["field"]) == (422, TYPO[0])
    assert api("GET", path)[1]["name"] == "Other"
    wecom.gone = set()
    assert shown(api("PATCH", path, {"name": "Known"})[1]) == []


def test_a_file_says_it_too(api: Api, wecom: FakeWeCom) -> None:
    wecom.gone = {"lihauu"}
    text = "codes:\n- ref: card\n  name: Card\n  assignment:\n    members: [{staff_id: lihauu}]\n"
    status, told = api("POST", "/api/live-codes/apply", {"yaml": text})
    assert status == 200
    assert [(w["field"], w["code"]) for w in told["changes"][0]["warnings"]] == [
        ("assignment.members[0].staff_id", "member_unknown")
    ]
    assert api("POST", "/api/live-codes/apply?strict=true", {"yaml": text})[0] == 422


def test_how_often_wecom_is_asked(api: Api, wecom: FakeWeCom) -> None:
    api("POST", "/api/live-codes", body("a", "b", "c"))
    assert wecom.calls["user_get"] == 3 and wecom.calls["get_follow_user_list"] == 2
    api("POST", "/api/live-codes", body("a", "b", "c"))
    assert calls(wecom) == 5  # known of late
    many = [f"s{number}" for number in range(30)]
    _, made = api("POST", "/api/live-codes", body(*many))
    assert wecom.calls["user_get"] == 23
    assert [code for _, code in shown(made)] == ["member_not_checked"] * 10


@pytest.mark.parametrize("error", [Upstream("down"), WeComError("x", 45009), WeComError("x", 48002)])
def test_a_wecom_that_is_down_costs_a_warning(api: Api, wecom: FakeWeCom, error: Exception) -> None:
    wecom.fail["get_follow_user_list"] = [error]
    status, made = api("POST", "/api/live-codes", body("lihua"))
    assert (status, shown(made)) == (201, [("assignment.members[0].staff_id", "member_not_checked")])
    staff.learn("lihua")
    assert shown(api("GET", f"/api/live-codes/{made['live_code_id']}")[1]) == []


def test_caps_of_nothing_and_who_may_not_serve(api: Api, wecom: FakeWeCom) -> None:
    wecom.not_serving = {"b"}
    members = [{"staff_id": "a", "daily_cap": 0, "total_cap": 5}, {"staff_id": "b"}]
    _, made = api("POST", "/api/live-codes", {"name": "x", "assignment": {"members": members}})
    assert shown(made) == [
        ("assignment.members[0].daily_cap", "cap_is_zero"),
        ("assignment.members[1].staff_id", "member_not_serving"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "given", "field"),
    [
        ("POST", "/api/live-codes", body("a,b"), "assignment.members[0].staff_id"),
        ("POST", "/api/live-codes", body("a", fallback=("a b",)), "assignment.fallback_staff_ids[0]"),
        ("POST", "/api/stores", {"store_id": "s", "name": "x", "latitude": 1, "longitude": 1, "staff_ids": ["a,b"]}, "staff_ids[0]"),
        ("POST", "/api/ad-campaigns", {"name": "x", "platform": "baidu", "staff_ids": ["a", "b|c"], "page": {"title": "x"}}, "staff_ids[1]"),
    ],
)  # fmt: skip
def test_two_ids_in_one_place_are_refused_with_a_reason(
    api: Api, method: str, path: str, given: dict[str, Any], field: str
) -> None:
    status, problem = api(method, path, given)
    assert status == 422
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [(field, "userid")]
    assert "one in each place" in problem["errors"][0]["message"]


def test_stores_and_campaigns_and_imports_warn_as_well(api: Api, wecom: FakeWeCom, keys: None) -> None:
    wecom.gone = {"lihauu"}
    store = {"store_id": "s1", "name": "One", "latitude": 22.5, "longitude": 113.9, "staff_ids": ["lihauu"]}
    for made in (api("POST", "/api/stores", store)[1], api("GET", "/api/stores/s1")[1]):
        assert shown(made) == [("staff_ids[0]", "member_unknown")]
    table = "store_id,name,latitude,longitude,staff_ids\ns2,Two,22.5,113.9,lihauu\n"
    told = api("POST", "/api/stores/import", {"csv": table})[1]
    assert shown(told) == [("s2.staff_ids", "member_unknown")] and told["warnings"][0]["line"] == 2
    campaign = {"name": "x", "platform": "baidu", "staff_ids": ["lihauu"], "page": {"title": "x"}}
    assert shown(api("POST", "/api/ad-campaigns", campaign)[1]) == [("staff_ids[0]", "member_unknown")]
    rows = {"name": "x", "staff": {"staff_ids": ["lihauu"]}, "consent": "agreed in the shop", "rows": [{"phone": "13800138000"}]}  # fmt: skip
    status, taken = api("POST", "/api/prospect-imports/rows", rows)
    assert status == 201, taken
    assert shown(taken) == [("staff.staff_ids[0]", "member_unknown")]


REFUSALS = [(41054, "member_not_activated"), (40098, "member_not_real_named"), (84074, "member_not_serving")]


@pytest.mark.parametrize(("errcode", "code"), REFUSALS)
def test_whom_wecom_refuses_is_shown_explained_and_told_once(
    api: Api, wecom: FakeWeCom, errcode: int, code: str
) -> None:
    maker = Principal("session", "maja", "maja", "operator")
    made = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}), principal=maker)
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", errcode)]
    upkeep.make_ahead(made.live_code_id, "a")  # takes the refusal as the member's
    path = f"/api/live-codes/{made.live_code_id}"
    assert shown(api("GET", path)[1]) == [("assignment.members[0].staff_id", code)]
    why = api("GET", f"{path}/why")[1]
    assert (why["staff_id"], why["why"]["refused"]) == ("b", ["a"])
    assert why["why"]["problems"] == {"a": code} and "企业微信不接受：A女士" in why["text"]
    refusals.notify_makers("a")
    refusals.notify_makers("a")
    notices.deliver("maja")
    (word,) = wecom.messages
    assert (
        word["touser"] == "maja"
        and "A女士" in word["text"]["content"]
        and "Parcel card" in word["text"]["content"]
    )
    upkeep.make_ahead(made.live_code_id, "a")  # now it works
    assert shown(api("GET", path)[1]) == []


def test_a_change_of_the_code_forgets_no_refusal_and_tells_nobody_again(api: Api, wecom: FakeWeCom) -> None:
    _, made = api("POST", "/api/live-codes", body("a", "b"))
    problems.note("a", "member_not_real_named")
    UserItem("boss", staff_id="boss", role="admin", status="active", version=1, created_at="2026").save()
    refusals.notify_makers("a")
    path = f"/api/live-codes/{made['live_code_id']}"
    assert [code for _, code in shown(api("PATCH", path, {"name": "Other"})[1])] == ["member_not_real_named"]
    refusals.notify_makers("a")
    notices.deliver("boss")
    assert len(wecom.messages) == 1


def test_an_outage_makes_no_typo_right(api: Api, wecom: FakeWeCom) -> None:
    wecom.gone = {"lihauu"}
    _, made = api("POST", "/api/live-codes", body("lihauu"))
    wecom.fail["get_follow_user_list"] = [Upstream("down")]
    _, made = api("PATCH", f"/api/live-codes/{made['live_code_id']}", {"name": "Other"})
    assert shown(made) == [("assignment.members[0].staff_id", "member_unknown")]


def test_at_a_scan_it_is_noted_as_well(api: Api, wecom: FakeWeCom) -> None:
    made = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}))
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 41054)]
    assert scans.scan(made.code).staff_id == "b"
    assert problems.known(["a", "b"]) == {"a": "member_not_activated"}


def test_a_code_of_a_typo_alone_is_closed_and_says_why(api: Api, wecom: FakeWeCom) -> None:
    wecom.gone = {"lihauu"}
    _, made = api("POST", "/api/live-codes", body("lihauu"))
    ramps.forget()
    assert scans.scan(made["code"]).kind == "closed"
    why = api("GET", f"/api/live-codes/{made['live_code_id']}/why")[1]
    assert why["why"]["unknown"] == ["lihauu"] and "企业微信中没有此人：lihauu" in why["text"]


@pytest.mark.parametrize(
    ("change", "code"), [({"Status": 2}, "member_disabled"), ({"Status": 5}, "member_left")]
)
def test_who_leaves_or_is_disabled_is_told_to_the_admins(
    api: Api, wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], code: str
) -> None:
    monkeypatch.setenv("WECOM_CORP_ID", "ww1")
    UserItem("boss", staff_id="boss", role="admin", status="active", version=1, created_at="2026").save()
    _, made = api("POST", "/api/live-codes", body("a", "b"))
    at = int((NOON + timedelta(seconds=1)).timestamp())
    xml = event_xml("ww1", at, "change_contact", ChangeType="update_user", UserID="A", **change)
    callbacks.handle(events.parse(xml.encode()).to_message())
    assert shown(api("GET", f"/api/live-codes/{made['live_code_id']}")[1]) == [
        ("assignment.members[0].staff_id", code)
    ]
    refusals.notify_makers("a")
    notices.deliver("boss")
    assert [word["touser"] for word in wecom.messages] == ["boss"]


def test_who_dies_before_the_mark_orders_no_second_word(
    api: Api, wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Principal("session", "maja", "maja", "operator")
    livecodes.create(definition({"staff_id": "a"}), principal=maker)
    problems.note("a", "member_not_activated")
    with monkeypatch.context() as dying:
        dying.setattr(problems, "mark_told", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            refusals.notify_makers("a")
    refusals.notify_makers("a")
    notices.deliver("maja")
    assert len(wecom.messages) == 1


def test_an_id_is_shown_to_no_customer_and_printed_nowhere(api: Api, wecom: FakeWeCom) -> None:
    wecom.fail["user_get"] = [Upstream("down")] * 9
    _, made = api("POST", "/api/live-codes", body("lihua"))
    page = api.raw("GET", f"/s/{made['code']}", Accept="text/html")
    text = page.body.decode()
    assert page.status_code == 200 and "lihua" not in text and "专属顾问" in text
    status, problem = api("GET", f"/api/live-codes/{made['live_code_id']}/poster.png?staff_id=lihua")
    assert (status, problem["errors"][0]["code"]) == (422, "no_name_to_print")
    batch = {"live_code_id": made["live_code_id"], "staff_ids": ["lihua"]}
    status, problem = api("POST", "/api/poster-batches", batch)
    assert (status, problem["errors"][0]["field"]) == (422, "staff_ids[0]")
