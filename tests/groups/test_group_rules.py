"""Groups' rules: when a delta may be applied, who is next, when another group is wanted."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.groups import rules
from chalicelib.groups.rules import Room, Step

_ROOMS = st.lists(st.builds(Room, st.uuids().map(str), st.integers(0, 260), st.booleans()), max_size=12)


@pytest.mark.parametrize(
    ("stored", "passed", "last", "current", "listed", "count", "step"),
    [
        ("v1", [], "v1", "v2", 1, 1, Step.APPLY),
        ("v2", ["v1"], "v1", "v2", 1, 1, Step.REPEAT),
        ("v3", ["v1", "v2"], "v1", "v2", 1, 1, Step.REPEAT),
        ("v1", [], "v2", "v3", 1, 1, Step.READ),
        ("v1", [], None, None, 1, 1, Step.READ),
        ("v1", [], "v1", "v2", 0, 2, Step.READ),
        ("v1", [], "v1", "v2", 100, 120, Step.READ),
        ("", [], "", "v2", 1, 1, Step.READ),
    ],
)
def test_step(
    stored: str, passed: list[str], last: str | None, current: str | None, listed: int, count: int, step: Step
) -> None:
    assert rules.step(stored, passed, last, current, listed, count) is step


def test_a_whole_group_as_wecom_tells_it() -> None:
    told = {
        "chat_id": "wrA",
        "name": "华南福利群10",
        "owner": "guide_001",
        "create_time": 1700000000,
        "member_list": [
            {"userid": "guide_001", "type": 1, "join_time": 1700000001, "join_scene": 1},
            {"userid": "wmX", "type": 2, "join_time": 1700000600, "join_scene": 3, "state": "gc_77aZ"},
            {"userid": "wmY", "type": 2, "join_scene": 2, "invitor": {"userid": "guide_001"}},
        ],
        "member_version": "9f6b",
    }
    chat = rules.chat(told)
    assert (chat.owner, chat.version, len(chat.people)) == ("guide_001", "9f6b", 3)
    assert chat.people["guide_001"].staff
    x = chat.people["wmX"]
    assert (x.staff, x.scene, x.state) == (False, "qr", "gc_77aZ")
    assert x.joined_at == datetime.fromtimestamp(1700000600, UTC)
    assert (chat.people["wmY"].scene, chat.people["wmY"].invitor) == ("link", "guide_001")


def test_scenes_of_events_have_their_own_numbers() -> None:
    assert [rules.event_scene(code) for code in ("0", "3", None, "9")] == [
        "invited",
        "qr",
        "invited",
        "invited",
    ]


@pytest.mark.parametrize(
    ("member_id", "staff"),
    [
        ("wm" + "A" * 30, False),
        ("wo" + "A" * 30, False),
        ("wmTEST01", False),
        ("lihua", True),
        ("woshiren", True),
    ],
)
def test_who_is_staff(member_id: str, staff: bool) -> None:
    assert rules.is_staff(member_id) is staff


@given(_ROOMS, st.integers(1, 200))
def test_a_native_way_has_at_most_five_with_room_in_order(rooms: list[Room], limit: int) -> None:
    chosen = rules.in_native(rooms, limit)
    assert len(chosen) <= 5
    free = [room.chat_id for room in rooms if room.usable and room.taken < limit]
    assert chosen == free[:5]


@pytest.mark.parametrize(("limit", "spare"), [(1, 1), (2, 1), (10, 5), (50, 5), (100, 10), (200, 20)])
def test_spare(limit: int, spare: int) -> None:
    assert rules.spare(limit) == spare


@given(st.integers(1, 200))
def test_an_empty_group_never_needs_another(limit: int) -> None:
    assert not rules.needs_another([Room("a", 0, True)], limit)
    assert rules.needs_another([Room("a", limit, True)], limit)


@pytest.mark.parametrize(
    ("base", "names", "first", "name"),
    [
        ("福利群", ["福利群9", "福利群10"], 1, "福利群11"),
        ("", ["福利群1"], 1, "福利群2"),
        ("", [], 1, "客户群1"),
        ("", ["群"], 1, "群2"),
        ("新群", ["老群1"], 10, "新群10"),
        ("x" * 40, [], 1, "x" * 39 + "1"),
    ],
)
def test_next_name(base: str, names: list[str], first: int, name: str) -> None:
    assert rules.next_name(base, names, first) == name


@given(st.lists(st.sampled_from(["a", "b", "c", "d"])), st.lists(st.sampled_from(["a", "b", "c", "d"])))
def test_a_line_has_each_group_once(own: list[str], added: list[str]) -> None:
    line = rules.line(own, added)
    assert len(line) == len(set(line))
    assert set(line) == {*own, *added}
