"""From the timeline to its listeners: routed by type, each through its own queue, once in effect."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.ads import campaigns
from chalicelib.ads import models as ad_models
from chalicelib.ads import rules as ad_rules
from chalicelib.ads.types import NewAdCampaign
from chalicelib.platform import declared, due, events, listeners, queues, settings, timeline, timeline_fanout
from chalicelib.platform.timeline_line import Line
from chalicelib.prospects import brand_settings
from chalicelib.prospects.types import BrandSettings
from chalicelib.sops import service as sops
from chalicelib.sops.models import EnrolmentItem
from infra import package, template
from tests.support.sops_world import START, World, load, plan

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
NAMES = [listener.name for listener in listeners.known()]
ADD = {"staff_id": "lihua", "begins": True}


@pytest.fixture
def world(tables: None, monkeypatch: pytest.MonkeyPatch, at: Callable[[datetime], None]) -> World:
    return World(monkeypatch, at)


class Sqs:
    """Queues in memory, as SendMessageBatch fills them. `refuse`: queue → keys of lines, or all with "*"."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.taken: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
        self.entries: list[dict[str, Any]] = []
        self.refuse: dict[str, set[str]] = {}
        self.die_at: int | None = None

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert len(Entries) <= 10
        if len(self.calls) == self.die_at:
            raise KeyboardInterrupt  # the process is gone
        self.calls.append(QueueUrl)
        failed = []
        for entry in Entries:
            key = json.loads(entry["MessageBody"])["key"]
            if self.refuse.get(QueueUrl, set()) & {key, "*"}:
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self.taken[QueueUrl].append(json.loads(entry["MessageBody"]))
                self.entries.append(entry)
        return {"Failed": failed} if failed else {}

    def keys(self, queue: str) -> list[str]:
        return [message["key"] for message in self.taken[queue]]


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Sqs:
    made = Sqs()
    monkeypatch.setattr(settings, "client", lambda service: {"sqs": made}[service])
    for name in NAMES:
        monkeypatch.setenv(f"QUEUE_{name.upper()}", name)
    return made


def stream(*lines: Line) -> dict[str, Any]:
    """Lambda's event for new lines of the timeline; their sequence numbers are 100, 101 …"""
    found = []
    for number, line in enumerate(lines, 100):
        item = timeline._item(line)
        image = {name: {"S": value["S"]} for name, value in item.serialize().items()}
        found.append({"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": image}})
    return {"Records": found}


def batch(listener: str, *messages: dict[str, Any]) -> dict[str, Any]:
    """Lambda's event for messages of a listener's queue."""
    fifo = next(one.ordered for one in listeners.known() if one.name == listener)
    return {
        "Records": [
            {
                "messageId": message["key"],
                "body": json.dumps(message),
                "eventSourceARN": f"arn:aws:sqs:cn-north-1:1:{listener}" + (".fifo" if fifo else ""),
                "attributes": {"ApproximateReceiveCount": "1"}
                | ({"MessageGroupId": message["subject"]} if fifo else {}),
            }
            for message in messages
        ]
    }


def added(key: str, subject: str = "wm1") -> Line:
    return Line(subject, "customer_added", NOW, key, ADD)


def test_each_line_goes_to_those_who_ask_for_its_type_whole_and_to_no_others(sqs: Sqs) -> None:
    edited = Line("wm1", "follow_edited", NOW, "e", {"staff_id": "lihua"})
    unheard = Line("wm1", "coupon_given", NOW, "c", {"pool_id": "p"})
    imported = Line("wm2", "customer_imported", NOW, "i", {"staff_id": "lihua", "added_at": NOW.isoformat()})
    handler = load("route").handler
    assert handler(stream(added("a"), unheard, edited, imported), None) == {"batchItemFailures": []}
    assert {name: sqs.keys(name) for name in NAMES if sqs.keys(name)} == {
        "enrol": ["a"],
        "credit": ["a"],
        "facts": ["a", "e", "i"],
        "match": ["a", "e"],
    }
    assert listeners.from_message(sqs.taken["enrol"][0]) == added("a")


def test_only_where_order_changes_the_result_a_subjects_lines_are_a_group(sqs: Sqs) -> None:
    timeline_fanout.route([(added("a", "wm 1"), "1"), (added("b", "wm2"), "2")])
    groups = {len(entry.get("MessageGroupId", "")) for entry in sqs.entries}
    assert groups == {0, 3, 64}  # of match none; wm2 itself, and the hash of what SQS would not take
    ids = [entry.get("MessageDeduplicationId") for entry in sqs.entries if "MessageGroupId" in entry]
    assert len(set(ids)) == 2  # a line is the same message in both queues, and at a repeat


