"""The ticker: minutes in their order, sent before removed, routed by kind, bounded, back after an outage."""

import inspect
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from chalicelib.platform import clock, declared, due, queues, ticker, works
from chalicelib.platform.works import Work
from chalicelib.sops import service
from infra import package, template
from tests.support.sops_world import ROOT, START, World, load, plan

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(tables: None, monkeypatch: pytest.MonkeyPatch, at: Callable[[datetime], None]) -> World:
    return World(monkeypatch, at)


class Context:
    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def left() -> int:
    return due.DueItem.count("x") + sum(1 for _ in due.DueItem.scan())


def test_each_kind_goes_to_its_queue_in_its_group(world: World) -> None:
    due.put("lapse", START, "a1", {"assignment_id": "a1"})
    due.put("mature", START, "M1", {"order_id": "M1"})
    due.put("payout_poll", START, "p1", {"payout_id": "p1"})
    due.put("push_result", START, "x", {"push_id": "p_x", "polls": 0})
    world.set(START + MINUTE)
    assert load("tick").handler({}, Context(60_000)) == {"handed_out": 4}
    sent = [(queue, message["kind"], group) for queue, message, group in world.elsewhere]
    assert sorted(sent, key=str) == [
        ("assign", "lapse", None),
        ("payout", "payout_poll", "p1"),
        ("settle", "mature", "M1"),
    ]
    assert [message for _, message in world.waiting] == [
        {"kind": "push_result", "due_at": "2026-11-22T02:00:07.000000+00:00", "push_id": "p_x", "polls": 0}
    ]
    assert left() == 0


def test_the_same_work_put_again_later_is_another_message(world: World) -> None:
    """SQS drops equal messages for five minutes: a poll each minute would never come."""
    for minutes in (0, 1):
        due.put("payout_poll", START + minutes * MINUTE, "p1", {"payout_id": "p1"})
    world.set(START + 2 * MINUTE)
    ticker.tick(lambda: 60_000)
    assert len(world.elsewhere) == 2 and world.elsewhere[0][1] != world.elsewhere[1][1]


def test_a_guides_customers_of_one_minute_are_one_message_of_at_most_10000(world: World) -> None:
    step = plan().steps[0]
    for i in range(0, 10_001, 1000):
        people = [f"wm{n}" for n in range(i, min(i + 1000, 10_001))]
        service.put_due("sop_1", step, "lihua", people, START, f"k{i}")
    service.put_due("sop_1", step, "lihua", ["wm5"], START, "again")
    service.put_due("sop_1", step, "wangwu", ["wm5"], START, "other")
    world.set(START + MINUTE)
    ticker.tick(lambda: 60_000)
    messages = [message for _, message in world.waiting]
    assert sorted((m["staff_id"], len(m["subjects"])) for m in messages) == [
        ("lihua", 1),
        ("lihua", 10_000),
        ("wangwu", 1),
    ]
    assert len({s for m in messages for s in m["subjects"]}) == 10_001


def test_three_hours_of_outage_are_caught_up_once_and_in_order(world: World) -> None:
    ticker.tick(lambda: 60_000)
    for minutes in (1, 30, 90, 179):
        due.put("mature", START + minutes * MINUTE, f"M{minutes}", {"order_id": f"M{minutes}"})
    world.set(START + timedelta(hours=3))
    clock = iter([*[60_000] * 70, 0, *[60_000] * 1000])
    ticker.tick(lambda: next(clock))  # this one's time is up in the middle
    assert [m["order_id"] for _, m, _ in world.elsewhere] == ["M1", "M30"]
    world.set(world.now + MINUTE)
    ticker.tick(lambda: next(clock))
    world.set(world.now + MINUTE)
    ticker.tick(lambda: next(clock))
    assert [m["order_id"] for _, m, _ in world.elsewhere] == ["M1", "M30", "M90", "M179"]
    assert left() == 0


