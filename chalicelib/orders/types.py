"""What a mall says of an order, what we keep of it, and how it is shown.

Adapters make a `Message`; nothing else comes in.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from chalicelib.distribution.types import Attribution, CommissionOut
from chalicelib.platform import clock

Status = Literal["created", "paid", "shipped", "completed", "refunded", "closed"]
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
    """Money given back. `lines`: (line_id, fen); empty: not said of which lines.

    mark: the stamp of the message that said so. others: other amounts that messages gave for the same refund.
    """

    refund_id: str
    amount_fen: int
    lines: tuple[tuple[str, int], ...] = ()
    mark: str = ""
    others: tuple[int, ...] = ()


class Message(Struct, frozen=True):
    """One message of a mall: the status an order reached, when, and what it says beside that.

    None (or an empty `lines`): the message says nothing of it. `refund` goes with `refunded`.
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


class Buyer(Struct, frozen=True):
    """Who bought, and the channel and live code that they had come by."""

    external_userid: str
    channel: str | None = None
    live_code_id: str | None = None


class Order(Struct, frozen=True):
    """An order as all its messages make it.

    times: the newest `occurred_at` of each status. stamped: the newest value of each thing that a message
    may say, with the stamp of that message (`rules.stamp`). The rest is found out by us: the buyer, until
    money is spoken of; the attribution, once; the store of the buyer's guide, when it is first paid.
    """

    order_id: str
    times: Mapping[str, datetime] = field(default_factory=dict)
    stamped: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    refunds: Mapping[str, Refund] = field(default_factory=dict)
    buyer: Buyer | None = None
    attribution: Attribution | None = None
    store_id: str | None = None
    version: int = 0

    def value(self, name: str) -> Any:
        """What the messages say of `name`; None if nothing."""
        return self.stamped[name][1] if name in self.stamped else None

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        return self.value("lines") or ()

    @property
    def external_userid(self) -> str | None:
        """The buyer's, as the mall gave it, else as their unionid led to it."""
        return self.value("external_userid") or (self.buyer.external_userid if self.buyer else None)


def refund_of(values: Mapping[str, Any]) -> Refund:
    lines = tuple((line_id, fen) for line_id, fen in values["lines"])
    others = tuple(values.get("others", ()))
    return Refund(values["refund_id"], values["amount_fen"], lines, values.get("mark", ""), others)


class OrderRow(Struct, frozen=True, kw_only=True):
    """An order in a list. `external_userid`, `buyer_name`, `distributor_name`: `***` for an auditor.

    `ordered_at`: the earliest time that it is known of. `store_id`: the store of the buyer's guide when it
    was first paid. `cancelled`: paid, then closed. `distributor_id`: who is credited.
    """

    order_id: str
    status: Status
    ordered_at: str
    external_userid: str | None
    buyer_name: str | None = None
    store_id: str | None
    store_name: str | None = None
    channel: str | None
    paid_fen: int
    refunded_fen: int
    cancelled: bool
    share_code: str | None
    distributor_id: str | None
    distributor_name: str | None = None


class ItemOut(Struct, frozen=True, kw_only=True):
    """A line. `paid_fen`: quantity × price, less the discount, with `adjusted_fen`, its part of the order's.

    `commissions`: null for who may not read them. `why_none`: in words, why a line of a credited order earns
    nobody anything.
    """

    line_id: str
    sku: str
    title: str
    quantity: int
    price_fen: int
    discount_fen: int
    adjusted_fen: int
    paid_fen: int
    refunded_fen: int
    commissions: list[CommissionOut] | None = None
    why_none: str | None = None


class Contradiction(Struct, frozen=True, kw_only=True):
    """Two things that the mall's messages say and that can't both be: `kept` is what we go by.

    `what`: the field, as `paid_fen` or `refunds.R1.amount_fen`.
    """

    what: str
    kept: int
    other: int


class RefundedLineOut(Struct, frozen=True, kw_only=True):
    line_id: str
    amount_fen: int


class RefundOut(Struct, frozen=True, kw_only=True):
    """`lines`: as the mall named them; `other_amounts_fen`: what other messages said of the same refund."""

    refund_id: str
    amount_fen: int
    at: str | None
    lines: list[RefundedLineOut]
    other_amounts_fen: list[int]


class LevelOut(Struct, frozen=True, kw_only=True):
    """One level of a sale: who earns on it, or why nobody does, in words. `rate_bps`, `amount_fen`: null for
    who may not see money."""

    level: int
    distributor_id: str | None
    distributor_name: str | None
    earns: bool
    reason: str
    why: str
    rate_bps: int | None = None
    amount_fen: int | None = None


class AttributionOut(Struct, frozen=True, kw_only=True):
    """Who an order is credited to; `by` null: nobody. `why`: in words, of which `reason` is the code."""

    by: Literal["share_code"] | None
    reason: str
    why: str
    share_code: str | None
    distributor_id: str | None
    distributor_name: str | None = None
    parent_id: str | None
    plan_id: str | None
    plan_name: str | None = None
    plan_version: int | None = None
    own_purchase: bool
    levels: list[LevelOut] = []


class OrderOut(OrderRow, frozen=True, kw_only=True):
    """`adjusted_fen`: what was paid, less the freight, less what the lines come to; spread over the lines.

    `refund_excess_fen`: refunded of no line (freight, or more than was paid); `freight_refunded_fen`: of it,
    the freight. `times`: the newest time of each status. `attribution`: who is credited, and why.
    """

    times: dict[str, str]
    freight_fen: int
    freight_refunded_fen: int
    adjusted_fen: int
    contradictions: list[Contradiction]
    refund_excess_fen: int
    refunds: list[RefundOut]
    items: list[ItemOut]
    attribution: AttributionOut
