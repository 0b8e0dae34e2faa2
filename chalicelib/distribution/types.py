"""Plans, distributors, sales and commissions: as they are kept, and as the doors take and give them."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

CommissionStatus = Literal["pending", "available", "paid", "reversed"]
PENDING: Literal["pending"] = "pending"
AVAILABLE: Literal["available"] = "available"
PAID: Literal["paid"] = "paid"
REVERSED: Literal["reversed"] = "reversed"
DistributorStatus = Literal["active"]
SettleEvery = Literal["P1D", "P7D", "P1M"]

Rate = Annotated[int, Meta(ge=0, le=10_000)]
Fen = Annotated[int, Meta(ge=0, lt=10**12)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Id = Annotated[str, Meta(min_length=1, max_length=128)]
Duration = Annotated[str, Meta(max_length=30)]


class Level(Struct, kw_only=True):
    rate_bps: Rate


class LevelOut(Struct, frozen=True, kw_only=True):
    """rate_bps: null for who may not see money."""

    rate_bps: Rate | None


class Scope(Struct, kw_only=True):
    """What earns commission; no `skus`: everything."""

    skus: Annotated[list[Id], Meta(min_length=1, max_length=1000)] | None = None


class NewPlan(Struct, kw_only=True):
    """One or two levels. `settle_every`: P1D, P7D, P1M, or null: settled by hand."""

    name: Name
    levels: list[Level]
    scope: Scope | None = None
    mature_after: Duration = "P7D"
    attribution_window: Duration = "P30D"
    minimum_payout_fen: Fen = 100
    withhold_tax: bool = True
    settle_every: SettleEvery | None = None


class Plan(Struct, frozen=True):
    """A distribution plan.

    rates: basis points by level. skus: what it is for; None: everything. settle_every: None: settled by hand.
    """

    plan_id: str
    name: str
    rates: tuple[int, ...]
    skus: tuple[str, ...] | None
    mature_after: str
    attribution_window: str
    minimum_payout_fen: int
    withhold_tax: bool
    settle_every: SettleEvery | None
    created_at: str


class PlanOut(Struct, frozen=True, kw_only=True):
    plan_id: str
    name: str
    levels: list[LevelOut]
    scope: Scope
    mature_after: str
    attribution_window: str
    minimum_payout_fen: int
    withhold_tax: bool
    settle_every: SettleEvery | None
    created_at: str


class NewDistributor(Struct, kw_only=True):
    """`name`: the real name; WeChat Pay checks it from ¥2,000. `openid`: who is paid."""

    name: Name
    openid: Id
    plan_id: Id
    parent_id: Id | None = None
    external_userid: Id | None = None
    unionid: Id | None = None


class Distributor(Struct, frozen=True):
    """Somebody who earns. `distributor_id` is "d_" + share_code.

    customer_id: the external_userid of the customer that they were when they became a distributor: they are
    of the scopes of that customer's guides.
    """

    distributor_id: str
    share_code: str
    name: str
    openid: str
    plan_id: str
    parent_id: str | None
    external_userid: str | None
    unionid: str | None
    status: DistributorStatus
    created_at: str
    customer_id: str | None = None


class DistributorOut(Struct, frozen=True, kw_only=True):
    """`name`, `openid`, `unionid`: `***` for an auditor."""

    distributor_id: str
    share_code: str
    share_url: str
    name: str
    openid: str
    plan_id: str
    parent_id: str | None
    external_userid: str | None
    unionid: str | None
    status: DistributorStatus
    created_at: str


class SaleLine(Struct, frozen=True):
    """An order line as distribution sees it: what was paid for it and what of that was given back."""

    line_id: str
    sku: str
    paid_fen: int
    refunded_fen: int


class Attribution(Struct, frozen=True):
    """Who a sale is credited to, and why; `by` null: nobody."""

    by: Literal["share_code"] | None = None
    why: str = ""
    share_code: str | None = None
    distributor_id: str | None = None
    parent_id: str | None = None
    plan_id: str | None = None


class Sale(Struct, frozen=True):
    """An order as distribution sees it. `attribution`: what was decided before, None if nothing yet.

    key: names this state of the order (its id and version). at: when what changed it happened.
    """

    order_id: str
    key: str
    at: datetime
    paid: bool
    share_code: str | None
    lines: tuple[SaleLine, ...]
    completed_at: datetime | None
    attribution: Attribution | None


class LineCommission(Struct, frozen=True):
    """Commission on one line at one level."""

    line_id: str
    paid_fen: int
    base_fen: int
    amount_fen: int

    @property
    def is_reversed(self) -> bool:
        """Nothing of the base is left."""
        return self.paid_fen > 0 and self.base_fen == 0


class Commission(Struct, frozen=True):
    """What one distributor earns on one order at one level. Rate and scope are the plan's of that day.

    state: pending, available or paid. round: the payout round that its maturing fell into.
    """

    order_id: str
    distributor_id: str
    level: int
    plan_id: str
    rate_bps: int
    skus: tuple[str, ...] | None
    mature_after: str
    created_at: str
    lines: tuple[LineCommission, ...] = ()
    state: CommissionStatus = PENDING
    mature_at: datetime | None = None
    round: int | None = None
    payout_id: str | None = None
    version: int = 0

    @property
    def amount_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)

    @property
    def status(self) -> CommissionStatus:
        """As shown for the whole: reversed when nothing of the base is left."""
        if self.lines and all(line.is_reversed for line in self.lines):
            return REVERSED
        return self.state

    def line_status(self, line: LineCommission) -> CommissionStatus:
        return REVERSED if line.is_reversed else self.state


class CommissionOut(Struct, frozen=True, kw_only=True):
    """On one line at one level."""

    commission_id: str
    order_id: str
    line_id: str
    distributor_id: str
    level: int
    base_fen: int
    rate_bps: int
    amount_fen: int
    status: CommissionStatus
    mature_at: str | None
    payout_id: str | None


class BalanceOut(Struct, frozen=True, kw_only=True):
    pending_fen: int
    available_fen: int
    in_payout_fen: int
    paid_fen: int
    debt_fen: int
    tax_withheld_fen: int