def test_what_fell_due_in_an_outage_over_the_evening_goes_out_once_in_the_morning(world: World) -> None:
    evening = START.replace(hour=19, minute=30)
    due.advance("due", evening)
    service.create(plan(quiet_hours={"from": "21:30", "to": "08:00"}, steps=[_at_once()]))
    for i in range(40):
        world.set(evening + i * 3 * MINUTE)
        world.add(f"wm{i}", "lihua" if i % 2 else "wangwu")
    world.set(evening + timedelta(hours=3))  # the ticker comes back at 22:30
    world.tick()
    assert not world.wecom.sends
    world.run(timedelta(hours=12))
    assert {f"{s['at'].astimezone(START.tzinfo):%H:%M}" for s in world.wecom.sends.values()} == {"08:00"}
    assert world.wecom.calls["add_msg_template"] == 2
    assert len(world.wecom.received()) == 40 and set(world.wecom.received().values()) == {1}


def _at_once() -> dict[str, object]:
    return {"step_id": "intro", "delivery": "mass_send", "content": [{"type": "text", "text": "第一条"}]}


@pytest.mark.parametrize("after", [False, True])
def test_a_tick_that_dies_anywhere_loses_nothing(world: World, after: bool) -> None:
    for point in range(1, 12):
        world.elsewhere.clear()
        for i in range(3):
            due.put("mature", world.now, f"M{point}-{i}", {"order_id": f"M{point}-{i}"})
        world.set(world.now + MINUTE)
        world.kill_at, world.kill_after = world.effects + point, after
        died = not world.survive(lambda: ticker.tick(lambda: 60_000))
        world.kill_at = None
        world.set(world.now + MINUTE)
        ticker.tick(lambda: 60_000)
        assert {m["order_id"] for _, m, _ in world.elsewhere} == {f"M{point}-{i}" for i in range(3)}
        assert left() == 0
        if point == 1:
            assert died


def parked() -> list[str]:
    return sorted(row.bucket for row in due.DueItem.scan() if row.bucket.startswith("unknown"))


def metric(output: str) -> list[int]:
    """What was measured of unknown kinds, tick by tick."""
    lines = [json.loads(line) for line in output.splitlines() if "due_unknown_kinds" in line]
    return [line["due_unknown_kinds"][0] for line in lines]


def test_work_of_an_unknown_kind_is_kept_with_an_alarm_and_done_once_when_it_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(3):
        due.put("from_the_future", START, f"f{n}", {"subject": f"s{n}"})
    due.put("lapse", START, "a1", {"assignment_id": "a1"})
    world.set(START + MINUTE)
    assert ticker.tick(lambda: 60_000) == 1  # the others are not held back
    assert parked() == ["unknown", *["unknown#from_the_future"] * 3]
    world.set(START + timedelta(hours=1))  # long behind the watermark
    assert ticker.tick(lambda: 60_000) == 0
    assert metric(capsys.readouterr().out) == [0, 1]
    world.elsewhere.clear()
    future = Work(kind="from_the_future", queue="convert", handler="x:y", order="subject")
    now_known = {**works.known(), future.kind: future}
    monkeypatch.setattr(works, "known", lambda: now_known)
    assert ticker.tick(lambda: 60_000) == 3
    assert [(queue, m["subject"], group) for queue, m, group in world.elsewhere] == [
        ("convert", f"s{n}", f"s{n}") for n in range(3)
    ]
    assert world.elsewhere[0][1]["due_at"] == clock.iso(START)
    assert ticker.tick(lambda: 60_000) == 0 and left() == 0
    assert metric(capsys.readouterr().out) == [0, 0]


@pytest.mark.parametrize("after", [False, True])
def test_a_tick_that_dies_while_it_parks_or_unparks_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    future = Work(kind="from_the_future", queue="convert", handler="x:y", order="subject")
    now_known = {**works.known(), future.kind: future}
    for point in range(1, 8):
        world.elsewhere.clear()
        for n in range(2):
            due.put(future.kind, world.now, f"f{point}-{n}", {"subject": f"f{point}-{n}"})
        world.set(world.now + MINUTE)
        for known in (works.known(), now_known):
            with monkeypatch.context() as patch:
                patch.setattr(works, "known", lambda known=known: known)
                world.kill_at, world.kill_after = world.effects + point, after
                world.survive(lambda: ticker.tick(lambda: 60_000))
                world.kill_at = None
                ticker.tick(lambda: 60_000)
        assert {m["subject"] for _, m, _ in world.elsewhere} == {f"f{point}-{n}" for n in range(2)}
        assert left() == 0


