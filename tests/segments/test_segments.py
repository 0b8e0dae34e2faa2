"""Segments: who is in one, why, who came in and went out, whatever is killed; and who may see which."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.lake import engine, files, members
from chalicelib.platform import due
from chalicelib.segments import look_times, looking
from chalicelib.segments.models import SegmentItem, is_member, save_members
from tests.support.lake_world import NOW, VIP, Ask, add, look, make, said, untag


def test_a_preview_says_how_many_by_part_and_guide_and_why_each(ask: Ask) -> None:
    add("wm1", "ann", "等级/VIP")
    add("wm2", "bob", "等级/VIP", minutes=1)
    add("wm3", "bob")
    rule = {
        "all": [VIP, {"not": {"staff_id": {"in": ["zoe"]}}}, {"any": [{"orders": {"gte": 1}}, {"all": []}]}]
    }
    status, preview = ask("POST", "/api/segments/preview", {"rule": rule})
    assert status == 200
    assert (preview["count"], preview["reachable"]) == (2, 2)
    assert {row["staff_id"]: row["count"] for row in preview["by_staff"]} == {"ann": 1, "bob": 1}
    assert {row["path"]: row["count"] for row in preview["lines"]} == {
        "rule.all[0]": 2,
        "rule.all[1]": 3,
        "rule.all[1].not": 0,
        "rule.all[2]": 3,
        "rule.all[2].any[0]": 0,
        "rule.all[2].any[1]": 3,
    }
    assert [(row["external_userid"], row["fits"]) for row in preview["sample"]] == [
        ("wm1", ["rule.all[0]"]),
        ("wm2", ["rule.all[0]"]),
    ]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"all": [VIP, {"tag": {"some": []}}]}, "rule.all[1].tag.some"),
        ({"segment": {"in": ["seg_none"]}}, "rule"),
        ([], "rule"),
        ({}, "rule"),
    ],
)
def test_a_wrong_rule_is_refused_by_its_path_and_makes_nothing(ask: Ask, rule: Any, field: str) -> None:
    for path, body in (("preview", {"rule": rule}), ("", {"name": "x", "rule": rule})):
        status, problem = ask("POST", f"/api/segments/{path}".rstrip("/"), body)
        assert status == 422 and problem["errors"][0]["field"] == field
    assert ask("GET", "/api/segments")[1]["total"] == 0


def test_a_live_segment_is_who_fits_now_and_says_who_came_and_went(ask: Ask, world: Any) -> None:
    add("wm1", "ann", "等级/VIP")
    segment_id = make(ask)
    look()
    assert said() == []  # who is there at first did not come in
    add("wm2", "ann", "等级/VIP")
    untag("wm1", "等级/VIP")
    assert ask("GET", f"/api/segments/{segment_id}")[1]["count"] == 1
    world(NOW + timedelta(minutes=5))
    look()
    assert said() == [("wm1", "segment_left"), ("wm2", "segment_entered")]
    world(NOW + timedelta(minutes=10))
    look()
    assert len(said()) == 2
    (row,) = ask("GET", "/api/segments")[1]["items"]
    assert row["count"] == 1 and row["as_of"]
    listed = ask("GET", f"/api/segments/{segment_id}/customers")[1]
    assert [each["external_userid"] for each in listed["items"]] == ["wm2"] and listed["total"] == 1
    assert len(files.files.names(f"lake/members/{segment_id}/")) == 4  # two generations


@pytest.mark.parametrize("step", range(1, 7))
def test_a_look_that_is_killed_anywhere_says_of_each_once(
    ask: Ask, world: Any, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("wm1", "ann", "等级/VIP")
    make(ask)
    look()
    for who in ("wm2", "wm3"):
        add(who, "ann", "等级/VIP")
    world(NOW + timedelta(minutes=5))
    left = step

    def dying(honest: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
            return honest(*args, **kwargs)

        return call

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files.files, "put", dying(files.files.put))
        patch.setattr("chalicelib.platform.storage.update_if", dying(looking.storage.update_if))
        patch.setattr("chalicelib.platform.timeline.record", dying(looking.timeline.record))
        look()
        look()
    world(NOW + timedelta(minutes=10))
    look()
    assert said() == [("wm2", "segment_entered"), ("wm3", "segment_entered")]


def test_a_look_is_ordered_once_for_a_time_and_goes_on_by_itself(ask: Ask) -> None:
    make(ask)
    make(ask)
    look()
    look()
    work = [row for row in due.DueItem.scan() if row.kind == look_times.LOOK]
    assert len(work) == 1 and work[0].due_at == "2026-11-22T02:05:00.000000+00:00"


def test_a_changed_rule_counts_anew_and_nobody_is_said_to_have_come(ask: Ask, world: Any) -> None:
    add("wm1", "ann", "等级/VIP")
    add("wm2", "ann")
    segment_id = make(ask)
    look()
    status, changed = ask(
        "PATCH", f"/api/segments/{segment_id}", {"rule": {"all": []}}, **{"If-Match": '"1"'}
    )
    assert status == 200 and changed["version"] == 2
    world(NOW + timedelta(minutes=5))
    look()
    assert said() == [] and ask("GET", "/api/segments")[1]["items"][0]["count"] == 2
    status, stale = ask("PATCH", f"/api/segments/{segment_id}", {"name": "x"}, **{"If-Match": '"1"'})
    assert status == 409 and stale["present"]["version"] == 2


def test_segments_ask_for_segments_but_not_in_a_circle(ask: Ask) -> None:
    add("wm1", "ann", "等级/VIP")
    add("wm2", "ann")
    vip = make(ask)
    others = make(ask, {"not": {"segment": {"in": [vip]}}})
    assert ask("GET", f"/api/segments/{others}")[1]["count"] == 1
    status, problem = ask("PATCH", f"/api/segments/{vip}", {"rule": {"segment": {"in": [others]}}})
    assert status == 422 and problem["errors"][0]["field"] == "rule"
    status, problem = ask("PATCH", f"/api/segments/{vip}", {"rule": {"segment": {"not_in": [vip]}}})
    assert status == 422
    assert ask("DELETE", f"/api/segments/{vip}")[0] == 409
    assert ask("DELETE", f"/api/segments/{others}")[0] == 200
    assert ask("DELETE", f"/api/segments/{vip}")[0] == 200


def test_a_frozen_segment_stays_who_it_was(ask: Ask, sent: list[Any]) -> None:
    add("wm1", "ann", "等级/VIP")
    segment_id = make(ask, kind="frozen")
    assert ask("GET", f"/api/segments/{segment_id}")[1]["count"] is None
    assert ask("GET", f"/api/segments/{segment_id}/customers")[0] == 409
    (work,) = [message for queue, message, _ in sent if queue == "lake"]
    (later,) = [row.work for row in due.DueItem.scan() if row.kind == "segment_freeze"]
    assert later == work  # should the process be killed before it could send it
    looking.freeze(work["segment_id"])
    add("wm2", "ann", "等级/VIP")
    untag("wm1", "等级/VIP")
    looking.freeze(work["segment_id"])
    assert ask("GET", f"/api/segments/{segment_id}")[1]["count"] == 1
    assert ask("POST", "/api/segments/preview", {"rule": {"segment": {"in": [segment_id]}}})[1]["count"] == 1
    assert (
        ask("POST", "/api/segments/preview", {"rule": {"segment": {"not_in": [segment_id]}}})[1]["count"] == 1
    )
    assert is_member(segment_id, "wm1") and not is_member(segment_id, "wm2")
    assert ask("PATCH", f"/api/segments/{segment_id}", {"rule": VIP | {}})[0] == 200
    assert ask("PATCH", f"/api/segments/{segment_id}", {"rule": {"all": []}})[0] == 409
    looking.forget(segment_id)
    assert is_member(segment_id, "wm1")  # it is there still
    assert ask("DELETE", f"/api/segments/{segment_id}")[0] == 200
    assert sent[-1][:2] == ("lake", {"kind": "segment_forget", "segment_id": segment_id})
    looking.forget(segment_id)
    looking.forget(segment_id)
    assert not is_member(segment_id, "wm1") and not files.files.names(f"lake/members/{segment_id}/")


def test_members_of_a_frozen_segment_are_found_in_their_chunk(tables: None) -> None:
    ids = [f"wm{number:05}" for number in range(0, 5000, 2)]
    save_members("seg_1", ids)
    assert all(is_member("seg_1", who) for who in (ids[0], ids[999], ids[1000], ids[-1]))
    assert not any(is_member("seg_1", who) for who in ("wm00001", "wl", "wm99999")) and not is_member(
        "s", ids[0]
    )


def test_a_page_goes_on_behind_the_last(ask: Ask) -> None:
    for number in range(5):
        add(f"wm{number}", "ann", "等级/VIP")
    segment_id, seen, cursor = make(ask), [], ""
    while True:
        page = ask("GET", f"/api/segments/{segment_id}/customers?limit=2{cursor}")[1]
        seen += [row["external_userid"] for row in page["items"]]
        assert page["total"] == 5
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [f"wm{number}" for number in range(5)]
    assert ask("GET", f"/api/segments/{segment_id}/customers?cursor=x")[0] == 422


def test_a_segment_whose_parts_are_gone_is_left_as_it_was(ask: Ask) -> None:
    part = make(ask)
    make(ask, {"segment": {"in": [part]}})
    SegmentItem(part).delete()
    look()
    assert ask("GET", "/api/segments")[1]["items"][0]["count"] is None


def test_files_of_members_are_left_where_nothing_is_left_to_say(ask: Ask, world: Any) -> None:
    segment_id = make(ask)
    add("wm1", "ann", "等级/VIP")
    for minutes in range(0, 20, 5):
        world(NOW + timedelta(minutes=minutes))
        look()
    generation = SegmentItem.get(segment_id).generation
    assert members.changes(engine.current(), segment_id, generation, "", 10) == []
