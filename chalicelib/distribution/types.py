"""Plans, distributors, sales and commissions: as they are kept, and as the doors take and give them."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

CommissionStatus = Literal["pending", "available", "paid", "reversed"]
PENDING: Literal["pending"] = "pending"
AVAILABLE: Literal["available"] = "available"
PAID: Literal["paid"] = "paid"
REVERSED: Literal["reversed"] = "reversed"
DistributorStatus = Literal["active", "frozen", "left"]
FROZEN: Literal["frozen"] = "frozen"  # earns, is not paid, keeps what is pending and available
LEFT: Literal["left"] = "left"  # earns nothing new, is paid what was earned
Tax = Literal["none", "labour_once", "labour_month"]
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
    """One or two levels. `settle_every`: P1D, P7D, P1M, or null: settled by hand.

    `tax`: `labour_month` when nothing is said. `withhold_tax`: true is `labour_month`, false `none`.
    `self_purchase`: whether a distributor earns on what they buy themselves.
    """

    name: Name
    levels: list[Level]
    scope: Scope | None = None
    mature_after: Duration = "P7D"
    attribution_window: Duration = "P30D"
    minimum_payout_fen: Fen = 100
    tax: Tax | None = None
    withhold_tax: bool | None = None
    self_purchase: bool = False
    settle_every: SettleEvery | None = None


class PlanExample(NewPlan, kw_only=True):
    """A plan as it is being written, and an order to try it on: one line of `sku`."""

    name: Name = "example"
    sku: Id | None = None
    paid_fen: Fen
    refunded_fen: Fen = 0


class ExampleLevel(Struct, frozen=True, kw_only=True):
    level: int
    rate_bps: int
    amount_fen: int


class PlanExampleOut(Struct, frozen=True, kw_only=True):
    """`base_fen`: what commission is on, 0 for a product that the plan is not for."""

    base_fen: int
    levels: list[ExampleLevel]
    total_fen: int


class PlanPatch(Struct, kw_only=True):
    """A JSON merge patch (RFC 7396): what is named is changed, null gives the default, lists are replaced."""

    name: Name | UnsetType = UNSET
    levels: list[Level] | UnsetType = UNSET
    scope: Scope | UnsetType | None = UNSET
    mature_after: Duration | UnsetType | None = UNSET
    attribution_window: Duration | UnsetType | None = UNSET
    minimum_payout_fen: Fen | UnsetType | None = UNSET
    tax: Tax | UnsetType | None = UNSET
    withhold_tax: bool | UnsetType | None = UNSET
    self_purchase: bool | UnsetType | None = UNSET
    settle_every: SettleEvery | UnsetType | None = UNSET


class Plan(Struct, frozen=True):
    """A distribution plan in one of its versions.

    rates: basis points by level. skus: what it is for; None: everything. settle_every: None: settled by hand.
    since: when this version began.
    """

    plan_id: str
    name: str
    rates: tuple[int, ...]
    skus: tuple[str, ...] | None
    mature_after: str
    attribution_window: str
    minimum_payout_fen: int
    tax: Tax
    settle_every: SettleEvery | None
    created_at: str
    self_purchase: bool = False
    version: int = 1
    since: str = ""


class PlanOut(Struct, frozen=True, kw_only=True):
    """`version`: of now, since `since`; an order has the version of its payment."""

    plan_id: str
    name: str
    levels: list[LevelOut]
    scope: Scope
    mature_after: str
    attribution_window: str
    minimum_payout_fen: int
    tax: Tax
    withhold_tax: bool
    self_purchase: bool
    settle_every: SettleEvery | None
    created_at: str
    version: int
    since: str


class NewDistributor(Struct, kw_only=True):
    """`name`: the real name; WeChat Pay checks it from ¥2,000. `openid`: who is paid.

    `external_userid`, `unionid`: who they are, one of them at least.
    """

    name: Name
    openid: Id
    plan_id: Id
    parent_id: Id | None = None
    external_userid: Id | None = None
    unionid: Id | None = None


class DistributorPatch(Struct, kw_only=True):
    """What is named is changed. `level`: the seller's, by its name; null: none.

    `status`: `frozen` earns, is not paid and keeps what is pending and available; `left` earns nothing new
    and is paid what was earned.
    """

    name: Name | UnsetType = UNSET
    openid: Id | UnsetType = UNSET
    level: Name | UnsetType | None = UNSET
    status: DistributorStatus | UnsetType = UNSET


class Payee(Struct, frozen=True):
    """Who is paid: the real name, and the openid under the app that pays. Sealed wherever it is stored."""

    name: str
    openid: str


class Distributor(Struct, frozen=True):
    """Somebody who earns. `distributor_id` is "d_" + share_code.

    sealed: their Payee, for `payees.unseal`; of one who was stored before it was sealed, the Payee itself.
    customer_id: the external_userid of the customer that they were when they became a distributor: they are
    of the scopes of that customer's guides. person_id: who they are over all plans, see persons.py.
    """

    distributor_id: str
    share_code: str
    sealed: str | Payee
    plan_id: str
    parent_id: str | None
    external_userid: str | None
    unionid: str | None
    status: DistributorStatus
    created_at: str
    customer_id: str | None = None
    person_id: str = ""
    level: str | None = None
    version: int = 0


class BalanceOut(Struct, frozen=True, kw_only=True):
    pending_fen: int
    available_fen: int
    in_payout_fen: int
    paid_fen: int
    debt_fen: int
    tax_withheld_fen: int


class DistributorOut(Struct, frozen=True, kw_only=True):
    """`name`, `openid`, `external_userid`, `unionid`, `parent_name`: `***` for an auditor.

    `plan_name`, `parent_name`, `balance`: in lists and of one; the balance for who may see it.
    """

    distributor_id: str
    share_code: str
    share_url: str
    name: str
    openid: str
    plan_id: str
    parent_id: str | None
    external_userid: str | None
    unionid: str | None
    level: str | None
    status: DistributorStatus
    created_at: str
    plan_name: str | None = None
    parent_name: str | None = None
    balance: BalanceOut | None = None


class SamePerson(Struct, frozen=True, kw_only=True):
    distributor_id: str
    plan_id: str


class DistributorDetail(DistributorOut, frozen=True, kw_only=True):
    """`same_person`: what else this person is a distributor as. For tax, and for purchases of their own, they
    are one; in one plan that is no more than found out later, and shown here."""

    same_person: list[SamePerson]


class SaleLine(Struct, frozen=True):
    """An order line as distribution sees it: what was paid for it and what of that was given back."""

    line_id: str
    sku: str
    paid_fen: int
    refunded_fen: int


class Attribution(Struct, frozen=True):
    """Who a sale is credited to, and why; `by` null: nobody. `own_purchase`: by reason of the buyer.

    why: a code of messages.py (`credit_…`), also of level two in `parent_why`; of orders that were decided
    before there were codes, a sentence: see rules.reason_of.
    """

    by: Literal["share_code"] | None = None
    why: str = ""
    share_code: str | None = None
    distributor_id: str | None = None
    parent_id: str | None = None
    plan_id: str | None = None
    own_purchase: bool = False
    parent_why: str | None = None


class Sale(Struct, frozen=True):
    """An order as distribution sees it. `attribution`: what was decided before, None if nothing yet.

    key: names this state of the order (its id and version). at: when what changed it happened.
    paid_at: the version of the plan is that of then. buyer_ids: external_userid and unionid, as far as they
    are known; buyer_changed: not as they were before this state.
    """

    order_id: str
    key: str
    at: datetime
    paid: bool
    share_code: str | None
    lines: tuple[SaleLine, ...]
    completed_at: datetime | None
    attribution: Attribution | None
    paid_at: datetime | None = None
    buyer_ids: tuple[str | None, str | None] = (None, None)
    buyer_changed: bool = False


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

    state: pending, available or paid. round: the payout round that its maturing fell into. is_own: it was
    found out later that the buyer is one who must not earn on it, so it earns nothing.
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
    is_own: bool = False
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
    """On one line at one level: ⌊base × rate⌋, the base being what was paid less what was given back.

    `own_purchase`: it was found out later that the buyer is one who must not earn on it.
    """

    commission_id: str
    order_id: str
    line_id: str
    distributor_id: str
    distributor_name: str | None = None
    level: int
    plan_id: str
    plan_name: str | None = None
    paid_fen: int
    base_fen: int
    rate_bps: int
    amount_fen: int
    status: CommissionStatus
    own_purchase: bool
    created_at: str
    mature_at: str | None
    payout_id: str | None
