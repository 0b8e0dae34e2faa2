"""Scans: who gets what, what is written, and how little it takes."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.assignments import confirmation, reservations
from chalicelib.assignments import lapse as lapses
from chalicelib.assignments import service as assignment_service
from chalicelib.assignments import types as assignment_types
from chalicelib.assignments.models import AssignmentItem, member_key
from chalicelib.contactways import service as contactways
from chalicelib.livecodes import listing
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.types import LiveCodesQuery
from chalicelib.platform import due, lists, timeline
from chalicelib.platform.errors import Conflict, NotFound, Upstream
from chalicelib.platform.principal import SYSTEM
from chalicelib.platform.storage import Busy, Transaction
from chalicelib.scans import service as scan_service
from chalicelib.wecom.errors import AnswerLost, WeComError
from tests.support.scan_support import (
    DAY,
    NOON,
    FakeWeCom,
    complete,
    definition,
    listed,
    new_process,
    requests,
    statuses,
    taken,
)

At = Callable[[datetime], None]


@pytest.fixture
def wecom(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()


def test_a_scan_reserves_a_place_and_says_so(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "lihua", "daily_cap": 2}, tags=["渠道/包裹卡"]))
    got = scan_service.scan(code.code)
    assert (got.kind, got.staff_id) == ("staff", "lihua")
    assert got.expires_at == NOON + timedelta(minutes=10)
    assert got.qr_url == wecom.ways["cfg0"]["qr_code"]
    assert taken(code.live_code_id, "lihua") == taken(code.live_code_id, "lihua", "total") == 1
    subject = f"scan#{got.assignment_id}"
    (line,), _ = timeline.read(subject)
    assert line["type"] == "scanned"
    assert line["data"] == {
        "live_code_id": code.live_code_id,
        "channel": "parcel",
        "staff_id": "lihua",
        "assignment_id": got.assignment_id,
        "why": "member",
    }
    (waiting,) = due.read(NOON + timedelta(minutes=10), NOON + timedelta(minutes=10))
    assert (waiting.kind, waiting.work["kind"]) == ("lapse", "lapse")
    (row,), cursor = listed(code.live_code_id, 50, None)
    assert cursor is None
    assert row["status"] == "reserved"
    assert row["why"]["candidates"] == ["lihua"]
    assert row["why"]["ticket"] == 1


def test_the_contact_way_is_asked_for_as_wecom_wants_it(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "lihua"}, name="长" * 40, skip_verify=False))
    scan_service.scan(code.code)
    (way,) = wecom.ways.values()
    assert (way["type"], way["scene"], way["user"]) == (1, 2, ["lihua"])
    assert way["skip_verify"] is False
    assert way["remark"] == "长" * 30
    assert len(way["state"]) <= 30
    found = contactways.find_way(way["state"])
    assert found is not None
    assert (found.live_code_id, found.staff_id) == (code.live_code_id, "lihua")
    assert contactways.find_way("mrnobody") is None


def test_a_warm_scan_is_two_requests(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 99}, {"staff_id": "b"}))
    for _ in range(2):
        scan_service.scan(code.code)
    at(NOON + timedelta(seconds=30))
    asked = requests()
    scan_service.scan(code.code)
    assert "PutItem" not in asked and asked.count("TransactWriteItems") == 2  # a second way is made
    for _ in range(9):  # until all five ways of both are held
        scan_service.scan(code.code)
    asked.clear()
    scan_service.scan(code.code)
    assert asked == ["UpdateItem", "TransactWriteItems"]
    at(NOON + timedelta(minutes=11))  # and when they are free
    scan_service.scan(code.code)
    asked.clear()
    asked = requests()
    scan_service.scan(code.code)
    assert asked == ["UpdateItem", "TransactWriteItems"]


def test_least_loaded_reads_the_places_besides_and_evens_them_out(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}, strategy="least_loaded"))
    for _ in range(3):
        tx = Transaction()
        assert confirmation.confirm(tx, code, "a", "wm1", NOON) is None
        tx.commit()
    for slot in range(4):
        contactways.way(code, "b", slot)
    scan_service.scan(code.code)
    asked = requests()
    got = [scan_service.scan(code.code).staff_id for _ in range(2)]
    assert got == ["b", "b"]
    assert asked[:3] == ["UpdateItem", "BatchGetItem", "TransactWriteItems"]
    assert len(asked) == 6


def test_caps_then_fallback_and_tomorrow_again(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(
        definition({"staff_id": "a", "daily_cap": 2}, {"staff_id": "b", "daily_cap": 1}, fallback=("f",))
    )
    got = Counter(scan_service.scan(code.code).staff_id for _ in range(6))
    assert got == {"a": 2, "b": 1, "f": 3}
    at(NOON + timedelta(hours=12, minutes=1))  # midnight in Shanghai has passed
    assert Counter(scan_service.scan(code.code).staff_id for _ in range(4)) == {"a": 2, "b": 1, "f": 1}


def test_a_total_cap_holds_over_the_days_also_when_it_is_set_later(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, fallback=("f",)))
    for _ in range(2):
        scan_service.scan(code.code)
    members = [{"staff_id": "a", "total_cap": 3}]
    livecodes.change(code.live_code_id, {"assignment": {"members": members}}, complete)
    at(NOON + timedelta(days=1))
    assert [scan_service.scan(code.code).staff_id for _ in range(3)] == ["a", "f", "f"]


def test_all_full_and_no_fallback_is_closed_and_reserves_nothing(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1}))
    scan_service.scan(code.code)
    assert scan_service.scan(code.code) == assignment_types.CLOSED
    assert statuses(code.live_code_id, "a") == {"reserved": 1}


def test_a_cap_of_nought_is_a_member_on_leave(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 0}, {"staff_id": "b"}))
    assert {scan_service.scan(code.code).staff_id for _ in range(3)} == {"b"}


def test_a_fallback_who_is_a_member_keeps_the_members_cap(wecom: FakeWeCom) -> None:
    away = [{"weekdays": [7], "from": "09:00", "to": "18:00"}]
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1, "hours": away}, fallback=("a",)))
    assert [scan_service.scan(code.code).kind for _ in range(2)] == ["staff", "closed"]


def test_out_of_hours_somebody_gets_it_all_the_same(wecom: FakeWeCom) -> None:
    away = [{"weekdays": [7], "from": "09:00", "to": "18:00"}]
    code = livecodes.create(definition({"staff_id": "a", "hours": away}))
    scan_service.scan(code.code)
    (row,), _ = listed(code.live_code_id, 5, None)
    assert row["why"]["kind"] == "off_hours"


def test_a_change_is_seen_by_the_very_next_scan_of_every_process(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    assert scan_service.scan(code.code).staff_id == "a"
    kept = dict(livecodes._configs)
    livecodes.change(code.live_code_id, {"assignment": {"members": [{"staff_id": "b"}]}}, complete)
    livecodes._configs.update(kept)  # another process, which still keeps the old one
    assert scan_service.scan(code.code).staff_id == "b"
    livecodes.change(
        code.live_code_id, {"schedule": {"until": (NOON + timedelta(hours=1)).isoformat()}}, complete
    )
    assert scan_service.scan(code.code).kind == "staff"
    at(NOON + timedelta(hours=1))
    assert scan_service.scan(code.code).kind == "closed"
    livecodes.change(code.live_code_id, {"schedule": None}, complete)
    assert scan_service.scan(code.code).kind == "staff"
    livecodes.archive(code.live_code_id)
    assert scan_service.scan(code.code).kind == "closed"
    assert livecodes.get(code.live_code_id).active is False
    with pytest.raises(Conflict):
        livecodes.change(code.live_code_id, {"name": "again"}, complete)


def test_two_changes_at_once_clash(wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))

    def meanwhile(merged: Any) -> dict[str, Any]:
        livecodes.change(code.live_code_id, {"name": "first"}, complete)
        return complete(merged)

    with pytest.raises(Conflict):
        livecodes.change(code.live_code_id, {"name": "second"}, meanwhile)
    assert livecodes.get(code.live_code_id).name == "first"
    assert scan_service.scan(code.code).kind == "staff"


@pytest.mark.parametrize("code", ["", "nothere2", "a/b", "0OIl0OIl", "x" * 500, "%00"])
def test_an_unknown_code_is_not_found(wecom: FakeWeCom, code: str) -> None:
    with pytest.raises(NotFound):
        scan_service.scan(code)


def test_the_same_person_within_the_reservation_gets_the_same_and_nothing_is_written(
    wecom: FakeWeCom,
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}, sticky=False))
    first = scan_service.scan(code.code)
    asked = requests()
    assert scan_service.scan(code.code, first.cookie) == first
    assert set(asked) == {"GetItem"}
    assert len(asked) == 2


def confirmed(code: livecodes.LiveCode, staff_id: str, at: datetime = NOON) -> str | None:
    tx = Transaction()
    found = confirmation.confirm(tx, code, staff_id, "wm1", at)
    tx.commit()
    return found.assignment_id if found else None


def test_one_who_was_added_gets_the_same_guide_and_no_place(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1}, {"staff_id": "b"}))
    first = scan_service.scan(code.code)
    assert confirmed(code, str(first.staff_id)) == first.assignment_id
    at(NOON + timedelta(days=30))
    again = scan_service.scan(code.code, first.cookie)
    assert (again.staff_id, again.assignment_id, again.expires_at) == (
        first.staff_id,
        first.assignment_id,
        None,
    )
    assert taken(code.live_code_id, str(first.staff_id), "total") == 1


def test_one_whose_reservation_lapsed_gets_the_same_guide_anew(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition(*({"staff_id": s} for s in "abcd")))
    first = scan_service.scan(code.code)
    lapses.lapse(code.live_code_id, str(first.staff_id), str(first.assignment_id))
    at(NOON + timedelta(hours=1))
    again = scan_service.scan(code.code, first.cookie)
    assert again.staff_id == first.staff_id
    assert again.assignment_id != first.assignment_id
    assert taken(code.live_code_id, str(first.staff_id)) == 1


def test_without_sticky_only_the_open_reservation_counts(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}, sticky=False))
    first = scan_service.scan(code.code)
    confirmed(code, str(first.staff_id))
    assert scan_service.scan(code.code, first.cookie).staff_id != first.staff_id


def test_whoever_has_left_the_code_is_not_given_again(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    first = scan_service.scan(code.code)
    livecodes.change(code.live_code_id, {"assignment": {"members": [{"staff_id": "b"}]}}, complete)
    assert scan_service.scan(code.code, first.cookie).staff_id == "b"


@pytest.mark.parametrize(
    "cookie", ["", ".", "x.y", "01ARZ3NDEKTSV4RRFFQ69G5FAV.a", "01ARZ3NDEKTSV4RRFFQ69G5FAV."]
)
def test_a_made_up_cookie_is_a_new_person(wecom: FakeWeCom, cookie: str) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    assert scan_service.scan(code.code, cookie).staff_id == "a"


def test_a_member_wecom_refuses_does_not_cost_the_customer(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}))
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 41054)]
    assert scan_service.scan(code.code).staff_id == "b"
    assert taken(code.live_code_id, "a") == 0


def test_wecom_refuses_everybody(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 41054)]
    with pytest.raises(WeComError):
        scan_service.scan(code.code)


def test_wecom_down_reserves_nothing_and_works_again(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    wecom.fail["add_contact_way"] = [Upstream("down")]
    with pytest.raises(Upstream):
        scan_service.scan(code.code)
    assert taken(code.live_code_id, "a") == 0
    assert scan_service.scan(code.code).staff_id == "a"


def refusal(errcode: int) -> WeComError:
    return WeComError("externalcontact/add_contact_way", errcode)


LOST = AnswerLost("externalcontact/add_contact_way")
PASSING = [refusal(45009), refusal(45033), refusal(40001), refusal(60020), LOST, Upstream("down")]


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_while_wecom_makes_no_ways_customers_get_those_who_have_one(
    wecom: FakeWeCom, error: Exception
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}, {"staff_id": "c"}))
    contactways.way(code, "c")
    new_process()
    wecom.fail["add_contact_way"] = [error] * 9
    scans = [scan_service.scan(code.code) for _ in range(6)]
    assert {scan.staff_id for scan in scans} == {"c"}
    assert taken(code.live_code_id, "c") == 6
    assert taken(code.live_code_id, "a") == taken(code.live_code_id, "b") == 0
    asked = wecom.calls["add_contact_way"] - 1
    # Those who have none are asked for once a scan at most, under a quota's block not at all.
    assert asked <= (1 if "45009" in str(error) else 6)
    why = msgspec.to_builtins(assignment_service.get(str(scans[0].assignment_id)))["why"]
    assert set(why["refused"]) == {"a", "b"}


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_while_wecom_makes_no_ways_and_nobody_has_one_it_is_asked_once_a_scan(
    wecom: FakeWeCom, error: Exception
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}, fallback=("f",)))
    wecom.fail["add_contact_way"] = [error]
    with pytest.raises(Upstream):
        scan_service.scan(code.code)
    assert wecom.calls["add_contact_way"] == 1
    assert [taken(code.live_code_id, one) for one in "abf"] == [0, 0, 0]


def test_a_quotas_block_is_waited_for(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    wecom.fail["add_contact_way"] = [refusal(45009)]
    for _ in range(3):
        with pytest.raises(WeComError):
            scan_service.scan(code.code)
    assert wecom.calls["add_contact_way"] == 1
    at(NOON + timedelta(seconds=60))
    assert scan_service.scan(code.code).staff_id == "a"


def test_a_store_that_is_busy_is_not_taken_for_a_refusal(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}))
    for staff_id in "ab":
        contactways.way(code, staff_id)

    def busy(self: Transaction) -> None:
        raise Busy("the store is busy")

    monkeypatch.setattr(Transaction, "commit", busy)
    with pytest.raises(Busy):
        scan_service.scan(code.code)


def test_a_place_given_back_by_another_process_is_found_at_once_when_all_are_full(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1}))
    first = scan_service.scan(code.code)
    assert scan_service.scan(code.code).kind == "closed"
    hints = dict(reservations._hints)
    lapses.lapse(code.live_code_id, "a", str(first.assignment_id))
    reservations._hints.update(hints)
    assert hints
    assert scan_service.scan(code.code).staff_id == "a"


def test_a_place_given_back_is_found_after_five_seconds_when_there_is_a_fallback(
    wecom: FakeWeCom, at: At
) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1}, fallback=("f",)))
    first = scan_service.scan(code.code)
    assert scan_service.scan(code.code).staff_id == "f"
    hints = dict(reservations._hints)
    lapses.lapse(code.live_code_id, "a", str(first.assignment_id))
    reservations._hints.update(hints)
    at(NOON + timedelta(seconds=6))
    assert scan_service.scan(code.code).staff_id == "a"


def test_assignments_are_merged_newest_first_page_by_page_with_former_members(
    wecom: FakeWeCom, at: At
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}))
    made = []
    for second in range(5):
        at(NOON + timedelta(seconds=second))
        made.append(scan_service.scan(code.code).assignment_id)
    livecodes.change(code.live_code_id, {"assignment": {"members": [{"staff_id": "c"}]}}, complete)
    at(NOON + timedelta(seconds=5))
    made.append(scan_service.scan(code.code).assignment_id)
    seen, cursor = [], None
    for _ in range(3):
        rows, cursor = listed(code.live_code_id, 2, cursor)
        seen += [row["assignment_id"] for row in rows]
    assert seen == made[::-1]
    assert cursor is None


def test_the_code_is_listed_until_it_is_archived(wecom: FakeWeCom, at: At) -> None:
    made = []
    for second in range(3):
        at(NOON + timedelta(seconds=second))
        made.append(livecodes.create(definition({"staff_id": "a"})).live_code_id)

    def listed(**query: Any) -> lists.Page[livecodes.LiveCode]:
        return listing.list_codes(LiveCodesQuery(**query), SYSTEM)

    first = listed(limit=2)
    rest = listed(limit=2, cursor=first.next_cursor)
    assert [c.live_code_id for c in (*first.items, *rest.items)] == made[::-1]
    assert (first.total, first.total_is, rest.next_cursor) == (3, "exact", None)
    livecodes.archive(made[1])
    livecodes.archive(made[1])  # twice is once
    assert [c.live_code_id for c in listed().items] == [made[2], made[0]]
    assert [c.live_code_id for c in listed(status="archived").items] == [made[1]]


def test_creating_asks_for_ways_and_names_ahead(wecom: FakeWeCom, sent: list[Any]) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, fallback=("f",)))
    asked = [(queue, message["kind"], message["staff_id"]) for queue, message, _ in sent]
    assert asked == [("assign", "contact_way", "a"), ("assign", "contact_way", "f")]
    assert sent[0][1]["live_code_id"] == code.live_code_id


def test_a_code_is_made_though_the_queue_is_down(wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any) -> None:
        raise Upstream("no queue")

    monkeypatch.setattr("chalicelib.platform.queues.send_all", down)
    assert scan_service.scan(livecodes.create(definition({"staff_id": "a"})).code).staff_id == "a"


def test_the_day_of_a_place_is_the_codes_own(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, timezone="America/New_York"))
    at(datetime(2026, 11, 23, 4, 30, tzinfo=UTC))
    scan_service.scan(code.code)
    assert taken(code.live_code_id, "a", "2026-11-22") == 1
    assert taken(code.live_code_id, "a", DAY) == 0
    row = next(iter(AssignmentItem.query(member_key(code.live_code_id, "a"))))
    assert row.day == "2026-11-22"
