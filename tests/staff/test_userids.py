"""WeCom's userids compare without case, through whichever door they come; answers spell them as WeCom does."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.callbacks import service as callbacks
from chalicelib.customers import rules as customer_rules
from chalicelib.customers.models import CustomerItem, FollowItem
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.models import LiveCodeItem
from chalicelib.migrations import service as migrations
from chalicelib.platform import auth, clock, userids
from chalicelib.platform.auth import UserItem
from chalicelib.platform.due import DueItem
from chalicelib.platform.principal import SYSTEM
from chalicelib.prospects import brand_settings, daily_tasks
from chalicelib.renames import service as renames
from chalicelib.roster import service as roster
from chalicelib.staff import ramps, spelling
from chalicelib.staff import service as staff
from chalicelib.staff.models import StaffItem
from chalicelib.wecom import events
from infra.sandbox.events import event_xml
from tests.support.api import Api
from tests.support.scan_support import NOON, FakeWeCom, definition

CORP = "ww1"
SPELT = ("kong8", "Kong8", "KONG8")
WECOMS = "Kong8"
At = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def wecoms_spelling(wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_CORP_ID", CORP)
    answer = wecom.user_get

    def user_get(userid: str, **more: Any) -> dict[str, Any]:
        row = answer(userid, **more)
        return {**row, "userid": WECOMS} if userid.lower() == "kong8" else row

    monkeypatch.setattr(wecom, "user_get", user_get)


def told(kind: str, change: str, userid: str, seconds: int = 0, **more: Any) -> None:
    at = int((NOON + timedelta(seconds=seconds)).timestamp())
    xml = event_xml(CORP, at, kind, ChangeType=change, UserID=userid, **more)
    callbacks.handle(events.parse(xml.encode()).to_message())
    ramps.forget()


def everything(found: Any) -> str:
    return str(msgspec.json.encode(found))


@pytest.mark.parametrize(("entered", "heard", "asked"), list(itertools.permutations(SPELT)))
def test_a_code_an_add_and_the_lists_of_them(api: Api, at: At, entered: str, heard: str, asked: str) -> None:
    body = {"name": "Card", "assignment": {"members": [{"staff_id": entered, "daily_cap": 5}], "fallback_staff_ids": [heard, "bo"]}}  # fmt: skip
    _, made = api("POST", "/api/live-codes", body)
    assert made["assignment"]["members"][0]["staff_id"] == WECOMS
    scan = api("GET", f"/s/{made['code']}", Accept="application/json")[1]
    assert scan["staff_id"] == WECOMS
    held = api("GET", f"/api/assignments?staff_id={asked}")[1]["items"]
    assert [(row["staff_id"], row["status"]) for row in held] == [(WECOMS, "reserved")]
    at(NOON + timedelta(seconds=5))
    told(
        "change_external_contact",
        "add_external_contact",
        heard,
        3,
        ExternalUserID="wm1",
        State=held[0]["state"],
    )
    row = api("GET", f"/api/assignments/{scan['assignment_id']}")[1]
    assert (row["status"], row["why"]["candidates"]) == ("confirmed", [WECOMS])
    found = api("GET", f"/api/customers?staff_id={asked}")[1]["items"]
    assert [(one["external_userid"], one["follows"][0]["staff_id"]) for one in found] == [("wm1", WECOMS)]
    told("change_external_contact", "del_follow_user", asked, 9, ExternalUserID="wm1")
    (follow,) = api("GET", "/api/customers/wm1")[1]["follows"]
    assert (follow["staff_id"], follow["status"]) == (WECOMS, "lost")
    assert [one["live_code_id"] for one in api("GET", f"/api/live-codes?staff_id={asked}")[1]["items"]] == [
        made["live_code_id"]
    ]
    twice = {"name": "x", "assignment": {"members": [{"staff_id": entered}, {"staff_id": asked}]}}
    assert api("POST", "/api/live-codes", twice)[1]["errors"][0]["code"] == "duplicate"


@pytest.mark.parametrize("heard", SPELT)
@pytest.mark.parametrize("entered", SPELT)
def test_who_left_has_left_however_they_are_spelt(api: Api, at: At, entered: str, heard: str) -> None:
    api("PUT", f"/api/staff/{entered}", {"started_at": None, "daily_cap": 3})
    at(NOON + timedelta(seconds=9))
    told("change_contact", "delete_user", heard, 5)
    (row,) = api("GET", "/api/staff")[1]["items"]
    assert (row["staff_id"], row["status"], row["problem"]) == (WECOMS, 5, "member_left")
    assert api("GET", f"/api/staff/{heard}")[1] == row


@pytest.mark.parametrize("entered", SPELT)
def test_stores_and_what_a_scope_sees(api: Api, entered: str) -> None:
    store = {"store_id": "s1", "name": "One", "latitude": 22.5, "longitude": 113.9, "staff_ids": [entered]}
    api("POST", "/api/stores", store)
    told("change_external_contact", "add_external_contact", WECOMS, ExternalUserID="wm1")
    scoped = api.acting_as("operator", auth.Scope(store_ids=("s1",)))
    assert [one["external_userid"] for one in scoped("GET", "/api/customers")[1]["items"]] == ["wm1"]
    table = f"store_id,name,latitude,longitude,staff_ids\ns2,Two,22.5,113.9,{entered}\n"
    api("POST", "/api/stores/import", {"csv": table})
    assert api("GET", "/api/stores/s2")[1]["staff_ids"] == [WECOMS]
    assert scoped("GET", "/api/customers?store_id=s1")[1]["total"] == 1


@pytest.mark.parametrize("entered", SPELT)
@pytest.mark.parametrize("how", ["staff_ids", "weights", "column"])
def test_an_import_shows_its_tasks_to_the_guide(api: Api, keys: None, entered: str, how: str) -> None:
    staff.learn("kong8")
    spread: dict[str, Any] = {
        "staff_ids": {"staff_ids": [entered]},
        "weights": {"rule": "weighted", "weights": {entered: 2}},
        "column": {"rule": "by_column"},
    }[how]
    rows = [{"phone": "13800138000", **({"staff_id": entered} if how == "column" else {})}]
    body = {"rows": rows, "staff": spread, "consent": "agreed in the shop"}
    status, taken = api("POST", "/api/prospect-imports/rows", body)
    assert (status, taken["new"]) == (201, 1), taken
    day = brand_settings.day_of(clock.now())
    daily_tasks.make_list("kong8", day)
    signed_in = auth.find_person(WECOMS)
    assert signed_in is not None
    assert len(daily_tasks.of_day(signed_in.id, day)) == 1
    assert api("GET", f"/api/prospects?staff_id={entered}")[1]["items"][0]["staff_id"] == WECOMS


@pytest.mark.parametrize("entered", SPELT)
def test_roles_and_sessions(api: Api, entered: str) -> None:
    admin = api.acting_as("admin")
    assert admin("POST", "/api/users", {"staff_id": entered, "role": "auditor"})[0] == 201
    staff.learn("kong8")
    spelling.forget()
    assert admin("GET", "/api/users")[1]["items"][0]["staff_id"] == WECOMS
    assert admin("PATCH", f"/api/users/{WECOMS}", {"role": "operator"})[0] == 200
    for spelt in SPELT:
        person = auth.find_person(spelt)
        assert person is not None and (person.id, person.role) == ("kong8", "operator")


def test_wecom_s_spelling_counts_before_anybody_elses(api: Api) -> None:
    body = {"name": "x", "assignment": {"members": [{"staff_id": "MoMo"}]}}
    assert api("POST", "/api/live-codes", body)[1]["assignment"]["members"][0]["staff_id"] == "MoMo"
    body["assignment"]["members"][0]["staff_id"] = "KONG8"  # type: ignore[index]
    assert api("POST", "/api/live-codes", body)[1]["assignment"]["members"][0]["staff_id"] == WECOMS


# What was stored before


def test_what_was_stored_in_capitals_is_read_and_moved(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "kong8"}, {"staff_id": "b"}))
    raw = LiveCodeItem.find(code.live_code_id, "config")
    raw.definition["assignment"]["members"][0]["staff_id"] = WECOMS
    raw.save()
    follow = {
        "status": "active",
        "changed_at": "2026-11-20T00:00:00+00:00",
        "added_at": "2026-11-20T00:00:00+00:00",
    }
    place = "2026-11-20T00:00:00+00:00#wm1"
    CustomerItem(
        "wm1", follows={WECOMS: follow}, tags=[], version=1, listing="customer#0", place=place
    ).save()
    FollowItem(WECOMS, place).save()
    StaffItem(WECOMS, name="孔八", status=1, seen_at="2026-11-20", listing="staff", daily_cap=4).save()
    assert livecodes.get(code.live_code_id).rule.staff_ids == ["kong8", "b"]  # read in both shapes
    for name in ("userids-of-staff", "userids-of-follows", "userids-of-prospects"):
        migration = migrations.find(name)
        change = migrations.declared.resolve(migration.change)
        for item in migrations.declared.resolve(migration.items).scan():
            change(item)
    assert [row for row in DueItem.scan() if "staff_rename" in row.sort]
    renames.run(WECOMS, "kong8", milliseconds_left=lambda: 60_000)
    assert (
        LiveCodeItem.find(code.live_code_id, "config").definition["assignment"]["members"][0]["staff_id"]
        == "kong8"
    )
    assert [row.place for row in FollowItem.query("kong8")] == [place] and not list(FollowItem.query(WECOMS))
    assert StaffItem.find(WECOMS) is None and staff.name("kong8") == "孔八"
    assert roster.get("kong8", SYSTEM).daily_cap == 4
    renames.run(WECOMS, "kong8", milliseconds_left=lambda: 60_000)
    assert list(CustomerItem.find("wm1").follows) == ["kong8"]


def test_a_user_row_of_before_still_signs_in() -> None:
    UserItem("kong8", staff_id=WECOMS, role="operator", status="active", version=1, created_at="2026").save()
    person = auth.find_person(WECOMS)
    assert person is not None and (person.id, person.role) == ("kong8", "operator")


_follows = st.builds(
    customer_rules.Follow,
    status=st.sampled_from(["half", "active", "lost"]),
    changed_at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)).map(
        lambda at: at.replace(tzinfo=clock.SHANGHAI)
    ),
)


@given(st.dictionaries(st.sampled_from(["ab", "Ab", "AB", "b", "B"]), _follows))
def test_of_two_spellings_the_newer_bond_counts(follows: dict[str, customer_rules.Follow]) -> None:
    made = customer_rules.with_folded_ids(follows)
    assert set(made) == {userids.fold(one) for one in follows}
    for key, follow in made.items():
        assert follow.changed_at == max(f.changed_at for one, f in follows.items() if one.lower() == key)
    assert customer_rules.with_folded_ids(made) == made


@given(st.text(alphabet="aAbB1-", min_size=1, max_size=8))
def test_folding_is_a_normal_form(userid: str) -> None:
    assert userids.fold(userids.fold(userid)) == userids.fold(userid) == userids.fold(userid.upper())
