"""Codes printed as WeCom's own, kept in step over the sandbox's own wire: its list, and only differences."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.assignments import native_list
from chalicelib.assignments import types as assignment_types
from chalicelib.callbacks import service as callbacks
from chalicelib.contactways import native_code, rows, usage
from chalicelib.contactways import service as contactways
from chalicelib.contactways.models import ContactWayItem
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock, due, queues, timeline
from chalicelib.platform.errors import Conflict, Upstream
from chalicelib.scans import service as scan_service
from chalicelib.wecom import client as wecom
from chalicelib.wecom import events
from chalicelib.wecom.errors import WeComError
from tests.support.scan_support import DAY, NOON, FakeWeCom, complete, definition, listed, new_process, taken
from tests.support.ways_world import World, in_sandbox

HOUR = timedelta(hours=1)
DAILY = [1, 2, 3, 4, 5, 6, 7]
MORNING = {"weekdays": DAILY, "from": "09:00", "to": "13:00"}
EVENING = {"weekdays": DAILY, "from": "20:00", "to": "02:00"}
At = Callable[[datetime], None]


@pytest.fixture
def world(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    yield from in_sandbox(at, sent, monkeypatch)


def native(*members: dict[str, Any], fallback: tuple[str, ...] = (), **rest: Any) -> livecodes.LiveCode:
    return livecodes.create(definition(*members, fallback=fallback, printing="native", **rest))


def member(staff_id: str, **rest: Any) -> dict[str, Any]:
    return {"staff_id": staff_id, **rest}


def shown(code: livecodes.LiveCode) -> dict[str, Any]:
    return msgspec.to_builtins(native_code.find_status(livecodes.get(code.live_code_id))) or {}


def add(code: livecodes.LiveCode, staff_id: str, who: str) -> None:
    """WeCom tells that `who` added the member by the code's own way."""
    xml = (
        f"<xml><ToUserName>ww5a6d0b0x0sandbox1</ToUserName><CreateTime>{int(clock.now().timestamp())}"
        "</CreateTime><MsgType>event</MsgType><Event>change_external_contact</Event>"
        f"<ChangeType>add_external_contact</ChangeType><UserID>{staff_id}</UserID>"
        f"<ExternalUserID>{who}</ExternalUserID><State>{native_code.state_of(code.live_code_id)}</State></xml>"
    )
    callbacks.handle(events.parse(xml.encode()).to_message())


# Made, and told


def test_one_way_of_all_members_is_made_and_none_of_each(world: World) -> None:
    code = native(member("a"), member("b"), fallback=("f",), skip_verify=False)
    assert world.work() == []
    (made,) = world.calls("add_contact_way")
    body = made["body"]
    assert (body["type"], body["scene"], body["user"], body["skip_verify"]) == (2, 2, ["a", "b"], False)
    assert body["state"] == native_code.state_of(code.live_code_id)
    assert len(body["state"]) <= 30
    found = contactways.find_way(body["state"])
    assert found and (found.live_code_id, found.staff_id) == (code.live_code_id, "")
    assert shown(code)["listed_staff_ids"] == ["a", "b"]
    assert shown(code)["qr_url"].startswith(world.sandbox.base_url)
    assert msgspec.to_builtins(usage.in_use()) == {
        "in_use": 1,
        "limit": 500_000,
        "left": 499_999,
        "by_kind": {"staff": 0, "native": 1, "group": 0},
    }


def test_an_update_replaces_the_list_and_leaves_the_rest(world: World) -> None:
    """What the product relies on: WeCom's `user` is overwritten, not added to; type and state stay."""
    code = native(member("a"), member("b"))
    world.work()
    livecodes.change(code.live_code_id, {"assignment": {"members": [member("c")]}, "name": "New"}, complete)
    world.work()
    assert len(world.calls("update_contact_way")) == 1
    assert (world.users, world.way()["type"], world.way()["remark"]) == (["c"], 2, "New")
    assert world.way()["state"] == native_code.state_of(code.live_code_id)
    livecodes.change(code.live_code_id, {"skip_verify": False}, complete)
    world.work()
    assert world.way()["skip_verify"] is False
    assert world.calls("update_contact_way")[-1]["body"]["skip_verify"] is False


