"""A loss, and the rates of losses, as doors have them."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

By = Literal["customer", "guide"]
Of = Literal["staff", "channel", "sop"]


class After(Struct, frozen=True, kw_only=True):
    """The last contact before the loss: an event type of the timeline. seconds: from it to the loss."""

    type: str
    at: str
    seconds: int
    sop_id: str | None = None
    step_id: str | None = None
    sop_name: str = ""


class Loss(Struct, frozen=True, kw_only=True):
    """by: who deleted whom. after: None where nothing reached them in the week before.

    channel: where they first came from. days: whole days that the bond stood; null: its add never reached us.
    orders, paid_fen: what they had bought by then. last: no bond of the customer's is left.
    can_open: the caller sees the customer still.
    `external_userid`, `customer_name`: masked for an auditor.
    """

    loss_id: str
    external_userid: str
    customer_name: str
    can_open: bool
    staff_id: str
    staff_name: str
    store_names: list[str]
    by: By
    at: str
    channel: str | None
    days: int | None
    last: bool
    orders: int
    paid_fen: int
    after: After | None


class LostDay(Struct, frozen=True, kw_only=True):
    day: str
    by_customer: int
    by_guide: int


class LostAfter(Struct, frozen=True, kw_only=True):
    """type: of the last contact in the week before; null: there was none."""

    type: str | None
    count: int


class Summary(Struct, frozen=True, kw_only=True):
    """days: each of the period. after: what came before the losses, the most first."""

    lost: int
    by_customer: int
    by_guide: int
    days: list[LostDay]
    after: list[LostAfter]


class Rate(Struct, frozen=True, kw_only=True):
    """id: a guide's, a channel's name, an SOP's. lost = by_customer + by_guide.

    whole: who could be lost: those, and the bonds that stand now (of a channel: customers who have one); of
    an SOP, the messages that it sent in the period. rate_bps: lost of them, hundredths of a percent.
    """

    id: str
    name: str
    lost: int
    by_customer: int
    by_guide: int
    whole: int
    rate_bps: int | None


class ChurnSettings(Struct, frozen=True, kw_only=True):
    """Who hears of a loss at once, by app message; and the rule that says who is at risk."""

    notify_guide: bool = True
    notify_manager: bool = True
    risk: Annotated[dict[str, Any], Meta(description="A rule: docs/segments.md")]
