"""Contact ways are counted and deleted when nobody needs them; when all are used up, the old ones serve."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.assignments import confirmation, native_list
from chalicelib.contactways import cleanup, making, native_code, usage
from chalicelib.contactways import service as contactways
from chalicelib.contactways.models import ContactWayItem
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock, due, works
from chalicelib.platform.errors import Exhausted, Upstream
from chalicelib.platform.storage import Transaction
from chalicelib.scans import service as scan_service
from chalicelib.wecom.errors import AnswerLost, WeComError
from tests.support.scan_support import NOON, FakeWeCom, complete, definition, new_process

DAY = timedelta(days=1)
GRACE = DAY + timedelta(minutes=10)
At = Callable[[datetime], None]


@pytest.fixture
def wecom(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()


def until(moment: datetime, at: At) -> None:
    """Let pass what falls due by then."""
    while waiting := [row for row in due.DueItem.scan() if clock.parse(row.due_at) <= moment]:
        for row in sorted(waiting, key=lambda row: row.due_at):
            at(max(clock.now(), clock.parse(row.due_at)))
            works.do({"kind": row.kind, **row.work})
            row.delete()
    at(moment)


def code_of(*staff_ids: str, **rest: Any) -> livecodes.LiveCode:
    """A code with the way of each member made."""
    made = livecodes.create(definition(*({"staff_id": s} for s in staff_ids), **rest))
    for staff_id in staff_ids:
        contactways.make_ahead(made.live_code_id, staff_id)
    return made


def members(*staff_ids: str) -> dict[str, Any]:
    return {"assignment": {"members": [{"staff_id": s} for s in staff_ids]}}


def users(wecom: FakeWeCom) -> list[str]:
    return sorted(way["user"][0] for way in wecom.ways.values())


def in_use() -> int:
    return int(usage.in_use().in_use)


def test_the_way_of_one_who_left_is_deleted_after_its_grace(wecom: FakeWeCom, at: At) -> None:
    code = code_of("a", "b")
    other = code_of("a")
    livecodes.change(code.live_code_id, members("b"), complete)
    until(NOON + GRACE - timedelta(seconds=1), at)
    assert users(wecom) == ["a", "a", "b"]
    until(NOON + GRACE + timedelta(seconds=10), at)
    assert users(wecom) == ["a", "b"]
    assert contactways.find_way(contactways.state_of(code.live_code_id, "b"))
    assert contactways.find_way(contactways.state_of(other.live_code_id, "a"))
    assert ContactWayItem.find(contactways.state_of(code.live_code_id, "a")) is None
    assert in_use() == 2


def test_nothing_of_one_who_came_back_is_deleted_and_a_new_leave_has_its_own_grace(
    wecom: FakeWeCom, at: At
) -> None:
    code = code_of("a", "b")
    livecodes.change(code.live_code_id, members("b"), complete)
    at(NOON + DAY)
    livecodes.change(code.live_code_id, members("a", "b"), complete)
    until(NOON + 5 * DAY, at)
    assert users(wecom) == ["a", "b"]
    livecodes.change(code.live_code_id, members("b"), complete)
    until(NOON + 5 * DAY + GRACE + timedelta(seconds=10), at)
    assert users(wecom) == ["b"]
    again = livecodes.change(code.live_code_id, members("a", "b"), complete)
    assert contactways.way(again, "a").qr_url  # made anew, not remembered
    assert users(wecom) == ["a", "b"]


def test_one_who_comes_back_while_the_clean_up_is_at_it_keeps_the_way(
    wecom: FakeWeCom, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of("a", "b")
    livecodes.change(code.live_code_id, members("b"), complete)
    needed = cleanup._needed

    def slow(live_code: Any, row: Any, native: bool) -> bool:
        told = needed(live_code, row, native)
        if row.staff_id == "a":
            livecodes.change(code.live_code_id, members("a", "b"), complete)
        return told

    monkeypatch.setattr(cleanup, "_needed", slow)
    until(NOON + GRACE, at)
    monkeypatch.setattr(cleanup, "_needed", needed)
    until(NOON + 3 * GRACE, at)
    assert users(wecom) == ["a", "b"]
    assert in_use() == 2


def test_an_archived_codes_ways_go_its_native_one_a_month_later(wecom: FakeWeCom, at: At) -> None:
    code = code_of("a", "b")
    livecodes.change(code.live_code_id, {"printing": "native"}, complete)
    native_list.keep_in_step(code.live_code_id)
    assert in_use() == 3
    livecodes.archive(code.live_code_id)
    until(NOON + 2 * DAY, at)
    assert [way["type"] for way in wecom.ways.values()] == [2]
    assert contactways.find_way(native_code.state_of(code.live_code_id))
    until(NOON + 30 * DAY - timedelta(seconds=1), at)
    assert len(wecom.ways) == 1
    until(NOON + 30 * DAY + timedelta(seconds=1), at)
    assert (wecom.ways, in_use()) == ({}, 0)


def test_a_code_that_is_opened_again_keeps_its_ways_but_not_those_of_who_had_left(
    wecom: FakeWeCom, at: At
) -> None:
    code = code_of("a", "b")
    livecodes.change(code.live_code_id, members("a"), complete)
    livecodes.archive(code.live_code_id)
    at(NOON + timedelta(hours=1))
    livecodes.restore(code.live_code_id)
    until(NOON + 40 * DAY, at)
    assert users(wecom) == ["a"]
    assert in_use() == 1


def test_a_change_of_kind_is_cleaned_up_after_though_the_code_is_changed_again(
    wecom: FakeWeCom, at: At
) -> None:
    code = livecodes.create(definition(kind="nearest_store", fallback=("f",)))
    for guide in ("s1", "s2"):  # of stores that were scanned
        contactways.way(code, guide)
    livecodes.change(code.live_code_id, {"name": "Renamed"}, complete)
    until(NOON + 2 * DAY, at)
    assert users(wecom) == ["s1", "s2"]
    livecodes.change(code.live_code_id, {"kind": "staff"}, complete)
    livecodes.change(code.live_code_id, {"name": "Renamed again"}, complete)
    until(NOON + 4 * DAY, at)
    assert (users(wecom), in_use()) == ([], 0)


def test_who_comes_back_to_a_code_that_became_native_is_not_shown_the_guides_own_way(
    wecom: FakeWeCom, at: At
) -> None:
    code = code_of("a")
    got = scan_service.scan(code.code)
    tx = Transaction()
    confirmation.confirm(tx, code, "a", "wm1", clock.now())
    tx.commit()
    livecodes.change(code.live_code_id, {"printing": "native"}, complete)
    native_list.keep_in_step(code.live_code_id)
    until(NOON + GRACE - timedelta(minutes=1), at)
    scan_service.scan(code.code, got.cookie)
    until(NOON + GRACE + timedelta(minutes=1), at)
    (way,) = wecom.ways.values()
    assert way["type"] == 2
    assert scan_service.scan(code.code, got.cookie).qr_url == way["qr_code"]
    new_process()
    assert scan_service.scan(code.code, got.cookie).qr_url == way["qr_code"]
    assert in_use() == 1


def test_members_of_a_code_that_became_native_need_no_way_each(wecom: FakeWeCom, at: At) -> None:
    code = code_of("a", "b")
    livecodes.change(code.live_code_id, {"printing": "native"}, complete)
    native_list.keep_in_step(code.live_code_id)
    until(NOON + 2 * DAY, at)
    (way,) = wecom.ways.values()
    assert (way["type"], way["user"]) == (2, ["a", "b"])


def test_a_code_that_is_used_keeps_its_ways(wecom: FakeWeCom, at: At) -> None:
    code = code_of("a", "b")
    livecodes.change(code.live_code_id, {"channel": "counter"}, complete)
    until(NOON + 40 * DAY, at)
    assert len(wecom.ways) == 2
    assert wecom.calls["del_contact_way"] == 0


def test_what_is_gone_at_wecom_is_deleted_and_twice_is_once(wecom: FakeWeCom, at: At) -> None:
    code = code_of("a")
    wecom.ways.clear()
    livecodes.archive(code.live_code_id)
    waiting = [row.work for row in due.DueItem.scan() if row.kind == "way_cleanup"]
    at(NOON + 2 * DAY)
    for work in [*waiting, *waiting]:
        works.do({"kind": "way_cleanup", **work})
    until(NOON + 3 * DAY, at)
    assert wecom.calls["del_contact_way"] == 1
    assert in_use() == 0


def test_a_way_whose_making_never_ended_is_looked_for_and_deleted(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}))
    wecom.fail["add_contact_way"] = [AnswerLost("add"), AnswerLost("add")]
    for staff_id in "ab":
        with pytest.raises(AnswerLost):
            contactways.way(code, staff_id)
    late = {"state": contactways.state_of(code.live_code_id, "a"), "qr_code": "https://late", "user": ["a"]}
    wecom.ways["late"] = late  # carried out after all
    assert in_use() == 2
    livecodes.archive(code.live_code_id)
    until(NOON + 2 * DAY, at)
    assert (wecom.ways, in_use()) == ({}, 0)


def test_many_ways_are_worked_off_in_parts(wecom: FakeWeCom, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "_AT_ONCE", 2)
    code = code_of(*"abcde")
    livecodes.change(code.live_code_id, members("c"), complete)
    until(NOON + 2 * DAY, at)
    assert users(wecom) == ["c"]
    assert in_use() == 1


# Counted, and used up


def test_a_refusal_counts_nothing(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    wecom.fail["add_contact_way"] = [Upstream("not reached"), WeComError("add", 40003)]
    for _ in range(2):
        with pytest.raises(Upstream):
            contactways.way(code, "a")
    assert in_use() == 0
    contactways.way(code, "a")
    assert msgspec.to_builtins(usage.in_use()) == {
        "in_use": 1,
        "limit": 500_000,
        "left": 499_999,
        "by_kind": {"staff": 1, "native": 0, "group": 0},
    }


def test_nearly_used_up_is_said(wecom: FakeWeCom, capsys: pytest.CaptureFixture[str]) -> None:
    code_of("a")
    assert "ContactWaysInUse" not in capsys.readouterr().out
    ContactWayItem("#group#3").update(actions=[ContactWayItem.ways.set(449_999)])
    code_of("a")
    assert '"ContactWaysInUse":[450001.0]' in capsys.readouterr().out
    assert usage.in_use().left == 49_999


def test_used_up_a_scan_gets_one_who_has_a_way_and_wecom_is_not_asked_again_at_once(
    wecom: FakeWeCom, at: At
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}, {"staff_id": "c"}))
    contactways.way(code, "c")
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 41045)]
    assert {scan_service.scan(code.code).staff_id for _ in range(6)} == {"c"}
    assert wecom.calls["add_contact_way"] == 2
    assert in_use() == 1
    with pytest.raises(Exhausted) as told:
        contactways.way(code, "a")
    assert "500,000" in str(told.value)
    works.do({"kind": "contact_way", "live_code_id": code.live_code_id, "staff_id": "a"})
    at(NOON + making._REFUSED_FOR)
    assert {scan_service.scan(code.code).staff_id for _ in range(6)} == {"a", "b", "c"}


def test_used_up_with_nobody_who_has_a_way_is_told(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 41045)]
    with pytest.raises(usage.UsedUp):
        scan_service.scan(code.code)
