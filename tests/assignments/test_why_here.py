"""Why a scan got whom it got: asked of one that was, and of one that would be."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.assignments import lapse as lapses
from chalicelib.assignments import reservations
from chalicelib.assignments import service as assignment_service
from chalicelib.assignments import types as assignment_types
from chalicelib.contactways import service as contactways
from chalicelib.livecodes import rules
from chalicelib.livecodes import service as livecodes
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.scans import service as scan_service
from chalicelib.wecom.errors import WeComError
from tests.support.scan_support import NOON, FakeWeCom, definition, listed, new_process, requests
from tests.support.stores_world import create_store

At = Callable[[datetime], None]
WEEKEND = [{"weekdays": [6, 7], "from": "09:00", "to": "18:00"}]


@pytest.fixture
def wecom(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()


def test_a_decision_tells_rule_candidates_and_who_was_left_out_for_what(wecom: FakeWeCom) -> None:
    away = {"staff_id": "away", "hours": WEEKEND}
    full = {"staff_id": "full", "daily_cap": 1}
    code = livecodes.create(definition(full, {"staff_id": "a"}, away, {"staff_id": "b"}))
    assert scan_service.scan(code.code).staff_id == "full"
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 40003)]
    got = [scan_service.scan(code.code, origin={"print_run_id": "r1", "card": 7}) for _ in range(2)]
    assert [scan.staff_id for scan in got] == ["b", "b"] or [scan.staff_id for scan in got] == ["a", "a"]
    chosen, other = got[0].staff_id, {"a": "b", "b": "a"}[str(got[0].staff_id)]
    told = msgspec.to_builtins(assignment_service.get(str(got[0].assignment_id)))
    assert told["why"]["rule"] == "round_robin" and told["why"]["off"] == ["away"]
    assert told["why"]["refused"] == [other] and other in told["why"]["full"]
    assert told["origin"] == {"print_run_id": "r1", "card": 7}
    assert (told["status"], told["channel"], told["slot"]) == ("reserved", "parcel", 0)
    assert told["state"] == contactways.way(code, str(chosen)).state
    assert told["text"].startswith(f"按轮流分配轮到{chosen}（第 ") and told["text"].endswith("等待添加。")
    assert f"企业微信不接受：{other}" in told["text"] and "不在班：away" in told["text"]
    assert told["text_en"].startswith(f"Next in turn: {chosen} (scan ")
    assert f"refused by WeCom: {other}" in told["text_en"]


def test_what_became_of_it_is_told(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    got = scan_service.scan(code.code)
    lapses.lapse(code.live_code_id, "a", str(got.assignment_id))
    told = msgspec.to_builtins(assignment_service.get(str(got.assignment_id)))
    assert [line["type"] for line in told["history"]] == ["scanned", "assignment_lapsed"]
    assert told["text"].endswith("超时未添加，名额已退回。")


@pytest.mark.parametrize("unknown", ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "x", "%00"])
def test_an_unknown_assignment_is_not_found(wecom: FakeWeCom, unknown: str) -> None:
    with pytest.raises(NotFound):
        assignment_service.get(unknown)


def test_what_a_scan_would_get_is_what_the_next_one_gets_and_nothing_is_written(
    wecom: FakeWeCom, at: At
) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 2}, {"staff_id": "b"}, fallback=("f",)))
    for second in range(6):
        at(NOON + timedelta(seconds=second))
        asked = requests()
        would = msgspec.to_builtins(assignment_service.would_get(code.live_code_id))
        assert set(asked) <= {"GetItem", "BatchGetItem"}
        assert (would["kind"], would["staff_id"]) == ("staff", scan_service.scan(code.code).staff_id)
    assert would["loads"]["a"] == 2 and would["why"]["full"] == ["a"]
    assert would["text"].startswith("按轮流分配轮到")


def test_each_guide_of_a_code_says_what_keeps_scans_from_them(wecom: FakeWeCom) -> None:
    weekend = [{"weekdays": [6, 7], "from": "09:00", "to": "18:00"}]
    code = livecodes.create(
        definition(
            {"staff_id": "a", "daily_cap": 1, "total_cap": 5},
            {"staff_id": "off", "hours": weekend},
            {"staff_id": "none", "daily_cap": 0},
            {"staff_id": "b", "weight": 3},
            fallback=("b", "f"),
            strategy="least_loaded",
        )
    )
    assert {scan_service.scan(code.code).staff_id for _ in range(2)} == {"a", "b"}
    told = msgspec.to_builtins(assignment_service.would_get(code.live_code_id))
    rows = {row["staff_id"]: row for row in told["guides"]}
    assert list(rows) == ["a", "off", "none", "b", "f"]
    states = {staff_id: row["state"] for staff_id, row in rows.items()}
    assert states == {"a": "full", "off": "off", "none": "full", "b": "free", "f": "free"}
    assert (rows["a"]["taken_today"], rows["a"]["daily_cap"], rows["a"]["taken_ever"]) == (1, 1, 1)
    assert [row["part"] for row in told["guides"]] == ["member"] * 4 + ["fallback"]
    assert [one for one, row in rows.items() if row["is_chosen"]] == [told["staff_id"]] == ["b"]


def test_who_comes_back_is_kept_by_their_guide_where_the_code_is_sticky(wecom: FakeWeCom) -> None:
    for sticky, kept in ((True, "a"), (False, "b")):
        code = livecodes.create(
            definition({"staff_id": "a", "daily_cap": 0}, {"staff_id": "b"}, sticky=sticky)
        )
        would = assignment_service.would_get(code.live_code_id, returning_to="A")
        assert (would.staff_id, would.why["rule"] == "sticky") == (kept, sticky)
        assert assignment_service.would_get(code.live_code_id, returning_to="nobody").staff_id == "b"


def test_of_a_nearest_store_code_it_is_a_guide_of_the_nearest_open_store(wecom: FakeWeCom) -> None:
    common = {"city": "x", "address": "x"}
    for store_id, latitude, longitude, more in (
        ("SZ1", 22.54, 114.12, {"staff_ids": ["g1"], "status": "closed"}),
        ("SZ2", 22.54, 114.05, {"staff_ids": ["g2", "g3"]}),
        ("BJ1", 39.9, 116.46, {"staff_ids": []}),
    ):
        place = {
            "store_id": store_id,
            "name": f"Store {store_id}",
            "latitude": latitude,
            "longitude": longitude,
        }
        create_store({**common, **place, **more})
    given = {"kind": "nearest_store", "stores": {"store_ids": ["SZ1", "SZ2", "BJ1"], "daily_cap": 5}}
    code = livecodes.create(definition({"staff_id": "own"}, **given))
    near = assignment_service.would_get(code.live_code_id, at_store="SZ1")
    assert (near.store_id, near.store_name, near.kind) == ("SZ2", "Store SZ2", "staff")
    assert [(row.staff_id, row.daily_cap) for row in near.guides] == [("g2", 5), ("g3", 5)]
    assert near.staff_id in ("g2", "g3")
    far = assignment_service.would_get(code.live_code_id, at_store="BJ1")
    assert (far.store_id, far.staff_id, [row.staff_id for row in far.guides]) == (None, "own", ["own"])
    with pytest.raises(Invalid, match="at_store: is not a store of this code"):
        assignment_service.would_get(code.live_code_id, at_store="nowhere")


def test_a_closed_one_says_why(wecom: FakeWeCom) -> None:
    until = (NOON + timedelta(hours=1)).isoformat()
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1}, schedule={"until": until}))
    later = msgspec.to_builtins(assignment_service.would_get(code.live_code_id, NOON + timedelta(hours=2)))
    assert (later["kind"], later["text"]) == ("closed", "不在活码的开放时间内。")
    scan_service.scan(code.code)
    full = msgspec.to_builtins(assignment_service.would_get(code.live_code_id))
    assert (full["kind"], full["why"]["reason"], full["why"]["full"]) == ("closed", "nobody", ["a"])
    assert full["text_en"] == "Nobody has a place left; full: a."
    livecodes.archive(code.live_code_id)
    assert msgspec.to_builtins(assignment_service.would_get(code.live_code_id))["text"] == "活码已停用。"


def test_a_stores_guides_are_listed_though_the_code_does_not_name_them(wecom: FakeWeCom, at: At) -> None:
    given = {"kind": "nearest_store", "stores": {"store_ids": None}}
    code = livecodes.create(definition({"staff_id": "own"}, **given))
    made = []
    for second in range(12):
        at(NOON + timedelta(seconds=second))
        named = second % 4 == 0  # a store's guide whom the code names as well
        rule = rules.Rule("round_robin", (rules.Member("own" if named else f"g{second % 4}"),))
        asked = assignment_types.Asked(why={"store_id": "SZ1", "distance_m": 420})
        got = reservations.reserve(code, second + 1, NOON, asked, rule, "SZ1")
        made.append((got.assignment_id, got.staff_id))
    at(NOON + timedelta(seconds=20))
    own = reservations.reserve(code, 1, NOON + timedelta(seconds=20))
    seen, cursor = [], None
    while True:
        rows, cursor = listed(code.live_code_id, 5, cursor)
        seen += rows
        if cursor is None:
            break
    assert sorted((row["assignment_id"], row["staff_id"]) for row in seen) == sorted(
        [*made, (own.assignment_id, "own")]
    )
    assert [row["assignment_id"] for row in seen] == sorted(
        (row["assignment_id"] for row in seen), reverse=True
    )
    assert {row["store_id"] for row in seen} == {"SZ1", None}
    told = msgspec.to_builtins(assignment_service.get(str(made[1][0])))
    assert "门店 SZ1，相距 420 米" in told["text"] and "store SZ1, 420 m away" in told["text_en"]


def test_a_store_whose_guides_are_all_off_duty_or_full_is_closed_for_the_caller(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "own"}))
    off = rules.Rule("round_robin", (rules.Member("g", hours=(rules.Hours(frozenset({6}), 540, 600),)),))
    full = rules.Rule("round_robin", (rules.Member("h", daily_cap=0),))
    for rule in (off, full):
        assert reservations.reserve(code, 1, NOON, rule=rule, store_id="S") == assignment_types.CLOSED
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 40003)]
    refused = rules.Rule("round_robin", (rules.Member("i"),))
    assert reservations.reserve(code, 1, NOON, rule=refused, store_id="S") == assignment_types.CLOSED