def test_ten_lines_are_one_request_for_each_queue(sqs: Sqs) -> None:
    timeline_fanout.route([(added(f"k{n}", f"wm{n}"), str(n)) for n in range(25)])
    asking = {name: sqs.calls.count(name) for name in NAMES}
    assert asking == {"access": 0, "churn": 0, "credit": 3, "enrol": 3, "facts": 3, "match": 3}


@pytest.mark.parametrize("refused", ["*", "k12"])
def test_a_queue_that_refuses_holds_back_no_other_and_gets_its_lines_again(sqs: Sqs, refused: str) -> None:
    lines = [added(f"k{n}") for n in range(15)]
    sqs.refuse["credit"] = {refused}
    answer = load("route").handler(stream(*lines), None)
    first = 0 if refused == "*" else 12
    assert answer == {"batchItemFailures": [{"itemIdentifier": str(100 + first)}]}
    assert sqs.keys("enrol") == sqs.keys("match") == [line.key for line in lines]
    sqs.refuse.clear()
    again = {"Records": stream(*lines)["Records"][first:]}  # Lambda asks from the first failed on
    assert load("route").handler(again, None) == {"batchItemFailures": []}
    assert set(sqs.keys("credit")) == {line.key for line in lines}


def test_a_router_that_dies_between_two_sends_loses_nothing(sqs: Sqs) -> None:
    lines = [added(f"k{n}") for n in range(15)]
    handler = load("route").handler
    for sqs.die_at in range(6):
        sqs.calls.clear()
        with pytest.raises(KeyboardInterrupt):
            handler(stream(*lines), None)
    sqs.die_at = None
    assert handler(stream(*lines), None) == {"batchItemFailures": []}
    for name in ("credit", "enrol", "match"):
        assert list(dict.fromkeys(sqs.keys(name))) == [line.key for line in lines]


