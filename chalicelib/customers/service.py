"""Customers: what others ask and write about them.

What WeCom's events make of them: follows.py. What a principal sees of them: lookup.py.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from chalicelib.customers import models, rules
from chalicelib.customers.rules import Customer, Source
from chalicelib.platform import clock, storage, timeline
from chalicelib.platform.plain_text import tag_names
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line

_BUSY = "others keep changing this customer"


def get(external_userid: str) -> Customer | None:
    """The customer, read consistently; None when we have never heard of them."""
    customer = models.load(external_userid)
    return customer if customer.version else None


def several(external_userids: Collection[str], consistent: bool = False) -> dict[str, Customer]:
    """Those of these customers that there are, by id; unless consistent, perhaps as a second ago."""
    return models.load_several(list(set(external_userids)), consistent)


def find_by_unionid(unionid: str) -> str | None:
    """The external_userid of the person with that unionid; the index may lag by moments."""
    return models.find_by_unionid(unionid)


@storage.retrying(_BUSY)
def credit(external_userid: str, at: datetime, channel: str, origin: str) -> bool:
    """Say where a customer came from, if nothing is known of it. False: no change."""
    customer = models.load(external_userid)
    now = rules.credited(customer, Source(at, channel, "", origin))
    if not customer.version or now == customer:
        return False
    models.save(now)
    return True


def add_tags(external_userid: str, names: Iterable[str], staff_id: str | None = None) -> bool:
    """Put tags into our mirror of the customer (at WeCom it is tags.service that does). False: no change."""
    wanted = list(names)
    return _retag(external_userid, staff_id, lambda customer: rules.with_tags(customer, add=wanted))


def remove_tags(external_userid: str, names: Iterable[str], staff_id: str | None = None) -> bool:
    """Take tags out of our mirror of the customer. False: no change."""
    unwanted = list(names)
    return _retag(external_userid, staff_id, lambda customer: rules.with_tags(customer, remove=unwanted))


def swap_tag(external_userid: str, old: str, new: Iterable[str]) -> bool:
    """In our mirror of a customer who has one tag, put others for it. False: no change."""
    others = list(new)

    def swapped(customer: Customer) -> Customer:
        return rules.with_tags(customer, others, [old]) if old in customer.tags else customer

    return _retag(external_userid, None, swapped)


def add_retag(
    tx: Transaction, customer: Customer, add: Iterable[str], remove: Iterable[str], staff_id: str
) -> Customer:
    """Have a transaction change the customer's tags, with their line; the customer as it will be."""
    now = rules.with_tags(customer, add, remove)
    if now.tags != customer.tags:
        models.add(tx, now)
        timeline.add(tx, tags_line(customer, now, staff_id))
    return now


@storage.retrying(_BUSY)
def _retag(external_userid: str, staff_id: str | None, changed: Callable[[Customer], Customer]) -> bool:
    customer = models.load(external_userid)
    now = changed(customer)
    if not customer.version or now == customer:
        return False
    tx = Transaction()
    models.add(tx, now)
    timeline.add(tx, tags_line(customer, now, staff_id))
    tx.commit()
    return True


def tags_line(before: Customer, after: Customer, staff_id: str | None) -> Line:
    """One line for each version that changes tags."""
    was, now = set(tag_names(before.tags)), set(tag_names(after.tags))
    added, removed = now - was, was - now
    data = {"added": sorted(added), "removed": sorted(removed), "staff_id": staff_id}
    return Line(before.external_userid, "tags_changed", clock.now(), f"v{before.version + 1}", data)
