"""From a message of the callback queue to a customer, on a real engine: repeats, any order, crashes."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.callbacks import service
from chalicelib.contactways import service as contactways
from chalicelib.customers import service as customers
from chalicelib.customers.rules import ACTIVE, HALF, LOST
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.types import Assignment, Member, NewLiveCode
from chalicelib.platform import clock, queues, storage, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.scans import service as scan_service
from chalicelib.tags import models as tag_models
from chalicelib.wecom import client as wecom
from chalicelib.wecom import events
from chalicelib.wecom.client import ContactWay
from chalicelib.wecom.errors import WeComError
from tests.support.scan_support import listed

CORP = "ww1a2b3c4d5e6f7081"
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
TAG = "渠道/包裹卡"
Sent = list[tuple[str, dict[str, Any], str]]


class Corp:
    """The calls that customers and live codes make, answered at once."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.tags: list[dict[str, Any]] = []

    def external_contact(self, external_userid: str, *, deadline: datetime) -> dict[str, Any]:
        if self.error:
            raise self.error
        contact = {"external_userid": external_userid, "name": "小王", "unionid": f"o_{external_userid}"}
        follow = {"userid": "lihua", "remark": "王女士", "tags": self.tags}
        return {"external_contact": contact, "follow_user": [follow]}

    def add_contact_way(self, fields: dict[str, Any], **_: Any) -> ContactWay:
        return ContactWay(f"cfg-{fields['state']}", "https://qr")


@pytest.fixture
def corp(
    engine: str, at: Callable[[datetime], None], sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Corp]:
    at(NOW)
    corp = Corp()
    monkeypatch.setenv("WECOM_CORP_ID", CORP)
    monkeypatch.setattr(wecom, "default_client", lambda: corp)
    yield corp


@pytest.fixture
def code(corp: Corp, sent: Sent) -> livecodes.LiveCode:
    members = [Member(staff_id="lihua")]
    asked = NewLiveCode(name="卡", channel="parcel", tags=[TAG], assignment=Assignment(members=members))
    made = livecodes.create(msgspec.to_builtins(asked))
    sent.clear()
    return made


def state(code: livecodes.LiveCode) -> str:
    return contactways.way(code, "lihua").state


def event(change: str, second: int = 0, who: str = "wm1", kind: str = "external_contact", **more: str) -> Any:
    """A message of the callback queue."""
    elements = {"UserID": "lihua", "ExternalUserID": who, **more}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in elements.items() if value)
    xml = (
        f"<xml><ToUserName>{CORP}</ToUserName><CreateTime>{int(NOW.timestamp()) + second}</CreateTime>"
        f"<MsgType>event</MsgType><Event>change_{kind}</Event><ChangeType>{change}</ChangeType>{inner}</xml>"
    )
    return events.parse(xml.encode()).to_message()


def lines(subject: str = "wm1") -> list[dict[str, Any]]:
    """The oldest first."""
    return timeline.read(subject, 200)[0][::-1]


def kinds(subject: str = "wm1") -> list[str]:
    return [line["type"] for line in lines(subject)]


def test_an_add_confirms_its_scan_tags_and_tells_where_it_came_from(
    code: livecodes.LiveCode, sent: Sent
) -> None:
    scan = scan_service.scan(code.code)
    service.handle(event("add_external_contact", State=state(code)))
    customer = customers.get("wm1")
    assert customer is not None
    assert (customer.name, customer.unionid, customer.tags) == ("小王", "o_wm1", (TAG,))
    assert (customer.channel, customer.live_code_id) == ("parcel", code.live_code_id)
    assert customer.follows["lihua"].status == ACTIVE
    assert customers.find_by_unionid("o_wm1") == "wm1"
    assert lines()[0]["data"] == {
        "staff_id": "lihua",
        "state": state(code),
        "tags": [TAG],
        "half": False,
        "live_code_id": code.live_code_id,
        "assignment_id": scan.assignment_id,
        "begins": True,
        "ends": False,
        "first": True,
        "channel": "parcel",
    }
    assert listed(code.live_code_id, 10, None)[0][0]["status"] == "confirmed"
    tag = {"kind": "tag", "staff_id": "lihua", "external_userid": "wm1", "add": [TAG], "remove": []}
    assert sent == [("push", tag, "wm1")]


@pytest.mark.parametrize("error", [WeComError("externalcontact/get", 84061), Upstream("no answer")])
def test_an_add_counts_without_its_profile_and_the_next_event_brings_it(
    corp: Corp, code: livecodes.LiveCode, error: Exception
) -> None:
    corp.error = error
    service.handle(event("add_external_contact", State=state(code)))
    customer = customers.get("wm1")
    assert customer is not None and (customer.name, customer.tags) == ("", (TAG,))
    corp.error = None
    service.handle(event("edit_external_contact", 5))
    customer = customers.get("wm1")
    assert customer is not None and customer.name == "小王"


