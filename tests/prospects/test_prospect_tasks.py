"""A guide's days: within the paces, told once, handed on when the guide leaves, given up after a time."""

from collections import Counter
from datetime import timedelta

import pytest

from chalicelib.customers import models as customers
from chalicelib.customers.rules import Customer
from chalicelib.platform import clock, due
from chalicelib.platform.timeline import Line
from chalicelib.prospects import (
    arrivals,
    brand_settings,
    daily_tasks,
    erasure,
    handover,
    imports,
    models,
    prospect_list,
    rules,
    status_changes,
)
from chalicelib.prospects.models import FigureItem, TaskItem
from chalicelib.prospects.types import BuyerOrder, ProspectsQuery
from chalicelib.wecom.errors import WeComError
from tests.support.prospects_world import World, number, prospects, report, rows_of, settings_of, world

__all__ = ["world"]


def take(numbers: range, **changes: object) -> str:
    return imports.take(rows_of([number(n) for n in numbers], **changes)).import_id


def listed(staff_id: str, day: str = "2026-11-23") -> list[str]:
    found = TaskItem.find(staff_id, day)
    return [prospect_id for prospect_id, _ in found.tasks] if found else []


def lines_of(prospect_ids: list[str]) -> list[int]:
    return [int(models.find(p).line) for p in prospect_ids]


def test_each_morning_has_the_oldest_within_the_paces_of_all_imports(world: World) -> None:
    brand_settings.save(settings_of(daily_pace=7))
    take(range(40), staff={"staff_ids": ["lihua"]}, daily_pace=5)
    take(range(100, 140), staff={"staff_ids": ["lihua"]}, daily_pace=5)
    world.morning()
    first = listed("lihua")
    assert lines_of(first) == [1, 2, 3, 4, 5, 1, 2]
    # What was not done stays; what was done makes room on the next day only.
    for prospect_id in first[:3]:
        status_changes.change(prospect_id, rules.ASKED, "staff:lihua", of_staff="lihua")
    daily_tasks.make_list("lihua", "2026-11-23")
    assert listed("lihua") == first
    world.morning(days=1)
    assert lines_of(listed("lihua", "2026-11-24")) == [4, 5, 6, 7, 8, 1, 2]


def test_a_list_grows_to_the_pace_when_more_comes_in_the_day(world: World) -> None:
    take(range(3), staff={"staff_ids": ["lihua"]})
    world.morning()
    assert len(listed("lihua")) == 3
    take(range(10, 20), staff={"staff_ids": ["lihua"]})
    daily_tasks.make_list("lihua", "2026-11-23")
    world.queues.work()
    assert len(listed("lihua")) == 13
    assert len(world.wecom.messages) == 1  # told once a day


def test_nobody_is_asked_to_add_who_is_a_customer_already(world: World) -> None:
    """Orders told their unionids with their numbers before those were imported; a list is as long all the same."""
    brand_settings.save(settings_of(daily_pace=5))
    for n in (0, 1, 2, 4, 5):
        customers.save(Customer(f"wm{n}", unionid=f"o{n}"))
        buyer = {"unionid": f"o{n}", "external_userid": f"wm{n}"}
        order = BuyerOrder(order_id=f"M{n}", status="paid", at=clock.iso(world.now), **buyer)
        arrivals.on_buyers_phone(order, number(n))
    world.queues.work()
    take(range(10), staff={"staff_ids": ["lihua"]}, daily_pace=4)
    world.now += timedelta(seconds=1)  # the older import comes first
    take(range(100, 110), staff={"staff_ids": ["lihua"]}, daily_pace=4)
    world.morning()
    assert lines_of(listed("lihua")) == [4, 7, 8, 9, 1]
    added = [row for row in prospects() if row.status == "added"]
    assert {(row.line, row.external_userid) for row in added} == {
        (1, "wm0"), (2, "wm1"), (3, "wm2"), (5, "wm4"), (6, "wm5")
    }  # fmt: skip


def test_a_guide_is_told_once_whatever_is_repeated(world: World) -> None:
    take(range(4))
    world.morning()
    world.morning()
    assert [m["touser"] for m in world.wecom.messages] == ["lihua", "wangwu"]
    message = world.wecom.messages[0]
    assert message["textcard"]["url"].endswith("/h5/tasks") and message["enable_duplicate_check"] == 1
    assert "2" in message["textcard"]["title"]


def test_a_list_is_told_when_wecom_has_handed_the_word_over(world: World) -> None:
    take(range(2), staff={"staff_ids": ["lihua"]})
    world.wecom.fail["message_send"] = [WeComError("message/send", 81013)]
    world.morning()
    assert TaskItem.get("lihua", "2026-11-23").told is None and len(listed("lihua")) == 2
    world.morning(days=1)
    assert TaskItem.get("lihua", "2026-11-24").told is not None


def test_the_timer_winds_itself_up_and_an_old_one_is_ignored(world: World) -> None:
    take(range(2))
    world.morning()
    kinds = [(row.kind, row.due_at[:16]) for row in due.DueItem.scan()]
    assert ("prospect_day", "2026-11-24T01:00") in kinds
    brand_settings.save(settings_of(lists_at="10:30"))
    world.wecom.messages.clear()
    world.morning(days=1)  # the timer of 09:00
    assert not listed("lihua", "2026-11-24")
    daily_tasks.order_lists("2026-11-24", "2026-11-24T02:30:00.000000+00:00")
    world.queues.work()
    assert len(listed("lihua", "2026-11-24")) == 1


