"""A guide's poster leads to its guide, a store's to its store; and why, when it does not."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.assignments import confirmation
from chalicelib.assignments import service as assignments
from chalicelib.livecodes import poster_links
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform.principal import SYSTEM
from chalicelib.platform.storage import Transaction
from chalicelib.stores import service as stores
from chalicelib.stores.types import NewStore
from chalicelib.wecom.errors import WeComError
from tests.platform.test_robots import PHONES
from tests.support import print_world
from tests.support.api import Api
from tests.support.phones import BROWSER, MACHINE, ask
from tests.support.scan_support import NOON, FakeWeCom, complete, definition

At = Callable[[datetime], None]
WEEKEND = [{"weekdays": [6, 7], "from": "09:00", "to": "18:00"}]


def code_of(*members: dict[str, Any] | str, **rest: Any) -> LiveCode:
    rows = [{"staff_id": member} if isinstance(member, str) else member for member in members]
    return livecodes.create(definition(*rows, **rest))


def path_of(code: LiveCode, kind: poster_links.Kind, owner_id: str) -> str:
    return poster_links.url(code, kind, owner_id).removeprefix("http://127.0.0.1:8000")


def explained(assignment_id: str) -> Any:
    return assignments.get(assignment_id)


def test_a_guides_poster_scanned_four_times_gives_that_guide(wecom: FakeWeCom) -> None:
    code = code_of("xiaowang9", "zz8")
    path = path_of(code, "guide", "xiaowang9")
    seen = [ask(path).json() for _ in range(4)]
    assert [got["staff_id"] for got in seen] == ["xiaowang9"] * 4
    told = explained(seen[3]["assignment_id"])
    assert told.why["rule"] == "poster"
    assert told.why["poster"] == {"staff_id": "xiaowang9", "reason": None}
    assert told.text.startswith("扫的是导购本人的海报，分配给xiaowang9（第 ")
    assert told.text_en.startswith("The guide's own poster: xiaowang9 (scan ")
    plain = Counter(ask(f"/s/{code.code}").json()["staff_id"] for _ in range(4))
    assert plain == {"xiaowang9": 2, "zz8": 2}


def test_scans_of_a_poster_use_up_nobodys_turn(wecom: FakeWeCom) -> None:
    code = code_of("a", "b")
    path, plain = path_of(code, "guide", "b"), []
    for _ in range(6):
        plain.append(ask(f"/s/{code.code}").json()["staff_id"])
        assert ask(path).json()["staff_id"] == "b"
    assert Counter(plain) == {"a": 3, "b": 3}
    off = {
        "assignment": {
            "members": [{"staff_id": who, "hours": WEEKEND if who == "b" else None} for who in "bacd"]
        }
    }
    livecodes.change(code.live_code_id, off, complete)
    assert Counter(ask(path).json()["staff_id"] for _ in range(6)) == {"a": 2, "c": 2, "d": 2}


def test_the_link_is_short_and_reads_whoever_types_the_id(wecom: FakeWeCom) -> None:
    code = code_of("XiaoWang9", "zz8")
    url = poster_links.url(code, "guide", "XiaoWang9")
    assert len(url) == len(code.url) + len("?g=") + 7 + len("XiaoWang9")
    changed = {"assignment": {"members": [{"staff_id": "xiaowang9"}, {"staff_id": "zz8"}]}}
    livecodes.change(code.live_code_id, changed, complete)
    path = url.removeprefix("http://127.0.0.1:8000")
    assert ask(path).json()["staff_id"] == "xiaowang9"


@pytest.mark.parametrize(
    ("member", "reason", "zh", "en"),
    [
        ({"hours": WEEKEND}, "off", "海报上的owner：不在班", "whose poster it is, owner: off duty"),
        ({"daily_cap": 1}, "full", "海报上的owner：名额已满", "whose poster it is, owner: full"),
    ],
)
def test_when_the_guide_is_off_or_full_the_rule_decides_and_why_says_so(
    wecom: FakeWeCom, member: dict[str, Any], reason: str, zh: str, en: str
) -> None:
    code = code_of({"staff_id": "owner", **member}, "other")
    path = path_of(code, "guide", "owner")
    if reason == "full":
        assert ask(path).json()["staff_id"] == "owner"
    told = explained(ask(path).json()["assignment_id"])
    assert told.staff_id == "other"
    assert told.why["rule"] == "round_robin" and told.why["poster"]["reason"] == reason
    assert zh in told.text and en in told.text_en


def test_a_guide_who_has_left_or_whom_wecom_refuses_is_told_so(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of("owner", "other")
    path = path_of(code, "guide", "owner")
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 40003)]
    told = explained(ask(path).json()["assignment_id"])
    assert (told.staff_id, told.why["poster"]["reason"]) == ("other", "refused")
    assert "海报上的owner：企业微信不接受" in told.text
    monkeypatch.setattr(
        "chalicelib.staff.service.account_caps",
        lambda staff_ids, now: {"owner": ("2026-11-23", 0)} if "owner" in staff_ids else {},
    )
    monkeypatch.setattr("chalicelib.staff.service.has_left", lambda staff_id: staff_id == "owner")
    told = explained(ask(path).json()["assignment_id"])
    assert (told.staff_id, told.why["poster"]["reason"]) == ("other", "left")
    assert "海报上的owner：已离职或停用" in told.text


def test_a_guide_who_is_not_in_the_code_any_more(wecom: FakeWeCom) -> None:
    code = code_of("owner", "other")
    path = path_of(code, "guide", "owner")
    livecodes.change(code.live_code_id, {"assignment": {"members": [{"staff_id": "other"}]}}, complete)
    told = explained(ask(path).json()["assignment_id"])
    assert (told.staff_id, told.why["poster"]["reason"]) == ("other", "not_in_code")
    assert "海报上的owner：不在这个活码里" in told.text and "owner: not in this code" in told.text_en


def test_a_forged_or_foreign_poster_is_ignored_and_why_says_so(wecom: FakeWeCom) -> None:
    code, another = code_of("a", "b"), code_of("a", "b")
    signed = poster_links.sign(code.live_code_id, "guide", "b")
    for g in (
        poster_links.sign(another.live_code_id, "guide", "b"),
        signed[:1] + "AAAAAA" + signed[7:],
        "s" + signed[1:],
        signed.replace("b", "a") if signed.count("b") == 1 else signed + "a",
        "b",
        "g",
        "%00",
        "g" * 300,
        "%E7%8E%8B",
        "%ED%A0%80",
    ):
        told = explained(ask(f"/s/{code.code}?g={g}").json()["assignment_id"])
        assert told.why["rule"] == "round_robin" and told.why["poster"]["reason"] == "foreign", g
        assert "未采用" in told.text and "was not signed for this code" in told.text_en
    assert "poster" not in explained(ask(f"/s/{code.code}?g=").json()["assignment_id"]).why


def test_a_fallback_guides_own_poster_gives_them_though_members_are_there(wecom: FakeWeCom) -> None:
    code = code_of("a", fallback=("help",))
    told = explained(ask(path_of(code, "guide", "help")).json()["assignment_id"])
    assert (told.staff_id, told.why["kind"], told.why["rule"]) == ("help", "fallback", "poster")
    assert "都不在班" not in told.text


def test_nobody_on_duty_leaves_it_to_the_posters_guide(wecom: FakeWeCom) -> None:
    members = [{"staff_id": who, "hours": WEEKEND} for who in ("a", "b", "c")]
    code = code_of(*members)
    seen = {ask(path_of(code, "guide", "c")).json()["staff_id"] for _ in range(3)}
    assert seen == {"c"}


def test_who_has_added_a_guide_keeps_them_and_a_place_gives_way_once(wecom: FakeWeCom) -> None:
    code = code_of("a", {"staff_id": "b", "hours": WEEKEND}, "c")
    first = ask(path_of(code, "guide", "a"))
    mine = {**MACHINE, "Cookie": first.cookie}
    third = ask(path_of(code, "guide", "c"), mine)
    assert third.json()["staff_id"] == "c"  # a place only: they stand before c now
    mine = {**MACHINE, "Cookie": third.cookie}
    kept = ask(path_of(code, "guide", "b"), mine)
    assert kept.json()["staff_id"] == "c"  # b is off duty
    mine = {**MACHINE, "Cookie": kept.cookie}
    assert [ask(path_of(code, "guide", "b"), mine).json() for _ in range(3)] == [kept.json()] * 3
    tx, slot = Transaction(), explained(kept.json()["assignment_id"]).slot
    confirmation.confirm(tx, code, "c", "wm1", NOON + timedelta(minutes=1), slot)
    tx.commit()
    mine = {**MACHINE, "Cookie": kept.cookie}
    added = ask(path_of(code, "guide", "a"), mine).json()
    assert (added["staff_id"], added["expires_at"]) == ("c", None)


def test_a_stores_poster_leads_to_its_store(wecom: FakeWeCom) -> None:
    place = {"latitude": 22.5, "longitude": 113.9}
    for number in (1, 2):
        store = NewStore(store_id=f"sz{number}", name=f"{number} 号店", staff_ids=[f"s{number}"], **place)  # type: ignore[arg-type]
        stores.create(store, SYSTEM)
    code = livecodes.create(definition({"staff_id": "own"}, kind="nearest_store", stores={}))
    path = path_of(code, "store", "sz2")
    seen = [ask(path).json() for _ in range(3)]
    assert {(got["store_id"], got["staff_id"]) for got in seen} == {("sz2", "s2")}
    assert "2 号店" in ask(path, BROWSER).text
    picked = ask(f"{path}&choose=1", BROWSER).text
    assert "g=" in picked  # whoever chooses another comes from this poster all the same
    other = ask(f"{path}&store_id=sz1").json()
    assert other["store_id"] == "sz1"
    guides = [ask(path_of(code, "guide", "own")).json() for _ in range(2)]
    assert {got["staff_id"] for got in guides} == {"own"}
    stores.remove("sz2", SYSTEM)
    assert ask(path).json()["kind"] == "choose_store"
    assert (
        ask(f"/s/{code.code}?g={poster_links.sign(code.live_code_id, 'store', 'sz9')}").json()["kind"]
        == "choose_store"
    )


def test_a_stores_poster_of_a_code_without_stores_is_told_of(wecom: FakeWeCom) -> None:
    code = code_of("a")
    told = explained(ask(path_of(code, "store", "sz1")).json()["assignment_id"])
    assert told.why["poster"] == {"staff_id": None, "store_id": "sz1", "reason": "not_in_code"}
    assert "海报上的sz1：不在这个活码里" in told.text


def test_a_robot_at_a_guides_poster_is_shown_that_guide(wecom: FakeWeCom) -> None:
    code = code_of("a", "b", "c", fallback=("help",))
    for _ in range(5):
        robot = {**MACHINE, "User-Agent": "Baiduspider"}
        assert ask(path_of(code, "guide", "c"), robot).json()["staff_id"] == "c"
    person = {**MACHINE, "User-Agent": PHONES["WeChat, iPhone"]}
    assert ask(path_of(code, "guide", "c"), person).json()["assignment_id"]


def test_a_printed_card_may_say_whose_it_is(wecom: FakeWeCom, bucket: str) -> None:
    code = code_of("a", "b")
    run = print_world.a_run(code=code)
    g = poster_links.sign(code.live_code_id, "guide", "b")
    seen = {ask(f"/s/{print_world.token(run, n)}?g={g}").json()["staff_id"] for n in (1, 2, 3)}
    assert seen == {"b"}


def test_what_is_pasted_for_a_guide_prefers_that_guide(api: Api) -> None:
    code = code_of("a", "b")
    status, told = api.get(f"/api/live-codes/{code.live_code_id}/embed?staff_id=b")
    assert status == 200 and told["url"] == poster_links.url(code, "guide", "b")
    assert api.get(f"/api/live-codes/{code.live_code_id}/embed?staff_id=B") == (status, told)
    g = told["url"].partition("?g=")[2]
    assert f'data-code="{code.code}" data-g="{g}"' in told["website"]["html"]
    assert told["website"]["link"] == f"{told['url']}&via=website"
    for link in (told["website"]["link"], told["official_account"]["menu_button"]["url"]):
        got = ask(link.removeprefix("http://127.0.0.1:8000")).json()
        assert got["staff_id"] == "b" and explained(got["assignment_id"]).origin["via"]
    assert f"{told['url']}&via=mini_program" in told["mini_program"]["wxml"]
    assert ask(told["website"]["qr_svg_url"].removeprefix("http://127.0.0.1:8000")).status == 200
    for query in ("staff_id=nobody", "store_id=sz1", "staff_id=a&store_id=sz1"):
        assert api.get(f"/api/live-codes/{code.live_code_id}/embed?{query}")[0] == 422


@pytest.mark.usefixtures("keys")
@given(st.text(min_size=1, max_size=60), st.sampled_from(["guide", "store"]), st.text(max_size=60))
def test_what_was_signed_is_read_and_nothing_else(owner_id: str, kind: poster_links.Kind, other: str) -> None:
    signed = poster_links.sign("lc_AbCd2345", kind, owner_id)
    assert poster_links.read("lc_AbCd2345", signed) == poster_links.Owner(kind, owner_id)
    assert poster_links.read("lc_AbCd2346", signed) is None
    if other != signed:
        assert poster_links.read("lc_AbCd2345", other) is None
