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


class PayoutShort(Struct, frozen=True, kw_only=True):
    payout_id: str
    distributor_id: str
    amount_fen: int
    status: PayoutStatus


class SettlementOut(Struct, frozen=True, kw_only=True):
    """gross less tax is net; `debt_fen` was settled before; `skipped` were kept out by an error."""

    settlement_id: str
    status: SettlementStatus
    job_id: str | None
    created_at: str
    until: str
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
    `expires_at`: from when and until when the receiver can collect it.
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


class PayoutOut(PayoutRow, frozen=True, kw_only=True):
    """`calls`: how often WeChat Pay was called. `package_info` opens the receiver's confirmation page.

    `replaces`: the payout whose money this one offers again, `replaced_by` which one does so with this one's.
    """

    calls: int
    transfer_bill_no: str | None
    package_info: str | None
    replaces: str | None
    replaced_by: str | None