def test_a_guide_who_left_hands_on_what_is_open(world: World) -> None:
    import_id = take(range(30), staff={"staff_ids": ["a", "b", "c"]})
    mine = [row.prospect_id for row in prospects() if row.staff_id == "a"]
    status_changes.change(mine[0], rules.ASKED, "me")
    status_changes.change(mine[1], rules.REFUSED, "me")
    arrivals.on_recorded(
        Line(
            "x",
            "event_recorded",
            world.now,
            "k",
            {"kind": "change_contact", "change": "delete_user", "UserID": "a"},
        )
    )
    world.queues.work(times=2)
    found = Counter((row.staff_id, row.status) for row in prospects())
    assert found[("a", "to_add")] == found[("a", "asked")] == 0 and found[("a", "refused")] == 1
    assert {s: n for (s, _), n in found.items() if s != "a"} == {"b": 15, "c": 14} or found[
        ("b", "to_add")
    ] in (14, 15)
    told = report(import_id)
    assert {row["staff_id"]: row["to_add"] for row in told["by_staff"]}["a"] == 0
    assert told["statuses"]["to_add"] == 29 and sum(told["statuses"].values()) == 30
    # A later import gives the one who left nothing.
    take(range(100, 110), staff={"staff_ids": ["a", "b"]})
    assert not [row for row in prospects() if row.staff_id == "a" and row.status == "to_add"]


def test_who_leaves_while_wecom_is_asked_stays_gone_and_who_is_back_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(range(4))
    asks = daily_tasks._works_here

    def slow(staff_id: str) -> bool:
        answer = asks(staff_id)
        handover.leave("lihua")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(daily_tasks, "_works_here", slow)
        daily_tasks.make_list("lihua", "2026-11-23")
    assert brand_settings.guides()["lihua"] == "left"
    daily_tasks.make_list("lihua", "2026-11-24")
    assert brand_settings.guides()["lihua"] == "active"


def test_wecom_says_in_the_morning_who_is_gone_and_nobody_left_is_waiting(world: World) -> None:
    take(range(6), staff={"staff_ids": ["a"]})
    world.wecom.gone = {"a"}
    world.morning()
    assert {row.staff_id for row in prospects()} == {rules.NOBODY}
    world.queues.send("prospect", {"kind": "respread", "staff_id": "-", "to": [], "after": "", "done": 0})
    world.queues.work()  # still nobody: it ends
    world.queues.send(
        "prospect", {"kind": "respread", "staff_id": "-", "to": ["b", "c"], "after": "", "done": 0}
    )
    world.queues.work()
    assert Counter(row.staff_id for row in prospects()) == {"b": 3, "c": 3}


def test_many_tasks_are_handed_on_part_by_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "_MOVED", 4)
    take(range(20), staff={"staff_ids": ["a", "b"]})
    for row in [row for row in prospects() if row.staff_id == "a"][:6]:
        status_changes.change(row.prospect_id, rules.ASKED, "me")
    handover.leave("a")
    world.queues.work()
    assert {row.staff_id for row in prospects()} == {"b"}


def test_who_was_asked_long_ago_is_given_up(world: World) -> None:
    import_id = take(range(2), staff={"staff_ids": ["lihua"]})
    world.morning()
    one, two = listed("lihua")
    status_changes.change(one, rules.ASKED, "me")
    world.morning(days=29)
    assert models.find(one).status == rules.ASKED
    world.morning(days=31)
    assert models.find(one).status == rules.EXPIRED and models.find(two).status == rules.TO_ADD
    told = report(import_id)
    assert told["statuses"]["expired"] == 1 and told["by_day"][-1] == {
        **dict.fromkeys(("asked", "added", "refused", "unreachable"), 0),
        "day": "2026-12-24",
        "expired": 1,
    }


def test_the_counts_are_those_of_the_rows_after_any_moves(world: World) -> None:
    import_id = take(range(12))
    moves = (rules.ASKED, rules.REFUSED, rules.TO_ADD, rules.UNREACHABLE, rules.ASKED, rules.TO_ADD)
    for i, row in enumerate(prospects()):
        for status in moves[: i % 6 + 1]:
            status_changes.change(row.prospect_id, status, "me")
            status_changes.change(row.prospect_id, status, "me")
    erasure.erase(prospects()[0].prospect_id)
    told = report(import_id)
    rows = [row for row in prospects() if row.status != rules.ERASED]
    assert told["statuses"] == {**dict.fromkeys(rules.STATUSES, 0), **Counter(r.status for r in rows)}
    for figures in told["by_staff"]:
        mine = Counter(r.status for r in rows if r.staff_id == figures["staff_id"])
        assert {s: figures[s] for s in rules.STATUSES if figures[s]} == mine
    assert all(row.version for row in rows) and list(FigureItem.query(import_id))


def test_lists_by_guide_status_and_import_are_whole_in_any_page_size(world: World) -> None:
    first, second = take(range(25)), take(range(100, 110), staff={"staff_ids": ["lihua", "zhao"]})
    for row in prospects()[::3]:
        status_changes.change(row.prospect_id, rules.ASKED, "me")
    rows = prospects()
    for wanted in (
        {},
        {"status": "asked"},
        {"status": "to_add", "staff_id": "lihua"},
        {"import_id": second},
        {"status": "asked", "staff_id": "lihua", "import_id": first},
    ):
        right = {r.prospect_id for r in rows if all(getattr(r, name) == v for name, v in wanted.items())}
        for limit in (1, 7, 200):
            found, cursor = [], None
            while True:
                page = prospect_list.page(ProspectsQuery(limit=limit, cursor=cursor, **wanted))
                found += [row.prospect_id for row in page.items]
                cursor = page.next_cursor
                assert len(page.items) <= limit and page.total == len(found)
                assert page.total_is == ("exact" if cursor is None else "at_least")
                if cursor is None:
                    break
            assert len(found) == len(right) and set(found) == right
