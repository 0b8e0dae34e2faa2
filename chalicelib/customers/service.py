"""Customers: what WeCom's events make of them, and what others ask and tell about them.

Each event is one transaction: the customer under its version, the scan's place confirmed, and the
line of the timeline under the event's own digest. A repeat finds the line and changes nothing; the
one effect that follows, the tags to set at WeCom, is sent again, since a consumer that died after
the transaction has not sent it. The profile is fetched before, and missing it stops nothing.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.customers import models, rules
from chalicelib.customers.rules import Customer, Source
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, log, queues, timeline
from chalicelib.platform.errors import NotFound, Upstream
from chalicelib.platform.storage import Busy, ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError
from chalicelib.wecom.events import Event

_TRIES = 8
_PROFILE = timedelta(seconds=8)  # for all tries at the profile; the customer counts without it


def added(event: Event) -> None:
    """A customer and a member of staff have added each other."""
    _add(event, half=False)


def half_added(event: Event) -> None:
    """A customer has added a member of staff who has not added back: WeCom takes no tags for them yet."""
    _add(event, half=True)


def lost_by_customer(event: Event) -> None:
    """The customer has deleted (or blocked) the member of staff: the loss (流失)."""
    _lose(event, "customer")


def lost_by_staff(event: Event) -> None:
    """The member of staff has deleted the customer, or a transfer has ended the bond: then it is no loss."""
    _lose(event, "transfer" if event.source == "DELETE_BY_TRANSFER" else "staff")


def edited(event: Event) -> None:
    """Staff changed a remark or tags in WeCom, which does not say what: the profile and the tags anew."""
    staff_id, external_userid = _pair(event)
    details = _details(external_userid)
    for customer in _attempts(external_userid):
        line = Line(external_userid, "follow_edited", event.at, event.digest, {"staff_id": staff_id})
        if timeline.happened(line):
            return
        tx = Transaction()
        if details:
            tags = rules.corp_tags(details["follow_user"])
            now = rules.with_tags(rules.with_profile(customer, details["external_contact"]), tags)
            now = rules.with_tags(now, remove=set(customer.tags) - tags)
            if now != customer:
                models.add(tx, now)
            if now.tags != customer.tags:
                timeline.add(tx, _tags_line(customer, now, staff_id))
        timeline.add(tx, line)
        if _committed(tx):
            return


def get(external_userid: str) -> Customer | None:
    """The customer, read consistently; None when we have never heard of them."""
    customer = models.load(external_userid)
    return customer if customer.version else None


def by_unionid(unionid: str) -> str | None:
    """The external_userid of the person with that unionid; the index may lag by moments."""
    return models.find_by_unionid(unionid)


def history(external_userid: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Their lines, newest first, and the next cursor. NotFound for a customer we have never heard of."""
    if get(external_userid) is None:
        raise NotFound(f"there is no customer {external_userid}")
    return timeline.read(external_userid, limit, cursor)


def add_tags(external_userid: str, names: Iterable[str], staff_id: str | None = None) -> bool:
    """Put tags into our mirror of the customer (at WeCom it is tags.service that does). False: no change."""
    wanted = list(names)
    return _retag(external_userid, staff_id, lambda customer: rules.with_tags(customer, add=wanted))


def remove_tags(external_userid: str, names: Iterable[str], staff_id: str | None = None) -> bool:
    """Take tags out of our mirror of the customer. False: no change."""
    unwanted = list(names)
    return _retag(external_userid, staff_id, lambda customer: rules.with_tags(customer, remove=unwanted))


