"""When a step falls due, who gets it, what starts and what ends it."""

from datetime import datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.platform import clock, local_times
from chalicelib.platform.timeline_line import Line
from chalicelib.sops import rules
from chalicelib.sops.types import Plan, When

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=CHINA)
TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(timezone.utc))
CLOCK = st.times().map(lambda t: f"{t:%H:%M}")


def plan(**changes: Any) -> Plan:
    step = {"step_id": "intro", "delivery": "mass_send", "content": [{"type": "text", "text": "您好"}]}
    data: dict[str, Any] = {"name": "n", "trigger": {"event": "customer_added"}, "steps": [step]}
    return msgspec.convert(data | changes, Plan)


def with_step(**changes: Any) -> Plan:
    step = msgspec.to_builtins(plan().steps[0]) | changes
    return plan(steps=[step])


def fields(made: Plan) -> list[str]:
    return [wrong.field for wrong in rules.check(made)]


@given(TIMES, st.integers(0, 20_000), CLOCK)
def test_at_is_the_first_such_local_time_from_then_on(anchor: datetime, minutes: int, at: str) -> None:
    made = with_step(after=f"PT{minutes}M", at=at)
    due = rules.due_at(made, made.steps[0], anchor)
    earliest = anchor + timedelta(minutes=minutes)
    assert f"{due.astimezone(CHINA):%H:%M:%S}" == f"{at}:00"
    assert earliest <= due < earliest + timedelta(days=1)


# Zones whose clocks go back and forth most curiously come as often as all others together.
ODD = [
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "America/Havana",
    "Asia/Beirut",
]
ZONES = st.sampled_from(ODD) | st.sampled_from(
    sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
)


@given(TIMES, CLOCK, ZONES)
def test_at_where_clocks_are_put_back_and_forth(anchor: datetime, at: str, name: str) -> None:
    made = plan(timezone=name, steps=[msgspec.to_builtins(plan().steps[0]) | {"at": at}])
    due = rules.due_at(made, made.steps[0], anchor)
    longest = timedelta(hours=26 if name == "Antarctica/Troll" else 25)  # its clocks go back by two hours
    assert anchor <= due <= anchor + longest


