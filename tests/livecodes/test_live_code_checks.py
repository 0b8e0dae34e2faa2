"""What a live code's definition must be, and where the answer points when it is not."""

from typing import Any

import msgspec
import pytest

from chalicelib.livecodes import checks
from chalicelib.livecodes.types import NewLiveCode


def definition(**changes: Any) -> dict[str, Any]:
    """The contract's example, changed."""
    given: dict[str, Any] = {
        "name": "Parcel card, winter",
        "kind": "staff",
        "channel": "parcel",
        "tags": ["渠道/包裹卡"],
        "assignment": {
            "strategy": "round_robin",
            "members": [
                {
                    "staff_id": "lihua",
                    "daily_cap": 100,
                    "hours": [{"weekdays": [1, 2], "from": "09:00", "to": "18:00"}],
                }
            ],
            "fallback_staff_ids": ["wangwu"],
        },
        "welcome": {"text": "您好 {customer_name}，我是 {staff_name}", "attachments": []},
        "schedule": {"from": None, "until": None},
    }
    complete = msgspec.convert(given | changes, NewLiveCode)
    return msgspec.to_builtins(complete)  # type: ignore[no-any-return]


def members(*given: dict[str, Any], fallback: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"assignment": {"members": list(given), "fallback_staff_ids": list(fallback)}}


def test_the_contracts_example_is_right_and_complete() -> None:
    whole = definition()
    assert checks.problems(whole) == []
    assert checks.warnings(whole) == []
    assert whole["assignment"]["reserve_for"] == "PT10M"
    (hours,) = whole["assignment"]["members"][0]["hours"]
    assert hours == {"weekdays": [1, 2], "from": "09:00", "to": "18:00"}
    assert whole["timezone"] == "Asia/Shanghai"


SHIFT = {"weekdays": [1, 2], "from": "09:00", "to": "18:00"}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"kind": "group"}, "groups"),
    ({"tags": ["a/b", "plain"]}, "tags[1]"),
    ({"tags": ["/b"]}, "tags[0]"),
    ({"tags": ["a/b/c"]}, "tags[0]"),
    ({"tags": ["a/" + "字" * 31]}, "tags[0]"),
    (members(), "assignment.members"),
    (members({"staff_id": "a"}, {"staff_id": "a"}), "assignment.members[1].staff_id"),
    (members({"staff_id": "a"}, fallback=("b", "b")), "assignment.fallback_staff_ids[1]"),
    (
        members({"staff_id": "a", "hours": [{"weekdays": [1], "from": "09:00", "to": "09:00"}]}),
        "assignment.members[0].hours[0].to",
    ),
    ({"assignment": {"members": [{"staff_id": "a"}], "reserve_for": "soon"}}, "assignment.reserve_for"),
    ({"assignment": {"members": [{"staff_id": "a"}], "reserve_for": "P2D"}}, "assignment.reserve_for"),
    ({"assignment": {"members": [{"staff_id": "a"}], "reserve_for": "PT1S"}}, "assignment.reserve_for"),
    ({"schedule": {"from": "2026-11-22"}}, "schedule.from"),
    ({"schedule": {"until": "soon"}}, "schedule.until"),
    (
        {"schedule": {"from": "2026-11-22T10:00:00+08:00", "until": "2026-11-22T02:00:00Z"}},
        "schedule.until",
    ),
    ({"welcome": {"text": "字" * 1334}}, "welcome.text"),
    ({"welcome": {}}, "welcome.text"),
    ({"welcome": {"text": "a", "attachments": [{"msgtype": "link"}]}}, "welcome.attachments[0]"),
    ({"schedule": {"hours": [SHIFT, SHIFT | {"to": "09:00"}]}}, "schedule.hours[1].to"),
    ({"schedule": {"hours": [SHIFT | {"from": "24:00"}]}}, "schedule.hours[0].from"),
    ({"welcome": {"by_time": [SHIFT]}}, "welcome.by_time[0].text"),
    ({"welcome": {"text": "a", "by_time": [SHIFT | {"text": "字" * 1334}]}}, "welcome.by_time[0].text"),
    ({"welcome": {"by_time": [SHIFT | {"text": "a", "to": "09:00"}]}}, "welcome.by_time[0].to"),
    (
        {"welcome": {"by_time": [SHIFT | {"attachments": [{"msgtype": "x"}]}]}},
        "welcome.by_time[0].attachments[0]",
    ),
    ({"timezone": "Mars/Olympus"}, "timezone"),
    ({"timezone": "../../etc/passwd"}, "timezone"),
]


@pytest.mark.parametrize(("changes", "field"), BAD)
def test_what_is_wrong_is_told_by_its_field(changes: dict[str, Any], field: str) -> None:
    assert [found.field for found in checks.problems(definition(**changes))] == [field]


def test_hours_and_timed_welcomes_are_taken() -> None:
    welcome = {"by_time": [SHIFT | {"text": "a"}]}
    assert checks.problems(definition(schedule={"hours": [SHIFT]}, welcome=welcome, printing="native")) == []


def test_a_code_of_stores_cant_be_wecoms_own() -> None:
    fields = [found.field for found in checks.problems(definition(kind="nearest_store", printing="native"))]
    assert fields == ["printing"]


def test_what_may_leave_somebody_waiting_is_a_warning() -> None:
    shift = [{"weekdays": [1], "from": "09:00", "to": "18:00"}]
    field = "assignment.fallback_staff_ids"
    capped = definition(**members({"staff_id": "a", "daily_cap": 1}))
    away = definition(**members({"staff_id": "a", "hours": shift}))
    assert [(w.field, w.code) for w in checks.warnings(capped)] == [(field, "caps_need_fallback")]
    assert [(w.field, w.code) for w in checks.warnings(away)] == [(field, "hours_need_fallback")]
    assert not checks.warnings(definition(**members({"staff_id": "a", "daily_cap": 1}, {"staff_id": "b"})))
    assert not checks.warnings(definition(**members({"staff_id": "a", "daily_cap": 1}, fallback=("b",))))
