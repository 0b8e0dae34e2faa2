"""A guide who leaves, or is disabled: from that event on no scan leads to them, until they are back."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.assignments import service as assignment_service
from chalicelib.callbacks import service as callbacks
from chalicelib.contactways import service as contactways
from chalicelib.livecodes import service as livecodes
from chalicelib.platform.errors import NotFound
from chalicelib.platform.principal import SYSTEM
from chalicelib.roster import service as roster
from chalicelib.roster.queries import StaffQuery
from chalicelib.scans import service as scan_service
from chalicelib.staff import problems, ramps
from chalicelib.staff import service as staff
from chalicelib.staff.models import StaffItem
from chalicelib.staff.types import StaffLimits
from chalicelib.wecom import events
from chalicelib.wecom.errors import WeComError
from infra.sandbox.events import event_xml
from tests.support.scan_support import DAY, NOON, FakeWeCom, definition, new_process, requests

At = Callable[[datetime], None]
LATER = timedelta(minutes=2)
CORP = "ww1a2b3c4d5e6f7081"


@pytest.fixture
def wecom(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    new_process()
    monkeypatch.setenv("WECOM_CORP_ID", CORP)
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()


def told(change: str, userid: str, moment: datetime = NOON, **more: Any) -> None:
    """As it comes out of the callback queue."""
    xml = event_xml(CORP, int(moment.timestamp()), "change_contact", ChangeType=change, UserID=userid, **more)
    callbacks.handle(events.parse(xml.encode()).to_message())
    ramps.forget()


def code_of(*members: str, **more: Any) -> livecodes.LiveCode:
    code = livecodes.create(definition(*({"staff_id": one} for one in members), **more))
    for one in [*members, *more.get("fallback", ())]:
        contactways.make_ahead(code.live_code_id, one)
    return code


def who(code: livecodes.LiveCode, scans: int = 4) -> set[str | None]:
    return {scan_service.scan(code.code).staff_id for _ in range(scans)}


@pytest.mark.parametrize(
    "change", [("delete_user", {}), ("update_user", {"Status": 5}), ("update_user", {"Status": 2})]
)
def test_nobody_is_led_to_one_who_left(wecom: FakeWeCom, at: At, change: tuple[str, dict[str, Any]]) -> None:
    code = code_of("a", "b")
    assert who(code) == {"a", "b"}
    told(change[0], "a", **change[1])
    told(change[0], "a", **change[1])
    assert who(code) == {"b"}
    made = requests()
    scan_service.scan(code.code)
    assert len(made) == 2, made  # no more than before
    scan = scan_service.scan(code.code)
    why = msgspec.to_builtins(assignment_service.get(str(scan.assignment_id)))
    assert why["why"]["left"] == ["a"] and "ramp" not in why["why"]
    assert "已离职或停用：A女士" in why["text"]
    assert msgspec.to_builtins(assignment_service.would_get(code.live_code_id))["why"]["left"] == ["a"]
    at(NOON + LATER)
    told("update_user", "a", NOON + LATER, Status=1)
    assert who(code) == {"a", "b"}


def test_who_comes_back_gets_another_guide(wecom: FakeWeCom) -> None:
    code = code_of("a", fallback=("f",))
    first = scan_service.scan(code.code)
    assert first.staff_id == "a" and scan_service.scan(code.code, first.cookie) == first
    told("delete_user", "a")
    assert scan_service.scan(code.code, first.cookie).staff_id == "f"
    told("delete_user", "f")
    assert scan_service.scan(code.code).kind == "closed"  # said, instead of a code that leads to nobody


def test_a_code_may_spell_them_in_its_own_way(wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wecom, "user_get", lambda userid, **_: {"userid": "HUAhua", "name": "阿花"})
    code = code_of("HuaHua", "b")
    assert who(code) == {"huahua", "b"}
    told("delete_user", "huahua")
    assert who(code) == {"b"}


def test_older_news_change_nothing(wecom: FakeWeCom) -> None:
    code = code_of("a", "b")
    told("update_user", "a", NOON + LATER, Status=1)
    told("delete_user", "a", NOON + timedelta(seconds=1))
    assert who(code) == {"a", "b"} and staff.status("a") == 1


def test_an_accounts_limit_outlives_a_leave(wecom: FakeWeCom, at: At) -> None:
    code = code_of("a", "b")
    roster.limit("a", StaffLimits(started_at=DAY, daily_cap=7), SYSTEM)
    told("delete_user", "a")
    assert staff.has_left("a") and staff.status("a") == 5
    at(NOON + LATER)
    told("update_user", "a", NOON + LATER, Status=1)
    assert not staff.has_left("a") and roster.get("a", SYSTEM).daily_cap == 7
    assert staff.account_caps(["a"], NOON + LATER) == {"a": (DAY, 7)}
    roster.limit("a", StaffLimits(started_at=None, daily_cap=None), SYSTEM)
    assert staff.account_caps(["a"], NOON + LATER) == {} and who(code) == {"a", "b"}


def test_a_new_member_has_not_the_name_of_who_had_the_userid(
    wecom: FakeWeCom, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    code_of("a", "b")
    told("delete_user", "a")
    monkeypatch.setattr(wecom, "user_get", lambda userid, **_: {"userid": userid, "name": "新人"})
    at(NOON + LATER)
    told("create_user", "a", NOON + LATER)
    assert (staff.find_name("a"), staff.status("a"), staff.has_left("a")) == ("新人", 1, False)
    told("create_user", "b", NOON - LATER)  # told late
    assert staff.find_name("b") == "B女士"


def test_a_member_s_new_name(wecom: FakeWeCom) -> None:
    code_of("a", "b")
    assert staff.find_name("a") == "A女士"
    told("update_user", "a", NOON + LATER, Name="阿花")
    told("update_user", "stranger", NOON + LATER, Name="阿花")
    assert staff.find_name("a") == "阿花" and StaffItem.find("stranger") is None


def test_who_was_refused_as_unknown_and_has_left_is_said_to_have_left(wecom: FakeWeCom) -> None:
    code_of("a", "b")
    problems.note("a", problems.UNKNOWN)
    assert problems.known(["a"]) == {"a": "member_unknown"}
    told("delete_user", "a")
    assert problems.known(["a"]) == {"a": "member_left"} and roster.get("a", SYSTEM).problem == "member_left"


def test_other_changes_and_strangers_are_only_recorded(wecom: FakeWeCom) -> None:
    code_of("a", "b")
    before = roster.get("a", SYSTEM)
    told("update_user", "a", Department="12")
    told("update_user", "stranger", Status=5)
    told("create_party", "")
    assert roster.get("a", SYSTEM) == before
    told("update_user", "newcomer", Status=1)
    assert StaffItem.find("newcomer") is None and not staff.has_left("stranger")
    assert [row.staff_id for row in roster.page(StaffQuery(), SYSTEM).items] == ["a", "b"]
    assert staff.name("stranger") == "stranger"
    with pytest.raises(NotFound):
        roster.get("stranger", SYSTEM)


@pytest.mark.parametrize("spelt", ["a", "A"])
@pytest.mark.parametrize("before", [False, True])
def test_who_leaves_while_wecom_is_asked_for_them_has_left(
    wecom: FakeWeCom, at: At, monkeypatch: pytest.MonkeyPatch, spelt: str, before: bool
) -> None:
    answers: list[Any] = [{"userid": spelt, "name": "阿花", "status": 1}]

    def user_get(userid: str, **_: Any) -> Any:
        if not answers:
            raise WeComError("user/get", 60111)
        answer = answers.pop()
        if not answers:  # it was true when it was asked for
            told("delete_user", spelt)
        return answer

    if before:
        staff.learn("a")
        at(NOON + timedelta(days=2))
    monkeypatch.setattr(wecom, "user_get", user_get)
    with pytest.raises(WeComError):
        staff.learn("a")
    assert staff.has_left("a")
    at(NOON + timedelta(days=3))
    told("update_user", spelt, NOON + timedelta(days=3), Status=1)
    assert not staff.has_left("a")


def test_who_is_disabled_in_the_second_in_which_wecom_is_asked_is_back_when_they_are(
    wecom: FakeWeCom, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff.learn("a")
    later = NOON + timedelta(days=2, milliseconds=500)
    at(later)
    answers = [1, 2]

    def user_get(userid: str, **_: Any) -> Any:
        if len(answers) == 2:
            told("update_user", "a", later, Status=2)
        return {"userid": userid, "name": "阿花", "status": answers.pop(0)}

    monkeypatch.setattr(wecom, "user_get", user_get)
    staff.learn("a")
    assert staff.has_left("a") and staff.status("a") == 2
    told("update_user", "a", later + LATER, Status=1)
    assert not staff.has_left("a")


def test_who_is_disabled_right_after_wecom_was_asked_is_so(wecom: FakeWeCom, at: At) -> None:
    at(NOON + timedelta(milliseconds=500))
    staff.learn("a")
    told("update_user", "a", NOON, Status=2)  # WeCom tells whole seconds
    assert staff.has_left("a")


def test_a_lost_event_is_found_out_when_wecom_is_asked(
    wecom: FakeWeCom, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of("a", "b")

    def gone(userid: str, **_: Any) -> Any:
        raise WeComError("user/get", 60111)

    monkeypatch.setattr(wecom, "user_get", gone)
    at(NOON + timedelta(days=2))
    with pytest.raises(WeComError):
        staff.learn("a")
    assert staff.has_left("a") and who(code) == {"b"}
