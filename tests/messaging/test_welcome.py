"""The welcome within its 20 s: what each answer of WeCom leads to, and a crash at each step."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from chalice.test import Client

from app import app as product
from chalicelib.contactways import service as contactways
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.types import Assignment, Member, NewLiveCode, TimedWelcome
from chalicelib.livecodes.types import Welcome as WelcomeIn
from chalicelib.messaging import service
from chalicelib.messaging.models import MissedWelcomeItem
from chalicelib.messaging.rules import NEUTRAL_CUSTOMER, Welcome
from chalicelib.messaging.types import Add
from chalicelib.platform import auth, clock, queues, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import Transaction
from chalicelib.sops import service as sops
from chalicelib.sops.types import Message
from chalicelib.staff import service as staff
from chalicelib.wecom import client as wecom
from chalicelib.wecom.client import ContactWay
from chalicelib.wecom.errors import AnswerLost, WeComError
from tests.support.sops_world import load

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
LINK = {"msgtype": "link", "link": {"title": "新人礼", "url": "https://s.example.com"}}
PATH = "externalcontact/send_welcome_msg"
SECRET = "WC-very-secret"


class Corp:
    """WeCom with one welcome code. `plan`: what the next calls answer, None for "taken"; then the truth."""

    def __init__(self) -> None:
        self.plan: list[Exception | None] = []
        self.tries: list[tuple[str | None, list[Any]]] = []
        self.delivered: list[tuple[str | None, list[Any]]] = []
        self.sent: list[Any] = []  # to queues
        self.names = True
        self.over = NOW + timedelta(seconds=20)

    def send_welcome_msg(self, code: str, text: str | None, attachments: Any, *, deadline: datetime) -> None:
        assert code == SECRET
        assert deadline - clock.now() == timedelta(seconds=2)
        self.tries.append((text, list(attachments)))
        error = self.plan.pop(0) if self.plan else None
        if isinstance(error, AnswerLost):
            self.delivered.append(self.tries[-1])
        if error:
            raise error
        if clock.now() > self.over:  # used or not
            raise WeComError(PATH, 41050)
        if self.delivered:
            raise WeComError(PATH, 41051)
        self.delivered.append(self.tries[-1])

    def external_contact(self, external_userid: str, *, deadline: datetime) -> dict[str, Any]:
        assert deadline - clock.now() <= timedelta(seconds=1.5)
        if not self.names:
            raise Upstream("slow")
        return {"external_contact": {"name": "小王"}, "follow_user": []}

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The guide's, each once."""
        asked = {work["key"]: work for queue, work, _ in self.sent if queue == "notify"}
        return list(asked.values())

    @property
    def tries_handed_on(self) -> list[dict[str, Any]]:
        return [message for queue, message, _ in self.sent if queue == "welcome"]

    def add_contact_way(self, fields: dict[str, Any], **_: Any) -> ContactWay:
        return ContactWay("cfg", "https://qr")


