"""A nearest store code that gives the store's group."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.assignments.models import AssignmentItem
from chalicelib.assignments.nearest_store import Where
from chalicelib.groupcodes import group_order as code_line
from chalicelib.groupcodes import join_ways as group_join_ways
from chalicelib.groups import blacklist
from chalicelib.livecodes import service as livecodes
from chalicelib.scans import service as scan_service
from chalicelib.stores import maps
from chalicelib.wecom import client as wecom
from infra.sandbox.config import new_private_key
from tests.support.group_world import CORP, Sent, World, counts, lines, person
from tests.support.scan_support import definition, listed, new_process
from tests.support.stores_world import change_store, create_store

HERE = Where(22.54, 113.93)


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
    maps.forget()
    made = World(sent, at, pay_keys)
    monkeypatch.setattr(wecom, "default_client", lambda: made.corp)
    yield made
    maps.forget()


def store(store_id: str, north: float, *chat_ids: str, staff: tuple[str, ...] = ()) -> None:
    spot = {"latitude": 22.54 + north, "longitude": 113.93, "datum": "gcj02"}
    rest: dict[str, Any] = {"city": "", "address": "", "hours": None, "status": "open"}
    lists = {"staff_ids": list(staff), "chat_ids": list(chat_ids)}
    create_store({"store_id": store_id, "name": store_id, **spot, **lists, **rest})


def code() -> livecodes.LiveCode:
    return livecodes.create(definition(kind="nearest_store", stores={"gives": "group"}))


def test_the_stores_group_then_its_guide_then_the_next_stores(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_line, "_WECOM_LIMIT", 5)
    near, far = world.group(members=2), world.group(members=0, name="远店群")
    store("NEAR", 0.01, near, staff=("wangwu",))
    store("BARE", 0.02)
    store("FAR", 0.03, far)
    made = code()
    got = [scan_service.locate(made.code, HERE) for _ in range(3)]
    assert [(one.kind, one.chat_id, one.staff_id, one.store_id) for one in got] == [
        ("group", near, None, "NEAR"),
        ("group", near, None, "NEAR"),
        ("staff", None, "wangwu", "NEAR"),
    ]
    assert counts(near) == (3, 2, 5)
    held = AssignmentItem.get(f"{made.live_code_id}#{near}", got[0].assignment_id)
    assert (held.store_id, held.why["distance_m"]) == ("NEAR", got[0].distance_m)
    assert scan_service.locate(made.code, Where(store_id="FAR")).chat_id == far
    assert (
        scan_service.locate(made.code, HERE, got[0].cookie)
        == got[0]
        == scan_service.scan(made.code, got[0].cookie)
    )


def test_a_join_confirms_and_a_lapse_gives_back(world: World) -> None:
    group = world.group()
    store("A", 0, group)
    made = code()
    first, second = (scan_service.locate(made.code, HERE) for _ in range(2))
    world.hear(world.join(first, person(1)))
    assert counts(group) == (2, 1, 3)
    (joined,) = lines(person(1), "joined_group")
    assert joined["live_code_id"] == made.live_code_id
    world.forward(timedelta(minutes=11))
    assert counts(group) == (2, 0, 2)
    rows, _ = listed(made.live_code_id, 50, None)
    assert sorted(row["status"] for row in rows) == ["confirmed", "lapsed"]
    # Whose reservation a joining is WeCom does not tell: one of the two is confirmed.
    gone = next(row["assignment_id"] for row in rows if row["status"] == "lapsed")
    cookie = next(one.cookie for one in (first, second) if one.assignment_id == gone)
    change_store("A", {"chat_ids": [], "staff_ids": ["b"]})
    assert scan_service.locate(made.code, HERE, cookie).staff_id == "b"


def test_a_join_confirms_also_in_a_group_that_was_known_before(world: World) -> None:
    made_group = world.actions.add_group("lihua", "店群")
    world.hear(made_group)
    group = str(made_group["chat_id"])
    world.forward(timedelta(hours=1))
    store("A", 0, group)
    made = code()
    world.hear(world.join(scan_service.locate(made.code, HERE), person(1)))
    assert counts(group) == (2, 0, 2)
    (joined,) = lines(person(1), "joined_group")
    assert joined["live_code_id"] == made.live_code_id
    world.actions.invite(group, [person(2)])  # and the push is lost
    world.forward(timedelta(hours=2))
    assert counts(group) == (3, 0, 3)


def test_a_change_of_the_code_leaves_the_stores_groups_their_ways(world: World) -> None:
    store("A", 0, world.group())
    made = code()
    first = scan_service.locate(made.code, HERE)
    livecodes.change(made.live_code_id, {"name": "Another"}, lambda merged: merged)
    version = livecodes.get(made.live_code_id).version
    group_join_ways.delete_unused_ways(made.live_code_id, version, native=False)
    assert world.corp.wire.calls["del_join_way"] == 0
    assert scan_service.locate(made.code, HERE).qr_url == first.qr_url
    livecodes.archive(made.live_code_id)
    group_join_ways.delete_unused_ways(made.live_code_id, version + 1, native=False)
    world.forward(timedelta(seconds=1))
    assert world.corp.wire.calls["del_join_way"] == 1


def test_who_comes_back_when_the_code_gives_guides_gets_one(world: World) -> None:
    store("A", 0, world.group(), staff=("a",))
    made = code()
    world.hear(world.join(first := scan_service.locate(made.code, HERE), person(1)))
    livecodes.change(made.live_code_id, {"stores": {"gives": "staff"}}, lambda merged: merged)
    world.forward(timedelta(days=2))
    new_process()
    assert scan_service.locate(made.code, HERE, first.cookie).staff_id == "a"
    assert not world.sandbox.world.state.join_ways


def test_the_blacklisted_get_no_other_stores_group(world: World) -> None:
    store("A", 0, world.group())
    store("B", 0.01, world.group(name="另一家"))
    made = code()
    scan = scan_service.locate(made.code, HERE)
    world.hear(world.join(scan, person(1)))
    blacklist.put(person(1), "spam")
    for where in (HERE, Where(store_id="A"), Where(store_id="B")):
        assert scan_service.locate(made.code, where, scan.cookie).kind == "closed"