def test_what_an_older_version_parks_while_a_newer_one_unparks_is_found(world: World) -> None:
    due.put("from_the_future", START, "f1", {"subject": "f1"})
    due.put("from_the_future", START + 2 * MINUTE, "f2", {"subject": "f2"})
    world.set(START + MINUTE)
    ticker.tick(lambda: 60_000)
    (parking,) = due.read_parkings()
    world.set(START + 2 * MINUTE)
    ticker.tick(lambda: 60_000)  # the older version, between the newer one's read and its close
    due.close_parking(parking)
    assert [row.kind for row in due.read_parkings()] == ["from_the_future"]


def test_works_have_their_queue_their_handler_and_their_order() -> None:
    stack = package.parsed("stack.yaml")["functions"]
    assert template.sends(stack["tick"]) == works.queues()
    for work in works.known().values():
        assert stack[work.queue]["queue"]["fifo"] is (work.order is not None), work.kind
        parameters = inspect.signature(declared.resolve(work.handler)).parameters
        given = list(parameters)[: 1 if work.takes is None else len(work.takes)]
        rest = set(parameters) - set(given)
        assert set(work.optional) | ({"milliseconds_left"} if work.timed else set()) <= rest, work.kind
        needed = {name for name in rest if parameters[name].default is inspect.Parameter.empty}
        assert needed == ({"milliseconds_left"} if work.timed else set()), work.kind


def test_two_owners_of_a_kind_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = [Work(kind="lapse", queue=queue, handler="x:y") for queue in ("assign", "push")]
    monkeypatch.setattr(declared, "find", lambda module, name: [twice])
    with pytest.raises(ValueError, match="lapse"):
        works.known.__wrapped__()


def test_every_kind_that_is_put_into_due_is_declared() -> None:
    """Read from the sources: a kind that nobody declares would be parked for ever."""
    text = "".join(path.read_text() for path in (ROOT / "chalicelib").glob("*/*.py"))
    kinds = set(re.findall(r"due\.(?:put\(|item\(|add\(tx, )\"(\w+)\"", text))
    assert len(kinds) > 20 and kinds <= set(works.known())


def test_work_that_can_not_be_sent_as_declared_goes_as_it_is_and_holds_up_no_other(world: World) -> None:
    """Its function fails on it, and it ends in that queue's dead letters, with the alarm of those."""
    due.put("mature", START, "bad", {"order_id": "M0"})
    bad = next(iter(due.DueItem.scan()))
    bad.update(actions=[due.DueItem.work.set({"kind": None, "order_id": None})])
    due.DueItem(bad.bucket, bad.sort + "x", kind="lapse", due_at=bad.due_at, work={}).save()
    due.DueItem(bad.bucket, bad.sort + "y", kind="push_result", due_at=bad.due_at, work={"polls": "x"}).save()
    due.put("mature", START, "M1", {"order_id": "M1"})
    world.set(START + MINUTE)
    load("tick").handler({}, Context(60_000))
    assert left() == 0
    assert ("settle", "M1") in [(queue, group) for queue, _, group in world.elsewhere]


def test_a_merge_that_fails_for_one_merges_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def merge(several: list[dict[str, str]], minute: str) -> list[dict[str, str]]:
        return [{"kind": "lapse", "id": "+".join(work["id"] for work in several)}]

    table = {**works.known(), "lapse": Work(kind="lapse", queue="assign", handler="x:y", merge=merge)}
    monkeypatch.setattr(works, "known", lambda: table)
    for key, work in (("a", {"id": "a"}), ("bad", {}), ("c", {"id": "c"})):
        due.put("lapse", START, key, work)
    world.set(START + MINUTE)
    load("tick").handler({}, Context(60_000))
    sent = [message for queue, message, _ in world.elsewhere if queue == "assign"]
    assert [message.get("id", message.get("work")) for message in sent] == ["a", {}, "c"]
    assert left() == 0


@pytest.mark.parametrize("name", ["\ufffe", "a\uffffb", "\ud83d", "\x00\x1d", "𠮷"])
def test_a_body_holds_what_sqs_takes_and_means_the_same(name: str) -> None:
    body = queues._body({"name": name})
    assert json.loads(body) == {"name": name}
    body.encode()
    assert not any(c in "\ufffe\uffff" or (ord(c) < 32) for c in body)
