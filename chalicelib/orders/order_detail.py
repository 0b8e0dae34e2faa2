"""An order as a person opens it: what everybody is called, each line's commission, and why or why not."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec.structs import replace

from chalicelib.customers import service as customers
from chalicelib.distribution import commission_list, distributors, plans
from chalicelib.distribution import service as distribution
from chalicelib.distribution.types import CommissionOut
from chalicelib.orders import rules, service
from chalicelib.orders.types import AttributionOut, ItemOut, LevelOut, Order, OrderOut, OrderRow
from chalicelib.platform import audit, messages
from chalicelib.platform.messages import Language
from chalicelib.platform.principal import Principal
from chalicelib.stores import service as stores

Row = TypeVar("Row", bound=OrderRow)
_EARNS = ("credit_share_code", "credit_parent")  # reasons of who earns something


def get(order_id: str, principal: Principal, language: Language) -> OrderOut:
    """NotFound, also outside of the scope."""
    order = service.find(order_id, principal)
    (shown,) = fill_names([service.show(order, principal, language)], principal)
    earned = commission_list.named(commission_list.of_order(order_id), principal)
    with_money = principal.may("commissions.read")
    is_credited = bool(shown.attribution.by) and rules.is_paid(order)
    return replace(
        shown,
        items=[_item(item, is_credited, earned, with_money, language) for item in shown.items],
        attribution=_attribution(shown.attribution, order, earned, principal, language),
    )


def fill_names(rows: Sequence[Row], principal: Principal) -> list[Row]:
    """With what buyers, stores and distributors are called."""
    buyers = customers.several({row.external_userid for row in rows if row.external_userid})
    known = stores.find_many({row.store_id for row in rows if row.store_id})
    people = distributors.names((row.distributor_id for row in rows), principal)
    return [
        replace(
            row,
            buyer_name=_buyer_name(row, principal, buyers[row.external_userid].name)
            if row.external_userid in buyers
            else _buyer_name(row, principal, None),
            store_name=known[row.store_id].name if row.store_id in known else None,
            distributor_name=people.get(row.distributor_id or ""),
        )
        for row in rows
    ]


def _buyer_name(row: OrderRow, principal: Principal, name: str | None) -> str | None:
    return audit.MASK if row.external_userid and principal.sees_masked else name


def _item(
    item: ItemOut, is_credited: bool, earned: list[CommissionOut], with_money: bool, language: Language
) -> ItemOut:
    """earned: the order's commissions. is_credited: it is paid, and somebody's."""
    own = [row for row in earned if row.line_id == item.line_id]
    is_outside = is_credited and not own
    return replace(
        item,
        commissions=own if with_money else None,
        why_none=messages.text("line_not_in_plan", language, {}) if is_outside else None,
    )


def _attribution(
    found: AttributionOut,
    order: Order,
    earned: list[CommissionOut],
    principal: Principal,
    language: Language,
) -> AttributionOut:
    """With names, the plan's version of then, and the story of each level."""
    people = distributors.names((found.distributor_id, found.parent_id), principal)
    named = replace(found, distributor_name=people.get(found.distributor_id or ""))
    if not found.by or not found.plan_id:
        return named
    paid_at = order.times.get("paid") or order.times.get("completed")
    plan = distribution.plan_at(found.plan_id, paid_at) if paid_at else None
    parent_why = order.attribution.parent_why if order.attribution else None
    reasons = {
        1: found.reason,
        2: parent_why or ("credit_parent" if found.parent_id else "credit_parent_unknown"),
    }
    who = {1: found.distributor_id, 2: found.parent_id}
    levels = []
    for level, reason in reasons.items():
        rows = [row for row in earned if row.level == level]
        is_own = any(row.own_purchase for row in rows)
        if is_own and reason != "credit_parent_own_purchase":
            reason = "credit_buyer_later"
        elif paid_at and not rows and reason in _EARNS:
            reason = "credit_nothing_in_plan"
        with_money = bool(rows) and principal.may("commissions.read")
        levels.append(
            LevelOut(
                level=level,
                distributor_id=who[level],
                distributor_name=people.get(who[level] or ""),
                earns=bool(rows) and not is_own,
                reason=reason,
                why=messages.text(reason, language, {}),
                rate_bps=rows[0].rate_bps if with_money else None,
                amount_fen=sum(row.amount_fen for row in rows) if with_money else None,
            )
        )
    return replace(
        named,
        plan_name=plans.names({found.plan_id}).get(found.plan_id),
        plan_version=plan.version if plan else None,
        levels=levels,
    )
