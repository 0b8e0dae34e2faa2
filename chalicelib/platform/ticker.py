"""The ticker: each minute, hand what has fallen due to the queue of its kind (works.py of its owner).

Minutes go in their order; of each: send, then remove, then move the watermark. A tick that dies in
between sends some of it again, which its consumers stand (and SQS drops within five minutes). One
that runs out of time leaves the rest to the next: after an outage it catches up, once, in order.

Work of a kind that this version does not know (a newer one wrote it, and was rolled back) is parked
(due.py) before the watermark passes it, with an alarm as long as it lies there; the first tick of a
version that knows it hands it out. An item that its owner can't put into a queue goes there as it is:
it fails in its function and ends in that queue's dead letters, and holds up no other.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib.platform import clock, due, log, queues, works
from chalicelib.platform.works import Work

_ENOUGH_MS = 15_000  # of time left, to begin another minute
_UNREADABLE = "unreadable"  # the group of what has none, in a FIFO queue

Message = tuple[Mapping[str, Any], str | None]


def tick(milliseconds_left: Callable[[], int]) -> int:
    """Hand out what has fallen due; how many items. `milliseconds_left`: of this invocation."""
    now = clock.now()
    count = _hand_out_parked(now, milliseconds_left)
    mark = due.watermark("due", now)
    lag = 0.0
    for minute in due.minutes(mark, now):
        if milliseconds_left() < _ENOUGH_MS:
            lag = (now - minute).total_seconds()
            break
        items = due.read(minute, now)
        if items:
            count += hand_out(items, f"{minute:%Y%m%d%H%M}")
        if minute > mark:
            due.advance("due", minute)
    log.measure("due_lag_seconds", lag, "Seconds")
    return count


def hand_out(items: list[due.DueItem], minute: str) -> int:
    """Send each item to its queue and remove it; park those of unknown kinds. How many were sent."""
    known = works.known()
    due.park([item for item in items if item.kind not in known])
    mine = [item for item in items if item.kind in known]
    for queue in works.queues():
        messages = list(_messages([item for item in mine if known[item.kind].queue == queue], minute))
        if messages:
            queues.send_all(queue, messages)
    due.remove(mine)
    return len(mine)


def _hand_out_parked(now: datetime, milliseconds_left: Callable[[], int]) -> int:
    count, unknown = 0, 0
    for parking in due.read_parkings():
        if parking.kind not in works.known():
            unknown += 1
            continue
        for items in due.read_parked(parking):
            count += hand_out(items, f"{now:%Y%m%d%H%M}")
            if milliseconds_left() < _ENOUGH_MS:
                break
        else:
            due.close_parking(parking)
    if unknown:
        log.logger.error("work of unknown kinds is parked", extra={"kinds": unknown})
    log.measure("due_unknown_kinds", unknown, "Count")
    return count


def _messages(items: list[due.DueItem], minute: str) -> Iterator[Message]:
    """What goes to a queue. `due_at` keeps a later item from being taken for a repeat."""
    together: dict[Work, list[due.DueItem]] = {}
    for item in items:
        work = works.known()[item.kind]
        if work.merge is None:
            yield _single(work, item)
        else:
            together.setdefault(work, []).append(item)
    for work, several in together.items():
        try:
            merged = _merged(work, several, minute)
        except Exception:  # noqa: BLE001 (one of them; the others are merged each by itself)
            merged = [message for item in several for message in _merged_or_as_it_is(work, item, minute)]
        yield from merged


def _single(work: Work, item: due.DueItem) -> Message:
    try:
        message: Mapping[str, Any] = {"kind": item.kind, "due_at": item.due_at, **item.work}
        return message, work.group(message)
    except Exception as error:  # noqa: BLE001 (told to the log)
        return _as_it_is(item, error)


def _merged(work: Work, items: list[due.DueItem], minute: str) -> list[Message]:
    merged = work.merge([item.work for item in items], minute) if work.merge else ()
    return [(message, work.group(message)) for message in merged]


def _merged_or_as_it_is(work: Work, item: due.DueItem, minute: str) -> list[Message]:
    try:
        return _merged(work, [item], minute)
    except Exception as error:  # noqa: BLE001 (told to the log)
        return [_as_it_is(item, error)]


def _as_it_is(item: due.DueItem, error: Exception) -> Message:
    log.failure("an item of work can't be made into a message", error, kind=item.kind)
    group = _UNREADABLE if works.known()[item.kind].order else None
    return {"kind": item.kind, "due_at": item.due_at, "work": item.work}, group
