"""Commissions, newest first: per line and level, of an order, of a distributor, or all.

`limit` and `total` of the longer lists count commissions of an order and level; each has a row a line.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import replace

from chalicelib.distribution import distributors, models, plans, service
from chalicelib.distribution.models import CommissionItem
from chalicelib.distribution.types import PENDING, Commission, CommissionOut, CommissionStatus
from chalicelib.platform import clock, ids, lists
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.paging import Id
from chalicelib.platform.principal import Principal


class CommissionsQuery(Paging, kw_only=True):
    order_id: Annotated[Id | None, Meta(description="Of this order")] = None
    distributor_id: Annotated[Id | None, Meta(description="Of this distributor")] = None
    status: CommissionStatus | None = None
    level: Annotated[int, Meta(ge=1, le=2)] | None = None
    plan_id: Annotated[Id | None, Meta(description="By this plan")] = None


def page(query: CommissionsQuery, principal: Principal) -> Page[CommissionOut]:
    """With names. NotFound for a distributor that is not there."""
    found = _page(query)
    return Page(named(found.items, principal), found.total, found.next_cursor, found.total_is)


def _page(query: CommissionsQuery) -> Page[CommissionOut]:

    def wanted(commission: Commission | None) -> list[CommissionOut] | None:
        """Its lines that the query asks for; None: none of them."""
        if (
            commission is None
            or query.distributor_id not in (None, commission.distributor_id)
            or query.level not in (None, commission.level)
            or query.plan_id not in (None, commission.plan_id)
        ):
            return None
        return [row for row in lines(commission) if query.status in (None, row.status)] or None

    if query.distributor_id:
        service.distributor(query.distributor_id)
    if query.order_id:
        rows = [row for group in map(wanted, models.commissions(query.order_id)) for row in group or ()]
        return Page(rows, len(rows))
    if query.distributor_id:
        return _flat(_of_distributor(query.distributor_id, query, lambda rows: [*map(wanted, rows)]))

    def load(keys: list[CommissionItem]) -> list[list[CommissionOut] | None]:
        commissions = models.load_several(keys)
        return [wanted(commissions.get((key.order_id, key.part))) for key in keys]

    months = lists.months(clock.now(), cursor=query.cursor, shards=models.SHARDS)
    return _flat(lists.merged(months, models.keys_of_month, query, lambda key: str(key.listed_at), load=load))


def of_order(order_id: str) -> list[CommissionOut]:
    return [row for commission in models.commissions(order_id) for row in lines(commission)]


def orders_of(
    distributor_id: str, paging: Paging, load: Callable[[Collection[str]], Sequence[Any]]
) -> Page[Any]:
    """The orders on which a distributor earns, newest commission first, as `load` makes them of their ids."""
    return _of_distributor(distributor_id, paging, lambda rows: load([row.order_id for row in rows]))


def lines(commission: Commission) -> list[CommissionOut]:
    """A commission line by line."""
    return [
        CommissionOut(
            commission_id=ids.derived(
                commission.order_id, line.line_id, commission.distributor_id, str(commission.level)
            ),
            order_id=commission.order_id,
            line_id=line.line_id,
            distributor_id=commission.distributor_id,
            level=commission.level,
            plan_id=commission.plan_id,
            paid_fen=line.paid_fen,
            base_fen=line.base_fen,
            rate_bps=commission.rate_bps,
            amount_fen=line.amount_fen,
            status=commission.line_status(line),
            own_purchase=commission.is_own,
            created_at=commission.created_at,
            mature_at=clock.iso(commission.mature_at) if commission.mature_at else None,
            payout_id=commission.payout_id,
        )
        for line in commission.lines
    ]


def pending(distributor_id: str) -> list[Commission]:
    """A distributor's commissions that have not matured."""
    waiting = CommissionItem.state == PENDING
    rows = CommissionItem.of_distributor.query(distributor_id, filter_condition=waiting)
    return [models.commission_of(row) for row in rows]


def in_rounds(distributor_id: str, rounds: Collection[int]) -> list[CommissionOut]:
    """What matured in these rounds of a distributor's payouts, as it is now, newest first."""
    rows = CommissionItem.of_distributor.query(distributor_id, scan_index_forward=False)
    known = [commission for row in rows if (commission := models.commission_of(row)).round in rounds]
    return [line for commission in known if commission.state != PENDING for line in lines(commission)]


def named(rows: Sequence[CommissionOut], principal: Principal) -> list[CommissionOut]:
    """With what distributors and plans are called."""
    people = distributors.names({row.distributor_id for row in rows}, principal)
    known = plans.names({row.plan_id for row in rows})
    return [
        replace(row, distributor_name=people.get(row.distributor_id), plan_name=known.get(row.plan_id))
        for row in rows
    ]


def _of_distributor(
    distributor_id: str, paging: Paging, load: Callable[[list[Commission]], Sequence[Any]]
) -> Page[Any]:
    return lists.merged([[distributor_id]], models.of_distributor, paging, models.place, load=load)


def _flat(page: Page[list[CommissionOut]]) -> Page[CommissionOut]:
    rows = [row for commission in page.items for row in commission]
    return Page(rows, page.total, page.next_cursor, page.total_is)