@pytest.mark.parametrize("change", ["edit_external_contact", "add_external_contact"])
@pytest.mark.parametrize("push", ["adds", "removes"])
def test_a_tag_that_our_push_sets_meanwhile_is_no_tag_of_the_past(
    corp: Corp, monkeypatch: pytest.MonkeyPatch, change: str, push: str
) -> None:
    vip = {"type": 1, "group_name": "等级", "tag_name": "VIP"}
    corp.tags = [vip] if push == "removes" else []
    service.handle(event("add_external_contact", UserID="zhao"))
    ask = corp.external_contact

    def meanwhile(who: str, **rest: Any) -> dict[str, Any]:
        told = ask(who, **rest)
        monkeypatch.setattr(corp, "external_contact", ask)
        corp.tags = [] if push == "removes" else [vip]  # at WeCom, then in the mirror
        (customers.remove_tags if push == "removes" else customers.add_tags)(who, ["等级/VIP"], "zhao")
        return told

    monkeypatch.setattr(corp, "external_contact", meanwhile)
    service.handle(event(change, 5))
    customer = customers.get("wm1")
    assert customer is not None and customer.tags == (() if push == "removes" else ("等级/VIP",))


def test_a_half_add_is_tagged_when_it_becomes_whole_and_takes_one_place(
    code: livecodes.LiveCode, sent: Sent
) -> None:
    scan_service.scan(code.code)
    scan_service.scan(code.code)
    service.handle(event("add_half_external_contact", State=state(code)))
    customer = customers.get("wm1")
    assert customer is not None and customer.follows["lihua"].status == HALF
    assert (customer.tags, sent) == ((), [])
    service.handle(event("add_external_contact", 5, State=state(code)))
    customer = customers.get("wm1")
    assert customer is not None and (customer.follows["lihua"].status, customer.tags) == (ACTIVE, (TAG,))
    assert [line["data"]["begins"] for line in lines()] == [True, False]
    statuses = Counter(row["status"] for row in listed(code.live_code_id, 10, None)[0])
    assert statuses == {"confirmed": 1, "reserved": 1}


def test_losses_by_whom_and_a_transfer(corp: Corp) -> None:
    service.handle(event("add_external_contact"))
    service.handle(event("add_external_contact", 1, UserID="wangwu"))
    service.handle(event("add_external_contact", 1, UserID="zhao"))
    service.handle(event("del_follow_user", 2))
    service.handle(event("del_external_contact", 3, UserID="wangwu", Source="DELETE_BY_TRANSFER"))
    service.handle(event("del_external_contact", 4, UserID="zhao"))
    lost = [line["data"] for line in lines() if line["type"] == "customer_lost"]
    assert [(one["by"], one["last"], one["ends"]) for one in lost] == [
        ("customer", False, True),
        ("transfer", False, True),
        ("staff", True, True),
    ]


def test_an_edit_makes_the_tags_what_wecom_has(corp: Corp, code: livecodes.LiveCode) -> None:
    service.handle(event("add_external_contact", State=state(code)))
    corp.tags = [{"group_name": "等级", "tag_name": "VIP", "type": 1}]
    service.handle(event("edit_external_contact", 5))
    customer = customers.get("wm1")
    assert customer is not None and customer.tags == ("等级/VIP",)
    changed = [line["data"] for line in lines() if line["type"] == "tags_changed"]
    assert changed == [{"added": ["等级/VIP"], "removed": [TAG], "staff_id": "lihua"}]


def test_an_edit_without_wecoms_answer_is_tried_again_or_only_recorded(corp: Corp) -> None:
    service.handle(event("add_external_contact"))
    corp.error = Upstream("no answer")
    with pytest.raises(Upstream):
        service.handle(event("edit_external_contact", 5))
    corp.error = WeComError("externalcontact/get", 84061)
    service.handle(event("edit_external_contact", 5))
    assert kinds() == ["customer_added", "follow_edited"]


def test_deleted_before_added_is_lost_with_both_lines(code: livecodes.LiveCode) -> None:
    added = event("add_external_contact", 0, State=state(code))
    lost = event("del_follow_user", 3)
    for message in (lost, added, lost, added):
        service.handle(message)
    customer = customers.get("wm1")
    assert customer is not None and customer.follows["lihua"].status == LOST
    assert kinds() == ["customer_added", "customer_lost"]
    assert [(one["data"]["begins"], one["data"]["ends"]) for one in lines()[:1]] == [(True, True)]
    assert lines()[1]["data"]["ends"] is False


