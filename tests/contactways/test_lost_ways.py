"""Contact ways whose making had no answer: looked for at WeCom, taken or deleted, and nothing else touched."""

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.contactways import lost_answers, making, rows, usage
from chalicelib.contactways import service as contactways
from chalicelib.contactways.models import READY, ContactWayItem
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock, due, storage
from chalicelib.platform.errors import Upstream
from chalicelib.wecom import client as wecom
from chalicelib.wecom.client import WeCom
from chalicelib.wecom.errors import AnswerLost, WeComError
from tests.support.scan_support import NOON, FakeWeCom, definition, new_process
from tests.support.ways_world import At, World, in_sandbox

SOON = NOON + lost_answers.LOOK_AFTER + timedelta(minutes=1)


@pytest.fixture
def world(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    numbers = itertools.count()  # WeCom's are 32 digits of base 16, and may sort before anything
    for world in in_sandbox(at, sent, monkeypatch):
        monkeypatch.setattr(world.sandbox.world, "new_id", lambda kind: f"{next(numbers):032x}")
        yield world


class Killed(BaseException):
    """The process dies here."""


def code_of(*staff_ids: str, world: World) -> livecodes.LiveCode:
    """A code whose ways nobody has made ahead."""
    code = livecodes.create(definition(*({"staff_id": one} for one in staff_ids)))
    world.sent.clear()
    return code


def there(world: World) -> list[str]:
    """config_ids of the ways that WeCom has."""
    return sorted(world.sandbox.world.state.ways)


def known() -> dict[str, str | None]:
    """Our rows: config_id by state; None of one that is not ready."""
    rows = [row for row in ContactWayItem.scan() if not row.state.startswith("#")]
    return {row.state: row.config_id if row.status == READY else None for row in rows}


def in_use() -> int:
    return int(usage.in_use().in_use)


def asked(world: World, name: str) -> int:
    return len(world.calls(f"{name}_contact_way"))


def by_hand(state: str) -> str:
    """What somebody else makes at WeCom."""
    way = {"type": 1, "scene": 2, "user": ["x"], "state": state}
    return wecom.default_client().add_contact_way(way).config_id


def test_what_was_made_leaves_no_order_and_is_not_asked_for(world: World) -> None:
    code = code_of("a", world=world)
    contactways.way(code, "a")
    assert not [row for row in due.DueItem.scan() if row.kind == "way_search"]
    world.until(SOON)
    assert asked(world, "list") == 0


def test_the_answer_of_a_call_that_was_lost_is_found_at_once(world: World) -> None:
    code = code_of("a", world=world)
    world.sandbox.fault("add_contact_way", "lost")
    made = contactways.way(code, "a")
    assert [ContactWayItem.find(made.state).config_id] == there(world)
    world.until(SOON)
    assert (asked(world, "add"), in_use()) == (1, 1)
    assert list(known().values()) == there(world)


def carried_out_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """The next call to make a way is given up, and only carried out when the result is called."""
    add, waiting = WeCom.add_contact_way, list[Any]()

    def slow(self: WeCom, way: Any, *, deadline: Any = None) -> Any:
        monkeypatch.setattr(WeCom, "add_contact_way", add)
        waiting.append(way)
        raise AnswerLost("externalcontact/add_contact_way")

    monkeypatch.setattr(WeCom, "add_contact_way", slow)
    return lambda: wecom.default_client().add_contact_way(waiting[0]).config_id


def test_a_call_that_is_carried_out_when_another_was_made_is_undone(
    world: World, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of("a", world=world)
    carry_out = carried_out_later(monkeypatch)
    with pytest.raises(AnswerLost):
        contactways.way(code, "a")
    at(NOON + timedelta(seconds=1))
    contactways.way(code, "a")
    (used,) = there(world)
    late = carry_out()
    assert there(world) == sorted([used, late])
    world.until(SOON)
    assert there(world) == [used]
    assert (list(known().values()), in_use()) == ([used], 1)


def test_a_call_that_is_carried_out_when_nobody_comes_again_is_taken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of("a", world=world)
    carry_out = carried_out_later(monkeypatch)
    with pytest.raises(AnswerLost):
        contactways.way(code, "a")
    late = carry_out()
    world.until(SOON)
    assert list(known().values()) == [late]
    assert contactways.way(code, "a").qr_url
    assert (there(world), in_use(), asked(world, "add")) == ([late], 1, 1)


def test_a_call_that_was_never_carried_out_is_not_counted_any_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of("a", world=world)
    carried_out_later(monkeypatch)
    with pytest.raises(AnswerLost):
        contactways.way(code, "a")
    assert in_use() == 1
    world.until(SOON)
    assert (known(), in_use()) == ({}, 0)


def test_what_is_not_ours_is_left_alone_and_what_we_know_is_not_asked_for(
    world: World, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of("a", "b", "c", world=world)
    others = [by_hand(""), by_hand("mr"), by_hand("somebody"), by_hand(contactways.state_of("lc_other", "a"))]
    for staff_id in "bc":
        contactways.way(code, staff_id)
    at(NOON + timedelta(seconds=1))
    carry_out = carried_out_later(monkeypatch)
    with pytest.raises(AnswerLost):
        contactways.way(code, "a")
    looked = asked(world, "get")
    carry_out()
    world.until(SOON)
    assert set(others) < set(there(world))
    assert len(there(world)) == 4 + 3
    assert asked(world, "del") == 0
    assert looked == 4
    assert asked(world, "get") == looked + 5
    assert asked(world, "list") == 2


def test_what_was_made_long_before_or_after_is_not_looked_at(
    world: World, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of("a", world=world)
    state = contactways.state_of(code.live_code_id, "a")
    before = by_hand(state)
    at(NOON + timedelta(hours=1))
    carried_out_later(monkeypatch)
    with pytest.raises(AnswerLost):
        contactways.way(code, "a")
    world.until(NOON + timedelta(hours=2))
    assert (there(world), known()) == ([before], {})
    assert asked(world, "get") == 0


@pytest.mark.parametrize("kind", ["drop", "errcode"])
def test_while_wecom_does_not_answer_it_is_asked_again_later(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    code = code_of("a", world=world)
    carry_out = carried_out_later(monkeypatch)
    with pytest.raises(AnswerLost):
        contactways.way(code, "a")
    carry_out()
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    world.sandbox.fault("list_contact_way", kind, 60020 if kind == "errcode" else 0, times=None)
    world.until(SOON + timedelta(minutes=25))
    assert list(known().values()) == [None]
    world.sandbox.faults.clear()
    world.until(SOON + timedelta(minutes=40))
    assert list(known().values()) == there(world)


def test_many_are_looked_through_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    code = code_of("a", world=world)
    carry_out = carried_out_later(monkeypatch)
    with pytest.raises(AnswerLost):
        contactways.way(code, "a")
    monkeypatch.setattr(lost_answers, "_AT_ONCE", 2)
    others = [by_hand(f"other{number}") for number in range(5)]
    late = carry_out()
    world.until(SOON + timedelta(minutes=1))
    assert there(world) == sorted([*others, late])
    assert list(known().values()) == [late]
    assert asked(world, "get") == 6
    assert asked(world, "list") == 1 + 3


def test_a_maker_that_is_at_work_is_not_disturbed(
    world: World, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of("a", world=world)
    carried_out_later(monkeypatch)
    with pytest.raises(AnswerLost):
        contactways.way(code, "a")
    at(NOON + lost_answers.LOOK_AFTER)
    add = WeCom.add_contact_way

    def meanwhile(self: WeCom, way: Any, *, deadline: Any = None) -> Any:
        lost_answers.resolve_lost_answer(contactways.state_of(code.live_code_id, "a"), clock.iso(NOON))
        return add(self, way, deadline=deadline)

    monkeypatch.setattr(WeCom, "add_contact_way", meanwhile)
    contactways.way(code, "a")
    world.until(SOON + lost_answers.LOOK_AFTER)
    assert list(known().values()) == there(world)
    assert in_use() == 1


def test_a_maker_that_begins_while_we_look_keeps_what_it_makes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WeCom lists a way whose maker has not stored it yet, and began after we saw no row."""
    code = code_of("a", world=world)
    ways_of, store = WeCom.list_contact_way, rows.store_answer

    def meanwhile(self: WeCom, *given: Any, **rest: Any) -> Any:
        monkeypatch.setattr(WeCom, "list_contact_way", ways_of)
        monkeypatch.setattr(rows, "store_answer", killed)
        with suppress(Killed):
            contactways.way(code, "a")
        monkeypatch.setattr(rows, "store_answer", store)
        return ways_of(self, *given, **rest)

    def killed(*_: Any) -> bool:
        raise Killed

    monkeypatch.setattr(WeCom, "list_contact_way", meanwhile)
    lost_answers.resolve_lost_answer(
        contactways.state_of(code.live_code_id, "a"), clock.iso(NOON - lost_answers.LOOK_AFTER)
    )
    assert len(there(world)) == 1
    world.until(SOON + lost_answers.LOOK_AFTER)
    assert list(known().values()) == there(world)
    assert in_use() == 1


@pytest.mark.parametrize("event", ["before-send.dynamodb", "after-call.dynamodb"])
@pytest.mark.parametrize("nth", range(4))
def test_a_process_killed_at_any_request_while_making_one_leaves_nothing_behind(
    world: World, event: str, nth: int
) -> None:
    code = code_of("a", world=world)
    wecom.default_client().get_follow_user_list()  # the token is there
    left = [nth]

    def kill(**_: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    events = storage.connection().client.meta.events
    events.register(event, kill)
    try:
        contactways._make(code, "a", contactways.state_of(code.live_code_id, "a"))
    except Killed:
        pass
    finally:
        events.unregister(event, kill)
    new_process()
    world.until(SOON)
    assert list(known().values()) == there(world)
    assert in_use() == len(there(world))
    assert len(there(world)) == (1 if nth else 0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_makers_and_those_who_look_after_them_at_once_end_with_one_way_each(
    engine: str, sent: list[Any], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Answers are lost, calls carried out late, processes killed, by many threads at once."""
    new_process()
    monkeypatch.setattr(rows, "_WAIT_SECONDS", 0.02)
    monkeypatch.setattr(rows, "_POLL_SECONDS", 0.01)
    chance, lock, late, passed = random.Random(seed), threading.Lock(), list[Any](), [0]

    def now() -> datetime:  # leases run out while others work
        with lock:
            passed[0] += 1
            return NOON + timedelta(seconds=passed[0] / 4)

    monkeypatch.setattr(clock, "now", now)

    class Flaky(FakeWeCom):
        def add_contact_way(self, fields: Any, *, deadline: Any = None) -> Any:
            what = chance.choice(["answered", "answered", "lost", "late", "never", "killed", "refused"])
            if what == "refused":
                raise WeComError("externalcontact/add_contact_way", 41054)
            if what == "late":
                late.append(fields)
            if what in ("late", "never"):
                raise AnswerLost("externalcontact/add_contact_way")
            made = super().add_contact_way(fields)
            if what == "killed":
                raise Killed
            if what == "lost":
                raise AnswerLost("externalcontact/add_contact_way")
            return made

    fake = Flaky()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    code = livecodes.create(definition(*({"staff_id": one} for one in "abc")))

    def look_after() -> None:
        for row in due.DueItem.scan():
            if row.kind == "way_search":
                lost_answers.resolve_lost_answer(**row.work)
                row.delete()

    def job(number: int) -> None:
        if number % 7 == 6:
            if late:
                FakeWeCom.add_contact_way(fake, late.pop())
            look_after()
            return
        staff_id = "abc"[number % 3]
        with suppress(Upstream, Killed):
            making.make(
                contactways.state_of(code.live_code_id, staff_id), code.live_code_id, staff_id, {}, {}
            )

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(job, range(84)))
    for fields in late:
        FakeWeCom.add_contact_way(fake, fields)
    for _ in range(9):
        passed[0] += 4 * 60
        look_after()
    assert sorted(fake.ways) == sorted(str(one) for one in known().values())
    assert in_use() == len(fake.ways)
    new_process()
