"""The ticker: each minute, hand what has fallen due to the queue of its kind.

Minutes go in their order; of each: send, then remove, then move the watermark. A tick that dies in
between sends some of it again, which its consumers stand (and SQS drops within five minutes). One
that runs out of time leaves the rest to the next: after an outage it catches up, once, in order.
"""

from collections.abc import Callable, Iterator
from typing import Any

from chalicelib.platform import clock, due, log, queues

# What each kind of work goes to.
ROUTES = {
    "step": "push",
    "push_again": "push",
    "push_result": "push",
    "lapse": "assign",
    "store_map": "assign",
    "prepare": "assign",
    "native": "assign",
    "group_lapse": "assign",
    "group_read": "assign",
    "group_check": "assign",
    "group_code": "assign",
    "group_room": "assign",
    "group_poll": "assign",
    "group_ask": "assign",
    "group_black": "assign",
    "way_cleanup": "assign",
    "join_way_cleanup": "assign",
    "way_delete": "assign",
    "join_way_delete": "assign",
    "way_search": "assign",
    "mature": "settle",
    "payout": "payout",
    "payout_poll": "payout",
    "prospect_day": "prospect",
    "ad_link": "convert",
    "ad_lost": "convert",
    "ad_report": "convert",
    "ad_quota": "convert",
    "ad_notice": "convert",
}
_FIFO = {"push", "settle", "payout", "convert"}
_GROUPS = ("subject", "order_id", "payout_id", "push_id")  # work of one of these is kept in order
MAX_SUBJECTS = 10_000  # recipients in one WeCom mass send
_ENOUGH_MS = 15_000  # of time left, to begin another minute

Message = tuple[dict[str, Any], str | None]


def tick(milliseconds_left: Callable[[], int]) -> int:
    """Hand out what has fallen due; how many items. `milliseconds_left`: of this invocation."""
    now = clock.now()
    mark = due.watermark("due", now)
    count, lag = 0, 0.0
    for minute in due.minutes(mark, now):
        if milliseconds_left() < _ENOUGH_MS:
            lag = (now - minute).total_seconds()
            break
        items = due.read(minute, now)
        if items:
            count += _hand_out(items, f"{minute:%Y%m%d%H%M}")
        if minute > mark:
            due.advance("due", minute)
    log.measure("due_lag_seconds", lag, "Seconds")
    return count


def _hand_out(items: list[due.DueItem], minute: str) -> int:
    known = [item for item in items if item.kind in ROUTES]
    if len(known) < len(items):  # a newer version's: left lying, since removing would lose it
        kinds = sorted({item.kind for item in items} - set(ROUTES))
        log.logger.error("work of an unknown kind", extra={"kinds": kinds})
    for queue in dict.fromkeys(ROUTES.values()):
        mine = [item for item in known if ROUTES[item.kind] == queue]
        messages = [*_steps(mine, minute), *_single(mine, queue in _FIFO)]
        if messages:
            queues.send_all(queue, messages)
    due.remove(known)
    return len(known)


def _steps(items: list[due.DueItem], minute: str) -> Iterator[Message]:
    """One message for all of a guide's customers whose step falls due in this minute."""
    together: dict[tuple[str, str, str], dict[str, None]] = {}
    for item in items:
        if item.kind == "step":
            key = (item.work["sop_id"], item.work["step_id"], item.work["staff_id"])
            together.setdefault(key, {}).update(dict.fromkeys(item.work["subjects"]))
    for (sop_id, step_id, staff_id), found in together.items():
        subjects = list(found)
        for i in range(0, len(subjects), MAX_SUBJECTS):
            yield (
                {
                    "kind": "step",
                    "sop_id": sop_id,
                    "step_id": step_id,
                    "staff_id": staff_id,
                    "minute": minute,
                    "subjects": subjects[i : i + MAX_SUBJECTS],
                },
                staff_id,
            )


def _single(items: list[due.DueItem], fifo: bool) -> Iterator[Message]:
    """One message for each other item. `due_at` keeps a later one from being taken for a repeat."""
    for item in items:
        if item.kind == "step":
            continue
        group = next((str(item.work[name]) for name in _GROUPS if name in item.work), item.kind)
        yield {"kind": item.kind, "due_at": item.due_at, **item.work}, group if fifo else None
