"""Who arrives: a customer who was added, an order's buyer, or whoever an operator names, is which prospect?

By the person's unionid, which an order told with the number; by our code, or the number itself, in the
remark that the guide gave; by hand. The first customer that a prospect is matched to stays; doing it
again changes nothing but says again what may not have been said: the source and the tags.
"""

import random
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib.customers import service as customers
from chalicelib.platform import clock, ids, log, queues, timeline, vault
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.storage import Busy, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.prospects import brand_settings, imports, models, phones, prospect_list, rules, status_changes
from chalicelib.prospects.import_rows import Incoming, Intake
from chalicelib.prospects.models import ImportItem, ProspectItem
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import Treatment, WeComError

CHANNEL = "phone"
_PAID = ("paid", "shipped", "completed")
_TRIES = 40  # at a day's import in which others are faster; each loss means that one of them is done
_PAUSE = 0.05  # seconds, at most, before the second try; up to ten times that before later ones


def arrived(external_userid: str, staff_id: str, at: datetime) -> str | None:
    """A customer was added, or their remark was changed: the prospect_id that they are, or None."""
    for prospect_id, how in _candidates(external_userid, staff_id):
        if settle(prospect_id, external_userid, staff_id, at, how):
            return prospect_id
    return None


def known(prospect_id: str, at: datetime) -> bool:
    """Whether they are a customer by now, whose unionid an order told with their number: then it is settled.

    For those whom an arrival, or that order, could not find, since they were no prospect yet.
    """
    for link in models.links(prospect_id):
        external_userid = customers.by_unionid(link.prospect_id.partition("#")[2])
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
    country = brand_settings.recent()["country"]
    texts = [str(mobile) for mobile in follow.get("remark_mobiles") or []][:5]
    remark = f"{follow.get('remark') or ''} {follow.get('description') or ''}"
    for text in [*texts, remark]:
        for e164 in phones.found_in(text, country):
            yield models.id_of(e164), "remark_phone"
    for code in rules.codes_in(remark):
        found = models.of_code(code, 3)
        mine = [row for row in found if row.staff_id == staff_id] if len(found) > 1 else found
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
    follows = (f for f in details["follow_user"] if str(f.get("userid")).lower() == staff_id.lower())
    return next(follows, {})


def settle(prospect_id: str, external_userid: str, staff_id: str | None, at: datetime, how: str) -> bool:
    """Make the prospect this customer's. False: there is none, or they are somebody else's."""
    for item in status_changes.attempts(prospect_id):
        if item is None or item.status == rules.ERASED:
            return False
        if item.status == rules.ADDED:
            if item.external_userid != external_userid:
                return False
            _follow_up(item, external_userid, staff_id, at)
            return True
        asked = clock.parse(item.asked_at or item.created_at)
        seconds = max(0, round((at - asked).total_seconds()))
        item.external_userid, item.matched_by, item.added_by = external_userid, how, staff_id
        item.added_at = clock.iso(at)
        tx = Transaction()
        told: dict[str, Any] = {
            "by": "arrival",
            "matched_by": how,
            "external_userid": external_userid,
            "seconds": seconds,
        }
        status_changes.move(tx, item, rules.ADDED, at, told, seconds=seconds)
        data: dict[str, Any] = {"prospect_id": prospect_id, "import_id": item.import_id, "staff_id": staff_id}
        data |= {"channel": CHANNEL, "matched_by": how, "seconds": seconds}
        timeline.add(tx, Line(external_userid, "prospect_matched", at, prospect_id, data))
        if status_changes.committed(tx):
            _follow_up(item, external_userid, staff_id, at)
            return True
    raise AssertionError("unreachable")


def _follow_up(item: ProspectItem, external_userid: str, staff_id: str | None, at: datetime) -> None:
    """The source, if the customer came by nothing else that we know of, and the import's tags."""
    customers.credit(external_userid, at, CHANNEL, str(item.import_id))
    found = ImportItem.find(item.import_id)
    if found is not None and found.tags and staff_id:
        bond = {"staff_id": staff_id, "external_userid": external_userid}
        message = {"kind": "tag", **bond, "add": list(found.tags), "remove": []}
        queues.send("push", message, group=external_userid, key=f"prospect-{item.prospect_id}")


