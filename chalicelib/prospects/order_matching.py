"""An order names its buyer's number: whose unionid it is, who arrived with it; or it is a new prospect's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.customers import service as customers
from chalicelib.platform import clock, ids, storage, vault
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.prospects import brand_settings, imports, matching, models, rules, status_changes
from chalicelib.prospects.import_rows import Incoming, Intake
from chalicelib.prospects.models import ImportItem, ProspectItem
from chalicelib.prospects.types import FromOrders

_PAID = ("paid", "shipped", "completed")
_ATTEMPTS = 40  # at a day's import in which others are faster; each loss means that one of them is done


def match_order(message: Mapping[str, Any]) -> None:
    """Repeats change nothing."""
    e164 = vault.unseal("phone", message["sealed"], f"order/{message['order_id']}")
    prospect_id, unionid, at = models.id_of(e164), message["unionid"], clock.parse(message["at"])
    if unionid:
        _link(prospect_id, unionid)
    external_userid = message["external_userid"] or (customers.find_by_unionid(unionid) if unionid else None)
    if external_userid:
        if customers.get(external_userid) is not None:
            matching.settle(prospect_id, external_userid, None, at, "order")
        return
    chosen = brand_settings.read().from_orders
    if chosen is None or message["status"] not in _PAID:
        return
    is_new = models.find(prospect_id) is None
    if is_new:
        _make_prospect(prospect_id, e164, _import_of(at, chosen))
    if unionid:
        _link(prospect_id, unionid)
    if is_new:
        matching.is_customer(prospect_id, at)  # who arrived while their prospect was made


@storage.retrying("many orders at once", _ATTEMPTS)
def _make_prospect(prospect_id: str, e164: str, day: ImportItem) -> None:
    """A day's next prospect, unless they are one by now. Busy.

    Whether they are is looked up behind the progress: whoever writes them after that look moves the
    progress too, so an order named twice is never a row twice.
    """
    intake = Intake(day)
    if models.find(prospect_id) is not None:
        return
    if not intake.take([Incoming(int(intake.state["rows"]) + 1, {"phone": e164})]):
        raise ConditionFailed({"progress"})


@storage.retrying(status_changes.BUSY)
def _link(prospect_id: str, unionid: str) -> None:
    """That person, that number; not for one who is erased meanwhile."""
    places = _, behind = models.link(prospect_id, unionid)
    if ProspectItem.find(behind.code, behind.prospect_id) is not None:
        return
    item = models.find(prospect_id)
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
    tx.commit()


def _import_of(at: datetime, chosen: FromOrders) -> ImportItem:
    """The import that a day's orders are, made with its first."""
    day = brand_settings.day_of(at)
    midnight = datetime.fromisoformat(day).replace(tzinfo=clock.SHANGHAI)
    import_id = f"im_{ids.ulid_floor(midnight)}{'0' * 10}ORDERS"
    item = ImportItem.find(import_id)
    if item is None:
        brand_settings.begin()
        item = imports.make_of_orders(import_id, f"订单 {day}", chosen, brand_settings.read().country)
    return item
