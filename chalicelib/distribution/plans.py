"""Distribution plans: made, changed and listed."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta
from msgspec.structs import replace

from chalicelib.distribution import models, rules, service
from chalicelib.distribution.models import PlanItem
from chalicelib.distribution.types import (
    ExampleLevel,
    LevelOut,
    NewPlan,
    Plan,
    PlanExample,
    PlanExampleOut,
    PlanOut,
    SaleLine,
    Scope,
    SettleEvery,
)
from chalicelib.platform import audit, clock, ids, lists, storage, validation
from chalicelib.platform.errors import Forbidden, Invalid, issue
from chalicelib.platform.lists import Page, Searching
from chalicelib.platform.patch import merged
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.versions import ANY_VERSION, IfMatch

# All else of a plan decides who gets how much, and when: that is for who may make one.
_NO_MONEY = frozenset({"name", "attribution_window"})


class PlansQuery(Searching, kw_only=True):
    sort: Literal["name", "-name", "created_at", "-created_at"] = "-created_at"
    settle_every: Annotated[SettleEvery | None, Meta(description="Settled at this interval")] = None


def create(new: NewPlan) -> Plan:
    """Invalid."""
    if issues := rules.check_plan(new):
        raise Invalid(*issues)
    now = clock.iso(clock.now())
    plan = _plan(new, f"plan_{ids.short(12)}", created_at=now, version=1, since=now)
    tx = Transaction()
    models.add_plan(tx, plan, None)
    audit.add(tx, "distribution_plans.create", plan.plan_id, None, plan)
    tx.commit()
    return plan


@storage.retrying("others keep changing this plan")
def change(
    plan_id: str, patch: Mapping[str, Any], principal: Principal = SYSTEM, if_match: IfMatch = ANY_VERSION
) -> Plan:
    """The plan's next version, by a JSON merge patch; orders that were paid before keep theirs.

    NotFound, Invalid, Forbidden for money of who may not change it, Stale.
    """
    plan = service.plan(plan_id)
    if_match.check(plan.version, lambda: show(plan, principal.may("rates.read")))
    if not principal.may("distribution_plans.write") and not patch.keys() <= _NO_MONEY:
        raise Forbidden(code="plan_money", fields=sorted(patch.keys() - _NO_MONEY))
    new = validation.convert(merged(_definition(plan, patch), patch), NewPlan)
    if issues := rules.check_plan(new):
        raise Invalid(*issues)
    changed = _plan(new, plan_id, created_at=plan.created_at, version=plan.version, since=plan.since)
    if changed == plan:
        return plan
    changed = replace(changed, version=plan.version + 1, since=clock.iso(clock.now()))
    tx = Transaction()
    models.add_plan(tx, changed, plan)
    audit.add(tx, "distribution_plans.change", plan_id, plan, changed)
    tx.commit()
    return changed


def example(plan: PlanExample) -> PlanExampleOut:
    """What a plan would earn whom on an order, by the rule that orders go by. Invalid."""
    issues = rules.check_plan(plan)
    if plan.refunded_fen > plan.paid_fen:
        issues.append(issue("refunded_fen", "maximum", maximum=plan.paid_fen))
    if issues:
        raise Invalid(*issues)
    skus = plan.scope.skus if plan.scope else None
    line = SaleLine("1", plan.sku or (skus[0] if skus else ""), plan.paid_fen, plan.refunded_fen)
    levels, base = [], 0
    for number, level in enumerate(plan.levels, start=1):
        found = rules.on_lines([line], level.rate_bps, skus)
        base = sum(one.base_fen for one in found)
        amount = sum(one.amount_fen for one in found)
        levels.append(ExampleLevel(level=number, rate_bps=level.rate_bps, amount_fen=amount))
    return PlanExampleOut(base_fen=base, levels=levels, total_fen=sum(one.amount_fen for one in levels))


def every_plan() -> list[Plan]:
    """All plans."""
    return [models.plan_of(row) for row in lists.partition(partial(PlanItem.by_listing.query, "plan"))]


def names(plan_ids: Collection[str]) -> dict[str, str]:
    """What these plans are called, by id."""
    return {row.plan_id: row.name for row in PlanItem.batch_get(sorted(plan_ids))}


def page(query: PlansQuery) -> Page[Plan]:
    return lists.whole(
        (plan for plan in every_plan() if query.settle_every in (None, plan.settle_every)),
        query,
        key=lambda plan: plan.plan_id,
        sorts={"name": lambda plan: plan.name, "created_at": lambda plan: plan.created_at},
        sort=query.sort,
        texts=lambda plan: (plan.name, plan.plan_id),
    )


def show(plan: Plan, with_rates: bool) -> PlanOut:
    """A plan as a door gives it; the rates are money."""
    return PlanOut(
        plan_id=plan.plan_id,
        name=plan.name,
        levels=[LevelOut(rate_bps=rate if with_rates else None) for rate in plan.rates],
        scope=Scope(skus=None if plan.skus is None else list(plan.skus)),
        mature_after=plan.mature_after,
        attribution_window=plan.attribution_window,
        minimum_payout_fen=plan.minimum_payout_fen,
        tax=plan.tax,
        withhold_tax=plan.tax != "none",
        self_purchase=plan.self_purchase,
        settle_every=plan.settle_every,
        created_at=plan.created_at,
        version=plan.version,
        since=plan.since,
    )


def _plan(new: NewPlan, plan_id: str, *, created_at: str, version: int, since: str) -> Plan:
    skus = new.scope.skus if new.scope else None
    return Plan(
        plan_id=plan_id,
        name=new.name,
        rates=tuple(level.rate_bps for level in new.levels),
        skus=None if skus is None else tuple(skus),
        mature_after=new.mature_after,
        attribution_window=new.attribution_window,
        minimum_payout_fen=new.minimum_payout_fen,
        tax=rules.tax_of(new),
        settle_every=new.settle_every,
        created_at=created_at,
        self_purchase=new.self_purchase,
        version=version,
        since=since,
    )


def _definition(plan: Plan, patch: Mapping[str, Any]) -> dict[str, Any]:
    """A plan as a NewPlan has it; without its tax where the patch says that in the other word."""
    definition = {
        "name": plan.name,
        "levels": [{"rate_bps": rate} for rate in plan.rates],
        "scope": {} if plan.skus is None else {"skus": list(plan.skus)},
        "mature_after": plan.mature_after,
        "attribution_window": plan.attribution_window,
        "minimum_payout_fen": plan.minimum_payout_fen,
        "self_purchase": plan.self_purchase,
    }
    if "withhold_tax" not in patch:
        definition["tax"] = plan.tax
    if plan.settle_every:
        definition["settle_every"] = plan.settle_every
    return definition