@given(TIMES, CLOCK, CLOCK, st.none() | CLOCK, ZONES)
@settings(max_examples=300)
def test_nothing_is_ever_sent_in_quiet_hours_wherever_clocks_are(
    anchor: datetime, start: str, end: str, at: str | None, name: str
) -> None:
    if start == end:
        return
    zone = ZoneInfo(name)
    made = plan(
        timezone=name,
        quiet_hours={"from": start, "to": end},
        steps=[msgspec.to_builtins(plan().steps[0]) | {"at": at}],
    )
    begin, stop = time.fromisoformat(start), time.fromisoformat(end)

    def quiet(moment: datetime) -> bool:
        shown = moment.astimezone(zone).time()
        return begin <= shown < stop if begin < stop else not stop <= shown < begin

    wanted = anchor if at is None else local_times.first_after(anchor, time.fromisoformat(at), zone)
    due = rules.due_at(made, made.steps[0], anchor)
    assert not quiet(due)
    assert wanted <= due <= wanted + timedelta(hours=26)
    if not quiet(wanted):
        assert due == wanted
    # It waits for no longer than it is quiet.
    minutes = range(0, int((due - wanted).total_seconds()) // 60, 13)
    assert all(quiet(wanted + timedelta(minutes=n)) for n in minutes)


@pytest.mark.parametrize(
    ("zone", "hours", "at", "until"),
    [
        # The hour that comes twice: quiet both times, and not a day long.
        ("America/New_York", "22:00-01:30", "2026-11-01T06:15", "2026-11-01T06:30"),
        ("America/New_York", "22:00-01:30", "2026-11-01T05:15", "2026-11-01T05:30"),
        ("America/New_York", "22:00-01:30", "2026-11-01T05:45", None),
        ("America/New_York", "22:00-01:30", "2026-11-01T06:00", "2026-11-01T06:30"),
        ("America/New_York", "22:00-02:30", "2026-03-08T06:30", "2026-03-08T07:00"),  # 02:30 never comes
        ("America/New_York", "00:30-03:00", "2026-11-01T05:45", "2026-11-01T08:00"),
        ("America/Havana", "00:30-03:00", "2026-11-01T04:45", "2026-11-01T05:00"),  # put back out of them
        ("Australia/Lord_Howe", "22:00-01:45", "2026-04-04T15:00", "2026-04-04T15:15"),
        ("Australia/Lord_Howe", "22:00-02:15", "2026-10-03T15:15", "2026-10-03T15:30"),
        ("Asia/Shanghai", "22:00-08:00", "2026-11-01T15:00", "2026-11-02T00:00"),
    ],
)
def test_quiet_hours_in_the_night_when_clocks_are_changed(
    zone: str, hours: str, at: str, until: str | None
) -> None:
    start, _, end = hours.partition("-")
    made = plan(timezone=zone, quiet_hours={"from": start, "to": end})
    found = rules.quiet_until(made, datetime.fromisoformat(f"{at}+00:00"))
    assert found == (datetime.fromisoformat(f"{until}+00:00") if until else None)


def test_at_half_past_one_in_both_nights() -> None:
    made = plan(timezone="America/New_York", steps=[msgspec.to_builtins(plan().steps[0]) | {"at": "01:30"}])

    def due(anchor: str) -> str:
        return (
            f"{rules.due_at(made, made.steps[0], datetime.fromisoformat(f'{anchor}+00:00')):%Y-%m-%dT%H:%M}"
        )

    assert due("2026-11-01T04:00") == "2026-11-01T05:30"  # the first of the two
    assert due("2026-11-01T05:45") == "2026-11-02T06:30"  # of the next day: the second does not count
    made = plan(timezone="America/New_York", steps=[msgspec.to_builtins(plan().steps[0]) | {"at": "02:30"}])
    assert due("2026-03-08T06:00") == "2026-03-08T07:00"  # the gap's end


@given(TIMES, CLOCK, CLOCK)
def test_nothing_falls_due_in_quiet_hours_and_nothing_else_is_moved(
    anchor: datetime, start: str, end: str
) -> None:
    if start == end:
        return
    made = plan(quiet_hours={"from": start, "to": end})
    due = rules.due_at(made, made.steps[0], anchor)
    begin, stop = time.fromisoformat(start), time.fromisoformat(end)

    def quiet(at: datetime) -> bool:
        moment = at.astimezone(CHINA).time()
        return begin <= moment < stop if begin < stop else not stop <= moment < begin

    assert not quiet(due)
    if quiet(anchor):
        assert f"{due.astimezone(CHINA):%H:%M:%S}" == f"{end}:00"
        assert anchor < due < anchor + timedelta(days=1)
    else:
        assert due == anchor


@pytest.mark.parametrize(
    ("clock", "until"),
    [("21:59", None), ("22:00", "23 08:00"), ("23:30", "23 08:00"), ("07:59", "22 08:00"), ("08:00", None)],
)
def test_quiet_hours_over_midnight(clock: str, until: str | None) -> None:
    made = plan(quiet_hours={"from": "22:00", "to": "08:00"})
    end = rules.quiet_until(made, datetime.combine(NOW.date(), time.fromisoformat(clock), CHINA))
    assert (f"{end.astimezone(CHINA):%d %H:%M}" if end else None) == until


def test_the_default_zone_is_shanghai_in_every_year() -> None:
    for year in (1995, 2026, 2040):
        at = datetime(year, 7, 1, tzinfo=timezone.utc)
        assert clock.zone("Asia/Shanghai").utcoffset(at) == ZoneInfo("Asia/Shanghai").utcoffset(at)


def test_the_steps_follow_each_other() -> None:
    steps = [msgspec.to_builtins(plan().steps[0]) | {"step_id": name} for name in "abc"]
    made = plan(steps=steps)
    order = [rules.following(made, name) for name in (None, "a", "b", "c", "gone")]
    assert [step.step_id if step else None for step in order] == ["a", "b", "c", None, None]


@given(*[st.sets(st.sampled_from("abcd"))] * 4)
def test_a_condition_on_tags(every: set[str], some: set[str], none: set[str], has: set[str]) -> None:
    when = When(all_tags=list(every), any_tags=list(some), no_tags=list(none))
    assert rules.meets(when, has) == (every <= has and (not some or bool(some & has)) and not none & has)


ADD = {"staff_id": "li", "live_code_id": "lc_1", "half": False, "ends": False}


@pytest.mark.parametrize(
    ("trigger", "line", "data", "starts"),
    [
        ({"event": "customer_added"}, "customer_added", ADD, True),
        ({"event": "customer_added"}, "customer_added", ADD | {"half": True}, False),
        ({"event": "customer_added"}, "customer_added", ADD | {"ends": True}, False),
        ({"event": "customer_added", "live_code_ids": ["lc_1"]}, "customer_added", ADD, True),
        ({"event": "customer_added", "live_code_ids": ["lc_2"]}, "customer_added", ADD, False),
        ({"event": "customer_added", "live_code_ids": ["lc_2"]}, "customer_added", {"staff_id": "li"}, False),
        (
            {"event": "tag_added", "tags": ["a/b", "c/d"]},
            "tags_changed",
            {"added": ["c/d"], "removed": []},
            True,
        ),
        ({"event": "tag_added", "tags": ["a/b"]}, "tags_changed", {"added": [], "removed": ["a/b"]}, False),
        ({"event": "order_paid"}, "order_paid", {}, True),
        ({"event": "order_paid"}, "order_shipped", {}, False),
    ],
)
def test_what_starts_it(trigger: dict[str, Any], line: str, data: dict[str, Any], starts: bool) -> None:
    assert rules.enrols(plan(trigger=trigger), Line("wm1", line, NOW, "k", data)) is starts


@pytest.mark.parametrize(
    ("line", "data", "minutes", "ends"),
    [
        ("order_paid", {}, 1, True),
        ("order_paid", {}, -1, False),  # bought before: heard of late
        ("order_completed", {}, 1, False),
        ("customer_lost", {"staff_id": "li", "by": "customer", "last": False, "ends": True}, 1, True),
        ("customer_lost", {"staff_id": "wang", "by": "customer", "last": True, "ends": True}, 1, True),
        ("customer_lost", {"staff_id": "wang", "by": "customer", "last": False, "ends": True}, 1, False),
        ("customer_lost", {"staff_id": "li", "by": "transfer", "last": False, "ends": True}, 1, False),
        ("customer_lost", {"staff_id": "li", "by": "customer", "last": False, "ends": False}, 1, False),
        ("customer_lost", {"staff_id": "li", "by": "customer", "last": True, "ends": True}, -1, False),
    ],
)
def test_what_ends_it(line: str, data: dict[str, Any], minutes: int, ends: bool) -> None:
    made = plan(stop_on=["order_paid", "customer_lost"])
    happened = Line("wm1", line, NOW + timedelta(minutes=minutes), "k", data)
    assert rules.stops(made, happened, NOW, "li") is ends
    assert rules.stops(plan(stop_on=[]), happened, NOW, "li") is False


def test_the_order_that_starts_it_does_not_end_it() -> None:
    made = plan(trigger={"event": "order_paid"}, stop_on=["order_paid"])
    paid = Line("wm1", "order_paid", NOW, "k")
    assert not rules.stops(made, paid, NOW, "li")
    assert rules.stops(made, replace(paid, at=NOW + timedelta(seconds=1)), NOW, "li")


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (plan(audience="group"), "audience"),
        (plan(trigger={"event": "joined_group"}), "trigger.event"),
        (plan(trigger={"event": {"calendar": {"weekdays": [1], "at": "12:00"}}}), "trigger.event"),
        (plan(trigger={"event": "tag_added"}), "trigger.tags"),
        (plan(quiet_hours={"from": "08:00", "to": "08:00"}), "quiet_hours.to"),
        (plan(timezone="Mars/Olympus"), "timezone"),
        (plan(timezone="../etc/passwd"), "timezone"),
        (plan(steps=msgspec.to_builtins(plan().steps) * 2), "steps[1].step_id"),
        (with_step(after="P1M"), "steps[0].after"),
        (with_step(after="P4000D"), "steps[0].after"),
        (with_step(delivery="moment"), "steps[0].delivery"),
        (with_step(delivery="welcome", after="PT1H"), "steps[0].after"),
        (with_step(when={"opened": "article-1"}), "steps[0].when.opened"),
        (with_step(content=[{"type": "text", "text": "好" * 1334}]), "steps[0].content[0].text"),
        (with_step(content=[{"type": "text", "text": "a"}] * 2), "steps[0].content"),
        (with_step(content=[{"type": "file", "media_id": "m"}] * 10), "steps[0].content"),
        (with_step(content=[{"type": "image"}]), "steps[0].content[0].media_id"),
        (
            with_step(content=[{"type": "link", "title": "t", "url": "https://a.cn", "material_id": "m"}]),
            "steps[0].content[0].material_id",
        ),
    ],
)
def test_what_makes_no_sense_is_named(made: Plan, field: str) -> None:
    assert fields(made) == [field]


