"""Arrivals, departures and orders' numbers are put into the queue of functions/prospect, which matches them.

Light, since functions/match and the malls' door import it.
"""

import msgspec

from chalicelib.platform import clock, events, log, queues, vault
from chalicelib.platform.timeline import Line
from chalicelib.platform.userids import fold
from chalicelib.prospects import brand_settings, phones
from chalicelib.prospects.types import BuyerOrder


def on_added(line: Line) -> None:
    """A customer and a guide added each other: it may be a prospect. Repeats are harmless."""
    _order_match(line, line.data_as(events.CustomerAdded).staff_id)


def on_edited(line: Line) -> None:
    """A guide changed a remark or tags: it may say now whose number the customer has."""
    _order_match(line, line.data_as(events.FollowEdited).staff_id)


def on_recorded(line: Line) -> None:
    """A guide left: their open tasks go to the others."""
    data = line.data_as(events.EventRecorded)
    if data.change == "delete_user" and brand_settings.recent().in_use:
        queues.send("prospect", {"kind": "left", "staff_id": fold(data.UserID or "")})


def on_buyers_phone(order: BuyerOrder, phone: str) -> None:
    """An order names its buyer's phone number.

    Nothing of it is kept unless prospects are in use; the number travels encrypted, bound to its order.
    """
    chosen = brand_settings.recent()
    if not chosen.in_use or not (order.unionid or order.external_userid or chosen.from_orders):
        return
    try:
        e164 = phones.normalised(phone, chosen.country)
    except phones.BadPhone:
        log.logger.info("an order's phone number is none")
        return
    sealed = vault.seal("phone", e164, f"order/{order.order_id}")
    queues.send("prospect", {"kind": "order", **msgspec.to_builtins(order), "sealed": sealed})


def _order_match(line: Line, staff_id: str) -> None:
    """Only where there ever were prospects."""
    if brand_settings.recent().in_use:
        message = {"kind": "arrived", "external_userid": line.subject, "staff_id": staff_id}
        queues.send("prospect", {**message, "at": clock.iso(line.at)})