def test_a_change_of_nothing_that_wecom_knows_is_not_sent(world: World) -> None:
    code = native(member("a"))
    world.work()
    livecodes.change(code.live_code_id, {"channel": "counter", "welcome": {"text": "hi"}}, complete)
    world.work()
    assert world.calls("update_contact_way") == []


@pytest.mark.slow
def test_a_day_in_which_nothing_changes_asks_nothing_of_wecom(world: World) -> None:
    code = native(member("a", daily_cap=5), member("b"))
    world.work()
    calls = len(world.calls())
    world.until(NOON + 24 * HOUR)
    assert len(world.calls()) == calls
    waiting = [row for row in due.DueItem.scan() if row.kind == "native"]
    assert len(waiting) == 1  # however many asked, one chain
    assert clock.parse(waiting[0].due_at) <= NOON + 25 * HOUR
    assert code.live_code_id == waiting[0].work["live_code_id"]


def test_the_list_follows_the_hours_to_the_minute(world: World) -> None:
    native(member("a", hours=[MORNING]), member("b", hours=[EVENING]), fallback=("f",))
    world.work()
    seen = []
    for hour, minute in ((12, 59), (13, 0), (19, 59), (20, 0), (25, 59), (26, 0)):
        world.until(NOON + timedelta(hours=hour - 12, minutes=minute))
        seen.append(world.users)
    assert seen == [["a"], ["f"], ["f"], ["b"], ["b"], ["f"]]
    assert len(world.calls("update_contact_way")) == 3


def test_a_code_whose_restorer_died_follows_the_hours_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    code = native(member("a", hours=[MORNING]), fallback=("f",))
    world.work()
    livecodes.archive(code.live_code_id)
    world.until(NOON + 20 * HOUR)
    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(queues, "send_all", killed)
        livecodes.restore(code.live_code_id)
    livecodes.restore(code.live_code_id)  # the operator tries again
    world.until(NOON + 24 * HOUR)
    assert world.users == ["a"]
    world.until(NOON + 26 * HOUR)
    assert world.users == ["f"]


def test_closed_by_its_schedule_the_fallback_staff_stay_or_the_last_list(world: World) -> None:
    until = (NOON + HOUR).isoformat()
    first = native(member("a"), fallback=("f",), schedule={"until": until})
    world.work()
    world.until(NOON + HOUR)
    assert world.users == ["f"]
    assert scan_service.scan(first.code) == assignment_types.Scan("closed")
    world.sandbox.world.state.ways.clear()
    second = native(member("a"), schedule={"from": (NOON + 9 * HOUR).isoformat()})
    world.work()
    assert shown(second)["listed_staff_ids"] == ["a"]


# Caps


def test_whoever_is_full_leaves_the_list_at_once_and_is_back_at_midnight(world: World) -> None:
    code = native(member("a", daily_cap=2), member("b", total_cap=1), fallback=("f",))
    world.work()
    add(code, "a", "wm1")
    world.work()
    assert world.users == ["a", "b"]
    add(code, "b", "wm2")
    world.work()
    assert world.users == ["a"]
    add(code, "a", "wm3")
    add(code, "a", "wm3")  # told twice
    world.work()
    assert world.users == ["f"]
    assert (taken(code.live_code_id, "a"), taken(code.live_code_id, "b")) == (2, 1)
    assert timeline.read("wm1")[0][0]["data"]["live_code_id"] == code.live_code_id
    assert timeline.read("wm1")[0][0]["data"]["assignment_id"] is None
    world.until(NOON + timedelta(hours=11, minutes=59))
    assert world.users == ["f"]
    world.until(NOON + 12 * HOUR)
    assert world.users == ["a"]
    assert taken(code.live_code_id, "a", DAY) == 2


# Members whom WeCom refuses


def test_a_cap_counts_however_wecom_spells_the_member(world: World) -> None:
    code = native(member("LiHua", daily_cap=1), member("b"))
    world.work()
    add(code, "lihua", "wm1")
    world.work()
    assert world.users == ["b"]
    assert taken(code.live_code_id, "lihua") == 1


