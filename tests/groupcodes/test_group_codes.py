"""Group codes against the sandbox's groups: scans, joins, exits, lost and late pushes, the next group."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import pytest
from chalice.test import Client

from app import app as product
from chalicelib.assignments import types as assignment_types
from chalicelib.contactways import join_ways, usage
from chalicelib.contactways.models import JoinWayItem
from chalicelib.groupcodes import group_order as group_line
from chalicelib.groupcodes import join_ways as group_join_ways
from chalicelib.groupcodes import open_next_group
from chalicelib.groups import blacklist, group_list, mirror, reading, rules, service, tasks, upkeep
from chalicelib.groups.models import MemberItem, TaskItem
from chalicelib.groups.types import DISMISSED, GroupsQuery, MembersQuery, TaskOut, TasksQuery
from chalicelib.livecodes import rates
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import auth, jobs, works
from chalicelib.platform.errors import Invalid, Upstream
from chalicelib.platform.principal import SYSTEM
from chalicelib.platform.storage import Busy, Transaction
from chalicelib.posters import native_picture
from chalicelib.scans import service as scan_service
from chalicelib.wecom import client as wecom
from chalicelib.wecom import pictures
from chalicelib.wecom.errors import WeComError
from infra.sandbox import group_api
from infra.sandbox.config import new_private_key
from tests.support.group_world import CORP, Sent, World, chat, counts, lines, lost, person
from tests.support.scan_support import definition, listed, requests


def printed_way(code: livecodes.LiveCode) -> dict[str, Any] | None:
    return msgspec.to_builtins(group_join_ways.find_native(code))  # type: ignore[no-any-return]


def task_rows(status: Literal["open", "done"]) -> list[TaskOut]:
    return group_list.page_of_tasks(TasksQuery(status=status), SYSTEM).items


@pytest.fixture(scope="module")
def pay_keys() -> dict[str, str]:
    return {"merchant_private_key": new_private_key(), "platform_private_key": new_private_key()}


@pytest.fixture
def world(
    tables: None,
    sent: Sent,
    at: Callable[[datetime], None],
    pay_keys: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    monkeypatch.setenv("WECOM_CORP_ID", CORP)
    made = World(sent, at, pay_keys)
    monkeypatch.setattr(wecom, "default_client", lambda: made.corp)
    yield made


def scans(code: livecodes.LiveCode, count: int) -> list[assignment_types.Scan]:
    return [scan_service.scan(code.code) for _ in range(count)]


def test_groups_fill_in_order_to_their_real_count(world: World) -> None:
    first, second = world.group(members=2), world.group(members=0, name="福利群2")
    code = world.code(first, second, limit=5, staff=["wangwu"])
    got = scans(code, 7)
    # Three people are in the first one (its owner is one), one in the second.
    assert [one.chat_id for one in got] == [first] * 2 + [second] * 4 + [None]
    assert (got[-1].kind, got[-1].staff_id) == ("staff", "wangwu")
    assert counts(first) == (3, 2, 5)
    assert counts(second) == (1, 4, 5)


def test_a_join_by_code_confirms_the_reservation_and_counts_once(world: World) -> None:
    group = world.group()
    code = world.code(group, limit=10)
    scan = scan_service.scan(code.code)
    joined = world.hear(world.join(scan, person(1)))
    assert joined["chat_id"] == group
    assert counts(group) == (2, 0, 2)
    rows, _ = listed(code.live_code_id, 10, None)
    assert [(r["status"], r["external_userid"], r["chat_id"]) for r in rows] == [
        ("confirmed", person(1), group)
    ]
    [line] = lines(person(1), "joined_group")
    assert line["assignment_id"] == scan.assignment_id
    assert (line["live_code_id"], line["first"], line["scene"]) == (code.live_code_id, True, "qr")
    world.tell(joined["xml"])  # and again
    assert counts(group) == (2, 0, 2)
    assert len(lines(person(1), "joined_group")) == 1
    # Lapse comes for a confirmed one: nothing.
    world.forward(timedelta(minutes=11))
    assert counts(group) == (2, 0, 2)


def test_a_join_that_is_told_late_is_not_a_later_scans(world: World) -> None:
    group = world.group()
    code = world.code(group, limit=10)
    first = scan_service.scan(code.code)
    joined = world.join(first, person(1))
    world.at(world.now + timedelta(minutes=3))
    second = scan_service.scan(code.code)
    world.hear(joined)
    rows, _ = listed(code.live_code_id, 10, None)
    became = {row["assignment_id"]: row["status"] for row in rows}
    assert became == {first.assignment_id: "confirmed", second.assignment_id: "reserved"}


def test_an_unused_reservation_lapses(world: World) -> None:
    group = world.group()
    code = world.code(group, limit=2)
    assert [s.kind for s in scans(code, 2)] == ["group", "closed"]
    world.forward(timedelta(minutes=11))
    assert counts(group) == (1, 0, 1)
    assert scan_service.scan(code.code).chat_id == group


def test_the_same_person_gets_the_same_group(world: World) -> None:
    group, other = world.group(), world.group(name="福利群2")
    code = world.code(group, other, limit=3)
    scan = scan_service.scan(code.code)
    assert scan_service.scan(code.code, scan.cookie) == scan
    assert counts(group) == (1, 1, 2)
    world.hear(world.join(scan, person(1)))
    scans(code, 1)  # fills the group
    again = scan_service.scan(code.code, scan.cookie)
    assert (again.chat_id, again.assignment_id, again.expires_at) == (group, scan.assignment_id, None)
    world.hear(world.actions.leave(group, [person(1)]))
    assert lines(person(1), "left_group") == [{"chat_id": group, "by": "self"}]
    assert scan_service.scan(code.code, scan.cookie).assignment_id != scan.assignment_id


def test_who_comes_back_to_a_group_that_left_the_line_gets_another(world: World) -> None:
    group, other = world.group(), world.group(name="福利群2")
    code = world.code(group)
    scan = scan_service.scan(code.code)
    world.hear(world.join(scan, person(1)))
    patch = {"groups": {**code.definition["groups"], "chat_ids": [other]}}
    livecodes.change(code.live_code_id, patch, lambda m: m)
    world.run()
    world.forward(timedelta(days=2))
    assert scan_service.scan(code.code, scan.cookie).chat_id == other
    assert len(world.sandbox.world.state.join_ways) == usage.count_by_kind()["group"] == 1


def test_a_second_group_of_the_code_takes_a_place_and_no_second_figure(world: World) -> None:
    group, other = world.group(), world.group(name="福利群2")
    code = world.code(group, other, limit=2)
    one, two = scans(code, 2)
    world.hear(world.join(one, person(1)))
    world.hear(world.join(two, person(1)))
    assert counts(other) == (2, 0, 2)
    assert sorted(line["first"] for line in lines(person(1), "joined_group")) == [False, True]
    assert service.groups_of(person(1)) == sorted([group, other])


def test_invited_people_and_exits_change_the_count(world: World) -> None:
    group = world.group()
    code = world.code(group, limit=3)
    done = world.hear(world.actions.invite(group, [person(1), person(2)]))
    assert counts(group) == (3, 0, 3)
    assert scan_service.scan(code.code).kind == "closed"
    world.hear(world.actions.leave(group, [person(1)], removed=True))
    world.tell(done["xml"])  # an old push, again
    assert counts(group) == (2, 0, 2)
    assert lines(person(1), "left_group")[0]["by"] == "staff"
    assert scan_service.scan(code.code).chat_id == group


def test_lost_and_overtaking_pushes_are_put_right(world: World) -> None:
    group = world.group()
    world.code(group, limit=50)
    world.actions.invite(group, [person(1)])  # lost
    late = world.actions.invite(group, [person(2)])
    early = world.actions.leave(group, [person(1)])
    world.hear(early)
    assert counts(group) == (2, 0, 2)
    world.hear(late)
    assert counts(group) == (2, 0, 2)


def test_a_late_answer_is_asked_for_again(world: World) -> None:
    group = world.group()
    code = world.code(group, limit=50)
    world.sandbox.config.group_lag = 60
    scan = scan_service.scan(code.code)
    world.forward(timedelta(minutes=5))
    world.hear(world.join(scan, person(1)))
    assert counts(group) == (2, 1, 3)  # there, and by whose code is not known yet
    assert lines(person(1), "joined_group") == []
    world.forward(timedelta(minutes=3))
    assert counts(group) == (2, 0, 2)
    assert lines(person(1), "joined_group")[0]["live_code_id"] == code.live_code_id


def test_the_hour_finds_what_no_push_told(world: World) -> None:
    group = world.group()
    world.code(group, limit=50)
    world.actions.invite(group, [person(n) for n in range(60)])
    world.forward(timedelta(hours=2, minutes=1))
    assert counts(group) == (61, 0, 61)


def test_a_dismissed_group_gets_nobody(world: World) -> None:
    group, other = world.group(members=30), world.group(name="福利群2")
    code = world.code(group, other, limit=50)
    one = scan_service.scan(code.code)
    world.hear(world.actions.dismiss_group(group))
    assert chat(group).status == DISMISSED
    assert counts(group) == (0, 1, 1)
    assert scan_service.scan(code.code).chat_id == other
    assert one.chat_id == group


def test_a_dismissed_group_keeps_nobody_whose_place_is_open(world: World) -> None:
    group, other = world.group(), world.group(name="福利群2")
    code = world.code(group, other)
    one = scan_service.scan(code.code)
    assert scan_service.scan(code.code, one.cookie).chat_id == group
    world.hear(world.actions.dismiss_group(group))
    assert scan_service.scan(code.code, one.cookie).chat_id == other


def test_who_reads_a_group_that_is_dismissed_meanwhile_does_not_bring_it_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = world.group(members=5)
    code = world.code(group)
    world.at(world.now + timedelta(minutes=5))
    world.actions.invite(group, [person(1)])  # and the push is lost: what WeCom tells is news
    ask = world.corp.group_chat

    def meanwhile(chat_id: str, **rest: Any) -> dict[str, Any]:
        told = ask(chat_id, **rest)
        monkeypatch.setattr(world.corp, "group_chat", ask)
        world.hear(world.actions.dismiss_group(group), run=False)
        return told

    monkeypatch.setattr(world.corp, "group_chat", meanwhile)
    reading.ask(group)
    world.run()
    assert chat(group).status == DISMISSED and counts(group) == (0, 0, 0)
    assert scan_service.scan(code.code).kind == "closed"


def test_the_hour_goes_on_when_wecom_is_down_for_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    group = world.group()
    world.code(group, limit=50)
    world.corp.wire.fail["get"] = [Upstream("down")]
    with pytest.raises(Upstream):  # and its message is given up
        world.forward(timedelta(hours=2, minutes=1))
    world.actions.invite(group, [person(n) for n in range(60)])
    world.forward(timedelta(hours=2))
    assert counts(group) == (61, 0, 61)


def test_the_hour_finds_a_group_that_is_gone(world: World) -> None:
    group, other = world.group(members=3), world.group(name="福利群2")
    code = world.code(group, other)
    world.actions.dismiss_group(group)  # and the push is lost
    world.corp.wire.fail["list"] = [WeComError("list", 60020)]
    world.forward(timedelta(hours=1, minutes=1))
    assert chat(group).status != DISMISSED  # not on one refusal's word
    world.forward(timedelta(hours=2))
    assert chat(group).status == DISMISSED
    assert counts(group) == (0, 0, 0)
    assert len(lines(group, "group_dismissed")) == 1
    assert scan_service.scan(code.code).chat_id == other


def test_a_group_that_wecom_does_not_show_us_is_not_gone(world: World) -> None:
    group = world.group()
    world.code(group)
    world.corp.wire.fail["get"] = [WeComError("get", 40058)]
    world.forward(timedelta(hours=1, minutes=1))
    assert chat(group).status != DISMISSED


def test_members_who_were_there_before_have_not_joined_now(world: World) -> None:
    group = world.group(members=3)
    world.at(world.now + timedelta(days=1))
    world.code(group)
    assert lines("wmlihua" + "0" * 23 + "1", "joined_group") == []
    assert group_list.members(group, MembersQuery(), SYSTEM).items[0].left_at is None


def test_join_ways_are_made_once_and_told_only_differences(world: World) -> None:
    group, other = world.group(), world.group(name="福利群2")
    code = world.code(group, other)
    calls = world.corp.wire.calls
    assert (calls["add_join_way"], calls["update_join_way"]) == (2, 0)
    ways = [w.fields for w in world.sandbox.world.state.join_ways.values()]
    assert [w["auto_create_room"] for w in ways] == [0, 1]
    assert len({w["state"] for w in ways}) == 2
    works.do({"kind": "group_code", "live_code_id": code.live_code_id})
    assert (calls["add_join_way"], calls["update_join_way"]) == (2, 0)
    livecodes.change(code.live_code_id, {"name": "Another"}, lambda merged: merged)
    world.run()
    assert calls["update_join_way"] == 2
    [whole] = {tuple(sorted(body)) for name, body in world.corp.wire.bodies if name == "update_join_way"}
    made = {frozenset(body) for name, body in world.corp.wire.bodies if name == "add_join_way"}
    assert {frozenset(whole) - {"config_id"}} == made  # whatever is left out WeCom forgets
    assert {"state", "auto_create_room", "chat_id_list", "room_base_name", "room_base_id"} <= set(whole)
    assert [w.fields["state"] for w in world.sandbox.world.state.join_ways.values()] == [
        w["state"] for w in ways
    ]


@pytest.mark.parametrize("error", [WeComError("update_join_way", 45009), Upstream("down")])
def test_what_wecom_had_no_time_for_is_told_it_again(world: World, error: Exception) -> None:
    group, other = world.group(), world.group(name="福利群2")
    code = world.code(group, other)
    world.corp.wire.fail["update_join_way"] = [error] * 4
    livecodes.change(code.live_code_id, {"name": "Another"}, lambda merged: merged)
    world.run()
    ways = world.sandbox.world.state.join_ways.values()
    assert [w.fields["remark"] for w in ways] != ["Another"] * 2
    world.forward(timedelta(minutes=3))
    assert [w.fields["remark"] for w in ways] == ["Another"] * 2
    assert [w.fields["auto_create_room"] for w in ways] == [0, 1]
    calls = world.corp.wire.calls["update_join_way"]
    world.forward(timedelta(hours=1))
    assert world.corp.wire.calls["update_join_way"] == calls


def test_a_join_way_is_told_what_is_wanted_then_not_what_was_when_its_consumer_began(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = [world.group(name=f"福利群{n}") for n in (1, 2)]
    code = world.code(*groups, auto_create=True)
    livecodes.change(code.live_code_id, {"name": "Another"}, lambda m: m)
    learn, left = reading.learn, [1]

    def slow(chat_id: str) -> Any:
        if left:
            left.pop()
            off = {"groups": {**code.definition["groups"], "auto_create": False}}
            livecodes.change(code.live_code_id, off, lambda m: m)
            world.run()
        return learn(chat_id)

    monkeypatch.setattr(reading, "learn", slow)
    world.run()
    fields = [w.fields for w in world.sandbox.world.state.join_ways.values()]
    assert [(f["auto_create_room"], f["remark"]) for f in fields] == [(0, "Another")] * 2


def test_a_lost_answer_is_another_join_way_and_counts(world: World) -> None:
    group = world.group()
    world.corp.wire.fail["add_join_way"] = [lost("add_join_way")]
    code = world.code(group)
    assert JoinWayItem.get(join_ways.state_of(code.live_code_id, group)).status == "making"
    world.at(world.now + timedelta(seconds=1))
    assert scan_service.scan(code.code).chat_id == group
    assert len(world.sandbox.world.state.join_ways) == 2
    assert usage.count_by_kind()["group"] == 2


def test_a_picture_that_could_not_be_fetched_needs_no_second_way(world: World) -> None:
    group = world.group()
    world.corp.wire.fail["get_join_way"] = [Upstream("down")]
    code = world.code(group)
    world.at(world.now + timedelta(minutes=1))
    assert scan_service.scan(code.code).qr_url
    assert world.corp.wire.calls["add_join_way"] == 1
    assert usage.count_by_kind()["group"] == 1


def test_one_that_is_gone_before_its_picture_was_fetched_is_made_anew(world: World) -> None:
    world.corp.wire.fail["get_join_way"] = [Upstream("down")]
    code = world.code(world.group())
    world.sandbox.world.state.join_ways.clear()
    world.at(world.now + timedelta(minutes=1))
    with pytest.raises(WeComError):
        scan_service.scan(code.code)
    assert scan_service.scan(code.code).qr_url
    assert usage.count_by_kind()["group"] == len(world.sandbox.world.state.join_ways) == 1


def test_a_group_that_wecom_refuses_stops_no_other(world: World) -> None:
    group, other = world.group(), world.group(name="福利群2")
    world.corp.wire.fail["add_join_way"] = [WeComError("add_join_way", 40058)] * 1
    code = world.code(group, other)
    assert world.corp.wire.calls["add_join_way"] == 2
    world.corp.wire.fail["add_join_way"] = [WeComError("add_join_way", 40058)]
    assert scan_service.scan(code.code).chat_id == other


def test_a_code_scanned_fast_fills_several_groups_side_by_side(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = [world.group(name=f"福利群{n}") for n in range(1, 5)]
    code = world.code(*groups, limit=5, auto_create=False)
    monkeypatch.setattr(rates, "per_second", lambda what, now: 15.0)  # 5 a second for each of three
    got = [one.chat_id for one in scans(code, 12)]
    assert [got.count(group) for group in groups] == [4, 4, 3, 1]  # when one is full, the next is with them
    assert [one.chat_id for one in scans(code, 4)].count(groups[3]) == 3
    assert scan_service.scan(code.code).kind == "closed"


def test_where_too_many_scan_at_once_another_group_is_given(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, other = world.group(), world.group(name="福利群2")
    code = world.code(group, other)
    commit = Transaction.commit

    def crowded(tx: Transaction) -> None:
        if any(name == "place" and item.chat_id == group for name, item, *_ in tx._updates):
            raise Busy("the store is busy")
        commit(tx)

    monkeypatch.setattr(Transaction, "commit", crowded)
    assert scan_service.scan(code.code).chat_id == other


@pytest.mark.parametrize(
    "error", [lost("add_join_way")[0], WeComError("add_join_way", 45009), WeComError("add_join_way", 41045)]
)
def test_a_group_whose_code_cannot_be_had_now_is_passed_over(world: World, error: Exception) -> None:
    group, other = world.group(), world.group(name="福利群2")
    world.corp.wire.fail["add_join_way"] = [error, *[None] * 4]
    code = world.code(group, other, staff=["wangwu"])
    world.corp.wire.fail["add_join_way"] = [error] * 9
    assert scan_service.scan(code.code).chat_id == other
    livecodes.change(code.live_code_id, {"groups": {"chat_ids": [group]}}, lambda merged: merged)
    world.corp.wire.fail["add_join_way"] = [error] * 9
    assert scan_service.scan(code.code).staff_id == "wangwu"


def test_a_line_that_wecom_tells_nothing_of_is_not_closed(world: World) -> None:
    groups = [world.group(name=f"福利群{n}") for n in range(1, 6)]
    world.corp.wire.fail["get"] = [Upstream("down")] * 20
    code = world.code(*groups)
    calls = world.corp.wire.calls["get"]
    with pytest.raises(Upstream):
        scan_service.scan(code.code)
    assert world.corp.wire.calls["get"] == calls + 2  # a person waits
    world.corp.wire.fail["get"] = []
    assert scan_service.scan(code.code).chat_id == groups[0]


def test_wecom_opens_the_next_group_and_the_line_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (rules, group_api):
        monkeypatch.setattr(place, "QR_LIMIT", 20)
    group = world.group(members=10, name="福利群1")
    code = world.code(group, limit=20, room_base_name="福利群")
    got = scans(code, 5)
    assert {one.chat_id for one in got} == {group}
    world.run()
    [task] = task_rows("open")
    assert (task.kind, task.how, task.live_code_id) == ("open_group", "auto", code.live_code_id)
    assert world.told("lihua") == []
    world.hear(world.actions.invite(group, [person(n) for n in range(9)]))
    assert counts(group) == (20, 5, 25)
    opened = world.actions.join(qr_code=str(got[0].qr_url), external_userid=person(99))
    assert opened["chat_id"] != group
    world.forward(timedelta(hours=1))
    assert group_line.line_of(code) == [group, opened["chat_id"]]
    assert task_rows("open") == []
    fields = [w.fields for w in world.sandbox.world.state.join_ways.values()]
    assert [(w["chat_id_list"], w["auto_create_room"]) for w in fields] == [
        ([group], 0),
        ([opened["chat_id"]], 1),
    ]
    assert scan_service.scan(code.code).chat_id == opened["chat_id"]


@pytest.mark.parametrize("where", ["send", "finish_if_there", "use"])
def test_who_dies_over_the_next_group_leaves_it_to_be_done(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    for place in (rules, group_api):
        monkeypatch.setattr(place, "QR_LIMIT", 20)
    group = world.group(members=10, name="福利群1")
    code = world.code(group, limit=20, room_base_name="福利群")
    got = scans(code, 5)
    world.run()
    world.hear(world.actions.invite(group, [person(n) for n in range(9)]))
    new = world.actions.join(qr_code=str(got[0].qr_url), external_userid=person(99))["chat_id"]

    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    whose: Any = {"send": open_next_group.queues, "use": group_line.groups}.get(where, tasks)
    with monkeypatch.context() as patched:
        patched.setattr(whose, where, die)
        with pytest.raises(Killed):
            world.forward(timedelta(hours=1))
    world.forward(timedelta(hours=1))
    assert group_line.line_of(code) == [group, new] and chat(new).codes == {code.live_code_id}
    assert [t.new_chat_id for t in task_rows("done")] == [new]
    assert task_rows("open") == []
    fields = [w.fields for w in world.sandbox.world.state.join_ways.values()]
    assert [(w["chat_id_list"], w["auto_create_room"]) for w in fields] == [([group], 0), ([new], 1)]


def test_a_full_line_leads_to_where_wecom_opens_the_next_group(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody but who scans its code has WeCom open it: without one the line would stay full for ever."""
    for place in (rules, group_api):
        monkeypatch.setattr(place, "QR_LIMIT", 20)
    group = world.group(members=15, name="福利群1")
    code = world.code(group, limit=20, room_base_name="福利群", staff=["wangwu"])
    for number in range(4):
        world.hear(world.join(scan_service.scan(code.code), person(number)))
    assert counts(group) == (20, 0, 20)
    got = scans(code, 7)
    assert [one.chat_id for one in got] == [group] * 5 + [None] * 2  # then WeCom may not open one at all
    assert got[-1].staff_id == "wangwu"
    assert counts(group) == (20, 5, 25)
    opened = world.join(got[0], person(99))
    assert opened["chat_id"] != group
    created = {"ChatId": opened["chat_id"], "ChangeType": "create"}
    world.hear(world.actions.event("change_external_chat", **created))
    world.hear(opened)
    assert group_line.line_of(code) == [group, opened["chat_id"]]
    [line] = lines(person(99), "joined_group")
    assert line["assignment_id"] in {one.assignment_id for one in got}
    assert scan_service.scan(code.code).chat_id == opened["chat_id"]
    world.forward(timedelta(minutes=30), without="lapse")
    assert counts(group) == (20, 0, 20)