def test_a_welcome_comes_first_and_only_after_an_add() -> None:
    assert fields(with_step(delivery="welcome")) == []
    steps = [
        msgspec.to_builtins(plan().steps[0]),
        msgspec.to_builtins(with_step(delivery="welcome").steps[0]),
    ]
    assert fields(plan(steps=[steps[0], steps[1] | {"step_id": "b"}])) == ["steps[1].delivery"]
    paid = plan(trigger={"event": "order_paid"}, steps=[steps[1]])
    assert fields(paid) == ["steps[0].delivery"]


def test_steps_stand_in_the_order_of_their_times() -> None:
    steps = [
        msgspec.to_builtins(with_step(step_id=name, after=after).steps[0])
        for name, after in (("a", "P1D"), ("b", "PT23H"))
    ]
    assert fields(plan(steps=steps)) == ["steps[1].after"]
    assert fields(plan(steps=steps[::-1])) == []


def test_the_message_is_in_wecoms_shapes() -> None:
    content = [
        {"type": "text", "text": "您好"},
        {
            "type": "link",
            "title": "新人礼",
            "url": "https://a.cn/1",
            "picurl": "https://a.cn/p.png",
            "material_id": None,
        },
        {"type": "image", "media_id": "M1"},
        {"type": "miniprogram", "title": "商城", "pic_media_id": "M2", "appid": "wx1", "page": "p.html"},
    ]
    message = rules.message(with_step(content=content).steps[0])
    assert msgspec.to_builtins(message) == {
        "text": "您好",
        "attachments": [
            {
                "msgtype": "link",
                "link": {"title": "新人礼", "url": "https://a.cn/1", "picurl": "https://a.cn/p.png"},
            },
            {"msgtype": "image", "image": {"media_id": "M1"}},
            {
                "msgtype": "miniprogram",
                "miniprogram": {"title": "商城", "pic_media_id": "M2", "appid": "wx1", "page": "p.html"},
            },
        ],
    }
