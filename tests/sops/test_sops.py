"""SOPs from their doors, and who is put in and taken out by what happens."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import botocore.client
import msgspec
import pytest
from chalice.test import Client

from app import app
from chalicelib.platform import auth, due, timeline
from chalicelib.platform.timeline import Line
from chalicelib.sops import service
from chalicelib.sops.models import EnrolmentItem
from chalicelib.sops.types import Message
from tests.support.sops_world import START, WRITES, World, know, plan

DAY = timedelta(days=1)


@pytest.fixture
def world(tables: None, monkeypatch: pytest.MonkeyPatch, at: Callable[[datetime], None]) -> World:
    return World(monkeypatch, at)


@pytest.fixture
def door(world: World) -> Iterator[Callable[..., tuple[int, Any]]]:
    headers = {
        "Authorization": f"Bearer {auth.create_key('test', 'operator')}",
        "Content-Type": "application/json",
    }
    with Client(app) as client:

        def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
            raw = json.dumps(body).encode() if body is not None else b""
            answer = client.http.request(method, path, headers=headers, body=raw)
            return answer.status_code, answer.json_body

        yield ask


def waiting() -> list[tuple[str, list[str]]]:
    return sorted((item.work["step_id"], item.work["subjects"]) for item in due.DueItem.scan())


def body(**changes: Any) -> dict[str, Any]:
    return {
        "name": "New customer, 48 hours",
        "audience": "customer",
        "trigger": {"event": "customer_added", "live_code_ids": ["lc_1"]},
        "quiet_hours": {"from": "22:00", "to": "08:00"},
        "stop_on": ["order_paid", "customer_lost"],
        "steps": [
            {
                "step_id": "intro",
                "after": "PT0S",
                "delivery": "mass_send",
                "content": [{"type": "text", "text": "…"}],
                "when": {"all_tags": []},
                "then": {"add_tags": []},
            },
            {
                "step_id": "article-2",
                "after": "P1D",
                "at": "10:00",
                "delivery": "mass_send",
                "content": [{"type": "link", "title": "文章", "url": "https://a.cn", "material_id": None}],
            },
        ],
        **changes,
    }


def test_made_shown_paused_resumed_stopped(door: Callable[..., tuple[int, Any]]) -> None:
    status, made = door("POST", "/api/sops", body())
    assert status == 201 and made.keys() == {"sop_id"}
    path = f"/api/sops/{made['sop_id']}"
    status, shown = door("GET", path)
    assert status == 200 and shown["status"] == "active" and shown["name"] == body()["name"]
    assert shown["quiet_hours"] == {"from": "22:00", "to": "08:00"}
    assert shown["steps"][1]["content"][0]["type"] == "link"
    nothing = dict.fromkeys(("scheduled", "handed_over", "sent", "skipped", "failed"), 0)
    assert shown["counts"] == {"intro": nothing, "article-2": nothing}
    for action, after in (
        ("pause", "paused"),
        ("pause", "paused"),
        ("resume", "active"),
        ("stop", "stopped"),
    ):
        assert door("POST", f"{path}/{action}") == (200, {"sop_id": made["sop_id"], "status": after})
    assert door("POST", f"{path}/resume")[0] == 409
    assert door("GET", "/api/sops")[1]["items"][0]["sop_id"] == made["sop_id"]
    for missing in ("/api/sops/none", "/api/touches?sop_id=none"):
        assert door("GET", missing)[0] == 404
    assert door("POST", "/api/sops/none/stop")[0] == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"steps": []}, "steps"),
        ({"steps": [body()["steps"][0] | {"delivery": "moment"}]}, "steps[0].delivery"),
        ({"steps": [body()["steps"][0] | {"when": {"opened": "x"}}]}, "steps[0].when.opened"),
        ({"steps": [body()["steps"][0] | {"step_id": "a.b"}]}, "steps[0].step_id"),
        ({"steps": [body()["steps"][0] | {"at": "24:00"}]}, "steps[0].at"),
        ({"trigger": {"event": "segment_entered"}}, "trigger.event"),
        ({"trigger": {"event": {"calendar": {"weekdays": [1], "at": "12:00"}}}}, "trigger.event"),
        ({"audience": "group"}, "audience"),
        ({"stop_on": ["rain"]}, "stop_on[0]"),
    ],
)
def test_what_cannot_be_run_is_refused_by_its_field(
    door: Callable[..., tuple[int, Any]], change: dict[str, Any], field: str
) -> None:
    status, answer = door("POST", "/api/sops", body(**change))
    assert status == 422
    assert field.split("[")[0] in answer["errors"][0]["field"]
    assert door("GET", "/api/sops")[1]["items"] == []


def test_touches_need_a_sop_or_a_customer_and_honest_cursors(
    door: Callable[..., tuple[int, Any]], world: World
) -> None:
    sop_id = door("POST", "/api/sops", body())[1]["sop_id"]
    world.add("wm1", live_code_id="lc_1")
    assert door("GET", "/api/touches")[0] == 422
    for cursor in (
        "x",
        "eyJhIjoxfQ",
        "eyJsYXN0Ijp7IlMiOjF9fQ",
        "eyJsYXN0Ijp7IlMiOiIifSwic2tpcCI6eyJOIjoiLTEifX0",
    ):
        for path in (f"/api/touches?sop_id={sop_id}&", "/api/touches?external_userid=wm1&", "/api/sops?"):
            assert door("GET", f"{path}cursor={cursor}")[0] == 422
    _, answer = door("GET", "/api/touches?external_userid=wm1")
    assert [(t["step_id"], t["status"], t["external_userid"]) for t in answer["items"]] == [
        ("intro", "scheduled", "wm1")
    ]


def test_every_touch_is_on_one_page_whatever_its_size(
    door: Callable[..., tuple[int, Any]], world: World
) -> None:
    sop_id = service.create(plan())
    people = [f"wm{i}" for i in range(7)]
    for subject in people:
        world.add(subject)
    world.run(timedelta(hours=1))
    for limit in (1, 2, 3, 5, 14, 200):
        found, cursor = [], ""
        while cursor is not None:
            status, page = door("GET", f"/api/touches?sop_id={sop_id}&limit={limit}&cursor={cursor}")
            assert status == 200, page
            found += [(t["external_userid"], t["step_id"]) for t in page["items"]]
            cursor = page["next_cursor"]
        assert found == [(s, step) for s in reversed(people) for step in ("second", "intro")]


def test_one_line_many_times_enrols_once(world: World) -> None:
    sop_id = service.create(plan())
    line = world.add("wm1")
    for _ in range(3):
        service.on_line(line)
    world.set(START + DAY)
    world.add("wm1")  # added again the next day: nothing begins anew
    enrolment = EnrolmentItem.find("wm1", sop_id)
    assert enrolment.anchor_at.startswith("2026-11-22") and waiting() == [("intro", ["wm1"])]


def test_only_by_its_live_codes(world: World) -> None:
    service.create(plan(trigger={"event": "customer_added", "live_code_ids": ["lc_1"]}))
    world.add("wm1", live_code_id="lc_1")
    world.add("wm2", live_code_id="lc_2")
    world.add("wm3", live_code_id=None)
    world.add("wm4", live_code_id="lc_1", half=True)
    assert waiting() == [("intro", ["wm1"])]


def test_a_tag_and_an_order_start_theirs_with_the_guide_of_the_customer(world: World) -> None:
    tagged = service.create(plan(trigger={"event": "tag_added", "tags": ["等级/VIP"]}))
    paid = service.create(plan(trigger={"event": "order_paid"}, stop_on=["order_paid"]))
    know("wm1", staff_id="wangwu")
    world.tell("wm1", "tags_changed", added=["等级/VIP"], removed=[], staff_id=None)
    world.tell("wm1", "order_paid", order_id="M1")
    world.tell("wm1", "order_paid", order_id="M1")  # the very order again ends nothing
    world.tell("order#M2", "order_paid", order_id="M2")
    world.tell("wm9", "order_paid", order_id="M3")  # no bond: nobody could send
    for sop_id in (tagged, paid):
        enrolment = EnrolmentItem.find("wm1", sop_id)
        assert (enrolment.staff_id, enrolment.status) == ("wangwu", "active")
    assert len(waiting()) == 2


def test_losing_the_guide_ends_it_and_an_old_loss_does_not(world: World) -> None:
    sop_id = service.create(plan(stop_on=["customer_lost"]))
    lost = {"staff_id": "lihua", "by": "customer", "last": True, "ends": True}
    world.add("wm1")
    service.on_line(Line("wm1", "customer_lost", START - DAY, "old", lost))
    assert EnrolmentItem.find("wm1", sop_id).status == "active"
    service.on_line(Line("wm1", "customer_lost", START + DAY, "new", lost))
    enrolment = EnrolmentItem.find("wm1", sop_id)
    assert (enrolment.status, enrolment.reason) == ("stopped", "customer_lost")


def test_a_tick_as_soon_as_anything_is_due_finds_the_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.create(plan())
    through, ticked = botocore.client.BaseClient._make_api_call, []

    def call(client: Any, operation: str, arguments: Any) -> Any:
        answer = through(client, operation, arguments)
        if not ticked and due.DueItem.Meta.table_name in str(arguments) and operation in WRITES:
            ticked.append(operation)
            world.set(START + timedelta(minutes=1))
            world.tick()
        return answer

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    world.add("wm1")
    assert ticked and world.wecom.received() == {("wm1", "第一条"): 1}


def test_an_order_that_overtook_the_add_starts_nothing(world: World) -> None:
    """Told first, paid after: by its stream nobody hears of it again."""
    sop_id = service.create(plan(stop_on=["order_paid"]))
    add = Line("wm1", "customer_added", START, "add", {"staff_id": "lihua"})
    timeline.record(
        Line("wm1", "order_paid", START + timedelta(seconds=3), "M1", {"order_id": "M1", "paid_fen": 1})
    )
    world.set(START + timedelta(seconds=20))
    service.on_line(add)
    assert EnrolmentItem.find("wm1", sop_id) is None and waiting() == []


def test_an_add_heard_of_after_the_order_that_ends_it_starts_nothing(world: World) -> None:
    sop_id = service.create(plan(stop_on=["order_paid"]))
    timeline.record(Line("wm1", "order_paid", START, "M1", {"order_id": "M1", "paid_fen": 1}))
    timeline.record(Line("wm2", "order_paid", START - DAY, "M2", {"order_id": "M2", "paid_fen": 1}))
    for subject in ("wm1", "wm2"):
        late = Line(subject, "customer_added", START - timedelta(minutes=10), "late", {"staff_id": "lihua"})
        service.on_line(late)
    assert EnrolmentItem.find("wm1", sop_id) is None
    assert EnrolmentItem.find("wm2", sop_id) is not None


def test_a_welcome_step_is_the_welcomes_and_the_rest_follows(world: World) -> None:
    step = msgspec.to_builtins(plan().steps[0]) | {"step_id": "hello", "delivery": "welcome"}
    steps = [step, msgspec.to_builtins(plan().steps[1])]
    for_all = service.create(plan(steps=steps))
    step = step | {"content": [{"type": "text", "text": "码一"}, {"type": "image", "media_id": "M"}]}
    service.create(plan(steps=[step], trigger={"event": "customer_added", "live_code_ids": ["lc_1"]}))
    image = {"msgtype": "image", "image": {"media_id": "M"}}
    assert service.welcome_for("lc_1", "lihua") == Message("码一", [image])
    for code in ("lc_2", None):
        assert service.welcome_for(code, "lihua") == Message("第一条", [])
    world.add("wm2", live_code_id="lc_2")
    enrolment = EnrolmentItem.find("wm2", for_all)
    assert enrolment.step("hello")["status"] == "handed_over" and waiting() == [("second", ["wm2"])]
    service.set_status(for_all, "pause")
    assert service.welcome_for("lc_2", "lihua") is None
