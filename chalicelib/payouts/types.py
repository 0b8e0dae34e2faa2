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
    """A payout in a list. amount is gross less tax; `debt_fen` was settled before."""

    settlement_id: str
    gross_fen: int
    debt_fen: int
    tax_fen: int
    reason: str | None
    created_at: str
    changed_at: str


class PayoutOut(PayoutRow, frozen=True, kw_only=True):
    """`calls`: how often WeChat Pay was called. `package_info` opens the receiver's confirmation page."""

    calls: int
    transfer_bill_no: str | None
    package_info: str | None
