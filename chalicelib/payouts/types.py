"""Settlements and payouts as their doors take and give them."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

PayoutStatus = Literal[
    "planned",
    "calling",
    "accepted",
    "processing",
    "wait_user_confirm",
    "transfering",
    "canceling",
    "paid",
    "failed",
]
Needs = Literal["top_up", "mend", "offer", "look"]
SettlementStatus = Literal["running", "finished", "failed"]


class NewSettlement(Struct, kw_only=True):
    """`until`: settle what has matured by then; never later than now."""

    until: Annotated[datetime, Meta(tz=True)] | None = None


class SettlementJob(Struct, frozen=True, kw_only=True):
    job_id: str
    status: Literal["running"] = "running"
    done: int = 0
    total: int = 0
    settlement_id: str


class PreviewRow(Struct, frozen=True, kw_only=True):
    """What a settlement would do for one distributor who has money: `outcome` and, of who is paid, the sums.

    `available_fen`: with what has matured by then; `later_fen` matures after it.
    """

    distributor_id: str
    distributor_name: str | None
    plan_id: str
    plan_name: str | None
    outcome: Literal["paid", "frozen", "debt", "nothing", "below_minimum", "tax_leaves_too_little"]
    available_fen: int
    later_fen: int
    debt_fen: int
    gross_fen: int
    tax_fen: int
    net_fen: int


class PayoutShort(Struct, frozen=True, kw_only=True):
    payout_id: str
    distributor_id: str
    distributor_name: str | None = None
    amount_fen: int
    status: PayoutStatus


class SettlementOut(Struct, frozen=True, kw_only=True):
    """gross less tax is net; `debt_fen` was settled before; `skipped` were kept out by an error."""

    settlement_id: str
    status: SettlementStatus
    job_id: str | None
    created_at: str
    until: str
    every: str | None
    distributors: int
    gross_fen: int
    debt_fen: int
    tax_fen: int
    net_fen: int
    skipped: int


class SettlementWithPayouts(SettlementOut, frozen=True, kw_only=True):
    """`payouts`: null for whoever may not read them."""

    payouts: list[PayoutShort] | None


class PayoutRow(PayoutShort, frozen=True, kw_only=True):
    """A payout in a list. amount is gross less tax; `debt_fen` was settled before.

    `reason`: WeChat Pay's code of why it failed, or what it waits for; `reason_text`: in words. `offered_at`,
    `expires_at`: from when and until when the receiver can collect it. `needs`: what a person must do for it
    to go on, null: nothing; `cure`: that, or what it waits for, in words.
    """

    settlement_id: str
    gross_fen: int
    debt_fen: int
    tax_fen: int
    reason: str | None
    reason_text: str | None
    scene_id: str | None
    offered_at: str | None
    expires_at: str | None
    created_at: str
    changed_at: str
    needs: Needs | None
    cure: str | None
    replaced_by: str | None


class PayoutsOfStatus(Struct, frozen=True, kw_only=True):
    """amount_is: `at_least` where more wait than are read for one answer; the count is exact always."""

    status: PayoutStatus
    count: int
    amount_fen: int
    amount_is: Literal["exact", "at_least"] = "exact"


class StuckPayouts(Struct, frozen=True, kw_only=True):
    """Payouts that need the same of a person, for the same reason."""

    needs: Needs
    reason: str | None
    reason_text: str | None
    cure: str | None
    count: int
    amount_fen: int


class PayoutFigures(Struct, frozen=True, kw_only=True):
    """All payouts there are, by status, and of them what doesn't go on by itself."""

    statuses: list[PayoutsOfStatus]
    stuck: list[StuckPayouts]


class PayoutOut(PayoutRow, frozen=True, kw_only=True):
    """`calls`: how often WeChat Pay was called. `package_info` opens the receiver's confirmation page.

    `replaces`: the payout whose money this one offers again, `replaced_by` which one does so with this one's.
    """

    calls: int
    transfer_bill_no: str | None
    package_info: str | None
    replaces: str | None
