"""Prospects, as other capabilities meet them: light, since functions/match and functions/orders import it.

What it starts is done by functions/prospect (works.py): matching, lists, imports.
"""

from typing import Any

from chalicelib.platform import clock, events, log, queues, vault
from chalicelib.platform.timeline import Line
from chalicelib.prospects import brand_settings, phones


def on_added(line: Line) -> None:
    """A customer and a guide added each other: it may be a prospect. Repeats are harmless."""
    _arrived(line, line.data_as(events.CustomerAdded).staff_id)


def on_edited(line: Line) -> None:
    """A guide changed a remark or tags: it may say now whose number the customer has."""
    _arrived(line, line.data_as(events.FollowEdited).staff_id)


def on_recorded(line: Line) -> None:
    """A guide left: their open tasks go to the others."""
    data = line.data_as(events.EventRecorded)
    if data.change == "delete_user" and brand_settings.recent()["in_use"]:
        queues.send("prospect", {"kind": "left", "staff_id": data.UserID or ""})


def _arrived(line: Line, staff_id: str) -> None:
    """Ask for the match, only where there ever were prospects."""
    if brand_settings.recent()["in_use"]:
        message = {"kind": "arrived", "external_userid": line.subject, "staff_id": staff_id}
        queues.send("prospect", {**message, "at": clock.iso(line.at)})


def order_told(order: dict[str, Any], phone: str) -> None:
    """An order names its buyer's phone number. `order`: order_id, status, at, unionid, external_userid.

    Nothing of it is kept unless prospects are in use; the number travels encrypted, bound to its order.
    """
    chosen = brand_settings.recent()
    if not chosen["in_use"] or not (order["unionid"] or order["external_userid"] or chosen["from_orders"]):
        return
    try:
        e164 = phones.normalised(phone, chosen["country"])
    except phones.BadPhone:
        log.logger.info("an order's phone number is none")
        return
    sealed = vault.seal("phone", e164, f"order/{order['order_id']}")
    queues.send("prospect", {"kind": "order", **order, "sealed": sealed})