def _add(event: Event, half: bool) -> None:
    staff_id, external_userid = _pair(event)
    way = livecodes.find_way(event.state) if event.state else None
    code = _live_code(way.live_code_id) if way else None
    source = Source(event.at, code.channel, code.live_code_id) if code else None
    tags = code.tags if code and not half else []
    details = None if half else _details(external_userid, patient=False)
    for customer in _attempts(external_userid):
        data = {"staff_id": staff_id, "state": event.state, "tags": tags, "half": half}
        line = Line(external_userid, "customer_added", event.at, event.digest, data)
        if customer.version and timeline.happened(line):
            break
        change = rules.added(customer, staff_id, event.at, half, source)
        now = rules.with_tags(change.customer, add=tags)
        if details:
            now = rules.with_profile(now, details["external_contact"])
            now = rules.with_tags(now, add=rules.corp_tags(details["follow_user"]))
        tx = Transaction()
        models.add(tx, now)
        assignment_id = None
        if way and code and change.begins:
            assignment_id = livecodes.confirm(tx, way, external_userid, event.at)
        told = {"live_code_id": code.live_code_id if code else None, "assignment_id": assignment_id}
        figures = {"begins": change.begins, "ends": change.ends, "first": change.first}
        timeline.add(tx, replace(line, data={**data, **told, **figures, "channel": change.channel}))
        if _committed(tx):
            break
    if tags:
        bond = {"staff_id": staff_id, "external_userid": external_userid}
        message = {"kind": "tag", **bond, "add": tags, "remove": []}
        queues.send("push", message, group=external_userid, key=event.digest)


def _lose(event: Event, by: str) -> None:
    staff_id, external_userid = _pair(event)
    for customer in _attempts(external_userid):
        line = Line(
            external_userid, "customer_lost", event.at, event.digest, {"staff_id": staff_id, "by": by}
        )
        if customer.version and timeline.happened(line):
            return
        change = rules.lost(customer, staff_id, event.at)
        tx = Transaction()
        models.add(tx, change.customer)
        figures = {"ends": change.ends, "last": change.last, "channel": change.channel}
        timeline.add(tx, replace(line, data={**line.data, **figures}))
        if _committed(tx):
            return


def _retag(external_userid: str, staff_id: str | None, changed: Callable[[Customer], Customer]) -> bool:
    for customer in _attempts(external_userid):
        now = changed(customer)
        if not customer.version or now == customer:
            return False
        tx = Transaction()
        models.add(tx, now)
        timeline.add(tx, _tags_line(customer, now, staff_id))
        if _committed(tx):
            return True
    raise AssertionError("unreachable")


def _tags_line(before: Customer, after: Customer, staff_id: str | None) -> Line:
    """One line for each version that changes tags."""
    added, removed = set(after.tags) - set(before.tags), set(before.tags) - set(after.tags)
    data = {"added": sorted(added), "removed": sorted(removed), "staff_id": staff_id}
    return Line(before.external_userid, "tags_changed", clock.now(), f"v{before.version + 1}", data)


def _attempts(external_userid: str) -> Iterator[Customer]:
    """The customer as stored, anew for each attempt at writing it. Busy when all have failed."""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  # nosec B311 (not a secret)
        yield models.load(external_userid)
    raise Busy("others keep changing this customer")


def _committed(tx: Transaction) -> bool:
    """False when somebody else was first with one of the items: look again."""
    try:
        tx.commit()
    except ConditionFailed:
        return False
    return True


def _live_code(live_code_id: str) -> LiveCode | None:
    """The live code, None when it has been deleted while its codes were still in use."""
    try:
        return livecodes.get(live_code_id)
    except NotFound:
        return None


def _details(external_userid: str, patient: bool = True) -> dict[str, Any] | None:
    """WeCom's profile of the customer and their bonds; None when it has none for us.

    patient: raise what may pass (the event is handed out again). Else go on without: the next
    event brings it.
    """
    try:
        return wecom.default_client().external_contact(external_userid, deadline=clock.now() + _PROFILE)
    except Upstream as error:
        if patient and error.retryable:
            raise
        code = error.errcode if isinstance(error, WeComError) else None
        log.logger.warning("customer without profile", extra={"errcode": code})
        return None


def _pair(event: Event) -> tuple[str, str]:
    staff_id, external_userid = event.staff_id, event.external_userid
    if not staff_id or not external_userid:
        raise ValueError("the dispatcher passes only events that name both")
    return staff_id, external_userid
