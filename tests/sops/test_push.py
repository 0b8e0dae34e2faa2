"""Pushes: batched per guide, claimed once, put off, found again, told; and killed at every effect."""

import itertools
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.platform import due
from chalicelib.platform.errors import Upstream
from chalicelib.platform.principal import SYSTEM
from chalicelib.sops import pushes, service, touches
from chalicelib.sops.models import EnrolmentItem, PushItem
from chalicelib.sops.queries import TouchesQuery
from chalicelib.wecom.errors import WeComError
from tests.support.sops_world import START, Killed, World, know, lines, plan
from tests.support.wecom import LOST

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PATH = "externalcontact/add_msg_template"


@pytest.fixture
def world(tables: None, monkeypatch: pytest.MonkeyPatch, at: Callable[[datetime], None]) -> World:
    return World(monkeypatch, at)


@pytest.fixture
def real(engine: str, monkeypatch: pytest.MonkeyPatch, at: Callable[[datetime], None]) -> World:
    return World(monkeypatch, at)


def seen(sop_id: str) -> dict[tuple[str, str], tuple[str, str | None]]:
    """(person, step) → (status, reason), through all pages, checked against the counts."""
    found, cursor = {}, None
    while True:
        page = touches.page(TouchesQuery(limit=2, cursor=cursor, sop_id=sop_id), SYSTEM)
        assert len(page.items) <= 2
        for item in page.items:
            key = (item.external_userid, item.step_id)
            assert key not in found
            found[key] = (item.status, item.reason)
        cursor = page.next_cursor
        if cursor is None:
            return found


def counted(sop_id: str) -> dict[str, dict[str, int]]:
    """The counts without their noughts."""
    counts = touches.count_by_step(service.load(sop_id), SYSTEM)
    figures = {step: msgspec.to_builtins(row) for step, row in counts.items()}
    return {step: {status: n for status, n in row.items() if n} for step, row in figures.items()}


def two_guides(world: World) -> str:
    sop_id = service.create(plan())
    for subject, staff_id in (("wm1", "lihua"), ("wm2", "lihua"), ("wm3", "wangwu")):
        world.add(subject, staff_id)
    return sop_id


ONCE = Counter({(f"wm{i}", text): 1 for i in (1, 2, 3) for text in ("第一条", "第二条")})


def test_each_guide_gets_one_task_for_all_of_their_customers(world: World) -> None:
    sop_id = two_guides(world)
    assert set(seen(sop_id).values()) == {("scheduled", None)}
    world.run(timedelta(minutes=2))
    assert world.wecom.calls["add_msg_template"] == 2
    assert {s["sender"]: sorted(s["external_userid"]) for s in world.wecom.sends.values()} == {
        "lihua": ["wm1", "wm2"],
        "wangwu": ["wm3"],
    }
    assert seen(sop_id)["wm1", "intro"] == ("handed_over", None)
    assert counted(sop_id) == {"intro": {"handed_over": 3}, "second": {"scheduled": 3}}
    world.run(HOUR)
    assert counted(sop_id) == {"intro": {"sent": 3}, "second": {"scheduled": 3}}
    world.run(2 * DAY)
    assert world.wecom.received() == ONCE and world.wecom.calls["add_msg_template"] == 4
    second = [s["at"] for s in world.wecom.sends.values() if s["text"]["content"] == "第二条"]
    assert {f"{at.astimezone(START.tzinfo):%d %H:%M}" for at in second} == {"24 10:00"}  # added at 10:00:07
    assert set(seen(sop_id).values()) == {("sent", None)}
    assert lines("wm1") == [("touch_sent", None)] * 2


@pytest.mark.slow
def test_a_sop_killed_at_any_effect_sends_once_and_loses_nothing(real: World) -> None:
    """Walks the kill point through enrolment, ticks, pushes and results, in steps that fall on each person's.

    Dead after one effect is dead before the next: what is stored is the same.
    """
    point, steps = 1, itertools.cycle((2, 3, 4))
    while whole_sop(real, f"kill{point}", point):
        point += next(steps)
    assert point > 60


