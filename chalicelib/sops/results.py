"""What became of a push: WeCom tells nothing by itself, so it is asked, at growing gaps, for three days.

Each new result is a line of the timeline under the push's own key, written before the result is
stored: a crash between writes it again in the same place.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

from chalicelib.platform import clock, due, storage, timeline
from chalicelib.platform.timeline import Line
from chalicelib.sops.models import NO_FRIEND, OVER_LIMIT, PENDING, REASONS, SENT, PushItem, people_key, unpack
from chalicelib.wecom.client import default_client
from chalicelib.wecom.errors import WeComError

THREADS = 8
_GAPS = [
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
]
_SOON = timedelta(minutes=1)
_LAST = timedelta(days=3)
_DISPATCHING = 41063
_KNOWN = {1: SENT, 2: NO_FRIEND, 3: OVER_LIMIT}


def schedule(push: PushItem, now: datetime) -> None:
    """Let the push be asked about for the next time, as poll number `polls`."""
    polls = int(push.polls or 0)
    _ask(push.push_id, polls, now + _GAPS[min(polls, len(_GAPS) - 1)])


def poll(push_id: str, polls: int) -> None:
    """Ask WeCom whom a push has reached. Does nothing when that poll has been made already."""
    now = clock.now()
    push = PushItem.find(push_id)
    if push is None or push.status != "handed_over" or int(push.polls or 0) != polls:
        return
    try:
        answers = {
            row["external_userid"]: (_KNOWN.get(row["status"], PENDING), row.get("send_time"))
            for row in default_client().groupmsg_send_result(push.msgid, push.staff_id)
        }
    except WeComError as error:
        if not error.retryable:
            return  # WeCom does not know it (any more): what we have stays
        soon = _SOON if error.errcode == _DISPATCHING else timedelta(seconds=error.retry_after or 60)
        _ask(push_id, polls, now + soon)
        return
    item = PushItem.find(people_key(push_id))
    assert item is not None
    people = unpack(item)
    before = people.results
    after = "".join(
        answers.get(subject, (PENDING, None))[0] if result == PENDING else result
        for subject, result in zip(people.to, before, strict=True)
    )
    called = clock.parse(push.called_at)
    news = [
        (subject, result, _time_of(answers[subject][1]) or called)
        for subject, old, result in zip(people.to, before, after, strict=True)
        if old != result
    ]
    record(push, news)
    push.polls = polls + 1
    if PENDING in after and now - called < _LAST:
        schedule(push, now)
    if news:
        people.results = after
        storage.update_if(item, [PushItem.people.set(people.pack())])
    actions = [PushItem.polls.set(polls + 1), PushItem.sent.set(after.count(SENT))]
    actions.append(PushItem.failed.set(sum(result in REASONS for result in after)))
    storage.update_if(push, actions, PushItem.status == "handed_over")


def record(push: PushItem, news: Iterable[tuple[str, str, datetime]], reason: str | None = None) -> None:
    """Write the lines of (person, result, when). `reason`: of a push that failed as a whole."""

    def record_line(new: tuple[str, str, datetime]) -> None:
        subject, result, at = new
        data = {
            "sop_id": push.sop_id,
            "step_id": push.step_id,
            "push_id": push.push_id,
            "staff_id": push.staff_id,
        }
        if result == SENT:
            timeline.record(Line(subject, "touch_sent", at, push.push_id, data))
        else:
            data["reason"] = reason or REASONS[result]
            timeline.record(Line(subject, "touch_failed", at, push.push_id, data))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(record_line, news))


def _ask(push_id: str, polls: int, at: datetime) -> None:
    due.put("push_result", at, f"{push_id}#{polls}", {"push_id": push_id, "polls": polls})


def _time_of(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), timezone.utc) if seconds else None
