"""Each loss is kept once, with what came before it, and said at once to the guide and the managers.

| the listener | killed here |
|---|---|
| writes the loss under guide, time and customer | again: it is there |
| orders the notices, each under the loss's key | again: ordered once |
| has it looked at again in a day | again: one item of work |

A send's results are asked for hours later, so the message that led to a loss may get its line after it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.churn import models, rules
from chalicelib.churn.models import LossItem
from chalicelib.churn.settings import read
from chalicelib.churn.types import After
from chalicelib.customers import service as customers
from chalicelib.facts import service as facts
from chalicelib.notices import service as notices
from chalicelib.platform import auth, clock, due, events, lists, storage, timeline
from chalicelib.platform.principal import Principal
from chalicelib.platform.timeline_line import Line
from chalicelib.stores import guides
from chalicelib.stores.scope import guides_in_scope

_LINES = 50  # of the customer before the loss
_AGAIN = timedelta(days=1)


def on_line(line: Line) -> None:
    """Keep the loss and have it said. Twice is once. A handover ends a bond and loses nobody."""
    lost = line.data_as(events.CustomerLost)
    if lost.by == "transfer" or not lost.ends:
        return
    place = models.place(line.at, line.subject, lost.staff_id)
    customer, known = customers.get(line.subject), facts.get(line.subject)
    follow = customer.follows.get(lost.staff_id) if customer else None
    after = _last_contact(line.subject, lost.staff_id, line.at)
    item = LossItem(
        lost.staff_id,
        place,
        month_shard=lists.month_shard(line.at, line.subject, models.SHARDS),
        at=clock.iso(line.at),
        external_userid=line.subject,
        by=lost.by,
        channel=lost.channel,
        added_at=clock.iso(follow.added_at) if follow and follow.added_at else None,
        last=lost.last,
        orders=known.orders if known else 0,
        paid_fen=known.paid_fen if known else 0,
        after=msgspec.to_builtins(after),
    )
    storage.put_once(item, LossItem.staff_id.does_not_exist())
    _notify(item)
    due.put("churn_look", line.at + _AGAIN, place, {"staff_id": lost.staff_id, "place": place})


def look_again(staff_id: str, place: str) -> None:
    """Keep what came before the loss as it is known a day later."""
    item = LossItem.find(staff_id, place)
    if item is None:
        return
    after = msgspec.to_builtins(_last_contact(item.external_userid, staff_id, clock.parse(item.at)))
    if after != item.after:
        changed = LossItem.after.set(after) if after else LossItem.after.remove()
        storage.update_if(LossItem(staff_id, place), [changed], LossItem.staff_id.exists())


def _last_contact(external_userid: str, staff_id: str, at: datetime) -> After | None:
    return rules.last_contact(timeline.until(external_userid, at, _LINES), staff_id, at)


def _notify(item: LossItem) -> None:
    wanted, _ = read()
    data: dict[str, Any] = {
        "external_userid": item.external_userid,
        "staff_id": item.staff_id,
        "by": item.by,
    }
    if wanted.notify_guide and item.by == "customer":
        notices.add(item.staff_id, "customer_lost", item.place, data)
    if wanted.notify_manager:
        for manager in _managers(item.staff_id):
            notices.add(manager, "customer_lost_of_guide", item.place, data)


def _managers(staff_id: str) -> Iterator[str]:
    """Store managers whose scope holds the guide, but for the guide."""
    store_id = guides.store_of([staff_id])
    for manager, scope in auth.kept_to_scope("store_manager"):
        named = scope.store_ids
        if manager == staff_id or (named is not None and store_id not in named):
            continue
        held = guides_in_scope(Principal("session", manager, manager, "store_manager", scope))
        if held is None or staff_id in held:
            yield manager
