"""What may have led to a loss, and its words: pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.churn.types import After
from chalicelib.platform import clock
from chalicelib.platform.timeline_line import Line

WITHIN = timedelta(days=7)  # a contact of longer ago explains no loss
CONTACTS = (  # what reached the customer from us; of none of them, the add itself
    "touch_sent",
    "welcome_sent",
    "coupon_given",
    "joined_group",
    "left_group",
    "order_refunded",
    "customer_added",
)


def last_contact(lines: Iterable[Line], staff_id: str, lost_at: datetime) -> After | None:
    """The newest contact within a week before the loss; None: there was none. lines: in any order.

    Another guide's message explains a loss as little as another's add: theirs are left out.
    """
    contacts = [
        line
        for line in lines
        if line.type in CONTACTS
        and lost_at - WITHIN <= line.at <= lost_at
        and line.data.get("staff_id") in (None, staff_id)
    ]
    if not contacts:
        return None
    newest = max(contacts, key=lambda line: (line.at, line.type != "customer_added", line.key))
    return After(
        type=newest.type,
        at=clock.iso(newest.at),
        seconds=int((lost_at - newest.at).total_seconds()),
        sop_id=newest.data.get("sop_id"),
        step_id=newest.data.get("step_id"),
    )


def guide_words(names: str) -> str:
    """To the guide whom customers deleted. names: the customers', as one reads them."""
    return f"{names} 把您从好友中删除了。在后台「客户流失」里可以看到删除前的最近一次触达。"


def manager_words(several: Sequence[Mapping[str, Any]], called: Mapping[str, str]) -> str:
    """To a manager: of each guide, how many, and who ended it. called: names by id."""
    by_customer = _by_guide(several, "customer")
    by_staff = _by_guide(several, "staff")
    said = [f"{called.get(guide, guide)} 被 {count} 位客户删除" for guide, count in by_customer]
    said += [f"{called.get(guide, guide)} 删除了 {count} 位客户" for guide, count in by_staff]
    return f"客户流失提醒：{'；'.join(said)}。"


def _by_guide(several: Sequence[Mapping[str, Any]], by: str) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for each in several:
        if each["by"] == by:
            counts[each["staff_id"]] = counts.get(each["staff_id"], 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def share_bps(part: int, whole: int) -> int | None:
    """Hundredths of a percent, rounded down. None: of nothing."""
    return part * 10_000 // whole if whole else None