def whole_sop(world: World, name: str, kill_at: int) -> bool:
    """Three days of an SOP of its own, with a death after that many effects; whether it came to that."""
    world.wecom.sends.clear()
    sop_id = service.create(plan(trigger={"event": "customer_added", "live_code_ids": [name]}))
    world.kill_at, world.kill_after = world.effects + kill_at, True
    people = {f"{name}-{i}": staff_id for i, staff_id in enumerate(["lihua", "lihua", "wangwu"])}
    for subject, staff_id in people.items():
        world.add(subject, staff_id, live_code_id=name)
    world.run(3 * DAY)
    killed, world.kill_at = world.kill_at is None, None
    assert world.wecom.received() == Counter({(s, text): 1 for s in people for text in ("第一条", "第二条")})
    assert set(seen(sop_id).values()) == {("sent", None)}
    assert counted(sop_id) == {"intro": {"sent": 3}, "second": {"sent": 3}}
    assert [lines(subject) for subject in people] == [[("touch_sent", None)] * 2] * 3
    service.set_status(sop_id, "stop")
    return killed


def test_quiet_hours_hold_a_push_that_comes_late(world: World) -> None:
    sop_id = service.create(plan(quiet_hours={"from": "22:00", "to": "08:00"}))
    world.set(START.replace(hour=21, minute=59))
    world.add("wm1")
    world.set(START.replace(hour=22, minute=5))  # the ticker was away
    world.tick()
    assert not world.wecom.sends and seen(sop_id)["wm1", "intro"][0] == "scheduled"
    world.run(12 * HOUR)
    assert [f"{s['at'].astimezone(START.tzinfo):%H:%M}" for s in world.wecom.sends.values()] == ["08:00"]


def test_a_paused_sop_waits_and_a_stopped_one_skips(world: World) -> None:
    sop_id = two_guides(world)
    service.set_status(sop_id, "pause")
    world.add("wm9")  # nobody comes in meanwhile
    world.run(HOUR)
    assert not world.wecom.sends
    service.set_status(sop_id, "resume")
    world.run(timedelta(minutes=15))
    assert world.wecom.calls["add_msg_template"] == 2
    service.set_status(sop_id, "stop")
    world.run(2 * DAY)
    assert len(world.wecom.sends) == 2
    assert seen(sop_id)["wm1", "second"] == ("skipped", "sop_stopped")
    assert counted(sop_id) == {"intro": {"sent": 3}, "second": {"skipped": 3}}


def test_who_buys_gets_no_more(world: World) -> None:
    sop_id = service.create(plan(stop_on=["order_paid"]))
    for subject in ("wm1", "wm2"):
        world.add(subject)
    world.run(HOUR)
    world.tell("wm1", "order_paid", order_id="M1")
    assert seen(sop_id)["wm1", "second"] == ("skipped", "order_paid")
    world.run(2 * DAY)
    assert world.wecom.received()["wm1", "第二条"] == 0 and world.wecom.received()["wm2", "第二条"] == 1
    assert counted(sop_id) == {"intro": {"sent": 2}, "second": {"skipped": 1, "sent": 1}}


def test_who_buys_between_claim_and_call_gets_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sop_id = service.create(plan(stop_on=["order_paid"]))
    for subject in ("wm1", "wm2"):
        world.add(subject)
    world.wecom.fail["add_msg_template"] = [Upstream("no network")]  # claimed, then no call
    world.run(timedelta(minutes=2))
    assert EnrolmentItem.find("wm1", sop_id).step("intro")["push_id"] and not world.wecom.sends
    world.tell("wm1", "order_paid", order_id="M1")
    world.run(HOUR)
    assert world.wecom.received() == Counter({("wm2", "第一条"): 1})
    assert seen(sop_id)["wm1", "intro"] == ("skipped", "order_paid")


def test_a_sop_stopped_between_claim_and_call_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sop_id = two_guides(world)
    claim = pushes._claim

    def then_stop(*args: Any) -> Any:
        claims = claim(*args)
        service.set_status(sop_id, "stop")
        return claims

    monkeypatch.setattr(pushes, "_claim", then_stop)
    world.run(2 * DAY)
    assert not world.wecom.sends
    assert seen(sop_id)["wm1", "intro"] == ("skipped", "sop_stopped")


def test_who_buys_while_the_others_are_claimed_gets_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sop_id = service.create(plan(stop_on=["order_paid"]))
    for subject in ("wm1", "wm2", "wm3"):
        world.add(subject)
    claim = pushes._claim

    def then_buys(*args: Any) -> Any:
        claims = claim(*args)
        world.tell("wm1", "order_paid", order_id="M1")
        return claims

    monkeypatch.setattr(pushes, "_claim", then_buys)
    world.run(timedelta(minutes=2))
    assert world.wecom.received() == Counter({("wm2", "第一条"): 1, ("wm3", "第一条"): 1})
    assert seen(sop_id)["wm1", "intro"] == ("skipped", "order_paid")


