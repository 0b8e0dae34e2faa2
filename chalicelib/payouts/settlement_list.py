"""Settlements as people read them: those there were, one with its payouts, and what one would do now."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from typing import Annotated, Any, cast

from msgspec import Meta

from chalicelib.distribution import commission_list, distributors, plans
from chalicelib.distribution import service as distribution
from chalicelib.distribution.types import FROZEN, Distributor, Plan
from chalicelib.ledger import service as ledger
from chalicelib.ledger.rules import Balance
from chalicelib.payouts import models, rules, taxes
from chalicelib.payouts.models import SettlementItem
from chalicelib.payouts.rules import Month, Sums
from chalicelib.payouts.types import (
    PayoutShort,
    PayoutStatus,
    PreviewRow,
    SettlementOut,
    SettlementStatus,
    SettlementWithPayouts,
)
from chalicelib.platform import clock, lists
from chalicelib.platform.errors import NotFound
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.principal import SYSTEM, Principal


class SettlementsQuery(Paging, kw_only=True):
    status: SettlementStatus | None = None


class PreviewQuery(Paging, kw_only=True):
    until: Annotated[datetime, Meta(tz=True, description="What has matured by then, or by now")] | None = None


def get(
    settlement_id: str, with_payouts: bool = True, principal: Principal = SYSTEM
) -> SettlementWithPayouts:
    """The settlement, with its payouts for whoever may read them. NotFound."""
    run = SettlementItem.find(settlement_id)
    if run is None:
        raise NotFound(code="no_settlement", settlement_id=settlement_id)
    rows = list(models.of_settlement(settlement_id)) if with_payouts else []
    names = distributors.names((row.distributor_id for row in rows), principal)
    payouts = [
        PayoutShort(
            payout_id=row.payout_id,
            distributor_id=row.distributor_id,
            distributor_name=names.get(row.distributor_id),
            amount_fen=int(row.amount_fen),
            status=cast(PayoutStatus, row.status),
        )
        for row in rows
    ]
    return SettlementWithPayouts(**_values(run), payouts=payouts if with_payouts else None)


def page(query: SettlementsQuery) -> Page[SettlementOut]:
    """Settlements, newest first, without their payouts."""
    newest = partial(SettlementItem.by_listing.query, "settlement", scan_index_forward=False)
    rows = lists.history(newest, query, lambda run: query.status in (None, run.status))
    return rows.map(lambda run: SettlementOut(**_values(run)))


def preview(query: PreviewQuery, principal: Principal) -> Page[PreviewRow]:
    """What a settlement would do for the next `limit` distributors, those without money left out."""
    now = clock.now()
    until = min(query.until or now, now)
    page, following = distribution.page_of_distributors(min(query.limit, 100), query.cursor)
    balances = ledger.balances(who.distributor_id for who in page)
    plan_of = cache(distribution.plan)
    look = _Look(until, rules.month_of(now), plan_of)
    people = [who for who in page if _has_money(balances.get(who.distributor_id))]
    names = distributors.names((who.distributor_id for who in people), principal)
    called = plans.names({who.plan_id for who in people})

    def row(who: Distributor) -> PreviewRow:
        balance, plan = balances[who.distributor_id], plan_of(who.plan_id)
        available = look.available_fen(who, balance)
        sums = look.sums(who, balance)
        is_paid = sums is not None and who.status != FROZEN
        why = rules.why_not_paid(available, balance.debt_fen, plan.minimum_payout_fen)
        return PreviewRow(
            distributor_id=who.distributor_id,
            distributor_name=names.get(who.distributor_id),
            plan_id=who.plan_id,
            plan_name=called.get(who.plan_id),
            outcome="paid" if is_paid else "frozen" if who.status == FROZEN else why,
            available_fen=available,
            later_fen=balance.pending_fen + balance.available_fen - available,
            debt_fen=balance.debt_fen,
            gross_fen=sums.gross_fen if sums and is_paid else 0,
            tax_fen=sums.tax_fen if sums and is_paid else 0,
            net_fen=sums.net_fen if sums and is_paid else 0,
        )

    rows = [row(who) for who in people]
    return Page(rows, len(rows), following, "at_least" if following or query.cursor else "exact")


class _Look:
    """One look at what a settlement would pay.

    A person's month is one over all plans: what their distributors get who are settled before this one counts
    in it, on whatever page they are.
    """

    def __init__(self, until: datetime, month: str, plan_of: Callable[[str], Plan]):
        self.until, self.month, self.plan_of = until, month, plan_of

    def available_fen(self, who: Distributor, balance: Balance) -> int:
        return balance.available_fen + (
            _matured(who.distributor_id, self.until) if balance.pending_fen else 0
        )

    def sums(self, who: Distributor, balance: Balance) -> Sums | None:
        """What they would be paid, were they not frozen."""
        plan = self.plan_of(who.plan_id)
        person, month = taxes.month_so_far(who, plan, self.month)
        if person is not None:
            others = {one for one in person.distributor_ids if one != who.distributor_id}
            before = [
                one for one in map(distribution.distributor, sorted(others)) if _place(one) < _place(who)
            ]
            for other in before:
                paid = self._paid(other)
                month = Month(month.gross_fen + paid.gross_fen, month.tax_fen + paid.tax_fen)
        return rules.sums(
            self.available_fen(who, balance), balance.debt_fen, plan.minimum_payout_fen, plan.tax, month
        )

    def _paid(self, who: Distributor) -> Month:
        """What a settlement adds to the month by this distributor."""
        if who.status == FROZEN or self.plan_of(who.plan_id).tax != "labour_month":
            return Month()
        sums = self.sums(who, ledger.balance(who.distributor_id))
        return Month(sums.gross_fen, sums.tax_fen) if sums else Month()


def _place(who: Distributor) -> tuple[str, str]:
    """Where a settlement comes to them: the oldest first."""
    return who.created_at, who.distributor_id


def _has_money(balance: Balance | None) -> bool:
    return balance is not None and bool(balance.pending_fen or balance.available_fen or balance.debt_fen)


def _matured(distributor_id: str, until: datetime) -> int:
    """What of a distributor's pending commissions a settlement would make available first."""
    return sum(
        row.amount_fen
        for row in commission_list.pending(distributor_id)
        if row.mature_at is not None and row.mature_at <= until
    )


def _values(run: SettlementItem) -> dict[str, Any]:
    """The fields of a `SettlementOut`."""
    texts = ("settlement_id", "status", "job_id", "created_at", "until", "every")
    sums = ("distributors", "gross_fen", "debt_fen", "tax_fen", "net_fen", "skipped")
    return {name: getattr(run, name) for name in texts} | {name: int(getattr(run, name)) for name in sums}