def by_hand(asked: Mapping[str, str | None]) -> dict[str, Any]:
    """An operator says who somebody is: `phone`, `prospect_id` or `code`. Invalid, NotFound, Conflict."""
    external_userid = str(asked["external_userid"])
    if sum(asked[name] is not None for name in ("phone", "prospect_id", "code")) != 1:
        raise Invalid(("phone", "give one of phone, prospect_id and code"))
    if customers.get(external_userid) is None:
        raise NotFound("there is no such customer")
    prospect_id = _named(asked)
    item = status_changes.find(prospect_id)
    staff_id = asked["staff_id"] or item.staff_id
    if not settle(prospect_id, external_userid, staff_id, clock.now(), "api"):
        raise Conflict("this prospect is another customer already")
    return prospect_list.show(status_changes.find(prospect_id))


def _named(asked: Mapping[str, str | None]) -> str:
    if asked["phone"] is not None:
        try:
            return models.id_of(phones.normalised(asked["phone"], brand_settings.read()["country"]))
        except phones.BadPhone as error:
            raise Invalid(("phone", str(error))) from error
    if asked["code"] is not None:
        found = models.of_code(asked["code"].strip().lower(), 2)
        if len(found) > 1:
            raise Conflict("several prospects have this code: give the prospect_id")
        return str(found[0].prospect_id) if found else ""
    return str(asked["prospect_id"])


def order(message: Mapping[str, Any]) -> None:
    """An order told a number: whose unionid it is, who arrived with it; or it is a new prospect's."""
    e164 = vault.unseal("phone", message["sealed"], f"order/{message['order_id']}")
    prospect_id, unionid, at = models.id_of(e164), message["unionid"], clock.parse(message["at"])
    if unionid:
        _link(prospect_id, unionid)
    external_userid = message["external_userid"] or (customers.by_unionid(unionid) if unionid else None)
    if external_userid:
        if customers.get(external_userid) is not None:
            settle(prospect_id, external_userid, None, at, "order")
        return
    chosen = brand_settings.read()["from_orders"]
    if chosen is None or message["status"] not in _PAID:
        return
    new = models.find(prospect_id) is None
    if new:
        _new(prospect_id, e164, _import_of(at, chosen))
    if unionid:
        _link(prospect_id, unionid)
    if new:
        known(prospect_id, at)  # who arrived while their prospect was made


def _new(prospect_id: str, e164: str, day: ImportItem) -> None:
    """A day's next prospect, unless they are one by now. Busy.

    Whether they are is looked up behind the progress: whoever writes them after that look moves the
    progress too, so an order told twice is never a row twice.
    """
    for attempt in range(_TRIES):
        intake = Intake(day)
        if models.find(prospect_id) is not None:
            return
        if intake.take([Incoming(int(intake.state["rows"]) + 1, {"phone": e164})]):
            return
        time.sleep(random.uniform(0, _PAUSE * min(1 + attempt, 10)))  # noqa: S311  # nosec B311 (not a secret)
    raise Busy("many orders at once")


def _link(prospect_id: str, unionid: str) -> None:
    """That person, that number; not for one who is erased meanwhile."""
    places = _, behind = models.link(prospect_id, unionid)
    if ProspectItem.find(behind.code, behind.prospect_id) is not None:
        return
    for item in status_changes.attempts(prospect_id):
        if item is not None and item.status == rules.ERASED:
            return
        tx, own = Transaction(), ProspectItem(models.code_of(prospect_id), prospect_id)
        for number, place in enumerate(places):
            tx.put(f"link:{number}", place)
        if item is None:
            tx.check("prospect", own, ProspectItem.prospect_id.does_not_exist())
        else:
            later = [ProspectItem.version.set(int(item.version) + 1)]
            tx.update("prospect", own, later, ProspectItem.version == item.version)
        if status_changes.committed(tx):
            return


def _import_of(at: datetime, chosen: Mapping[str, Any]) -> ImportItem:
    """The import that a day's orders are, made with its first."""
    day = brand_settings.day_of(at)
    midnight = datetime.fromisoformat(day).replace(tzinfo=clock.SHANGHAI)
    import_id = f"im_{ids.ulid_floor(midnight)}{'0' * 10}ORDERS"
    found = ImportItem.find(import_id)
    if found is None:
        brand_settings.begin()
        new = {**chosen, "import_id": import_id, "name": f"订单 {day}", "columns": {}}
        found = imports.made_once({**new, "country": brand_settings.read()["country"]}, "orders")
    return found
