"""Who earns what on a sale: ⌊rate × (paid − refunded)⌋ per line and level, two levels at most.

A plan's rates are frozen on a commission when the sale is first seen paid; from then on the
commission is computed anew from the whole sale each time, so that it does not matter in which
order the sale's messages came.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.platform import durations, money

MAX_LEVELS = 2
LONGEST = timedelta(days=9999)  # 27 years: a day so much later is still a date
LEVELS_REFUSED = (
    "at most two levels: pay by a third level is pyramid selling under 《禁止传销条例》 (Article 7) "
    "and is banned by WeChat's rules on distribution"
)
PENDING, AVAILABLE, PAID, REVERSED = "pending", "available", "paid", "reversed"


class Plan(Struct, frozen=True):
    """A distribution plan.

    rates: basis points by level. skus: what it is for; None: everything. settle_every: "P1D", "P7D",
    "P1M", or None: settled by hand.
    """

    plan_id: str
    name: str
    rates: tuple[int, ...]
    skus: tuple[str, ...] | None
    mature_after: str
    attribution_window: str
    minimum_payout_fen: int
    withhold_tax: bool
    settle_every: str | None
    created_at: str


class Distributor(Struct, frozen=True):
    """Somebody who earns. `distributor_id` is "d_" + share_code."""

    distributor_id: str
    share_code: str
    name: str
    openid: str
    plan_id: str
    parent_id: str | None
    external_userid: str | None
    unionid: str | None
    status: str
    created_at: str


class SaleLine(Struct, frozen=True):
    """An order line as distribution sees it: what was paid for it and what of that was given back."""

    line_id: str
    sku: str
    paid_fen: int
    refunded_fen: int


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
    attribution: Mapping[str, Any] | None


class LineCommission(Struct, frozen=True):
    """Commission on one line at one level."""

    line_id: str
    paid_fen: int
    base_fen: int
    amount_fen: int


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
    state: str = PENDING
    mature_at: datetime | None = None
    round: int | None = None
    payout_id: str | None = None
    version: int = 0

    @property
    def amount_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)

    @property
    def status(self) -> str:
        """As shown for the whole: reversed when nothing of the base is left."""
        if self.lines and all(_gone(line) for line in self.lines):
            return REVERSED
        return self.state

    def line_status(self, line: LineCommission) -> str:
        return REVERSED if _gone(line) else self.state


def duration(text: str) -> timedelta:
    """An ISO 8601 duration that a plan may have. ValueError."""
    found = durations.parse(text)
    if found > LONGEST:
        raise ValueError(f"at most {LONGEST.days} days")
    return found


def check(rates: Iterable[int]) -> list[tuple[str, str]]:
    """What is wrong with a plan's rates, as (field, message)."""
    found = list(rates)
    wrong = []
    if not found:
        wrong.append(("levels", "at least one level"))
    if len(found) > MAX_LEVELS:
        wrong.append(("levels", LEVELS_REFUSED))
    if sum(found) > 10_000:
        wrong.append(("levels", "all levels together are at most the whole of it: 10000"))
    return wrong


def on_lines(
    lines: Iterable[SaleLine], rate_bps: int, skus: Iterable[str] | None
) -> tuple[LineCommission, ...]:
    """Commission per line that is in scope."""
    within = None if skus is None else set(skus)
    return tuple(
        LineCommission(line.line_id, line.paid_fen, base, money.share(base, rate_bps))
        for line in lines
        if within is None or line.sku in within
        for base in (line.paid_fen - line.refunded_fen,)
    )


def begin(sale: Sale, plan: Plan, chain: Iterable[Distributor], now: str) -> list[Commission]:
    """The commissions that a paid sale begins, without lines yet: one for each level that has somebody."""
    return [
        Commission(
            order_id=sale.order_id,
            distributor_id=who.distributor_id,
            level=level,
            plan_id=plan.plan_id,
            rate_bps=rate,
            skus=plan.skus,
            mature_after=plan.mature_after,
            created_at=now,
        )
        for level, (rate, who) in enumerate(zip(plan.rates, chain, strict=False), start=1)
    ]


def recompute(commission: Commission, sale: Sale) -> Commission:
    """The commission as the sale now has it."""
    mature_at = sale.completed_at and sale.completed_at + durations.parse(commission.mature_after)
    return replace(
        commission,
        lines=on_lines(sale.lines, commission.rate_bps, commission.skus),
        mature_at=mature_at if commission.state == PENDING else commission.mature_at,
    )


def attribution(code: str, chain: list[Distributor], plan: Plan | None) -> dict[str, Any]:
    """Why a sale is (or is not) credited to somebody, as the order tells it.

    A share code on the order itself is direct: the attribution window limits what is inferred from
    earlier shares, and nothing is inferred here.
    """
    if not chain:
        return {"by": None, "share_code": code, "why": "no distributor has this share code"}
    told = {"by": "share_code", "share_code": code, "distributor_id": chain[0].distributor_id}
    if plan is None:
        return {**told, "by": None, "why": "the distributor's plan is gone"}
    parent = chain[1].distributor_id if len(chain) > 1 and len(plan.rates) > 1 else None
    why = "the order carries this distributor's share code"
    return {**told, "parent_id": parent, "plan_id": plan.plan_id, "why": why}


def _gone(line: LineCommission) -> bool:
    return line.paid_fen > 0 and line.base_fen == 0