def test_unknown_events_are_recorded_once_and_anothers_not_at_all(corp: Corp) -> None:
    strange = event("brand_new_change")
    without_id = event("add_external_contact", ExternalUserID="")
    for message in (strange, strange, without_id):
        service.handle(message)
    for message in (strange, without_id):
        assert kinds(f"unknown#{message['digest']}") == ["event_unknown"]
    foreign = event("add_external_contact") | {"to_corp": "ww0000000000000000"}
    service.handle(foreign)
    assert customers.get("wm1") is None
    service.handle(
        event("update", kind="external_chat", ExternalUserID="", ChatId="wr1", UpdateDetail="change_notice")
    )
    assert lines("wr1")[0]["data"]["UpdateDetail"] == "change_notice"


def test_a_tag_event_voids_what_we_know_of_tag_ids(corp: Corp, at: Callable[[datetime], None]) -> None:
    tag_models.keep({TAG: "et1"}, clock.now())
    assert tag_models.known([TAG]) == {TAG: "et1"}
    at(NOW + timedelta(seconds=1))
    service.handle(
        event("update", kind="external_tag", ExternalUserID="", UserID="", Id="et1", TagType="tag")
    )
    assert tag_models.known([TAG]) == {}


def test_n_copies_of_m_events_of_one_second_have_m_effects(code: livecodes.LiveCode, sent: Sent) -> None:
    """20 customers, each added and half of them lost within the same second; every event five times."""
    people = [f"wm{n}" for n in range(20)]
    for _ in people:
        scan_service.scan(code.code)
    # The guide has five ways: four scans have one each to themselves, the others share the first.
    states = [contactways.way(code, "lihua", slot).state for slot in range(5)]
    shown = states[1:] + states[:1] * 16
    adds = [event("add_external_contact", 0, who, State=its) for who, its in zip(people, shown, strict=True)]
    losses = [event("del_follow_user", 0, who) for who in people[:10]]
    messages = (adds + losses) * 5
    random.Random(7).shuffle(messages)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(service.handle, messages))
    told = Counter(kind for who in people for kind in kinds(who))
    assert told == {"customer_added": 20, "customer_lost": 10}
    for who in people:
        customer = customers.get(who)
        assert customer is not None
        assert customer.follows["lihua"].status == (LOST if who in people[:10] else ACTIVE)
    figures = [line["data"] for who in people for line in lines(who)]
    begun, ended = sum(d.get("begins", 0) for d in figures), sum(d["ends"] for d in figures)
    assert (begun, ended) == (20, 10)
    statuses = Counter(row["status"] for row in listed(code.live_code_id, 100, None)[0])
    assert statuses == {"confirmed": 20}
    assert {message["external_userid"] for _, message, _ in sent} == set(people)


def test_events_of_one_customer_at_once_lose_nothing_of_each_other(corp: Corp) -> None:
    """The queue keeps one customer's events apart; the version holds even where it does not (a redrive)."""
    staff = [f"guide{n}" for n in range(6)]
    together = threading.Barrier(len(staff))

    def add(staff_id: str) -> None:
        together.wait()
        service.handle(event("add_external_contact", UserID=staff_id))

    with ThreadPoolExecutor(len(staff)) as pool:
        list(pool.map(add, staff))
    customer = customers.get("wm1")
    assert customer is not None and sorted(customer.follows) == staff
    assert customer.version == len(staff)
    assert sum(line["data"]["first"] for line in lines()) == 1


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("step", ["profile", "commit", "push"])
def test_a_consumer_killed_at_any_step_and_retried_does_everything_once(
    code: livecodes.LiveCode, corp: Corp, sent: Sent, monkeypatch: pytest.MonkeyPatch, step: str, before: bool
) -> None:
    scan_service.scan(code.code)
    message = event("add_external_contact", State=state(code))
    targets = {"profile": (corp, "external_contact"), "commit": (storage.Transaction, "commit")}
    owner, name = targets.get(step, (queues, "send"))
    with monkeypatch.context() as patch:
        real = getattr(owner, name)

        def killed(*args: Any, **kwargs: Any) -> None:
            if not before:
                real(*args, **kwargs)
            raise Killed

        patch.setattr(owner, name, killed)
        with pytest.raises(Killed):
            service.handle(message)
    service.handle(message)
    assert kinds() == ["customer_added"]
    customer = customers.get("wm1")
    assert customer is not None and customer.version == 1
    assert listed(code.live_code_id, 10, None)[0][0]["status"] == "confirmed"
    assert len(sent) >= 1  # the queue drops the equal ones, and a tag set twice is set once
    assert all(one == sent[0] for one in sent)
