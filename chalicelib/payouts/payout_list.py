"""Payouts, newest first: all, in a status, or a distributor's; those of a settlement by their number."""

from functools import partial
from typing import Annotated, Any, get_args

from msgspec import Meta

from chalicelib.payouts import models
from chalicelib.payouts.models import PayoutItem
from chalicelib.payouts.types import PayoutOut, PayoutRow, PayoutStatus
from chalicelib.platform import lists, messages
from chalicelib.platform.errors import NotFound
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.messages import Language
from chalicelib.platform.paging import Id


class PayoutsQuery(Paging, kw_only=True):
    status: PayoutStatus | None = None
    distributor_id: Annotated[Id | None, Meta(description="To this distributor")] = None
    settlement_id: Annotated[Id | None, Meta(description="Of this settlement, by their number")] = None


def page(query: PayoutsQuery, language: Language = "zh") -> Page[PayoutRow]:
    """By the narrowest key that the query gives; all else is a filter over that."""

    def is_wanted(item: PayoutItem) -> bool:
        return query.status in (None, item.status) and query.distributor_id in (None, item.distributor_id)

    if query.settlement_id:
        of_settlement = partial(PayoutItem.of_settlement.query, query.settlement_id)
        return lists.history(of_settlement, query, is_wanted).map(partial(row_of, language=language))

    def load(keys: list[PayoutItem]) -> list[PayoutRow | None]:
        items = models.load_several([key.payout_id for key in keys])
        payouts = [items.get(key.payout_id) for key in keys]
        return [row_of(item, language) if item is not None and is_wanted(item) else None for item in payouts]

    index: Any = PayoutItem.by_status
    partitions = [query.status] if query.status else list(get_args(PayoutStatus))
    if query.distributor_id:
        index, partitions = PayoutItem.of_distributor, [query.distributor_id]
    return lists.merged([partitions], partial(models.keys, index), query, models.place, load=load)


def get(payout_id: str, language: Language = "zh") -> PayoutOut:
    """A payout as finance sees it. NotFound."""
    item: PayoutItem | None = PayoutItem.find(payout_id)
    if item is None:
        raise NotFound(code="no_payout", payout_id=payout_id)
    return show(item, language)


def show(item: PayoutItem, language: Language) -> PayoutOut:
    texts = ("transfer_bill_no", "package_info", "replaces", "replaced_by")
    return PayoutOut(
        **_values_of(item, language),
        calls=int(item.calls),
        **{name: getattr(item, name) for name in texts},
    )


def row_of(item: PayoutItem, language: Language) -> PayoutRow:
    return PayoutRow(**_values_of(item, language))


def _values_of(item: PayoutItem, language: Language) -> dict[str, Any]:
    """The fields of a `PayoutRow`."""
    texts = (
        *("payout_id", "settlement_id", "distributor_id", "status", "reason", "created_at", "changed_at"),
        *("scene_id", "offered_at", "expires_at"),
    )
    sums = ("gross_fen", "debt_fen", "tax_fen", "amount_fen")
    values = {name: getattr(item, name) for name in texts} | {name: int(getattr(item, name)) for name in sums}
    return values | {"reason_text": _words(item.reason, language)}


def _words(reason: str | None, language: Language) -> str | None:
    """WeChat Pay's reason in a person's words."""
    if not reason:
        return None
    if messages.known(reason):
        return messages.text(reason, language, {})
    return messages.text("wechatpay_refused", language, {"reason": reason})
