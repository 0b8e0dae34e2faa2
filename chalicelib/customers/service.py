"""Customers: what others ask and tell about them. What WeCom's events make of them: follows.py."""

import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from chalicelib.customers import models, rules
from chalicelib.customers.rules import Customer, Source
from chalicelib.platform import clock, timeline
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import Busy, ConditionFailed, Transaction
from chalicelib.platform.timeline import Line

_TRIES = 8
_PEOPLE = ("wm", "wo")  # what WeCom's ids of external people begin with; other subjects are others' business


def get(external_userid: str) -> Customer | None:
    """The customer, read consistently; None when we have never heard of them."""
    customer = models.load(external_userid)
    return customer if customer.version else None


def several(external_userids: Collection[str]) -> dict[str, Customer]:
    """Those of these customers that there are, by id; perhaps as they were a second ago."""
    return models.load_several(list(set(external_userids)))


def by_unionid(unionid: str) -> str | None:
    """The external_userid of the person with that unionid; the index may lag by moments."""
    return models.find_by_unionid(unionid)


def history(external_userid: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Their lines, newest first, and the next cursor. NotFound for a person we have never heard of.

    Also of one who is in a group only, and no customer.
    """
    known = get(external_userid) is not None
    lines: list[dict[str, Any]] = []
    following = None
    if known or external_userid.startswith(_PEOPLE):
        lines, following = timeline.read(external_userid, limit, cursor)
    if not (known or lines):
        raise NotFound(f"there is no customer {external_userid}")
    return lines, following


def credit(external_userid: str, at: datetime, channel: str, origin: str) -> bool:
    """Say where a customer came from, if nothing is known of it. False: no change."""
    for customer in attempts(external_userid):
        now = rules.credited(customer, Source(at, channel, "", origin))
        if not customer.version or now == customer:
            return False
        if models.save(now):
            return True
    raise AssertionError("unreachable")


def add_tags(external_userid: str, names: Iterable[str], staff_id: str | None = None) -> bool:
    """Put tags into our mirror of the customer (at WeCom it is tags.service that does). False: no change."""
    wanted = list(names)
    return _retag(external_userid, staff_id, lambda customer: rules.with_tags(customer, add=wanted))


def remove_tags(external_userid: str, names: Iterable[str], staff_id: str | None = None) -> bool:
    """Take tags out of our mirror of the customer. False: no change."""
    unwanted = list(names)
    return _retag(external_userid, staff_id, lambda customer: rules.with_tags(customer, remove=unwanted))


def _retag(external_userid: str, staff_id: str | None, changed: Callable[[Customer], Customer]) -> bool:
    for customer in attempts(external_userid):
        now = changed(customer)
        if not customer.version or now == customer:
            return False
        tx = Transaction()
        models.add(tx, now)
        timeline.add(tx, tags_line(customer, now, staff_id))
        if committed(tx):
            return True
    raise AssertionError("unreachable")


def tags_line(before: Customer, after: Customer, staff_id: str | None) -> Line:
    """One line for each version that changes tags."""
    added, removed = set(after.tags) - set(before.tags), set(before.tags) - set(after.tags)
    data = {"added": sorted(added), "removed": sorted(removed), "staff_id": staff_id}
    return Line(before.external_userid, "tags_changed", clock.now(), f"v{before.version + 1}", data)


def attempts(external_userid: str) -> Iterator[Customer]:
    """The customer as stored, anew for each attempt at writing it. Busy when all have failed."""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  # nosec B311 (not a secret)
        yield models.load(external_userid)
    raise Busy("others keep changing this customer")


def committed(tx: Transaction) -> bool:
    """False when somebody else was first with one of the items: look again."""
    try:
        tx.commit()
    except ConditionFailed:
        return False
    return True