@pytest.mark.parametrize(
    ("status", "why", "words"),
    [
        (2, "disabled", "成员 b 已被禁用"),
        (4, "not_serving", "成员 b 没有客户联系权限：请在“客户联系”的使用范围中添加此人"),
    ],
)
def test_a_member_who_is_not_activated_is_left_out_and_told(
    world: World, status: int, why: str, words: str
) -> None:
    world.staff("b", status)
    code = native(member("a"), member("b"), member("c"))
    world.work()
    assert world.users == ["a", "c"]
    (left_out,) = shown(code)["left_out"]
    assert left_out == {"staff_id": "b", "code": f"member_{why}", "reason": words}
    calls = len(world.calls())
    world.until(NOON + 3 * HOUR)
    assert len(world.calls()) == calls
    world.staff("b", 1)
    livecodes.change(code.live_code_id, {"channel": "counter"}, complete)
    world.work()
    assert (world.users, shown(code)["left_out"]) == (["a", "b", "c"], [])


def test_a_refusal_that_names_nobody_is_narrowed_down(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not real-name verified: WeCom lists them among those who serve, and refuses every list with them."""
    code = native(*(member(f"s{n}") for n in range(8)))
    world.work()
    client = wecom.default_client()
    update = client.update_contact_way

    def strict(config_id: str, changes: Any, **rest: Any) -> None:
        if {"s3", "s6"} & set(changes["user"]):
            raise WeComError("externalcontact/update_contact_way", 40098)
        update(config_id, changes, **rest)

    monkeypatch.setattr(client, "update_contact_way", strict)
    livecodes.change(code.live_code_id, {"name": "Other"}, complete)
    assert world.work() == []
    assert world.users == ["s0", "s1", "s2", "s4", "s5", "s7"]
    assert {row["staff_id"]: row["code"] for row in shown(code)["left_out"]} == {
        "s3": "member_not_real_named",
        "s6": "member_not_real_named",
    }


def test_when_all_on_duty_are_refused_the_fallback_staff_get_the_customers(world: World) -> None:
    code = native(member("a"), fallback=("f",))
    world.work()
    world.staff("b", 4)
    livecodes.change(code.live_code_id, {"assignment": {"members": [member("b")]}}, complete)
    world.work()
    assert world.users == ["f"]


def test_a_code_of_nobody_but_refused_ones_is_tried_again_and_stops_no_other(world: World) -> None:
    world.staff("b", 4)
    bad, good = native(member("b")), native(member("a"))
    assert world.work() == []
    assert world.users == ["a"]
    assert (native_code.find_status(bad), shown(good)["listed_staff_ids"]) == (None, ["a"])
    with pytest.raises(Upstream):
        scan_service.scan(bad.code)
    world.staff("b", 1)
    world.until(NOON + HOUR)
    assert shown(bad)["listed_staff_ids"] == ["b"]


# Crashes, losses, races


def test_what_wecom_knows_after_a_lost_answer_is_told_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = native(member("a"))
    world.work()
    client = wecom.default_client()
    update = client.update_contact_way

    def lost(config_id: str, changes: Any, **rest: Any) -> None:
        update(config_id, changes, **rest)
        raise Upstream("no answer")

    monkeypatch.setattr(client, "update_contact_way", lost)
    livecodes.change(code.live_code_id, {"assignment": {"members": [member("b")]}}, complete)
    assert world.work() == ["1"]
    assert shown(code)["listed_staff_ids"] == ["a"]
    monkeypatch.setattr(client, "update_contact_way", update)
    livecodes.change(code.live_code_id, {"assignment": {"members": [member("a")]}}, complete)
    world.work()
    assert world.users == shown(code)["listed_staff_ids"] == ["a"]
    calls = len(world.calls())
    world.until(NOON + 2 * HOUR)
    assert len(world.calls()) == calls


class Killed(BaseException):
    """The process dies here."""


def test_a_process_killed_while_telling_is_made_good_within_the_hour(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = native(member("a"))
    world.work()
    client = wecom.default_client()
    update = client.update_contact_way

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    monkeypatch.setattr(client, "update_contact_way", killed)
    livecodes.change(code.live_code_id, {"assignment": {"members": [member("b")]}}, complete)
    with pytest.raises(Killed):
        world.work()
    monkeypatch.setattr(client, "update_contact_way", update)
    native_list.keep_in_step(code.live_code_id)  # while the dead one's turn lasts, nobody else tells
    assert world.users == ["a"]
    world.until(NOON + HOUR)
    assert world.users == ["b"]


def test_a_change_while_another_tells_is_heard(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    code = native(member("a"))
    world.work()
    client = wecom.default_client()
    update, inside = client.update_contact_way, []

    def slow(config_id: str, changes: Any, **rest: Any) -> None:
        update(config_id, changes, **rest)
        if not inside:
            inside.append(1)
            livecodes.change(code.live_code_id, {"assignment": {"members": [member("c")]}}, complete)
            native_list.keep_in_step(code.live_code_id)

    monkeypatch.setattr(client, "update_contact_way", slow)
    livecodes.change(code.live_code_id, {"assignment": {"members": [member("b")]}}, complete)
    native_list.keep_in_step(code.live_code_id)
    assert world.users == shown(code)["listed_staff_ids"] == ["c"]


def test_one_that_was_deleted_at_wecom_is_made_anew(world: World) -> None:
    code = native(member("a"))
    world.work()
    world.sandbox.world.state.ways.clear()
    livecodes.change(code.live_code_id, {"assignment": {"members": [member("b")]}}, complete)
    assert world.work() == []
    assert native_code.find_status(code) is None
    world.until(NOON + timedelta(minutes=1))
    assert world.users == ["b"]
    assert usage.in_use().in_use == 1


@pytest.mark.slow
def test_many_who_keep_the_same_code_at_once_end_with_the_newest_list(
    engine: str, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    code = native(member("s0"))
    start = threading.Barrier(6)

    def one(number: int) -> None:
        start.wait()
        for turn in range(3):
            wanted = {"assignment": {"members": [member(f"s{number}-{turn}")]}}
            with suppress(Conflict):
                livecodes.change(code.live_code_id, wanted, complete)
            native_list.keep_in_step(code.live_code_id)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    at(NOON + timedelta(minutes=2))  # whoever was asked again in each round has left a lease, for 90 s
    native_list.keep_in_step(code.live_code_id)
    row = ContactWayItem.find(native_code.state_of(code.live_code_id))
    assert row.telling is None
    assert fake.calls["add_contact_way"] == 1
    (way,) = fake.ways.values()
    assert way["user"] == row.listed == livecodes.get(code.live_code_id).rule.staff_ids
    new_process()


# A scan of our link


def test_a_scan_of_the_link_shows_wecoms_own_code_and_reserves_nothing(world: World) -> None:
    code = native(member("a", daily_cap=1))
    got = scan_service.scan(code.code, origin={"print_run_id": "pr_1"})
    assert (got.kind, got.staff_id, got.assignment_id, got.cookie) == ("staff", None, None, None)
    assert got.qr_url == shown(code)["qr_url"]
    assert scan_service.scan(code.code).qr_url == got.qr_url
    assert taken(code.live_code_id, "a") == 0
    assert listed(code.live_code_id, 5, None) == ([], None)
    assert len(world.sandbox.world.state.ways) == 1
    lines = [row for row in timeline.TimelineItem.scan() if row.type == "scanned"]
    assert len(lines) == 2
    livecodes.archive(code.live_code_id)
    assert scan_service.scan(code.code).kind == "closed"


def test_printed_as_our_link_again_its_old_posters_stay_in_step(world: World) -> None:
    code = native(member("a", hours=[MORNING]), fallback=("f",))
    world.work()
    livecodes.change(code.live_code_id, {"printing": "dynamic"}, complete)
    world.until(NOON + timedelta(hours=1))
    (way,) = [w for w in world.sandbox.world.state.ways.values() if w.fields["type"] == 2]
    assert way.fields["user"] == ["f"]
    assert scan_service.scan(code.code).staff_id == "f"
    assert rows.kind(way.fields["state"]) == "native"
    livecodes.archive(code.live_code_id)
    world.until(NOON + 20 * HOUR)
    livecodes.restore(code.live_code_id)
    world.work()
    world.until(NOON + 22 * HOUR)
    assert way.fields["user"] == ["a"]
