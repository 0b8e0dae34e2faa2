"""Distribution plans: made and listed."""

from functools import partial
from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.distribution import models, rules
from chalicelib.distribution.models import PlanItem
from chalicelib.distribution.types import LevelOut, NewPlan, Plan, PlanOut, Scope, SettleEvery
from chalicelib.platform import audit, clock, ids, lists
from chalicelib.platform.errors import Invalid
from chalicelib.platform.lists import Page, Searching
from chalicelib.platform.storage import Transaction


class PlansQuery(Searching, kw_only=True):
    sort: Literal["name", "-name", "created_at", "-created_at"] = "-created_at"
    settle_every: Annotated[SettleEvery | None, Meta(description="Settled at this interval")] = None


def create(new: NewPlan) -> Plan:
    """Invalid."""
    if issues := rules.check_plan(new):
        raise Invalid(*issues)
    skus = new.scope.skus if new.scope else None
    plan = Plan(
        plan_id=f"plan_{ids.short(12)}",
        name=new.name,
        rates=tuple(level.rate_bps for level in new.levels),
        skus=None if skus is None else tuple(skus),
        mature_after=new.mature_after,
        attribution_window=new.attribution_window,
        minimum_payout_fen=new.minimum_payout_fen,
        withhold_tax=new.withhold_tax,
        settle_every=new.settle_every,
        created_at=clock.iso(clock.now()),
    )
    tx = Transaction()
    tx.put("plan", models.plan_item(plan), PlanItem.plan_id.does_not_exist())
    audit.add(tx, "distribution_plans.create", plan.plan_id, None, plan)
    tx.commit()
    return plan


def every_plan() -> list[Plan]:
    """All plans."""
    return [models.plan_of(row) for row in lists.partition(partial(PlanItem.by_listing.query, "plan"))]


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
        withhold_tax=plan.withhold_tax,
        settle_every=plan.settle_every,
        created_at=plan.created_at,
    )