def test_a_repeat_with_one_less_puts_all_the_others_forward(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed behind the first chunk of the next step; one of it buys; those behind move up."""
    monkeypatch.setattr(pushes, "_CHUNK", 2)
    service.create(plan(stop_on=["order_paid"]))
    people = [f"wm{i}" for i in range(5)]
    for subject in people:
        world.add(subject)
    put, chunks = service.put_due, []

    def killed(*args: Any) -> None:
        chunks.append(args[3])
        if len(chunks) == 2:
            raise Killed
        put(*args)

    monkeypatch.setattr(service, "put_due", killed)
    world.run(timedelta(minutes=1))
    world.tell(chunks[0][0], "order_paid", order_id="M1")
    world.run(3 * DAY)
    others = set(people) - {chunks[0][0]}
    assert {s for s, text in world.wecom.received() if text == "第二条"} == others


def test_a_condition_is_read_when_the_step_falls_due(world: World) -> None:
    first = msgspec.to_builtins(plan().steps[0])
    steps = [
        first | {"step_id": "vip", "when": {"all_tags": ["等级/VIP"], "no_tags": ["不打扰/是"]}},
        first
        | {"step_id": "all", "after": "PT1H", "then": {"add_tags": ["渠道/SOP"], "remove_tags": ["新/客"]}},
    ]
    sop_id = service.create(plan(steps=steps))
    know("wm1", "等级/VIP")
    know("wm2")
    know("wm3", "等级/VIP", "不打扰/是")
    for subject in ("wm1", "wm2", "wm3"):
        world.add(subject)
    world.run(timedelta(minutes=3))
    found = seen(sop_id)
    assert found["wm1", "vip"][0] == "handed_over"
    assert found["wm2", "vip"] == found["wm3", "vip"] == ("skipped", "condition")
    world.run(3 * HOUR)
    assert counted(sop_id) == {"vip": {"skipped": 2, "sent": 1}, "all": {"sent": 3}}
    assert sorted(world.tags) == [("lihua", f"wm{i}", ["渠道/SOP"], ["新/客"]) for i in (1, 2, 3)]


def test_a_lost_answer_is_looked_up_and_not_called_again(world: World) -> None:
    sop_id = two_guides(world)
    world.wecom.fail["add_msg_template"] = [LOST]
    world.run(HOUR)
    assert world.wecom.calls["add_msg_template"] == 2 and world.wecom.calls["groupmsg_list"] >= 1
    assert counted(sop_id)["intro"] == {"sent": 3}
    assert len({p.msgid for p in PushItem.scan() if p.msgid}) == 2


def test_a_call_that_never_arrived_is_made_again(world: World) -> None:
    from chalicelib.wecom.errors import AnswerLost

    sop_id = two_guides(world)
    world.wecom.fail["add_msg_template"] = [AnswerLost(PATH)]
    world.run(HOUR)
    assert world.wecom.calls["add_msg_template"] == 3
    assert counted(sop_id)["intro"] == {"sent": 3}
    assert all(n == 1 for n in world.wecom.received().values())


def test_two_sops_with_the_same_words_do_not_take_each_others_task(world: World) -> None:
    """Same guide, same customer, same text, same minute: only the owner tells them apart."""
    from chalicelib.wecom.errors import AnswerLost

    one, two = service.create(plan()), service.create(plan(name="another"))
    world.add("wm1")
    world.wecom.dispatch = timedelta()
    world.tick()
    world.set(START + timedelta(minutes=1))
    real_call = world.wecom.add_msg_template
    made: list[int] = []

    def second_never_arrives(message: Any) -> Any:
        made.append(1)
        if len(made) == 2:
            raise AnswerLost(PATH)
        return real_call(message)

    world.wecom.add_msg_template = second_never_arrives  # type: ignore[method-assign]
    world.run(HOUR)
    assert world.wecom.received()["wm1", "第一条"] == 2
    assert counted(one)["intro"] == counted(two)["intro"] == {"sent": 1}


@pytest.mark.parametrize(
    ("errcode", "reason"),
    [(41048, "no_receiver"), (40058, "wecom_40058"), (60020, "wecom_60020"), (40007, "wecom_40007")],
)
def test_a_refusal_fails_the_touches_and_says_why(world: World, errcode: int, reason: str) -> None:
    sop_id = service.create(plan())
    world.add("wm1")
    world.wecom.fail["add_msg_template"] = [WeComError(PATH, errcode)]
    world.run(HOUR)
    assert seen(sop_id)["wm1", "intro"] == ("failed", reason)
    assert lines("wm1") == [("touch_failed", reason)]
    assert counted(sop_id) == {"intro": {"failed": 1}, "second": {"scheduled": 1}}
    world.run(2 * DAY)
    assert counted(sop_id)["second"] == {"sent": 1}  # the next step goes on


@pytest.mark.parametrize("error", [WeComError(PATH, 45009), WeComError(PATH, 45033), Upstream("down")])
def test_what_passes_is_waited_for_and_sent_once(world: World, error: Exception) -> None:
    sop_id = service.create(plan())
    world.add("wm1")
    world.wecom.fail["add_msg_template"] = [error] * 3
    world.run(HOUR)
    assert world.wecom.calls["add_msg_template"] == 4 and counted(sop_id)["intro"] == {"sent": 1}


def test_what_does_not_pass_for_a_day_fails(world: World) -> None:
    sop_id = service.create(plan())
    world.add("wm1")
    world.wecom.fail["add_msg_template"] = [WeComError(PATH, 45033)] * 100_000
    world.run(DAY + HOUR)
    assert seen(sop_id)["wm1", "intro"] == ("failed", "wecom_45033")


def test_a_pause_does_not_count_as_trying(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushes, "_WHILE_PAUSED", 2 * DAY)
    sop_id = service.create(plan(steps=msgspec.to_builtins(plan().steps)[:1]))
    world.add("wm1")
    world.wecom.fail["add_msg_template"] = [WeComError(PATH, 45033)] * 2
    world.run(timedelta(minutes=1))
    service.set_status(sop_id, "pause")
    world.run(DAY)
    service.set_status(sop_id, "resume")
    world.run(DAY + HOUR)
    assert world.wecom.calls["add_msg_template"] == 3 and counted(sop_id)["intro"] == {"sent": 1}


def test_nights_do_not_make_it_try_for_ever(world: World) -> None:
    sop_id = service.create(plan(quiet_hours={"from": "21:00", "to": "09:00"}))
    world.add("wm1")
    world.wecom.fail["add_msg_template"] = [WeComError(PATH, 40129)] * 100  # each four hours
    world.run(2 * DAY)
    assert seen(sop_id)["wm1", "intro"][0] == "scheduled"
    world.run(6 * HOUR)
    assert seen(sop_id)["wm1", "intro"] == ("failed", "wecom_40129")


def test_who_cannot_be_sent_to_fails_and_the_others_do_not(world: World) -> None:
    sop_id = two_guides(world)
    world.wecom.refuse = {"wm2"}
    world.run(timedelta(minutes=2))
    assert seen(sop_id)["wm2", "intro"] == ("failed", "refused")
    world.run(HOUR)
    assert counted(sop_id)["intro"] == {"sent": 2, "failed": 1}
    assert lines("wm2") == [("touch_failed", "refused")]


def test_each_ones_result_is_told(world: World) -> None:
    sop_id = two_guides(world)
    world.wecom.status = {"wm1": 2, "wm2": 3}
    world.run(HOUR)
    found = seen(sop_id)
    assert found["wm1", "intro"] == ("failed", "not_a_friend")
    assert found["wm2", "intro"] == ("failed", "over_limit")
    assert found["wm3", "intro"] == ("sent", None)
    assert [lines(f"wm{i}") for i in (1, 2)] == [
        [("touch_failed", "not_a_friend")],
        [("touch_failed", "over_limit")],
    ]


def test_a_guide_who_confirms_late_is_still_seen_and_asking_ends_after_three_days(world: World) -> None:
    steps = msgspec.to_builtins(plan().steps)[:1]
    sop_id = service.create(plan(steps=steps))
    world.wecom.confirm_after = timedelta(hours=30)
    world.add("wm1")
    world.run(2 * DAY)
    assert counted(sop_id) == {"intro": {"sent": 1}}
    world.wecom.confirm_after = None
    world.add("wm2")
    world.run(3 * DAY)
    asked = world.wecom.calls["groupmsg_send_result"]
    world.run(10 * DAY)
    assert world.wecom.calls["groupmsg_send_result"] - asked <= 2
    assert counted(sop_id) == {"intro": {"sent": 1, "handed_over": 1}}


def test_a_task_for_the_guide_says_what_to_send_to_whom_once(world: World) -> None:
    task = msgspec.to_builtins(plan().steps[0]) | {"delivery": "staff_task"}
    sop_id = service.create(plan(steps=[task]))
    know("wm1", name="王女士")
    world.add("wm1")
    world.wecom.fail["message_send"] = [LOST]
    world.run(HOUR)
    assert world.wecom.calls["message_send"] == 2 and len(world.wecom.messages) == 1
    text = world.wecom.messages[0]
    assert text["touser"] == "lihua" and text["enable_duplicate_check"] == 1
    assert "王女士" in text["text"]["content"] and "第一条" in text["text"]["content"]
    assert counted(sop_id) == {"intro": {"handed_over": 1}}


def in_doubt_before_the_night(world: World, step: dict[str, Any]) -> str:
    sop_id = service.create(plan(quiet_hours={"from": "21:00", "to": "09:00"}, steps=[step]))
    world.set(START.replace(hour=20, minute=58, second=30))
    due.advance("due", world.now - timedelta(minutes=3))
    call = "message_send" if step["delivery"] == "staff_task" else "add_msg_template"
    world.wecom.fail[call] = [LOST]
    world.add("wm1")
    return sop_id


def test_a_task_in_doubt_is_not_asked_for_again_when_wecom_has_forgotten_it(world: World) -> None:
    task = msgspec.to_builtins(plan().steps[0]) | {"delivery": "staff_task"}
    sop_id = in_doubt_before_the_night(world, task)
    world.run(DAY)
    assert world.wecom.calls["message_send"] == 1
    assert counted(sop_id) == {"intro": {"handed_over": 1}}


def test_a_mass_send_in_doubt_is_looked_for_again_after_the_night(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WeCom's list lagged behind."""
    sop_id = in_doubt_before_the_night(world, msgspec.to_builtins(plan().steps[0]))
    listed, evening = world.wecom.groupmsg_list, world.now

    def later(*args: Any) -> Any:
        return listed(*args) if world.now > evening + HOUR else iter(())

    monkeypatch.setattr(world.wecom, "groupmsg_list", later)
    world.run(DAY)
    assert world.wecom.calls["add_msg_template"] == 1
    assert counted(sop_id) == {"intro": {"sent": 1}}


def test_a_message_that_comes_again_with_more_people_sends_to_the_new_ones_only(world: World) -> None:
    sop_id = service.create(plan())
    for subject in ("wm1", "wm2", "wm3"):
        world.add(subject)
    pushes.push(sop_id, "intro", "lihua", ["wm1", "wm2"])
    pushes.push(sop_id, "intro", "lihua", ["wm2", "wm1"])
    pushes.push(sop_id, "intro", "lihua", ["wm1", "wm2", "wm3"])
    assert [sorted(s["external_userid"]) for s in world.wecom.sends.values()] == [["wm1", "wm2"], ["wm3"]]


def test_copies_of_one_message_at_the_same_time_call_once(real: World) -> None:
    sop_id = service.create(plan())
    people = [f"wm{i}" for i in range(20)]
    for subject in people:
        real.add(subject)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: pushes.push(sop_id, "intro", "lihua", people), range(6)))
    real.run(HOUR)
    assert real.wecom.calls["add_msg_template"] == 1
    assert all(n == 1 for n in real.wecom.received().values()) and len(real.wecom.received()) == 20
    assert counted(sop_id)["intro"] == {"sent": 20}


def test_overlapping_messages_at_the_same_time_send_to_each_once(real: World) -> None:
    sop_id = service.create(plan())
    people = [f"wm{i}" for i in range(20)]
    for subject in people:
        real.add(subject)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda i: pushes.push(sop_id, "intro", "lihua", people[i : i + 14]), range(6)))
    real.run(HOUR)
    assert real.wecom.received() == Counter({(s, "第一条"): 1 for s in people})
    assert counted(sop_id)["intro"] == {"sent": 20}
