"""What follows a scan: confirmed, lapsed, given back; contact ways made once through crashes and losses."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.assignments import confirmation
from chalicelib.assignments import lapse as lapses
from chalicelib.contactways import rows, usage
from chalicelib.contactways import service as contactways
from chalicelib.contactways.models import MAKING, READY, ContactWayItem
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.models import LiveCodeItem
from chalicelib.platform import clock, due, queues, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.scans import service as scan_service
from chalicelib.staff import service as staff
from chalicelib.wecom.errors import AnswerLost, WeComError
from functions.assign import handler as assign
from tests.support.scan_support import (
    DAY,
    NOON,
    FakeWeCom,
    complete,
    definition,
    listed,
    new_process,
    statuses,
    taken,
)

At = Callable[[datetime], None]
LOST = AnswerLost("externalcontact/add_contact_way")


@pytest.fixture
def wecom(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()


def deliver(*messages: dict[str, Any]) -> list[str]:
    """SQS hands these to functions/assign; the ids of those that failed."""
    records = [
        {
            "messageId": str(number),
            "receiptHandle": "r",
            "body": json.dumps(message),
            "attributes": {},
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws-cn:sqs:cn-north-1:1:assign",
            "awsRegion": "cn-north-1",
        }
        for number, message in enumerate(messages)
    ]
    answer = assign.handler({"Records": records}, SimpleNamespace())
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


def confirm(code: livecodes.LiveCode, staff_id: str, person: str = "wm1") -> str | None:
    tx = Transaction()
    found = confirmation.confirm(tx, code, staff_id, person, clock.now())
    tx.commit()
    return found.assignment_id if found else None


# Lapse


def test_what_falls_due_gives_the_place_back_once(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1}))
    got = scan_service.scan(code.code)
    (waiting,) = due.read(NOON + timedelta(minutes=10), NOON + timedelta(minutes=10))
    at(NOON + timedelta(minutes=10))
    assert deliver(waiting.work, waiting.work) == []
    assert deliver(waiting.work) == []
    assert taken(code.live_code_id, "a") == taken(code.live_code_id, "a", "total") == 0
    lines, _ = timeline.read(f"scan#{got.assignment_id}")
    assert [line["type"] for line in lines] == ["assignment_lapsed", "scanned"]
    (row,), _ = listed(code.live_code_id, 5, None)
    assert row["status"] == "lapsed"
    assert scan_service.scan(code.code).staff_id == "a"


def test_a_lapse_gives_back_the_day_it_was_taken_on(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    at(NOON + timedelta(hours=11, minutes=58))  # two minutes to midnight in Shanghai
    got = scan_service.scan(code.code)
    at(NOON + timedelta(hours=12, minutes=8))
    scan_service.scan(code.code)
    assert lapses.lapse(code.live_code_id, "a", str(got.assignment_id))
    assert taken(code.live_code_id, "a", DAY) == 0
    assert taken(code.live_code_id, "a", "2026-11-24") == 1


def test_a_confirmed_one_does_not_lapse(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1}))
    got = scan_service.scan(code.code)
    assert confirm(code, "a") == got.assignment_id
    assert not lapses.lapse(code.live_code_id, "a", str(got.assignment_id))
    assert taken(code.live_code_id, "a") == 1


def test_a_lapse_of_nothing_does_nothing(wecom: FakeWeCom) -> None:
    assert not lapses.lapse("lc_nothere2", "a", "01ARZ3NDEKTSV4RRFFQ69G5FAV")


# Confirm


def test_the_newest_open_reservation_is_confirmed(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    made = []
    for minute in range(3):
        at(NOON + timedelta(minutes=minute))
        made.append(scan_service.scan(code.code).assignment_id)
    assert [confirm(code, "a", f"wm{n}") for n in range(4)] == [*made[::-1], None]
    rows, _ = listed(code.live_code_id, 5, None)
    assert [row["external_userid"] for row in rows] == ["wm0", "wm1", "wm2"]
    assert taken(code.live_code_id, "a") == 4


def test_an_add_without_a_scan_takes_a_place_cap_or_not(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1}, fallback=("f",)))
    assert confirm(code, "a", "wm1") is None
    assert confirm(code, "a", "wm2") is None
    assert taken(code.live_code_id, "a") == 2
    assert scan_service.scan(code.code).staff_id == "f"


def test_one_that_is_late_but_has_not_lapsed_is_confirmed(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    got = scan_service.scan(code.code)
    at(NOON + timedelta(minutes=30))
    assert confirm(code, "a") == got.assignment_id


def test_two_who_confirm_the_same_one_are_told_and_look_again(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    scan_service.scan(code.code)
    first, second = Transaction(), Transaction()
    assert confirmation.confirm(first, code, "a", "wm1", NOON) == confirmation.confirm(
        second, code, "a", "wm2", NOON
    )
    first.commit()
    with pytest.raises(ConditionFailed) as failed:
        second.commit()
    assert failed.value.names == {"assignment", "slot"}
    assert confirm(code, "a", "wm2") is None
    assert taken(code.live_code_id, "a") == 2


def test_an_archived_code_still_confirms(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    got = scan_service.scan(code.code)
    livecodes.archive(code.live_code_id)
    assert confirm(code, "a") == got.assignment_id


# Contact ways


def ask(code: livecodes.LiveCode, staff_id: str) -> dict[str, Any]:
    return {"kind": "contact_way", "live_code_id": code.live_code_id, "staff_id": staff_id}


def test_ways_and_names_are_there_before_the_first_scan(wecom: FakeWeCom, sent: list[Any]) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, fallback=("f",)))
    messages = [message for _, message, _ in sent]
    assert deliver(*messages, *messages) == []
    assert wecom.calls["add_contact_way"] == 2
    assert wecom.calls["user_get"] == 2
    assert staff.name("a") == "A女士"
    assert staff.name("stranger") == "stranger"
    scan_service.scan(code.code)
    assert wecom.calls["add_contact_way"] == 2
    assert wecom.calls["update_contact_way"] == 0


@pytest.mark.parametrize("stopped", [KeyboardInterrupt(), Upstream("the queue did not take it")])
def test_what_a_change_asks_for_comes_a_minute_later_when_its_messages_were_not_sent(
    wecom: FakeWeCom, sent: list[Any], monkeypatch: pytest.MonkeyPatch, stopped: BaseException
) -> None:
    def unsent(*_: Any) -> None:
        raise stopped

    code = livecodes.create(definition({"staff_id": "a"}))
    assert list(due.DueItem.scan()) == []  # sent
    sent.clear()
    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(queues, "send_all", unsent)
        assert livecodes.change(code.live_code_id, {"skip_verify": False}, complete).version == 2
    (order,) = due.DueItem.scan()
    assert clock.parse(order.due_at) == NOON + timedelta(minutes=1)
    assert deliver({"kind": order.kind, **order.work}) == []
    assert ask(code, "a") in [message for _, message, _ in sent]
    livecodes.archive(code.live_code_id)
    sent.clear()
    assert deliver({"kind": order.kind, **order.work}) == []
    assert sent == []


def test_only_a_difference_is_sent_to_wecom(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    deliver(ask(code, "a"))
    livecodes.change(code.live_code_id, {"channel": "counter"}, complete)
    deliver(ask(code, "a"))
    assert wecom.calls["update_contact_way"] == 0
    livecodes.change(code.live_code_id, {"skip_verify": False, "name": "New"}, complete)
    deliver(ask(code, "a"), ask(code, "a"))
    assert wecom.calls["update_contact_way"] == 1
    (way,) = wecom.ways.values()
    assert (way["skip_verify"], way["remark"], way["user"]) == (False, "New", ["a"])
    assert way["state"] == contactways.state_of(code.live_code_id, "a")


@pytest.mark.parametrize("place", ["user_get", "update_contact_way"])
def test_what_is_told_last_is_the_newest_however_slow_an_older_consumer_is(
    wecom: FakeWeCom, at: At, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    deliver(ask(code, "a"))
    at(NOON + timedelta(days=30))  # names are asked for again
    livecodes.change(code.live_code_id, {"skip_verify": False}, complete)
    call, left = getattr(wecom, place), [1]

    def slow(*args: Any, **rest: Any) -> Any:
        if left:
            left.pop()
            livecodes.change(code.live_code_id, {"skip_verify": True, "name": "New"}, complete)
            deliver(ask(code, "a"))
        return call(*args, **rest)

    monkeypatch.setattr(wecom, place, slow)
    deliver(ask(code, "a"))
    assert not left
    (way,) = wecom.ways.values()
    assert (way["skip_verify"], way["remark"]) == (True, "New")


def test_one_who_dies_over_telling_leaves_it_to_their_message(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    deliver(ask(code, "a"))
    livecodes.change(code.live_code_id, {"skip_verify": False}, complete)
    wecom.fail["update_contact_way"] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        deliver(ask(code, "a"))
    livecodes.change(code.live_code_id, {"skip_verify": True}, complete)  # as the row has it
    at(NOON + timedelta(minutes=6))
    deliver(ask(code, "a"))
    assert wecom.calls["update_contact_way"] == 2
    deliver(ask(code, "a"))
    assert wecom.calls["update_contact_way"] == 2


def test_a_way_that_somebody_deleted_at_wecom_is_made_anew(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    deliver(ask(code, "a"))
    wecom.ways.clear()
    livecodes.change(code.live_code_id, {"skip_verify": False}, complete)
    assert deliver(ask(code, "a")) == []
    (way,) = wecom.ways.values()
    assert (way["user"], way["skip_verify"]) == (["a"], False)
    assert scan_service.scan(code.code).qr_url == way["qr_code"]
    assert usage.in_use().in_use == 1


def test_work_for_one_who_has_left_or_a_code_that_is_gone_is_nothing(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    gone = {"kind": "contact_way", "live_code_id": "lc_nothere2", "staff_id": "a"}
    assert deliver(ask(code, "b"), gone) == []
    assert not wecom.calls


def test_one_who_is_refused_does_not_stop_the_rest_and_an_outage_is_tried_again(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}))
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 40003)]
    assert deliver(ask(code, "a"), ask(code, "b")) == []
    assert len(wecom.ways) == 1
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 60020)]
    assert deliver(ask(code, "a")) == ["0"]
    assert deliver(ask(code, "a")) == []


def test_unknown_work_is_not_swallowed(wecom: FakeWeCom) -> None:
    assert deliver({"kind": "surprise"}) == ["0"]


def test_a_lost_answer_is_looked_for_before_another_way_is_made(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    wecom.fail["add_contact_way"] = [(LOST,)]
    assert scan_service.scan(code.code).qr_url == wecom.ways["cfg0"]["qr_code"]
    assert len(wecom.ways) == 1


def test_an_answer_lost_with_the_way_not_there_yet_is_looked_for_again(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    wecom.fail["add_contact_way"] = [LOST]
    with pytest.raises(AnswerLost):
        scan_service.scan(code.code)
    state = contactways.state_of(code.live_code_id, "a")
    wecom.ways["late"] = {"state": state, "qr_code": "https://late"}  # carried out after all
    wecom.ways["other"] = {"state": "mrsomebody", "qr_code": "https://other"}
    later(code)
    assert scan_service.scan(code.code).qr_url == "https://late"
    assert wecom.calls["add_contact_way"] == 1


def later(code: livecodes.LiveCode) -> None:
    """The lease that was given up has run out, if only by a microsecond."""
    row = ContactWayItem.find(contactways.state_of(code.live_code_id, "a"))
    assert row.status == MAKING
    assert row.lease <= NOON.isoformat(timespec="microseconds")
    row.lease = (NOON - timedelta(microseconds=1)).isoformat(timespec="microseconds")
    row.save()


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_process_killed_while_making_one_leaves_it_to_the_next(
    wecom: FakeWeCom, at: At, carried_out: bool
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    wecom.fail["add_contact_way"] = [(Killed(),) if carried_out else Killed()]
    with pytest.raises(Killed):
        scan_service.scan(code.code)
    new_process()
    assert taken(code.live_code_id, "a") == 0
    at(NOON + rows.LEASE + timedelta(seconds=1))
    assert scan_service.scan(code.code).staff_id == "a"
    assert len(wecom.ways) == 1
    assert wecom.calls["list_contact_way"] == 1


def test_who_comes_while_another_makes_it_waits_and_then_says_so(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    wecom.fail["add_contact_way"] = [Killed()]
    with pytest.raises(Killed):
        scan_service.scan(code.code)
    monkeypatch.setattr(rows, "_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(rows, "_POLL_SECONDS", 0.01)
    with pytest.raises(Upstream):
        scan_service.scan(code.code)
    assert taken(code.live_code_id, "a") == 0
    assert wecom.calls["add_contact_way"] == 1


def test_a_refusal_leaves_no_trace(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    wecom.fail["add_contact_way"] = [Upstream("not reached")]
    with pytest.raises(Upstream):
        contactways.way(code, "a")
    assert ContactWayItem.find(contactways.state_of(code.live_code_id, "a")) is None


def test_a_slow_maker_whose_lease_ran_out_uses_what_the_other_made(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}))
    state = contactways.state_of(code.live_code_id, "a")
    add = wecom.add_contact_way

    def slow(fields: Any, *, deadline: Any = None) -> Any:
        row = ContactWayItem.find(state)  # meanwhile another has taken over and finished
        row.lease, row.status, row.config_id, row.qr_url = "x", READY, "theirs", "https://theirs"
        row.save()
        return add(fields)

    wecom.add_contact_way = slow  # type: ignore[method-assign]
    assert contactways.way(code, "a").qr_url == "https://theirs"


@pytest.mark.slow
def test_many_who_need_the_same_way_at_once_make_one(
    engine: str, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    monkeypatch.setattr(rows, "_WAIT_SECONDS", 60)
    at(NOON)
    LiveCodeItem.find("warm", "up")
    code = livecodes.create(definition({"staff_id": "a"}))
    got: list[str] = []
    state = contactways.state_of(code.live_code_id, "a")
    start = threading.Barrier(16)

    def one() -> None:
        start.wait()
        row = ContactWayItem.find(state)
        got.append((row if row and row.status == READY else contactways._make(code, "a", state)).qr_url)

    threads = [threading.Thread(target=one) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 16
    assert len(set(got)) == 1
    assert fake.calls["add_contact_way"] == 1
    new_process()


def test_states_of_members_differ_and_fit(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}))
    for _ in range(2):
        scan_service.scan(code.code)
    assert len({way["state"] for way in wecom.ways.values()}) == 2
    assert statuses(code.live_code_id, "a") == {"reserved": 1}
