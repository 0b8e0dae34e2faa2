"""Follows: what WeCom's events make of the bonds between customers and staff.

Each event is one transaction: the customer under its version, the scan's place confirmed, and the
line of the timeline under the event's own digest. A repeat finds the line and changes nothing; the
one effect that follows, the tags to set at WeCom, is sent again, since a consumer that died after
the transaction has not sent it. The profile is fetched before, and missing it stops nothing; but after
the customer was read, so that a tag which is set, there and here, between the two is no tag of the past.
"""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from chalicelib.customers import models, rules
from chalicelib.customers.rules import Source
from chalicelib.customers.service import tags_line
from chalicelib.origins import service as origins
from chalicelib.origins.types import Arrival, Confirmation, Origin
from chalicelib.platform import clock, log, queues, storage, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError
from chalicelib.wecom.events import Event

_BUSY = "others keep changing this customer"
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


@storage.retrying(_BUSY)
def edited(event: Event) -> None:
    """Staff changed a remark or tags in WeCom, which does not say what: the profile and the tags anew."""
    staff_id, external_userid = _pair(event)
    customer = models.load(external_userid)
    line = Line(external_userid, "follow_edited", event.at, event.digest, {"staff_id": staff_id})
    if timeline.happened(line):
        return
    details = _details(external_userid)
    tx = Transaction()
    if details:
        tags = rules.corp_tags(details["follow_user"])
        now = rules.with_tags(rules.with_profile(customer, details["external_contact"]), tags)
        now = rules.with_tags(now, remove=set(customer.tags) - tags)
        now = rules.with_remarks(now, details["follow_user"])
        if now != customer:
            models.add(tx, now)
        if now.tags != customer.tags:
            timeline.add(tx, tags_line(customer, now, staff_id))
    timeline.add(tx, line)
    tx.commit()


def _add(event: Event, half: bool) -> None:
    staff_id, external_userid = _pair(event)
    origin, arrival = origins.find(event.state), Arrival(external_userid, event.at, staff_id)
    tags = list(origin.tags) if origin and not half else []
    _store_add(event, half, origin, arrival, tags)
    if origin:
        origins.finish(origin, arrival)
    if tags:
        bond = {"staff_id": staff_id, "external_userid": external_userid}
        message = {"kind": "tag", **bond, "add": tags, "remove": []}
        queues.send("push", message, group=external_userid, key=event.digest)


@storage.retrying(_BUSY)
def _store_add(event: Event, half: bool, origin: Origin | None, arrival: Arrival, tags: list[str]) -> None:
    """The add in one transaction: customer, confirmed scan, line. A repeat changes nothing."""
    staff_id, external_userid = _pair(event)
    source = Source(event.at, origin.channel, origin.live_code_id, origin.ad_campaign_id) if origin else None
    customer = models.load(external_userid)
    data = {"staff_id": staff_id, "state": event.state, "tags": tags, "half": half}
    line = Line(external_userid, "customer_added", event.at, event.digest, data)
    if customer.version and timeline.happened(line):
        return
    details = None if half else _details(external_userid, patient=False)
    change = rules.added(customer, staff_id, event.at, half, source)
    now = rules.with_tags(change.customer, add=tags)
    if details:
        now = rules.with_profile(now, details["external_contact"])
        now = rules.with_tags(now, add=rules.corp_tags(details["follow_user"]))
        now = rules.with_remarks(now, details["follow_user"])
    tx = Transaction()
    confirmation = Confirmation()
    if origin and change.begins:
        confirmation = origins.confirm(tx, origin, arrival)
    models.add(tx, rules.by_card(now, source, confirmation.origin))
    data |= {
        **confirmation.origin,
        "live_code_id": (origin.live_code_id or None) if origin else None,
        "assignment_id": confirmation.assignment_id,
    }
    figures = {"begins": change.begins, "ends": change.ends, "first": change.first}
    timeline.add(tx, replace(line, data={**data, **figures, "channel": change.channel}))
    tx.commit()


@storage.retrying(_BUSY)
def _lose(event: Event, by: str) -> None:
    staff_id, external_userid = _pair(event)
    customer = models.load(external_userid)
    line = Line(external_userid, "customer_lost", event.at, event.digest, {"staff_id": staff_id, "by": by})
    if customer.version and timeline.happened(line):
        return
    change = rules.lost(customer, staff_id, event.at)
    tx = Transaction()
    models.add(tx, change.customer)
    figures = {"ends": change.ends, "last": change.last, "channel": change.channel}
    figures |= {"live_code_id": change.live_code_id}
    timeline.add(tx, replace(line, data={**line.data, **figures}))
    tx.commit()


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