def test_a_line_that_a_listener_fails_at_comes_again_alone_and_in_its_order(
    monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    heard: list[str] = []

    def fail_on_b(line: Line) -> None:
        if line.key == "b":
            raise ConnectionError
        heard.append(line.key)

    monkeypatch.setattr(sops, "on_line", fail_on_b)
    messages = [listeners.to_message(added(*one)) for one in (("a",), ("b",), ("c",), ("d", "wm2"))]
    answer = load("enrol").handler(batch("enrol", *messages), None)
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == ["b", "c"]  # c is behind b
    assert heard == ["a", "d"]
    assert "ConnectionError" in logged.getvalue()


@pytest.mark.parametrize("after", [False, True])
def test_a_listener_of_sops_killed_anywhere_enrols_once(world: World, after: bool) -> None:
    """One message after another through the very handler; what it died at is handed out again."""
    sop_id = sops.create(plan(stop_on=["order_paid"]))
    handler = load("enrol").handler
    for point in range(1, 5):
        who = f"wm{point}"
        paid = {"order_id": f"M{point}", "paid_fen": 1}
        messages = [
            listeners.to_message(Line(who, "customer_added", START, "add", ADD)),
            listeners.to_message(Line(who, "order_paid", START + timedelta(minutes=1), "paid", paid)),
        ]
        world.kill_at, world.kill_after = world.effects + point, after
        for message in [*messages, *messages]:  # SQS may hand out twice
            while not world.survive(lambda message=message: handler(batch("enrol", message), None)):
                pass
        world.kill_at = None
        enrolment = EnrolmentItem.get(who, sop_id)
        assert (enrolment.status, enrolment.reason) == ("stopped", "order_paid")
    world.run(timedelta(days=2))
    assert not world.wecom.sends


@pytest.mark.parametrize("after", [False, True])
def test_a_listener_of_ads_killed_anywhere_credits_each_add_and_order_once(
    world: World, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    def send(queue: str, message: Any, **_: Any) -> None:
        world.effect(lambda: hurried.append(message))

    hurried: list[Any] = []
    monkeypatch.setattr(queues, "send", send)
    plan = {
        "name": "x",
        "platform": "baidu",
        "staff_ids": ["lihua"],
        "page": {"title": "x"},
        "report": {"added": "79", "bought": "10"},
        "credentials": "b",
    }
    campaign = campaigns.create(msgspec.convert(plan, NewAdCampaign))
    code, handler = campaign.ad_campaign_id.removeprefix("ac_"), load("credit").handler
    for point in range(1, 9):
        click = ad_rules.click_of("baidu", code, campaign.url, {"bd_vid": str(point)})
        assert click
        who, minute = f"wm{point}", timedelta(minutes=1)
        add = {"staff_id": "lihua", "begins": True, "state": click.token}
        paid = {"order_id": f"M{point}", "paid_fen": 9900, "external_userid": who}
        lines = [
            Line(who, "customer_added", START, "add", add),
            Line(who, "order_paid", START + minute, "paid", paid),
            Line(who, "order_refunded", START + 2 * minute, "back", {**paid, "refunded_fen": 900}),
        ]
        messages = [listeners.to_message(line) for line in lines]
        world.kill_at, world.kill_after = world.effects + point, after
        for message in [*messages, *messages]:  # SQS may hand out twice
            while not world.survive(lambda message=message: handler(batch("credit", message), None)):
                pass
        world.kill_at = None
    day = START.date()
    figures = ad_models.stats(campaign.ad_campaign_id, day, day)[day.isoformat()]
    assert (figures["adds"], figures["orders"], figures["gmv_fen"]) == (8, 8, 8 * 9000)
    told = [row for row in due.DueItem.scan() if row.kind == "ad_report"]
    assert len(told) == 16  # each add and each order, to its platform; a refund is not


def test_a_listener_of_prospects_killed_at_its_send_asks_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(queue: str, message: Any, **_: Any) -> None:
        world.effect(lambda: asked.append((queue, message["kind"], message["external_userid"])))

    asked: list[Any] = []
    monkeypatch.setattr(queues, "send", send)
    monkeypatch.setattr(brand_settings, "recent", lambda: BrandSettings(in_use=True))
    message, handler = listeners.to_message(added("a")), load("match").handler
    for after in (False, True):
        world.kill_at, world.kill_after = world.effects + 1, after
        assert not world.survive(lambda: handler(batch("match", message), None))
        assert handler(batch("match", message), None) == {"batchItemFailures": []}
    assert set(asked) == {("prospect", "arrived", "wm1")}  # whom matching settles once, however often asked


def test_listeners_and_events_are_one_table() -> None:
    """What is listened to exists, who hears it exists, and each listener has its queue and function."""
    assert len(set(NAMES)) == len(NAMES) >= 3
    stack = package.parsed("stack.yaml")["functions"]
    for listener in listeners.known():
        assert set(listener.handlers) <= set(events.TYPES), listener.name
        assert all(callable(declared.resolve(handler)) for handler in listener.handlers.values())
        # A million of them are no adds of today; facts are of everybody.
        assert "customer_imported" not in listener.handlers or listener.name == "facts"
        assert stack[listener.name]["queue"]["fifo"] is listener.ordered
        assert load(listener.name).handler
    assert template.sends(stack["route"]) == NAMES


def test_a_line_is_what_the_table_has() -> None:
    good = Line("wm1", "follow_edited", NOW, "k", {"staff_id": "lihua"})
    assert timeline._item(good).data == good.data
    for type_, data, why in (
        ("follow_edit", {"staff_id": "lihua"}, "no event"),
        ("follow_edited", {"staff": "lihua", "staff_id": "lihua"}, "has no staff"),
        ("follow_edited", {"staff_id": 5}, "staff_id"),
        ("follow_edited", {}, "staff_id"),
    ):
        with pytest.raises(events.NotAnEvent, match=why):
            timeline._item(Line("wm1", type_, NOW, "k", data))


def test_data_is_read_as_its_type_also_what_a_newer_version_wrote() -> None:
    line = Line("wm1", "follow_edited", NOW, "k", {"staff_id": "lihua", "of_tomorrow": 1})
    assert line.data_as(events.FollowEdited) == events.FollowEdited(staff_id="lihua")
    with pytest.raises(TypeError):
        line.data_as(events.CustomerAdded)


def test_each_event_says_what_its_subject_is() -> None:
    for type_, kind in events.TYPES.items():
        assert (kind.__doc__ or "").startswith("Subject"), type_
        assert all(field.type is not Any for field in msgspec.structs.fields(kind))
