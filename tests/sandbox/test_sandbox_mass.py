"""Mass sends: who gets the task, when members confirm, what the receivers' quotas make of it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from infra.sandbox import Config, Sandbox
from infra.sandbox.mass_api import _quota_window, settle

EC = "externalcontact/"
ADD = EC + "add_msg_template"
HOUR = 3600


def send(corp: Any, sender: str = "lihua", **body: Any) -> dict[str, Any]:
    return dict(
        corp(ADD, {"chat_type": "single", "sender": sender, "text": {"content": "晚 8 点直播"}, **body})
    )


def results(corp: Any, msgid: str, userid: str = "lihua") -> dict[str, int]:
    got = corp(EC + "get_groupmsg_send_result", {"msgid": msgid, "userid": userid})
    return {r["external_userid"]: r["status"] for r in got["send_list"]}


def task(corp: Any, msgid: str) -> Any:
    return corp(EC + "get_groupmsg_task", {"msgid": msgid})


def test_a_task_is_dispatched_confirmed_and_its_results_read(corp: Any) -> None:
    external = corp.friend()
    made = send(corp, external_userid=[external, "wmNobody"])
    assert made["fail_list"] == ["wmNobody"]
    assert task(corp, made["msgid"])["errcode"] == 41063
    corp.clock.forward(10)
    assert task(corp, made["msgid"])["task_list"] == [{"userid": "lihua", "status": 0}]
    assert results(corp, made["msgid"]) == {external: 0}
    assert corp.sandbox.next_event_at().timestamp() == pytest.approx(corp.world.ts() + 290)
    corp.clock.forward(290)
    [row] = task(corp, made["msgid"])["task_list"]
    assert (row["status"], row["send_time"]) == (2, int(corp.world.ts()))
    assert results(corp, made["msgid"]) == {external: 1}
    assert [m["kind"] for m in corp.sandbox.messages(external)] == ["mass_send"]
    assert corp.sandbox.next_event_at() is None


def test_who_never_confirms_and_who_is_told_to(corp: Any) -> None:
    corp.actions.add_staff("lihua", confirms=False)
    external = corp.friend()
    made = send(corp, external_userid=[external])
    corp.clock.forward(90 * 24 * HOUR)
    assert results(corp, made["msgid"]) == {external: 0}
    corp.sandbox.confirm_mass_send(made["msgid"], "lihua")
    assert results(corp, made["msgid"]) == {external: 1}


def test_late_ones_confirm_late(make: Callable[..., Any]) -> None:
    corp = make(late_confirm_share=1.0, late_confirm_after=2 * HOUR)
    made = send(corp, external_userid=[corp.friend()])
    corp.clock.forward(2 * HOUR - 1)
    assert set(results(corp, made["msgid"]).values()) == {0}
    corp.clock.forward(1)
    assert set(results(corp, made["msgid"]).values()) == {1}


def test_a_share_of_members_never_confirms(make: Callable[..., Any]) -> None:
    corp = make(never_confirm_share=0.5)
    sent = 0
    for i in range(40):
        made = send(corp, f"g{i}", external_userid=[corp.friend(f"g{i}")])
        corp.clock.forward(HOUR)
        sent += task(corp, made["msgid"])["task_list"][0]["status"] == 2
    assert 10 <= sent <= 30


def test_the_quota_is_the_days_of_the_month(make: Callable[..., Any]) -> None:
    corp = make(confirm_after=1)
    external = corp.friend()
    statuses = []
    for _ in range(32):
        made = send(corp, external_userid=[external])
        corp.clock.forward(60)
        statuses += results(corp, made["msgid"]).values()
    assert statuses == [1] * 30 + [3] * 2  # November
    corp.clock.forward(21 * 24 * HOUR)
    made = send(corp, external_userid=[external])
    corp.clock.forward(60)
    assert results(corp, made["msgid"]) == {external: 1}


def test_other_rules_of_the_quota(make: Callable[..., Any]) -> None:
    for rule, allowed in (("day", 1), ("week", 7)):
        corp = make(confirm_after=1, mass_quota=rule)
        external = corp.friend()
        made = [send(corp, external_userid=[external])["msgid"] for _ in range(9)]
        corp.clock.forward(60)
        assert sum(results(corp, m)[external] == 1 for m in made) == allowed


def test_the_month_begins_at_midnight_in_shanghai() -> None:
    since, most = _quota_window("month", 1795968000.0 - 1)  # 2026-11-29T23:59:59+08:00 and some
    assert most == 30
    assert (since + 8 * HOUR) % 86400 == 0


def test_the_quota_counts_what_other_guides_sent(make: Callable[..., Any]) -> None:
    corp = make(confirm_after=1, mass_quota="day")
    external = corp.friend()
    corp.friend("wangwu", external)
    first, second = (send(corp, who, external_userid=[external])["msgid"] for who in ("lihua", "wangwu"))
    corp.clock.forward(60)
    statuses = [results(corp, first)[external], results(corp, second, "wangwu")[external]]
    assert sorted(statuses) == [1, 3]


def test_who_left_before_the_member_confirmed_gets_nothing(corp: Any) -> None:
    gone, lost, kept = (corp.friend() for _ in range(3))
    made = send(corp, external_userid=[gone, lost, kept])
    corp.clock.forward(100)
    corp.actions.delete_by_staff("lihua", gone)
    corp.actions.delete_by_customer("lihua", lost)
    corp.clock.forward(1000)
    assert results(corp, made["msgid"]) == {gone: 2, lost: 2, kept: 1}


def test_who_left_after_the_member_confirmed_did_get_it(corp: Any) -> None:
    external = corp.friend()
    made = send(corp, external_userid=[external])
    corp.clock.forward(400)
    corp.actions.delete_by_staff("lihua", external)
    assert results(corp, made["msgid"]) == {external: 1}


def test_without_a_sender_the_last_guide_gets_the_task(corp: Any) -> None:
    external = corp.friend()
    corp.clock.forward(5)
    corp.friend("wangwu", external)
    made = send(corp, "", external_userid=[external])
    corp.clock.forward(20)
    assert [t["userid"] for t in task(corp, made["msgid"])["task_list"]] == ["wangwu"]


def test_a_tag_filter_is_or_within_and_and_between(corp: Any) -> None:
    made = corp(EC + "add_corp_tag", {"group_name": "g", "tag": [{"name": n} for n in "abc"]})["tag_group"][
        "tag"
    ]
    ids = {t["name"]: t["id"] for t in made}
    people = {name: corp.friend() for name in ("a", "ac", "bc", "c")}
    for name, external in people.items():
        body = {"userid": "lihua", "external_userid": external, "add_tag": [ids[n] for n in name]}
        assert corp.code(EC + "mark_tag", body) == 0
    wanted = {"group_list": [{"tag_list": [ids["a"], ids["b"]]}, {"tag_list": [ids["c"]]}]}
    msgid = send(corp, tag_filter=wanted)["msgid"]
    corp.clock.forward(20)
    assert set(results(corp, msgid)) == {people["ac"], people["bc"]}
    beside = send(corp, tag_filter=wanted, external_userid=[people["a"]])["msgid"]
    corp.clock.forward(20)
    assert set(results(corp, beside)) == {people["a"]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"external_userid": ["wmNobody"]}, 41048),
        ({"sender": "", "external_userid": []}, 40063),
        ({"external_userid": ["x"] * 10_001}, 40032),
        ({"text": {"content": ""}}, 41089),
        ({"chat_type": "odd"}, 40058),
        ({"chat_type": "group", "sender": ""}, 40063),
        ({"chat_type": "group", "chat_id_list": ["wrNone"]}, 41048),
        ({"sender": "no spaces"}, 40003),
        ({}, 0),
    ],
)
def test_parameters(corp: Any, body: dict[str, Any], code: int) -> None:
    corp.friend()
    assert send(corp, **body)["errcode"] == code


def test_groups_get_them_through_their_owner(corp: Any) -> None:
    chat_id = corp.actions.add_group("lihua", "福利群")["chat_id"]
    made = send(corp, chat_type="group", chat_id_list=[chat_id, "wrNone"])
    assert made["fail_list"] == ["wrNone"]
    corp.clock.forward(400)
    got = corp(EC + "get_groupmsg_send_result", {"msgid": made["msgid"], "userid": "lihua"})["send_list"]
    assert [(r["chat_id"], r["status"]) for r in got] == [(chat_id, 1)]


def test_reminders_and_cancelling(corp: Any) -> None:
    external = corp.friend()
    msgid = send(corp, external_userid=[external])["msgid"]
    corp.clock.forward(20)
    asked = {"msgid": msgid}
    assert [corp.code(EC + "remind_groupmsg_send", asked) for _ in range(4)] == [0, 0, 0, 41094]
    assert [corp.code(EC + "cancel_groupmsg_send", asked) for _ in range(2)] == [0, 41093]
    corp.clock.forward(1000)
    assert results(corp, msgid) == {external: 0}
    assert corp.code(EC + "get_groupmsg_task", {"msgid": "msgNone"}) == 41047


def test_a_lost_answer_can_be_found_in_the_list(corp: Any) -> None:
    corp.friend()
    msgid = send(corp)["msgid"]
    now = int(corp.world.ts())
    asked = {"chat_type": "single", "start_time": now - 60, "end_time": now, "filter_type": 0}
    [shown] = corp(EC + "get_groupmsg_list_v2", asked)["group_msg_list"]
    assert (shown["msgid"], shown["text"]["content"], shown["create_type"]) == (msgid, "晚 8 点直播", 0)
    assert corp.code(EC + "get_groupmsg_list_v2", {**asked, "start_time": now - 40 * 86400}) == 40058


@settings(max_examples=12)
@given(
    steps=some.lists(some.integers(1, 4000), min_size=1, max_size=12),
    delays=some.lists(some.integers(1, 9000), max_size=8),
)
def test_one_long_step_of_the_clock_gives_the_same_history_as_many(
    keys: dict[str, str], clock: Any, steps: list[int], delays: list[int]
) -> None:
    def history(moves: list[int]) -> Any:
        moment = type(clock)()
        sandbox = Sandbox(Config(**keys, now=moment, mass_quota="day"))
        with sandbox.world.lock:
            for i, delay in enumerate(delays):
                sandbox.actions.add_staff(f"g{i}", confirm_after=delay)
                sandbox.actions.add(f"g{i}", external_userid="wmOne")
                body = {"sender": f"g{i}", "text": {"content": "x"}, "external_userid": ["wmOne"]}
                from infra.sandbox.endpoint import Call
                from infra.sandbox.mass_api import add_msg_template

                add_msg_template(Call(sandbox.world, body, "app"))
        for move in moves:
            moment.forward(move)
            settle(sandbox.world, sandbox.world.ts())
        return [(t["userid"], t["results"], t["sent_at"]) for s in sandbox.mass_sends() for t in s["tasks"]]

    assert history(steps) == history([sum(steps)])