@pytest.fixture
def corp(
    tables: None, at: Callable[[datetime], None], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> Corp:
    """Time stands still, except while we sleep."""
    corp = Corp()
    corp.sent = sent
    at(NOW)
    monkeypatch.setattr(service.time, "sleep", lambda seconds: at(clock.now() + timedelta(seconds=seconds)))
    monkeypatch.setattr(wecom, "default_client", lambda: corp)
    monkeypatch.setattr(staff, "find_name", {"lihua": "林晓"}.get)
    return corp


def live_code(welcome: WelcomeIn | None) -> str:
    """Its state at WeCom."""
    assignment = Assignment(members=[Member(staff_id="lihua")])
    asked = NewLiveCode(name="卡", channel="parcel", assignment=assignment, welcome=welcome)
    return contactways.way(livecodes.create(msgspec.to_builtins(asked)), "lihua").state


def message(state: str | None = None, age: float = 0, received: float = 0) -> dict[str, Any]:
    """Of the welcome queue: the event `age` seconds old, taken by our door `received` seconds ago."""
    return {
        "code": SECRET,
        "external_userid": "wm1",
        "staff_id": "lihua",
        "state": state,
        "at": clock.iso(NOW - timedelta(seconds=age)),
        "received_at": clock.iso(NOW - timedelta(seconds=received)),
    }


def chosen(state: str | None) -> tuple[str | None, Welcome]:
    return service._choose(msgspec.convert(message(state), Add))


def lines() -> list[dict[str, Any]]:
    return timeline.read("wm1")[0]


def welcome(corp: Corp, first: dict[str, Any]) -> None:
    """The welcome with all its tries: each one that is handed on comes at once."""
    service.welcome(first)
    done = 0
    while len(corp.tries_handed_on) > done:
        done += 1
        service.welcome(corp.tries_handed_on[done - 1])


def test_the_codes_welcome_goes_out_with_names_and_is_measured(
    corp: Corp, capsys: pytest.CaptureFixture[str]
) -> None:
    state = live_code(WelcomeIn(text="您好 {customer_name}，我是 {staff_name}", attachments=[LINK]))
    capsys.readouterr()
    service.welcome(message(state, age=3, received=1.5))
    assert corp.delivered == [("您好 小王，我是 林晓", [LINK])]
    (line,) = lines()
    assert line["type"] == "welcome_sent"
    assert line["data"]["ms"] == 1500
    assert line["data"]["how"] == "full"
    printed = capsys.readouterr().out
    metric = json.loads(next(text for text in printed.splitlines() if "_aws" in text))
    assert metric["TimeToWelcome"] == [1500]
    assert metric["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] == "TimeToWelcome"
    for told in (printed, str(lines())):
        assert SECRET not in told and "小王" not in told


def test_a_name_that_is_not_at_hand_is_no_reason_to_wait(corp: Corp) -> None:
    corp.names = False
    service.set_default_welcome(Welcome("{customer_name}好"))
    service.welcome(message())
    assert corp.delivered == [(f"{NEUTRAL_CUSTOMER}好", [])]


def test_whose_welcome_it_is(corp: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code's own, else an SOP's, else the default one; also for an add without a state."""
    own, bare = live_code(WelcomeIn(text="own")), live_code(None)
    service.set_default_welcome(Welcome("default"))
    assert chosen(own)[1].text == "own"
    assert chosen(bare)[1].text == "default"
    assert chosen("unknown-state") == (None, Welcome("default"))
    monkeypatch.setattr(sops, "welcome_for", lambda *_: Message("sop", []))
    assert chosen(own)[1].text == "own"
    assert chosen(bare)[1].text == "sop"
    assert chosen(None)[1].text == "sop"


def test_the_welcome_is_that_of_the_time_of_the_add_not_of_its_sending(corp: Corp) -> None:
    night = TimedWelcome(
        weekdays=[7], from_="09:00", to="10:00", text="{staff_name}明早回复您", attachments=[LINK]
    )
    state = live_code(WelcomeIn(text="day", by_time=[night]))
    service.welcome(message(state, age=1))  # now it is 10:00 on a Sunday in Shanghai
    assert corp.delivered == [("林晓明早回复您", [LINK])]
    corp.delivered.clear()
    service.welcome({**message(state), "external_userid": "wm2"})
    assert corp.delivered == [("day", [])]


def test_at_other_times_the_house_welcomes(corp: Corp) -> None:
    early = TimedWelcome(weekdays=[7], from_="08:00", to="09:00", text="early")
    service.set_default_welcome(Welcome("default"))
    service.welcome(message(live_code(WelcomeIn(by_time=[early]))))
    assert corp.delivered == [("default", [])]


def test_nothing_set_is_nothing_sent(corp: Corp) -> None:
    service.welcome(message())
    assert (corp.tries, lines(), corp.tasks) == ([], [], [])


@pytest.mark.parametrize(
    ("plan", "tries", "how"),
    [
        ([WeComError(PATH, 41096), WeComError(PATH, 41096)], 3, "full"),
        ([WeComError(PATH, 41051)], 1, "already"),
        ([WeComError(PATH, -1), Upstream("no answer")], 3, "full"),
        ([AnswerLost(PATH)], 2, "already"),
        ([WeComError(PATH, 40007)], 2, "text"),
        ([WeComError(PATH, 41096), WeComError(PATH, 40058)], 3, "text"),
    ],
)
def test_what_comes_right_in_time(corp: Corp, plan: list[Exception], tries: int, how: str) -> None:
    service.set_default_welcome(Welcome("hi", (LINK,)))
    corp.plan = list(plan)
    welcome(corp, message())
    (line,) = lines()
    assert (line["type"], line["data"]["how"], len(corp.tries)) == ("welcome_sent", how, tries)
    assert corp.tries[-1] == ("hi", [] if how == "text" else [LINK])
    assert corp.tasks == []


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ([WeComError(PATH, 41050)], "errcode 41050"),
        ([WeComError(PATH, 60020)], "errcode 60020"),
        ([WeComError(PATH, 40007), WeComError(PATH, 40058)], "errcode 40058"),
        ([WeComError(PATH, 41096)] * 30, "window over"),
    ],
)
def test_what_can_not_be_is_given_to_the_guide(corp: Corp, plan: list[Exception], reason: str) -> None:
    service.set_default_welcome(Welcome("hi", (LINK,)))
    corp.plan = list(plan)
    welcome(corp, message())
    (line,) = lines()
    assert (line["type"], line["data"]["reason"]) == ("welcome_missed", reason)
    (missed,) = MissedWelcomeItem.scan()
    assert (missed.external_userid, missed.staff_id, missed.reason) == ("wm1", "lihua", reason)
    (task,) = corp.tasks
    assert (task["staff_id"], task["external_userid"]) == ("lihua", "wm1")
    assert clock.now() < NOW + timedelta(seconds=21)
    assert len(corp.tries) <= 20


def test_without_consent_there_is_no_task_a_new_code_comes(corp: Corp) -> None:
    service.set_default_welcome(Welcome("hi"))
    corp.plan = [WeComError(PATH, 41053)]
    welcome(corp, message())
    assert [(one["type"], one["data"]["reason"]) for one in lines()] == [("welcome_missed", "consent")]
    assert corp.tasks == []


def test_however_old_it_looks_it_is_tried_once(corp: Corp) -> None:
    service.set_default_welcome(Welcome("hi"))
    service.welcome(message(age=300, received=90))
    assert corp.delivered == [("hi", [])]
    assert lines()[0]["data"]["ms"] == 90_000


@pytest.mark.parametrize("plan", [[AnswerLost(PATH)] + [WeComError(PATH, 41096)] * 30, [AnswerLost(PATH)]])
def test_an_answer_that_is_lost_at_the_end_of_the_window_is_no_miss(
    corp: Corp, plan: list[Exception]
) -> None:
    service.set_default_welcome(Welcome("hi"))
    corp.plan, corp.over = plan, NOW
    welcome(corp, message())
    assert [line["type"] for line in lines()] == ["welcome_unknown"]
    assert len(corp.tasks) == 1


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("step", "answer"),
    [("send_welcome_msg", None), ("record", None), ("send", 41050), ("commit", 41050)],
)
def test_killed_at_any_step_and_handed_out_again_when_the_code_is_over(
    corp: Corp,
    at: Callable[[datetime], None],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    answer: int | None,
    when: str,
) -> None:
    """Welcomed once, the guide asked once, and no welcome that went out is called missed."""
    handler = load("welcome").handler

    def hand_out(times: int) -> None:
        at(NOW + timedelta(seconds=21 * (times - 1)))
        attributes = {"ApproximateReceiveCount": str(times), "MessageGroupId": "wm1"}
        record = {"messageId": "m1", "body": json.dumps(message()), "attributes": attributes}
        answer = handler({"Records": [record | {"eventSourceARN": "welcome.fifo"}]}, None)
        assert answer == {"batchItemFailures": []}

    service.set_default_welcome(Welcome("hi"))
    corp.plan = [WeComError(PATH, answer)] if answer else []
    owner: Any = {"record": timeline, "send": queues, "commit": Transaction}.get(step, corp)
    with monkeypatch.context() as patch:
        real = getattr(owner, step)

        def killed(*args: Any, **kwargs: Any) -> None:
            if when == "after":
                real(*args, **kwargs)
            raise Killed

        patch.setattr(owner, step, killed)
        with pytest.raises(Killed):
            hand_out(1)
    hand_out(2)
    hand_out(3)
    recorded = step in ("record", "commit") and when == "after"
    line = "welcome_unknown" if not recorded else "welcome_missed" if answer else "welcome_sent"
    assert [one["type"] for one in lines()] == [line]
    assert len(list(MissedWelcomeItem.scan())) == (line == "welcome_missed")
    assert len(corp.tasks) == (0 if line == "welcome_sent" else 1)
    assert len(corp.delivered) == (0 if answer or (step == "send_welcome_msg" and when == "before") else 1)


def test_the_default_welcome_by_http(corp: Corp) -> None:
    headers = {
        "Authorization": f"Bearer {auth.create_key('test', 'operator')}",
        "Content-Type": "application/json",
    }
    with Client(product) as client:

        def call(method: str, body: Any = None) -> tuple[int, Any]:
            raw = json.dumps(body).encode() if body is not None else b""
            answer = client.http.request(method, "/api/settings/welcome", headers=headers, body=raw)
            return answer.status_code, answer.json_body

        assert call("GET") == (200, {"text": "", "attachments": []})
        wanted = {"text": "您好", "attachments": [LINK]}
        assert call("PUT", wanted) == (200, wanted)
        assert call("GET") == (200, wanted)
        for body, field in (
            ({"text": "您" * 1334}, "text"),
            ({"text": 1}, "text"),
            ({"attachments": [LINK] * 10}, "attachments"),
            ({"attachments": [LINK, {"msgtype": "link"}]}, "attachments[1]"),
        ):
            status, problem = call("PUT", body)
            assert (status, problem["errors"][0]["field"]) == (422, field)
        assert call("GET") == (200, wanted)


def test_a_try_that_was_overtaken_by_the_next_one_adds_nothing(
    corp: Corp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cold start makes a try longer than its message is hidden: another worker has ended it meanwhile."""
    service.set_default_welcome(Welcome("hi"))

    class Slow:
        def send_welcome_msg(self, *_: Any, **__: Any) -> None:
            with monkeypatch.context() as patch:
                patch.setattr(wecom, "default_client", lambda: corp)
                service.welcome(message(), again=True)
            raise WeComError(PATH, 41050)

    corp.plan = [WeComError(PATH, 41050)]
    monkeypatch.setattr(wecom, "default_client", Slow)
    service.welcome(message())
    assert [line["type"] for line in lines()] == ["welcome_unknown"] and len(corp.tasks) == 1
