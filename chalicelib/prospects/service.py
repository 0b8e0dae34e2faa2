"""Prospects, as other capabilities meet them: light, since the functions that react import it.

What it starts is done by functions/prospect (worker.py): matching, lists, imports.
"""

from typing import Any

from chalicelib.platform import clock, log, queues, vault
from chalicelib.platform.timeline import Line
from chalicelib.prospects import brand_settings, phones


def on_line(line: Line) -> None:
    """A reaction to the timeline: arrivals are matched, the tasks of those who leave are handed on.

    It only asks for the work, and only where there ever were prospects; repeats are harmless.
    """
    if not brand_settings.recent()["in_use"]:
        return
    if line.type in ("customer_added", "follow_edited"):
        message = {"kind": "arrived", "external_userid": line.subject, "staff_id": line.data["staff_id"]}
        queues.send("prospect", {**message, "at": clock.iso(line.at)})
    elif line.type == "event_recorded" and line.data.get("change") == "delete_user":
        queues.send("prospect", {"kind": "left", "staff_id": str(line.data.get("UserID") or "")})


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
