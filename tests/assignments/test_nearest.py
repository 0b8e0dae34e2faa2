"""Nearest store codes: who gets the one who says where they are."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.assignments import confirmation
from chalicelib.assignments import types as assignment_types
from chalicelib.assignments.models import AssignmentItem
from chalicelib.assignments.nearest_store import Where
from chalicelib.livecodes import rates
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.models import LiveCodeItem
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.platform.storage import Transaction
from chalicelib.scans import service as scan_service
from chalicelib.stores import maps
from chalicelib.stores.types import StoreOut
from tests.support.scan_support import NOON, FakeWeCom, definition, new_process, requests
from tests.support.stores_world import change_store, create_store, remove_store

At = Callable[[datetime], None]
HERE = Where(22.54, 113.93)
NIGHT = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": "22:00", "to": "06:00"}


def store(store_id: str, north: float = 0.0, **rest: Any) -> StoreOut:
    """A store so many degrees north of HERE (0.01 is 1.1 km)."""
    given = {
        "store_id": store_id,
        "name": f"{store_id}店",
        "city": "深圳",
        "address": "",
        "latitude": 22.54 + north,
        "longitude": 113.93,
        "datum": "gcj02",
        "staff_ids": [f"{store_id}-guide".lower()],
        "chat_ids": [],
        "hours": None,
        "status": "open",
    }
    return create_store(given | rest)


def code(*fallback: str, **given: Any) -> livecodes.LiveCode:
    rest = {name: given.pop(name) for name in ("sticky", "strategy") if name in given}
    return livecodes.create(definition(fallback=fallback, kind="nearest_store", stores=given, **rest))


def row(scan: assignment_types.Scan, live_code: livecodes.LiveCode) -> AssignmentItem:
    return AssignmentItem.get(f"{live_code.live_code_id}#{scan.staff_id}", scan.assignment_id)


@pytest.fixture
def wecom(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    new_process()
    maps.forget()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()
    maps.forget()


def test_a_scan_without_a_place_chooses_a_store_and_reserves_nothing(wecom: FakeWeCom) -> None:
    store("A")
    made = code()
    assert scan_service.scan(made.code) == assignment_types.Scan("choose_store")
    assert wecom.ways == {} and not list(AssignmentItem.by_code.query(f"{made.live_code_id}#0"))


def test_the_nearest_open_store_with_a_guide_who_has_room(wecom: FakeWeCom) -> None:
    store("SHUT", 0.001, status="closed")
    store("NIGHT", 0.002, hours=NIGHT)
    store("EMPTY", 0.003, staff_ids=[])
    store("NEAR", 0.01)
    store("NEXT", 0.02)
    made = code(daily_cap=1)
    first = scan_service.locate(made.code, HERE)
    assert (first.kind, first.store_id, first.staff_id) == ("staff", "NEAR", "near-guide")
    why = row(first, made).why
    assert why["distance_m"] == pytest.approx(1107, abs=2)
    assert why["skipped"] == [
        {"store_id": "SHUT", "reason": "closed"},
        {"store_id": "NIGHT", "reason": "closed"},
        {"store_id": "EMPTY", "reason": "no_staff"},
    ]
    assert row(first, made).listing.startswith(made.live_code_id + "#")
    second = scan_service.locate(made.code, HERE)
    assert second.store_id == "NEXT"
    assert row(second, made).why["skipped"][-1] == {"store_id": "NEAR", "reason": "full"}


def test_never_a_customer_with_nobody(wecom: FakeWeCom) -> None:
    store("NEAR", 0.01)
    store("NIGHT", 0.02, hours=NIGHT)
    store("FAR", 2.0)
    made = code("f", daily_cap=1, radius_m=5000)
    got = [scan_service.locate(made.code, HERE) for _ in range(3)]
    assert [scan.staff_id for scan in got] == ["near-guide", "f", "f"]
    assert got[1].store_id is None
    alone = code(daily_cap=1, radius_m=5000)
    got = [scan_service.locate(alone.code, HERE) for _ in range(4)]
    assert [scan.store_id for scan in got] == ["NEAR", "NIGHT", "FAR", None]
    assert got[-1] == assignment_types.Scan("closed")


def test_only_the_codes_stores_and_the_guides_in_turn(wecom: FakeWeCom) -> None:
    store("OTHER")
    store("MINE", 0.05, staff_ids=["a", "b", "c"])
    store("TOO", 0.06, staff_ids=["d", "e"])
    made = code(store_ids=["MINE", "TOO"])
    # Others scan between, and without saying where: the guides of each store still take turns.
    got = []
    for _ in range(3):
        scan_service.scan(made.code)
        got.append(scan_service.locate(made.code, HERE).staff_id)
        scan_service.locate(made.code, Where(store_id="TOO"))
    assert sorted(map(str, got)) == ["a", "b", "c"]
    with pytest.raises(Invalid) as wrong:
        scan_service.locate(made.code, Where(store_id="OTHER"))
    assert wrong.value.errors[0][0] == "store_id"


def test_the_chosen_store_also_when_it_is_closed_and_the_one_near_it_when_it_is_full(
    wecom: FakeWeCom,
) -> None:
    store("A", 0, hours=NIGHT)
    store("B", 1.0)
    store("C", 1.1)
    made = code(daily_cap=1)
    assert scan_service.locate(made.code, Where(store_id="A")).store_id == "A"
    assert scan_service.locate(made.code, Where(store_id="B")).store_id == "B"
    third = scan_service.locate(made.code, Where(store_id="B"))
    assert third.store_id == "C"
    assert row(third, made).why["from_chosen_m"] == pytest.approx(11_076, abs=10)
    assert third.distance_m is row(third, made).why["distance_m"] is None  # the person stands elsewhere


def test_who_comes_back_gets_the_same_guide_unless_they_choose_another_store(
    wecom: FakeWeCom, at: At
) -> None:
    store("A", staff_ids=["a", "b"])
    store("B", 0.1)
    made = code()
    first = scan_service.locate(made.code, HERE)
    assert (
        scan_service.locate(made.code, HERE, first.cookie)
        == first
        == scan_service.scan(made.code, first.cookie)
    )
    other = scan_service.locate(made.code, Where(store_id="B"), first.cookie)
    assert other.store_id == "B"
    tx = Transaction()
    assert confirmation.confirm(tx, made, str(first.staff_id), "wm1", NOON)
    tx.commit()
    at(NOON + timedelta(days=3))
    later = scan_service.scan(made.code, first.cookie)
    assert (later.assignment_id, later.staff_id, later.store_id) == (
        first.assignment_id,
        first.staff_id,
        "A",
    )
    left = [one for one in ("a", "b") if one != first.staff_id]
    change_store("A", {"staff_ids": left})
    assert scan_service.scan(made.code, first.cookie).kind == "choose_store"
    assert scan_service.locate(made.code, HERE, first.cookie).staff_id == left[0]


def test_a_guide_whom_the_code_names_keeps_hours_and_caps(wecom: FakeWeCom) -> None:
    store("A", staff_ids=["a", "b"])
    members = [{"staff_id": "a", "daily_cap": 1}]
    made = livecodes.create(definition(*members, kind="nearest_store", stores={"daily_cap": 2}))
    got = [scan_service.locate(made.code, HERE).staff_id for _ in range(4)]
    assert (got.count("a"), got.count("b"), got[-1]) == (1, 2, None)


def test_a_guide_whom_wecom_refuses_is_passed_over(wecom: FakeWeCom) -> None:
    from chalicelib.wecom.errors import WeComError

    store("A")
    store("B", 0.01)
    wecom.fail["add_contact_way"] = [WeComError(40098, "not activated")]
    assert scan_service.locate(code().code, HERE).store_id == "B"


@pytest.mark.parametrize(
    ("where", "field"),
    [
        (Where(), "latitude"),
        (Where(latitude=22.5), "longitude"),
        (Where(longitude=113.9), "latitude"),
        (Where(store_id="NONE"), "store_id"),
    ],
)
def test_what_is_no_place(wecom: FakeWeCom, where: Where, field: str) -> None:
    made = code()
    with pytest.raises(Invalid) as wrong:
        scan_service.locate(made.code, where)
    assert [name for name, _ in wrong.value.errors] == [field]
    assert LiveCodeItem.find(f"{made.live_code_id}#s", "ticket") is None


def test_closed_by_schedule_archived_and_unknown(wecom: FakeWeCom) -> None:
    store("A")
    until = {"from": None, "until": "2020-01-01T00:00:00+08:00"}
    over = livecodes.create(definition(kind="nearest_store", schedule=until))
    for got in (scan_service.scan(over.code), scan_service.locate(over.code, HERE)):
        assert got == assignment_types.Scan("closed")
    gone = code()
    livecodes.archive(gone.live_code_id)
    assert scan_service.locate(gone.code, HERE).kind == scan_service.scan(gone.code).kind == "closed"
    with pytest.raises(NotFound):
        scan_service.locate("nothere2", HERE)


def test_a_warm_location_is_five_requests(wecom: FakeWeCom) -> None:
    store("A")
    made = code()
    for _ in range(6):  # the guide's contact ways are made by then
        scan_service.locate(made.code, HERE)
    asked = requests()
    scan_service.locate(made.code, HERE)
    assert asked == ["GetItem", "Query", "GetItem", "UpdateItem", "TransactWriteItems"]


def test_a_code_scanned_fast_everywhere_is_not_fast_in_a_store(wecom: FakeWeCom, at: At) -> None:
    """Its guides' counters stay whole, and an add leads to its very scan."""
    store("A")
    made = code()
    for _ in range(6):
        scan_service.locate(made.code, HERE)
    for second in range(3):
        at(NOON + timedelta(hours=1, seconds=second))
        for _ in range(40):
            scan_service.scan(made.code)
    assert rates.per_second(made.live_code_id, NOON + timedelta(hours=1, seconds=2)) > rates.PLACE_RATE
    got = scan_service.locate(made.code, HERE)
    assert row(got, made).why["exact"]
    for second in range(3, 6):
        at(NOON + timedelta(hours=1, seconds=second))
        for _ in range(20):
            got = scan_service.locate(made.code, HERE)
    assert not row(got, made).why["exact"]  # now the store is


def test_a_store_is_seen_changed_moved_and_gone_by_the_next_scan(wecom: FakeWeCom) -> None:
    made = code()
    assert scan_service.locate(made.code, HERE).kind == "closed"
    store("A", 0.2)
    assert scan_service.locate(made.code, HERE).store_id == "A"
    store("B", 0.1)
    assert scan_service.locate(made.code, HERE).store_id == "B"
    change_store("B", {"status": "closed"})
    assert scan_service.locate(made.code, HERE).store_id == "A"
    change_store("B", {"status": "open", "latitude": 22.9})
    assert scan_service.locate(made.code, HERE).store_id == "A"
    remove_store("A")
    assert scan_service.locate(made.code, HERE).store_id == "B"


def test_the_datums_meet(wecom: FakeWeCom) -> None:
    """A store given as WeChat shows it, and a browser's GPS beside it: metres apart, not 500."""
    store("A", latitude=22.540796131694766, longitude=113.9171764808363)
    made = code()
    got = scan_service.locate(made.code, Where(22.543847, 113.912316, "wgs84"))
    assert row(got, made).why["distance_m"] == 0
    raw = scan_service.locate(made.code, Where(22.543847, 113.912316))
    assert row(raw, made).why["distance_m"] > 500
