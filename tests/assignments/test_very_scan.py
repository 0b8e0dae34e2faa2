"""An add leads to its very scan: a guide's ways are a pool, and each open reservation has one to itself."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest

from chalicelib.assignments import confirmation, pooled_ways
from chalicelib.assignments import lapse as lapses
from chalicelib.assignments import service as assignment_service
from chalicelib.assignments import types as assignment_types
from chalicelib.assignments.models import PlaceItem, member_key
from chalicelib.contactways import service as contactways
from chalicelib.contactways import usage
from chalicelib.contactways.models import ContactWayItem
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.scans import service as scan_service
from chalicelib.wecom.errors import WeComError
from tests.support.scan_support import NOON, FakeWeCom, definition, listed, new_process, requests, taken

At = Callable[[datetime], None]


@pytest.fixture
def wecom(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()


def add(
    code: livecodes.LiveCode,
    wecom: FakeWeCom,
    scan: assignment_types.Scan,
    who: str = "wm1",
    origin: dict[str, Any] | None = None,
    when: datetime | None = None,
) -> str | None:
    """The person adds by the picture they were shown, and the callback brings its state."""
    (state,) = (way["state"] for way in wecom.ways.values() if way["qr_code"] == scan.qr_url)
    way = contactways.find_way(state)
    assert way is not None and way.staff_id == scan.staff_id
    tx = Transaction()
    found = confirmation.confirm(tx, code, way.staff_id, who, when or clock.now(), way.slot)
    tx.commit()
    if found and origin is not None:
        origin.update(found.origin)
    return found.assignment_id if found else None


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_each_add_confirms_its_own_scan_in_whatever_order(wecom: FakeWeCom, order: tuple[int, ...]) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    scans = [scan_service.scan(code.code, origin={"card": n}) for n in range(3)]
    assert len({scan.qr_url for scan in scans}) == 3
    for n in order:
        assert add(code, wecom, scans[n], f"wm{n}") == scans[n].assignment_id
    rows, _ = listed(code.live_code_id, 9, None)
    assert {row["assignment_id"]: (row["external_userid"], row["origin"]) for row in rows} == {
        scan.assignment_id: (f"wm{n}", {"card": n}) for n, scan in enumerate(scans)
    }
    assert taken(code.live_code_id, "a") == taken(code.live_code_id, "a", "total") == 3


def test_the_first_ways_state_is_what_it_always_was(wecom: FakeWeCom) -> None:
    states = [contactways.state_of("lc_22222222", "lihua", slot) for slot in range(contactways.SLOTS)]
    assert states[0] == contactways.state_of("lc_22222222", "lihua") and len(states[0]) == 22
    assert len(set(states)) == contactways.SLOTS and all(len(state) <= 30 for state in states)
    told = [contactways.Way(state, "lc_22222222", "lihua", "").slot for state in states]
    assert told == list(range(contactways.SLOTS))
    assert contactways.Way("mn" + "a" * 20, "lc_22222222", "", "").slot is None


def test_a_way_is_made_only_when_the_ones_before_are_held_and_used_again_after(
    wecom: FakeWeCom, at: At
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    first, second = scan_service.scan(code.code), scan_service.scan(code.code)
    add(code, wecom, first)  # frees the first way
    new_process()
    assert scan_service.scan(code.code).qr_url == first.qr_url
    at(NOON + timedelta(minutes=11))  # all three are over, lapsed or not
    assert scan_service.scan(code.code).qr_url == first.qr_url
    assert scan_service.scan(code.code).qr_url == second.qr_url
    assert wecom.calls["add_contact_way"] == 2


def test_another_process_that_knows_of_no_holder_looks_and_takes_the_next(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    mine = [scan_service.scan(code.code) for _ in range(2)]
    pooled_ways._held.clear()  # another process: it tries the first way, and is told
    other = scan_service.scan(code.code)
    assert len({scan.qr_url for scan in (*mine, other)}) == 3
    assert add(code, wecom, other) == other.assignment_id


def test_when_all_are_held_the_first_is_shared_and_the_holders_keep_theirs(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    scans = []
    for second in range(contactways.SLOTS + 2):
        at(NOON + timedelta(seconds=second))
        scans.append(scan_service.scan(code.code))
    assert wecom.calls["add_contact_way"] == contactways.SLOTS
    assert {scan.qr_url for scan in scans[contactways.SLOTS :]} == {scans[0].qr_url}
    exact = [
        msgspec.to_builtins(assignment_service.get(str(scan.assignment_id)))["why"]["exact"] for scan in scans
    ]
    assert exact == [True] * contactways.SLOTS + [False] * 2
    for scan in scans[1 : contactways.SLOTS]:
        assert add(code, wecom, scan) == scan.assignment_id
    # By the shared one: its holder, then the newest of those who share it, then nobody's.
    expected = [scans[0].assignment_id, scans[-1].assignment_id, scans[-2].assignment_id, None]
    assert [add(code, wecom, scans[0], f"wm{n}") for n in range(4)] == expected
    assert taken(code.live_code_id, "a") == contactways.SLOTS + 3


def test_an_add_by_an_old_picture_does_not_take_somebody_elses_reservation(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    first, second = scan_service.scan(code.code), scan_service.scan(code.code)
    assert add(code, wecom, first, "wm1") == first.assignment_id
    assert add(code, wecom, first, "wm2") is None  # a friend, to whom the picture was sent
    assert add(code, wecom, second, "wm3") == second.assignment_id


def test_an_add_after_its_lapse_is_still_that_scans_and_takes_a_place_anew(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 2}))
    scans = [scan_service.scan(code.code, origin={"card": n}) for n in range(2)]
    at(NOON + timedelta(minutes=11))
    for scan in scans:
        lapses.lapse(code.live_code_id, "a", str(scan.assignment_id))
    assert taken(code.live_code_id, "a") == 0
    origin = dict[str, Any]()
    assert add(code, wecom, scans[1], "wm1", origin) == scans[1].assignment_id
    assert origin == {"card": 1}
    assert taken(code.live_code_id, "a") == taken(code.live_code_id, "a", "total") == 1
    assert not lapses.lapse(code.live_code_id, "a", str(scans[1].assignment_id))
    told = msgspec.to_builtins(assignment_service.get(str(scans[1].assignment_id)))
    assert (told["status"], told["external_userid"]) == ("confirmed", "wm1")
    assert add(code, wecom, scans[1], "wm2") is None  # once
    assert taken(code.live_code_id, "a") == 2


def test_of_several_that_lapsed_by_one_way_none_is_guessed(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    scans = [scan_service.scan(code.code) for _ in range(contactways.SLOTS + 1)]
    assert scans[0].qr_url == scans[-1].qr_url
    at(NOON + timedelta(minutes=11))
    for scan in scans:
        lapses.lapse(code.live_code_id, "a", str(scan.assignment_id))
    assert add(code, wecom, scans[0], "wm1") is None
    assert add(code, wecom, scans[1], "wm2") == scans[1].assignment_id
    at(NOON + timedelta(minutes=71))
    assert add(code, wecom, scans[2], "wm3") is None  # too long ago
    assert taken(code.live_code_id, "a") == 3


def test_an_add_told_of_hours_later_is_its_own_scans_and_not_of_who_came_since(
    wecom: FakeWeCom, at: At
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    scans = []
    for minutes in (0, 20, 40, 180):
        at(NOON + timedelta(minutes=minutes))
        scans.append(scan_service.scan(code.code))
        if minutes < 180:
            lapses.lapse(code.live_code_id, "a", str(scans[-1].assignment_id))
    assert len({scan.qr_url for scan in scans}) == 1
    added_at = NOON + timedelta(minutes=25)
    assert add(code, wecom, scans[1], "wm1", when=added_at) == scans[1].assignment_id
    assert add(code, wecom, scans[3], "wm2") == scans[3].assignment_id


def test_two_who_add_late_by_one_way_confirm_it_once(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    scan = scan_service.scan(code.code)
    at(NOON + timedelta(minutes=11))
    lapses.lapse(code.live_code_id, "a", str(scan.assignment_id))
    first, second = Transaction(), Transaction()
    for tx, who in ((first, "wm1"), (second, "wm2")):
        confirmed = confirmation.confirm(tx, code, "a", who, NOON, 0)
        assert confirmed and confirmed.assignment_id == scan.assignment_id
    first.commit()
    with pytest.raises(ConditionFailed) as failed:
        second.commit()
    assert failed.value.names == {"assignment"}
    assert taken(code.live_code_id, "a") == 1


def test_a_lapse_does_not_free_what_another_has_taken_since(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    first = scan_service.scan(code.code)
    at(NOON + timedelta(minutes=11))
    second = scan_service.scan(code.code)
    assert second.qr_url == first.qr_url
    lapses.lapse(code.live_code_id, "a", str(first.assignment_id))
    row = PlaceItem.find(member_key(code.live_code_id, "a"), "total")
    assert pooled_ways.holder(row, 0) == second.assignment_id
    assert add(code, wecom, second) == second.assignment_id


def test_the_same_person_is_shown_the_same_way_again(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    scans = [scan_service.scan(code.code) for _ in range(3)]
    for scan in scans:
        assert scan_service.scan(code.code, scan.cookie) == scan


@pytest.mark.parametrize(
    "error", [Upstream("down"), WeComError("externalcontact/add_contact_way", 41045), usage.UsedUp()], ids=str
)
def test_no_further_way_is_no_reason_to_turn_anybody_away(wecom: FakeWeCom, at: At, error: Exception) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    first = scan_service.scan(code.code)
    wecom.fail["add_contact_way"] = [error]
    second = scan_service.scan(code.code)
    assert second.qr_url == first.qr_url
    asked = wecom.calls["add_contact_way"]
    assert scan_service.scan(code.code).qr_url == first.qr_url
    assert wecom.calls["add_contact_way"] == asked  # nobody waits for it again at once
    at(NOON + timedelta(minutes=1))
    assert scan_service.scan(code.code).qr_url != first.qr_url
    assert add(code, wecom, first) == first.assignment_id


def test_every_way_of_a_guide_is_told_of_a_change(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    for _ in range(2):
        scan_service.scan(code.code)
    for way in wecom.ways.values():
        way["remark"] = "old"
    for row in ContactWayItem.batch_get([contactways.state_of(code.live_code_id, "a", n) for n in range(2)]):
        row.remark = "old"
        row.save()
    contactways.make_ahead(code.live_code_id, "a")
    assert {(way["remark"], way["state"]) for way in wecom.ways.values()} == {
        ("Parcel card", contactways.state_of(code.live_code_id, "a", n)) for n in range(2)
    }


def test_a_hint_that_all_are_held_is_looked_up_after_a_while(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    scans = [scan_service.scan(code.code) for _ in range(contactways.SLOTS + 1)]
    add(code, wecom, scans[2])
    asked = requests()
    assert (
        scan_service.scan(code.code).qr_url == scans[0].qr_url
    )  # it takes them all for held, and asks nothing
    assert asked == ["UpdateItem", "TransactWriteItems"]
    at(NOON + timedelta(seconds=11))
    assert scan_service.scan(code.code).qr_url == scans[2].qr_url
