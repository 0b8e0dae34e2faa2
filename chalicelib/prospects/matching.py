"""Who arrives: a customer who was added, or whom an operator names, is which prospect?

By the person's unionid, which an order named with the number (order_matching.py); by our code, or the number
itself, in the remark that the guide gave; by hand. The first customer that a prospect is matched to stays;
doing it again changes nothing but orders again what may not have been ordered: the source and the tags.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib.customers import service as customers
from chalicelib.platform import audit, clock, log, queues, storage, timeline
from chalicelib.platform.errors import Conflict, Invalid, NotFound, issue
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.prospects import brand_settings, models, phones, prospect_list, rules, status_changes
from chalicelib.prospects.models import ImportItem, ProspectItem
from chalicelib.prospects.types import Match, Prospect
from chalicelib.stores import service as stores
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import Treatment, WeComError

CHANNEL = "phone"
_BY_HAND = "api"


def match_arrival(external_userid: str, staff_id: str, at: str) -> None:
    """A customer was added, or their remark was changed: they may be a prospect."""
    for prospect_id, how in _candidates(external_userid, staff_id):
        if settle(prospect_id, external_userid, staff_id, clock.parse(at), how):
            return


def is_customer(prospect_id: str, at: datetime) -> bool:
    """Whether they are a customer by now, whose unionid an order named with their number: then it is settled.

    For those whom an arrival, or that order, could not find, since they were no prospect yet.
    """
    for link in models.links(prospect_id):
        external_userid = customers.find_by_unionid(link.prospect_id.partition("#")[2])
        if external_userid and settle(prospect_id, external_userid, None, at, "unionid"):
            return True
    return False


def _candidates(external_userid: str, staff_id: str) -> Iterator[tuple[str, str]]:
    """(prospect_id, how it was found), the surest first. WeCom is asked only of guides with tasks."""
    customer = customers.get(external_userid)
    if customer is not None and customer.unionid:
        for link in ProspectItem.query(f"unionid#{customer.unionid}", limit=2, consistent_read=True):
            yield link.prospect_id, "unionid"
    if not brand_settings.has_prospects(staff_id):
        return
    follow = _follow(external_userid, staff_id)
    country = brand_settings.recent().country
    texts = [str(mobile) for mobile in follow.get("remark_mobiles") or []][:5]
    remark = f"{follow.get('remark') or ''} {follow.get('description') or ''}"
    for text in [*texts, remark]:
        for e164 in phones.find_numbers(text, country):
            yield models.id_of(e164), "remark_phone"
    for code in rules.codes_in(remark):
        rows = models.of_code(code, 3)
        mine = [row for row in rows if row.staff_id == staff_id] if len(rows) > 1 else rows
        if len(mine) == 1:
            yield mine[0].prospect_id, "remark_code"


def _follow(external_userid: str, staff_id: str) -> Mapping[str, Any]:
    """What the guide wrote of the customer. Raised when asking again may help."""
    try:
        details = wecom.default_client().external_contact(external_userid)
    except WeComError as error:
        if error.treatment is not Treatment.DATA:
            raise
        log.logger.info("an arrival without details", extra={"errcode": error.errcode})
        return {}
    follows = (f for f in details["follow_user"] if f.get("userid") == staff_id)
    return next(follows, {})


@storage.retrying(status_changes.BUSY)
def settle(prospect_id: str, external_userid: str, staff_id: str | None, at: datetime, how: str) -> bool:
    """Make the prospect this customer's. False: there is none, or they are somebody else's."""
    item = models.find(prospect_id)
    if item is None or item.status == rules.ERASED:
        return False
    if item.status == rules.ADDED:
        if item.external_userid != external_userid:
            return False
        _credit_and_tag(item, external_userid, staff_id, at)
        return True
    asked = clock.parse(item.asked_at or item.created_at)
    seconds = max(0, round((at - asked).total_seconds()))
    tx = Transaction()
    if how == _BY_HAND:
        after = {"status": rules.ADDED, "external_userid": external_userid}
        audit.add(tx, "prospects.match", prospect_id, {"status": item.status}, after)
    item.external_userid, item.matched_by, item.added_by = external_userid, how, staff_id
    item.added_at = clock.iso(at)
    match = {"matched_by": how, "seconds": seconds}
    arrival = {"by": "arrival", "external_userid": external_userid, **match}
    status_changes.move(tx, item, rules.ADDED, at, arrival, seconds=seconds)
    data = {"prospect_id": prospect_id, "import_id": item.import_id, "staff_id": staff_id, "channel": CHANNEL}
    timeline.add(tx, Line(external_userid, "prospect_matched", at, prospect_id, {**data, **match}))
    tx.commit()
    _credit_and_tag(item, external_userid, staff_id, at)
    return True


def _credit_and_tag(item: ProspectItem, external_userid: str, staff_id: str | None, at: datetime) -> None:
    """The source, if the customer came by nothing else that we know of, and the import's tags."""
    customers.credit(external_userid, at, CHANNEL, str(item.import_id))
    source = ImportItem.find(item.import_id)
    if source is not None and source.tags and staff_id:
        bond = {"staff_id": staff_id, "external_userid": external_userid}
        message = {"kind": "tag", **bond, "add": list(source.tags), "remove": []}
        queues.send("push", message, group=external_userid, key=f"prospect-{item.prospect_id}")


def customers_of_phone(text: str) -> list[str]:
    """The customer whom an import's number led to."""
    try:
        item = models.find(models.id_of(phones.normalised(text, brand_settings.read().country)))
    except phones.BadPhone:
        return []
    return [str(item.external_userid)] if item and item.external_userid else []


def match_by_hand(wanted: Match, principal: Principal = SYSTEM) -> Prospect:
    """An operator says who somebody is: `phone`, `prospect_id` or `code`. Invalid, NotFound, Conflict."""
    names = ("phone", "prospect_id", "code")
    if sum(getattr(wanted, name) is not None for name in names) != 1:
        raise Invalid(issue("phone", "one_of_fields", fields=names))
    guides = stores.guides_in_scope(principal)
    if guides is not None and wanted.staff_id is not None and wanted.staff_id not in guides:
        raise Invalid(issue("staff_id", "guides_outside_scope", staff_ids=[wanted.staff_id]))
    customer = customers.get(wanted.external_userid)
    if customer is None or (guides is not None and guides.isdisjoint(customer.staff_ids)):
        raise NotFound(code="no_customer", external_userid=wanted.external_userid)
    item = status_changes.find(_named(wanted), principal)
    staff_id = wanted.staff_id or item.staff_id
    if not settle(item.prospect_id, wanted.external_userid, staff_id, clock.now(), _BY_HAND):
        raise Conflict(code="prospect_is_another")
    return prospect_list.get(item.prospect_id, principal)


def _named(wanted: Match) -> str:
    if wanted.phone is not None:
        try:
            return models.id_of(phones.normalised(wanted.phone, brand_settings.read().country))
        except phones.BadPhone as error:
            raise Invalid(issue("phone", error.code)) from error
    if wanted.code is not None:
        rows = models.of_code(wanted.code.strip().lower(), 2)
        if len(rows) > 1:
            raise Conflict(code="prospect_code_of_several")
        return str(rows[0].prospect_id) if rows else ""
    return str(wanted.prospect_id)
