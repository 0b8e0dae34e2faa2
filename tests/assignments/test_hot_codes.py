"""Codes that are scanned very fast: tickets and places in shards, no cap overshot, no place left lying."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.assignments import caps, pooled_ways
from chalicelib.assignments import lapse as lapses
from chalicelib.assignments import types as assignment_types
from chalicelib.assignments.models import TOTAL, PlaceItem, member_key
from chalicelib.contactways import service as contactways
from chalicelib.livecodes import rates
from chalicelib.livecodes import service as livecodes
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.scans import service as scan_service
from tests.support.scan_support import (
    DAY,
    NOON,
    FakeWeCom,
    complete,
    definition,
    new_process,
    requests,
    statuses,
)

At = Callable[[datetime], None]
_numbers = count()


def fast(monkeypatch: pytest.MonkeyPatch, rate: float) -> None:
    """From now on every code seems to be scanned so often a second."""
    monkeypatch.setattr(rates, "per_second", lambda live_code_id, now: rate)


@pytest.fixture
def wecom(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()


def standing(code: livecodes.LiveCode, staff_id: str, period: str = DAY) -> caps.Standing:
    key = member_key(code.live_code_id, staff_id), period
    return caps.read([key]).get(key, caps.NOTHING)


# The rate


def test_the_rate_is_told_by_tickets_and_their_times(wecom: FakeWeCom) -> None:
    for tenth in range(31):  # this process has a tenth of the 500 scans a second
        rates.note_scan("lc_x", 0, tenth * 50, NOON + timedelta(seconds=tenth / 10))
    now = NOON + timedelta(seconds=3)
    assert rates.per_second("lc_x", now) == pytest.approx(500)
    assert rates.per_second("lc_y", now) == 0
    assert rates.per_second("lc_x", now + timedelta(seconds=10)) == 0
    assert (rates.ticket_items(400), rates.ticket_items(500)) == (0, 3)
    assert (rates.shards(10), rates.shards(25), rates.shards(1e6)) == (0, 5, rates.MAX_SHARDS)
    assert rates.block_size(25, 5) == 50


def test_scans_tell_their_codes_rate(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    for second in range(3):
        at(NOON + timedelta(seconds=second))
        for _ in range(3):
            scan_service.scan(code.code)
    assert rates.per_second(code.live_code_id, NOON + timedelta(seconds=2)) == pytest.approx(3)


# Tickets


def test_tickets_in_several_items_keep_the_round_within_their_number(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = livecodes.create(definition(*({"staff_id": s} for s in "abc")))
    monkeypatch.setattr(rates, "ticket_items", lambda rate: 3)
    scan_service.scan(code.code)
    got = Counter(scan_service.scan(code.code).staff_id for _ in range(45))
    assert max(got.values()) - min(got.values()) <= 3
    livecodes.change(code.live_code_id, {"assignment": {"members": [{"staff_id": "d"}]}}, complete)
    assert scan_service.scan(code.code).staff_id == "d"  # the very next one
    asked = requests()
    scan_service.scan(code.code)
    assert asked[:2] == ["GetItem", "UpdateItem"]
    livecodes.archive(code.live_code_id)
    assert scan_service.scan(code.code).kind == "closed"


# Places


def test_a_fast_scan_takes_from_a_shard_that_got_a_block(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast(monkeypatch, 50)
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1000}))
    got = [scan_service.scan(code.code) for _ in range(30)]
    assert {scan.staff_id for scan in got} == {"a"}
    assert wecom.calls["add_contact_way"] == 1  # the first way is shared
    day, total = standing(code, "a"), standing(code, "a", TOTAL)
    assert (day.taken, total.taken) == (30, 30)
    assert 1 < len(day.shards) <= 10 and day.given <= 1000
    for scan in got[:10]:
        assert lapses.lapse(code.live_code_id, "a", str(scan.assignment_id))
    assert (standing(code, "a").taken, standing(code, "a", TOTAL).taken) == (20, 20)
    assert day.given == standing(code, "a").given  # they went back to where they came from


@pytest.mark.parametrize("rates_by_turn", [(50,), (50, 0), (0, 50), (300, 0, 20)], ids=str)
def test_the_last_place_is_found_in_every_mode_and_none_beyond_it(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch, rates_by_turn: tuple[float, ...]
) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 13, "total_cap": 17}))
    kinds = []
    for turn in range(18):
        fast(monkeypatch, rates_by_turn[turn % len(rates_by_turn)])
        kinds.append(scan_service.scan(code.code).kind)
    assert kinds == ["staff"] * 13 + ["closed"] * 5


def test_a_cap_that_is_lowered_calls_quotas_back(wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch) -> None:
    fast(monkeypatch, 40)
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 500}))
    for _ in range(9):
        scan_service.scan(code.code)
    assert standing(code, "a").given > 100
    livecodes.change(
        code.live_code_id, {"assignment": {"members": [{"staff_id": "a", "daily_cap": 11}]}}, complete
    )
    assert [scan_service.scan(code.code).kind for _ in range(4)] == ["staff", "staff", "closed", "closed"]
    fast(monkeypatch, 0)
    assert scan_service.scan(code.code).kind == "closed"
    livecodes.change(
        code.live_code_id, {"assignment": {"members": [{"staff_id": "a", "daily_cap": 12}]}}, complete
    )
    assert [scan_service.scan(code.code).kind for _ in range(2)] == ["staff", "closed"]


def test_least_loaded_goes_by_the_sum_of_the_shards(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch, at: At
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}, strategy="least_loaded"))
    fast(monkeypatch, 100)
    for number in range(20):
        at(NOON + timedelta(milliseconds=number * 300))
        scan_service.scan(code.code)
    assert abs(standing(code, "a").taken - standing(code, "b").taken) <= 1


ops = st.lists(
    st.one_of(
        st.tuples(st.just("main"), st.just(0)),
        st.tuples(st.just("shard"), st.integers(1, 3)),
        st.tuples(st.just("back"), st.integers(0, 50)),
        st.tuples(st.just("cap"), st.integers(0, 8)),
        st.tuples(st.just("fund"), st.integers(1, 3)),
        st.tuples(st.just("cut"), st.integers(1, 3)),
    ),
    max_size=25,
)


@settings(max_examples=25)
@given(st.integers(1, 8), ops)
def test_any_order_of_takes_returns_blocks_and_caps_keeps_the_books(
    wecom: FakeWeCom, cap: int, steps: list[tuple[str, int]]
) -> None:
    """What is out is what was taken; never over the cap at a take; a seat is told as long as there is room."""
    key = f"lc_x#{next(_numbers)}", DAY
    out: list[int] = []

    def take(seat: int) -> bool:
        tx = Transaction()
        caps.take(tx, "place", key, cap, seat)
        try:
            tx.commit()
        except ConditionFailed:
            return False
        out.append(seat)
        assert len(out) <= cap
        return True

    for kind, number in steps:
        if kind in ("main", "shard"):
            take(number)
        elif kind == "back" and out:
            seat = out.pop(number % len(out))
            tx = Transaction()
            caps.give_back(tx, "place", key, seat)
            tx.commit()
        elif kind == "cap":
            cap = number
        elif kind == "fund":
            caps.fill_shard(key, cap, number, 3, 3)
        elif kind == "cut" and (row := PlaceItem.find(key[0], key[1])):
            row.shards = max(int(row.shards or 0), 3)  # another process says that there are more
            row.save()
        found = caps.read([key]).get(key, caps.NOTHING)
        assert found.taken == len(out)
    for _ in range(40):  # whoever wants a place gets one until the cap is reached
        seat = caps.read([key]).get(key, caps.NOTHING).free_shard(cap)
        if seat is None:
            break
        if seat == 0 or caps.fill_shard(key, cap, seat, 3, 3):
            take(seat)
    assert len(out) >= cap
    assert caps.read([key]).get(key, caps.NOTHING).free_shard(cap) is None


@pytest.mark.slow
def test_a_rush_over_threads_with_modes_mixed_reaches_the_caps_exactly(
    engine: str, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    mine = threading.local()
    monkeypatch.setattr(rates, "per_second", lambda live_code_id, now: getattr(mine, "rate", 0))
    members = [{"staff_id": "a", "daily_cap": 60, "total_cap": 55}, {"staff_id": "b", "daily_cap": 40}]
    code = livecodes.create(definition(*members))
    for staff_id in "ab":
        contactways.way(code, staff_id)
    monkeypatch.setattr(pooled_ways, "choose_slot", lambda *_: None)  # not what is tried here

    def scan(number: int) -> assignment_types.Scan:
        mine.rate = (0, 60, 200)[number % 3]
        return scan_service.scan(code.code)

    with ThreadPoolExecutor(16) as threads:
        first = [got for got in threads.map(scan, range(60)) if got.staff_id]
        # Lapses between scans, and more who want a place than there are.
        jobs: list[Any] = [("lapse", got) for got in first[:25]] + [("scan", n) for n in range(110)]
        jobs = jobs[::2] + jobs[1::2]

        def job(one: Any) -> Any:
            kind, what = one
            if kind == "scan":
                return scan(what)
            return lapses.lapse(code.live_code_id, str(what.staff_id), str(what.assignment_id))

        list(threads.map(job, jobs))
        rest = list(threads.map(scan, range(60)))
    assert any(got.kind == "closed" for got in rest)
    for staff_id, cap in (("a", 55), ("b", 40)):
        reserved = statuses(code.live_code_id, staff_id)["reserved"]
        assert reserved == cap
        assert standing(code, staff_id).taken == standing(code, staff_id, TOTAL).taken == cap
    new_process()
