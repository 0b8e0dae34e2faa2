"""What a mall tells of an order, and what we keep of it. Adapters make a `Message`; nothing else comes in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from chalicelib.platform import clock

STATUSES = ("created", "paid", "shipped", "completed", "refunded", "closed")


class OrderLine(Struct, frozen=True):
    """One line: what was bought, at what price a piece, less a discount on the whole line."""

    line_id: str
    sku: str
    title: str
    quantity: int
    price_fen: int
    discount_fen: int = 0

    @property
    def paid_fen(self) -> int:
        return self.quantity * self.price_fen - self.discount_fen


class Refund(Struct, frozen=True):
    """Money given back. `lines`: (line_id, fen); empty: not said of which lines."""

    refund_id: str
    amount_fen: int
    lines: tuple[tuple[str, int], ...] = ()


class Message(Struct, frozen=True):
    """One message of a mall: the status an order reached, when, and what it says beside that.

    Whatever is None (or an empty `lines`) the message does not tell. `refund` goes with `refunded`.
    """

    order_id: str
    status: str
    occurred_at: datetime
    lines: tuple[OrderLine, ...] = ()
    external_userid: str | None = None
    unionid: str | None = None
    paid_fen: int | None = None
    freight_fen: int | None = None
    share_code: str | None = None
    refund: Refund | None = None

    def to_queue(self) -> dict[str, Any]:
        """As JSON values."""
        return {**msgspec.to_builtins(self), "occurred_at": clock.iso(self.occurred_at)}

    @classmethod
    def from_queue(cls, values: Mapping[str, Any]) -> "Message":
        refund = values["refund"]
        return cls(
            **{
                **values,
                "occurred_at": clock.parse(values["occurred_at"]),
                "lines": tuple(OrderLine(**line) for line in values["lines"]),
                "refund": refund_of(refund) if refund else None,
            }
        )


class Order(Struct, frozen=True):
    """An order as all its messages make it.

    times: the newest `occurred_at` of each status that was told. told: the newest value of each
    thing that a message may tell, with the stamp of the message that told it (`rules.stamp`).
    The rest is found out by us: the buyer with channel and live code, until money is told of; the
    attribution, once.
    """

    order_id: str
    times: Mapping[str, datetime] = field(default_factory=dict)
    told: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    refunds: Mapping[str, Refund] = field(default_factory=dict)
    buyer: Mapping[str, Any] | None = None
    attribution: Mapping[str, Any] | None = None
    version: int = 0

    def value(self, name: str) -> Any:
        """What the messages told of `name`; None if nothing."""
        return self.told[name][1] if name in self.told else None

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        return self.value("lines") or ()


def refund_of(values: Mapping[str, Any]) -> Refund:
    lines = tuple((line_id, fen) for line_id, fen in values["lines"])
    return Refund(values["refund_id"], values["amount_fen"], lines)