def test_when_the_last_group_is_dismissed_wecom_opens_the_next_from_the_one_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (rules, group_api):
        monkeypatch.setattr(place, "QR_LIMIT", 20)
    group, last = world.group(members=19, name="福利群1"), world.group(name="福利群2")
    code = world.code(group, last, limit=20)
    world.hear(world.actions.dismiss_group(last))
    ways = {tuple(w.fields["chat_id_list"]): w.fields for w in world.sandbox.world.state.join_ways.values()}
    assert ways[(group,)]["auto_create_room"] == 1
    opened = world.join(scan_service.scan(code.code), person(1))
    world.hear(opened)
    world.forward(timedelta(minutes=30))
    assert group_line.line_of(code) == [group, last, opened["chat_id"]]
    assert scan_service.scan(code.code).chat_id == opened["chat_id"]


@pytest.mark.parametrize("first", ["created", "joined"])
def test_who_has_a_group_opened_came_by_the_code(
    world: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """The group is in no line yet when WeCom tells that they came in."""
    for place in (rules, group_api):
        monkeypatch.setattr(place, "QR_LIMIT", 20)
    group = world.group(members=19, name="福利群1")
    code = world.code(group, limit=20)
    scan = scan_service.scan(code.code)
    opened = world.join(scan, person(1))
    created = {"ChatId": opened["chat_id"], "ChangeType": "create"}
    events = [world.actions.event("change_external_chat", **created), opened]
    if first == "created":  # and the group is read, with nobody in it but its owner
        row = world.sandbox.world.state.groups[opened["chat_id"]].members.pop()
        world.hear(events.pop(0), run=False)
        world.sent[:], later = [], list(world.sent)
        works.do(later[0][1])
        world.sandbox.world.state.groups[opened["chat_id"]].members.append(row)
    for event in events[::-1]:
        world.hear(event)
    world.forward(timedelta(minutes=5))
    [line] = lines(person(1), "joined_group")
    assert (line["live_code_id"], line["assignment_id"]) == (code.live_code_id, scan.assignment_id)
    assert counts(group) == (20, 0, 20)


def test_the_owner_is_asked_once_and_the_group_of_that_name_is_taken(world: World) -> None:
    group = world.group(name="福利群1")
    code = world.code(group, limit=11, room_base_name="福利群")
    scans(code, 4)
    world.run()
    assert task_rows("open") == []
    scans(code, 5)
    world.run()
    for _ in range(3):
        works.do({"kind": "group_room", "live_code_id": code.live_code_id})
    world.run()
    [said] = world.told("lihua")
    assert "福利群1" in said
    assert "「福利群2」" in said
    world.forward(timedelta(days=1, minutes=2), without="group_check")
    assert len(world.told("lihua")) == 2
    foreign = world.group(name="别的群")
    world.hear(world.actions.change_group(foreign, name="还是别的"))
    assert group_line.line_of(code) == [group]
    made = world.actions.add_group("lihua", "福利群2")
    world.hear(made)
    assert group_line.line_of(code) == [group, made["chat_id"]]
    assert task_rows("open") == []
    world.forward(timedelta(days=3), without="group_check")
    assert len(world.told("lihua")) == 2


def test_a_groups_new_owner_is_asked(world: World) -> None:
    group = world.group(name="福利群1")
    code = world.code(group, limit=2)
    scans(code, 1)
    world.run()
    assert len(world.told("lihua")) == 1
    world.hear(world.actions.change_group(group, owner="zhao"))
    [said] = world.told("zhao")
    assert "「福利群2」" in said
    made = world.actions.add_group("zhao", "福利群2")
    world.hear(made)
    assert group_line.line_of(code) == [group, made["chat_id"]]
    assert len(world.told("lihua")) == 1


def test_an_operator_names_the_group(world: World) -> None:
    group = world.group(name="福利群1")
    code = world.code(group, limit=2)
    scans(code, 1)
    world.run()
    [task] = task_rows("open")
    with pytest.raises(Invalid):
        open_next_group.finish_task(task.task_id, None)
    with pytest.raises(Invalid):
        open_next_group.finish_task(task.task_id, group)
    new = world.group(name="随便")
    assert open_next_group.finish_task(task.task_id, new).status == "done"
    world.run()
    assert scan_service.scan(code.code).chat_id == new
    open_next_group.finish_task(task.task_id, new)
    assert group_line.line_of(code) == [group, new]


def test_an_operator_whose_call_was_cut_off_names_it_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = world.group(name="福利群1")
    code = world.code(group, limit=2)
    scans(code, 1)
    world.run()
    [task] = task_rows("open")
    new = world.group(name="随便")
    with monkeypatch.context() as patched:
        patched.setattr(tasks, "finish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            open_next_group.finish_task(task.task_id, new)
    shown = open_next_group.finish_task(task.task_id, new)
    assert shown.status == "done" and group_line.line_of(code) == [group, new]


def test_the_blacklisted_are_closed_out_and_the_owner_hears_of_them(world: World) -> None:
    group = world.group(name="福利群1")
    code = world.code(group)
    scan = scan_service.scan(code.code)
    world.hear(world.join(scan, person(1), name="小王"))
    blacklist.put(person(1), "spam")
    blacklist.put(person(1), "spam again")
    world.forward(timedelta(minutes=1))
    [said] = world.told("lihua")
    assert "小王" in said
    assert "福利群1" in said
    assert scan_service.scan(code.code, scan.cookie).kind == "closed"
    world.hear(world.actions.leave(group, [person(1)], removed=True))
    assert [t.status for t in task_rows("done")] == ["done"]
    world.at(world.now + timedelta(minutes=5))
    world.hear(world.actions.join(qr_code=str(scan.qr_url), external_userid=person(1)))
    world.forward(timedelta(minutes=1))
    assert len(world.told("lihua")) == 2
    assert lines(person(1), "joined_group")[0]["blacklisted"] is True
    blacklist.remove(person(1))
    assert scan_service.scan(code.code, scan.cookie).kind == "group"


def test_who_is_blacklisted_as_they_join_is_to_be_removed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = world.group(name="福利群1")
    world.code(group)
    read = blacklist.on_it

    def meanwhile(wanted: Any) -> frozenset[str]:
        found = read(wanted)
        monkeypatch.setattr(blacklist, "on_it", read)
        blacklist.put(person(7), "thief")
        return found

    monkeypatch.setattr(blacklist, "on_it", meanwhile)
    world.hear(world.actions.invite(group, [person(7)]))
    world.forward(timedelta(minutes=2))
    assert len(world.told("lihua")) == 1
    world.hear(world.actions.leave(group, [person(7)], removed=True))
    assert [t.status for t in task_rows("done")] == ["done"]


def test_who_is_blacklisted_as_they_leave_is_nobodys_task(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = world.group(name="福利群1")
    world.code(group)
    world.hear(world.actions.invite(group, [person(7)]))
    read = mirror.present

    def meanwhile(*given: Any) -> dict[str, MemberItem]:
        found = read(*given)
        monkeypatch.setattr(mirror, "present", read)
        blacklist.put(person(7), "thief")
        return found

    monkeypatch.setattr(mirror, "present", meanwhile)
    world.hear(world.actions.leave(group, [person(7)]))
    assert task_rows("open") == [] and counts(group) == (1, 0, 1)


def test_a_native_code_rotates_its_five_groups(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [world.group(name=f"福利群{n}") for n in range(1, 8)]
    code = world.code(*groups, limit=4, printing="native", auto_create=False)
    printed = printed_way(code)
    assert printed is not None
    assert printed["chat_ids"] == groups[:5]
    asked: list[str] = []
    monkeypatch.setattr(pictures, "fetch", lambda url, base: asked.append(url) or b"png")
    assert native_picture.fetch_native_picture(code) == b"png" and asked == [printed["qr_url"]]
    for n in range(3):
        world.hear(world.actions.join(qr_code=printed["qr_url"], external_userid=person(n)))
    assert printed_way(code) == {"qr_url": printed["qr_url"], "chat_ids": groups[1:6]}
    assert lines(person(0), "joined_group")[0]["live_code_id"] == code.live_code_id
    assert lines(person(0), "joined_group")[0]["assignment_id"] is None
    world.hear(world.actions.leave(groups[0], [person(1)]))
    assert printed_way(code) == printed
    assert world.corp.wire.calls["add_join_way"] == 1


def test_a_group_that_is_dismissed_while_another_look_is_on_leaves_the_native_code(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = [world.group(name=f"福利群{n}") for n in range(1, 8)]
    code = world.code(*groups, printing="native", auto_create=False)
    livecodes.change(code.live_code_id, {"name": "Another"}, lambda m: m)
    rooms, left = mirror.rooms, [1]

    def slow(line: Any, consistent: bool = True) -> Any:
        found = rooms(line, consistent)
        if left:
            left.pop()
            world.hear(world.actions.dismiss_group(groups[0]))
            world.forward(timedelta(minutes=3))
        return found

    monkeypatch.setattr(mirror, "rooms", slow)
    world.run()
    printed = printed_way(code)
    assert printed is not None and printed["chat_ids"] == groups[1:6]


def test_who_wants_a_native_picture_that_is_not_made_has_it_made(world: World) -> None:
    group = world.group()
    code = livecodes.create(definition(kind="group", printing="native", groups={"chat_ids": [group]}))
    world.sent.clear()  # what was asked for came to nothing
    world.hear(world.actions.invite(group, [person(1)]))  # the group is known
    with pytest.raises(Upstream):
        native_picture.fetch_native_picture(code)
    world.run()
    assert printed_way(code) is not None


@pytest.mark.parametrize("auto", [False, True])  # found out when it is told, or asked what it has grown
def test_a_native_join_way_that_somebody_deleted_is_made_anew(world: World, auto: bool) -> None:
    code = world.code(world.group(), printing="native", auto_create=auto)
    dead = printed_way(code)
    world.sandbox.world.state.join_ways.clear()
    livecodes.change(code.live_code_id, {"name": "Another"}, lambda m: m)
    world.run()
    world.forward(timedelta(minutes=1))
    assert len(world.sandbox.world.state.join_ways) == usage.count_by_kind()["group"] == 1
    assert printed_way(code) not in (None, dead)


def test_an_archived_codes_join_ways_are_deleted_but_the_printed_one_stays(world: World) -> None:
    group, other = world.group(), world.group(name="福利群2")
    code = world.code(group, other)
    livecodes.change(
        code.live_code_id, {"groups": {**code.definition["groups"], "chat_ids": [other]}}, lambda m: m
    )
    world.run()
    version = livecodes.get(code.live_code_id).version
    cleaned_up(world, code, version, native=False)
    assert [w.fields["chat_id_list"] for w in world.sandbox.world.state.join_ways.values()] == [[other]]
    livecodes.archive(code.live_code_id)
    cleaned_up(world, code, version, native=True)
    assert len(world.sandbox.world.state.join_ways) == 1  # that version is no more
    cleaned_up(world, code, version + 1, native=True)
    assert not world.sandbox.world.state.join_ways
    assert usage.count_by_kind()["group"] == 0


def cleaned_up(world: World, code: livecodes.LiveCode, version: int, native: bool) -> None:
    """The work of a version's clean-up, and what it orders."""
    group_join_ways.delete_unused_ways(code.live_code_id, version, native)
    world.forward(timedelta(seconds=20), without="way_cleanup")


def as_the_clean_up_looks(monkeypatch: pytest.MonkeyPatch, then: Callable[[], Any]) -> None:
    """Do something as soon as it has decided, and reads the first row."""
    find, left = JoinWayItem.find, [then]

    def slow(*args: Any, **rest: Any) -> Any:
        if left:
            left.pop()()
        return find(*args, **rest)

    monkeypatch.setattr(JoinWayItem, "find", slow)


@pytest.mark.parametrize("printing", ["dynamic", "native"])
def test_a_code_that_is_restored_while_it_is_cleaned_up_keeps_its_join_ways(
    world: World, printing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = world.code(world.group(), world.group(name="福利群2"), printing=printing)
    ways = set(world.sandbox.world.state.join_ways)
    livecodes.archive(code.live_code_id)
    version = livecodes.get(code.live_code_id).version

    def restored() -> None:
        livecodes.restore(code.live_code_id)
        world.run()

    as_the_clean_up_looks(monkeypatch, restored)
    cleaned_up(world, code, version, native=True)
    assert set(world.sandbox.world.state.join_ways) == ways == {row.config_id for row in JoinWayItem.scan()}


def test_a_group_that_comes_back_behind_the_line_while_it_is_cleaned_up_keeps_its_join_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, other = world.group(), world.group(name="福利群2")
    code = world.code(group, other)
    ways = set(world.sandbox.world.state.join_ways)
    patch = {"groups": {**code.definition["groups"], "chat_ids": [other]}}
    version = livecodes.change(code.live_code_id, patch, lambda m: m).version
    as_the_clean_up_looks(
        monkeypatch, lambda: open_next_group.extend(livecodes.get(code.live_code_id), group)
    )
    cleaned_up(world, code, version, native=False)
    assert set(world.sandbox.world.state.join_ways) == ways


def test_a_clean_up_that_is_killed_and_a_restored_code_leave_no_join_way_that_is_dead(world: World) -> None:
    code = world.code(world.group())
    livecodes.archive(code.live_code_id)
    version = livecodes.get(code.live_code_id).version
    world.corp.wire.fail["del_join_way"] = [(KeyboardInterrupt(), True)]
    with pytest.raises(KeyboardInterrupt):
        cleaned_up(world, code, version, native=False)
    livecodes.restore(code.live_code_id)
    world.run()
    cleaned_up(world, code, version, native=False)  # it comes again
    [row] = JoinWayItem.scan()
    assert list(world.sandbox.world.state.join_ways) == [row.config_id]
    assert usage.count_by_kind()["group"] == 1


def test_a_join_way_whose_making_never_ended_is_given_up_and_goes_on_counting(world: World) -> None:
    code = livecodes.create(definition(kind="group", groups={"chat_ids": [world.group()]}))
    world.corp.wire.fail["add_join_way"] = [lost("add_join_way")] * 2
    world.run()
    livecodes.archive(code.live_code_id)
    world.at(world.now + timedelta(minutes=1))
    cleaned_up(world, code, 2, native=False)
    assert (list(JoinWayItem.scan()), usage.count_by_kind()["group"]) == ([], 1)


def test_sync_reads_all_groups_of_all_owners(world: World) -> None:
    for n in range(105):
        world.sandbox.world.add_staff(f"guide{n}")
    groups = [world.group(owner=f"guide{n}", name=f"群{n}") for n in (0, 50, 104)]
    world.sandbox.world.state.groups[groups[1]].status = 1
    job_id = upkeep.sync(None)
    world.run()
    job = jobs.get(job_id)
    assert (job.status, job.done, job.total) == ("finished", 3, 3)
    assert sorted(row.chat_id for row in group_list.page(GroupsQuery(limit=10), SYSTEM).items) == sorted(
        groups
    )
    assert group_list.get(groups[1], SYSTEM).status == "owner_left"
    assert world.corp.wire.calls["list"] == 2


def test_a_sync_s_message_stays_small_however_many_groups_and_owners_there_are(world: World) -> None:
    for n in range(230):
        world.sandbox.world.add_staff(f"guide{n}" + "x" * 50)
    groups = [world.group(owner="lihua", name=f"群{n}") for n in range(45)]
    groups += [world.group(owner=f"guide{n}" + "x" * 50, name=f"群{n}") for n in (0, 229)]
    job_id = upkeep.sync(None)
    sizes = []
    while world.sent:
        ((_, message, _),) = world.sent
        sizes.append(len(json.dumps(message)))
        world.sent.clear()
        works.do(message)
    job = jobs.get(job_id)
    assert (job.status, job.done, job.total) == ("finished", 47, 47)
    assert sorted(row.chat_id for row in group_list.page(GroupsQuery(limit=100), SYSTEM).items) == sorted(
        groups
    )
    assert max(sizes) < 8_000  # SQS: 262,144
    assert world.corp.wire.calls["get"] == 47


def test_requests_of_a_warm_scan_and_of_a_join(world: World) -> None:
    group = world.group()
    code = world.code(group, staff=["wangwu"])
    scan_service.scan(code.code)
    asked = requests()
    scan = scan_service.scan(code.code)
    assert asked == ["UpdateItem", "TransactWriteItems"]
    asked.clear()
    world.hear(world.join(scan, person(1)), run=False)
    assert asked == ["GetItem", "BatchGetItem", "BatchGetItem", "TransactWriteItems"], asked
    asked.clear()
    world.run()
    print(asked)
    assert len(asked) <= 12


def test_a_killed_reader_is_made_good_by_a_repeat(world: World) -> None:
    group = world.group()
    code = world.code(group)
    joined = world.join(scan_service.scan(code.code), person(1))
    world.tell(joined["xml"], run=False)
    world.sent.clear()  # the message to read the group is lost with its sender
    assert counts(group) == (2, 1, 3)
    world.tell(joined["xml"])
    assert counts(group) == (2, 0, 2)


def test_tasks_survive_a_sender_that_dies(world: World) -> None:
    group = world.group(name="福利群1")
    code = world.code(group, limit=2)
    scans(code, 1)
    works.do({"kind": "group_room", "live_code_id": code.live_code_id})
    world.sent.clear()
    assert TaskItem.scan().next().asked == 0
    works.do({"kind": "group_room", "live_code_id": code.live_code_id})
    world.run()
    assert len(world.told("lihua")) == 1


@pytest.mark.parametrize("down", [False, True])
def test_an_owner_is_reminded_whatever_became_of_the_time_before(
    world: World, monkeypatch: pytest.MonkeyPatch, down: bool
) -> None:
    code = world.code(world.group(name="福利群1"), limit=2)
    scans(code, 1)
    if down:  # the word waits, and is not given up
        world.corp.wire.fail["send"] = [Upstream("down")]
        world.run()
        assert TaskItem.scan().next().asked == 0
    else:
        with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
            patched.setattr(tasks.due, "put", lambda *_: 1 / 0)
            world.run()
        works.do({"kind": "group_ask", "task_id": TaskItem.scan().next().task_id, "time": 1})
    world.forward(timedelta(days=3), without="group_check")
    assert len(world.told("lihua")) == 3
    assert TaskItem.scan().next().asked == 3


def test_the_doors(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "authorize", lambda *_: auth.SYSTEM)
    group = world.group(name="<福利>群1")
    with Client(product) as client:

        def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
            headers = {"Content-Type": "application/json"}
            answer = client.http.request(method, path, headers=headers, body=json.dumps(body or {}).encode())
            return answer.status_code, answer.json_body

        given = {"name": "Groups", "kind": "group", "groups": {"chat_ids": [group], "limit": 2}}
        status, made = ask("POST", "/api/live-codes", given)
        assert status == 201
        assert made["warnings"][0]["field"] == "assignment.fallback_staff_ids"
        world.run()
        html = client.http.get(f"/s/{made['code']}").body.decode()
        assert "&lt;福利&gt;群1" in html
        assert "/qr/jw" in html
        status, line = ask("GET", f"/api/live-codes/{made['live_code_id']}/groups")
        assert (status, line["line"][0]["places_left"], line["opened_by"]) == (200, 0, "owner")
        assert ask("GET", f"/api/groups/{group}")[1]["people"] == 1
        assert ask("GET", "/api/groups")[1]["items"][0]["reserved"] == 1
        assert ask("GET", f"/api/groups/{group}/members")[1]["items"][0]["member_id"] == "lihua"
        assert ask("GET", "/api/groups/wrNobody")[0] == 404
        assert ask("PUT", "/api/blacklist/wmX", {"reason": "spam"})[1]["reason"] == "spam"
        assert ask("DELETE", "/api/blacklist/wmX")[0] == 200
        assert ask("GET", "/api/blacklist/wmX")[0] == 404
        assert ask("PUT", "/api/blacklist/wm%20X", {})[0] == 422
        assert ask("GET", "/api/group-tasks?status=odd")[0] == 422
        assert ask("POST", "/api/groups/sync", {"owners": ["lihua"]})[0] == 202
        assert (
            ask("POST", "/api/live-codes", {"name": "x", "kind": "group"})[1]["errors"][0]["field"]
            == "groups"
        )
        twice = {**given, "groups": {"chat_ids": [group, group]}}
        assert ask("POST", "/api/live-codes", twice)[1]["errors"][0]["field"] == "groups.chat_ids[1]"
