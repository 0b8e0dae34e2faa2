"""Payouts, newest first: all, in a status, or a distributor's; those of a settlement by their number."""

from functools import partial
from typing import Annotated, Any, get_args

from msgspec import Meta

from chalicelib.payouts import models
from chalicelib.payouts.models import PayoutItem
from chalicelib.payouts.types import PayoutRow, PayoutStatus
from chalicelib.platform import lists
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.paging import Id


class PayoutsQuery(Paging, kw_only=True):
    status: PayoutStatus | None = None
    distributor_id: Annotated[Id | None, Meta(description="To this distributor")] = None
    settlement_id: Annotated[Id | None, Meta(description="Of this settlement, by their number")] = None


def page(query: PayoutsQuery) -> Page[PayoutRow]:
    """By the narrowest key that the query gives; all else is a filter over that."""

    def is_wanted(item: PayoutItem) -> bool:
        return query.status in (None, item.status) and query.distributor_id in (None, item.distributor_id)

    if query.settlement_id:
        of_settlement = partial(PayoutItem.of_settlement.query, query.settlement_id)
        return lists.history(of_settlement, query, is_wanted).map(row_of)

    def load(keys: list[PayoutItem]) -> list[PayoutRow | None]:
        items = models.load_several([key.payout_id for key in keys])
        payouts = [items.get(key.payout_id) for key in keys]
        return [row_of(item) if item is not None and is_wanted(item) else None for item in payouts]

    index: Any = PayoutItem.by_status
    partitions = [query.status] if query.status else list(get_args(PayoutStatus))
    if query.distributor_id:
        index, partitions = PayoutItem.of_distributor, [query.distributor_id]
    return lists.merged([partitions], partial(models.keys, index), query, models.place, load=load)


def row_of(item: PayoutItem) -> PayoutRow:
    return PayoutRow(**values_of(item))


def values_of(item: PayoutItem) -> dict[str, Any]:
    """The fields of a `PayoutRow`."""
    texts = ("payout_id", "settlement_id", "distributor_id", "status", "reason", "created_at", "changed_at")
    sums = ("gross_fen", "debt_fen", "tax_fen", "amount_fen")
    return {name: getattr(item, name) for name in texts} | {name: int(getattr(item, name)) for name in sums}
