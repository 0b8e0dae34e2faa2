"""Who earns what on a sale: ⌊rate × (paid − refunded)⌋ per line and level, two levels at most.

A plan's rates are frozen on a commission when the sale is first seen paid; from then on the
commission is computed anew from the whole sale each time, so that it does not matter in which
order the sale's messages came.
"""

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from msgspec.structs import replace

from chalicelib.distribution.types import (
    PENDING,
    Attribution,
    Commission,
    Distributor,
    LineCommission,
    NewPlan,
    Plan,
    Sale,
    SaleLine,
    Tax,
)
from chalicelib.platform import durations, money
from chalicelib.platform.errors import Issue, issue

MAX_LEVELS = 2
MAX_ID = 128
_BLANK = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_WHOLE_BPS = 10_000
LONGEST = timedelta(days=9999)  # 27 years: a day so much later is still a date


def clean_code(text: str) -> str:
    """A share code, or another id that people type or paste, as it was meant.

    Without spaces and invisible characters, and in half width: no code has any of them.
    """
    plain = unicodedata.normalize("NFKC", text)
    return "".join(letter for letter in plain if unicodedata.category(letter)[0] not in "CZ")


def clean_name(text: str) -> str:
    """A real name without the spaces and invisible characters around it: WeChat Pay compares it."""
    start, end = 0, len(text)
    while start < end and unicodedata.category(text[start]) in _BLANK:
        start += 1
    while end > start and unicodedata.category(text[end - 1]) in _BLANK:
        end -= 1
    return text[start:end]


def check_plan(plan: NewPlan) -> list[Issue]:
    """What is wrong with a plan that its type can't say."""
    issues = [*check_rates([level.rate_bps for level in plan.levels])]
    if plan.tax is not None and plan.withhold_tax not in (None, plan.tax != "none"):
        issues.append(issue("withhold_tax", "tax_differs", tax=plan.tax))
    for field in ("mature_after", "attribution_window"):
        if not _is_duration(getattr(plan, field)):
            issues.append(issue(field, "duration", minimum="PT0S", maximum=f"P{LONGEST.days}D"))
    return issues


def tax_of(plan: NewPlan) -> Tax:
    """By `tax`, else by `withhold_tax`, else as the law has it for who earns month after month."""
    if plan.tax is not None:
        return plan.tax
    return "none" if plan.withhold_tax is False else "labour_month"


def check_rates(rates: Sequence[int]) -> list[Issue]:
    issues = []
    if not rates:
        issues.append(issue("levels", "min_items", min_items=1))
    if len(rates) > MAX_LEVELS:
        issues.append(issue("levels", "third_level"))
    if sum(rates) > _WHOLE_BPS:
        issues.append(issue("levels", "rates_over_whole", maximum=_WHOLE_BPS))
    return issues


def _is_duration(text: str) -> bool:
    try:
        return durations.parse(text) <= LONGEST
    except ValueError:
        return False


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
    rate, skus = commission.rate_bps, commission.skus
    lines = on_lines(sale.lines, rate, skus)
    return replace(
        commission,
        lines=tuple(replace(line, base_fen=0, amount_fen=0) for line in lines)
        if commission.is_own
        else lines,
        mature_at=mature_at if commission.state == PENDING else commission.mature_at,
    )


def who_must_not_earn(
    persons: Sequence[str], buyer: Collection[str], self_purchase: bool
) -> tuple[bool, ...]:
    """Level by level, whether that person earns nothing on this sale.

    persons: of the levels, the seller's first. buyer: the persons that the buyer is known to be. Own
    purchases earn by the plan's switch; what earns nothing at level one earns nothing at level two; and
    nobody earns at two levels of one sale.
    """
    barred: list[bool] = []
    for person in persons:
        is_own = person in buyer and not self_purchase
        barred.append(is_own or barred[:1] == [True] or person in persons[: len(barred)])
    return tuple(barred)


def attribution(code: str, chain: Sequence[Distributor], plan: Plan, parent_why: str) -> Attribution:
    """A sale that is credited to the first of the chain; the second is the first's parent.

    A share code on the order itself is direct: the attribution window limits what is inferred from
    earlier shares, and nothing is inferred here. parent_why: why level two earns, or doesn't.
    """
    return Attribution(
        by="share_code",
        why="credit_share_code",
        share_code=code,
        distributor_id=chain[0].distributor_id,
        parent_id=chain[1].distributor_id if len(chain) > 1 and len(plan.rates) > 1 else None,
        plan_id=plan.plan_id,
        parent_why=parent_why,
    )


_SENTENCES = {  # of before there were codes
    "": "credit_none",
    "no share code": "credit_none",
    "the order carries this distributor's share code": "credit_share_code",
    "no distributor has this share code": "credit_unknown_code",
    "this distributor has left": "credit_left",
    "the distributor's plan is gone": "credit_no_plan",
    "the buyer is this distributor": "credit_own_purchase",
}


def reason_of(why: str) -> str:
    """The code of an attribution's reason."""
    return _SENTENCES.get(why, why)
