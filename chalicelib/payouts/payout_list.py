"""Payouts, newest first: all, in a status, or a distributor's; those of a settlement by their number.

What doesn't go on by itself says what it needs of a person, and the cure in words.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, cast, get_args

from msgspec import Meta

from chalicelib.distribution import commission_list, distributors
from chalicelib.distribution.types import CommissionOut
from chalicelib.ledger import service as ledger
from chalicelib.ledger.rules import Balance
from chalicelib.payouts import models, rules
from chalicelib.payouts.models import PayoutItem
from chalicelib.payouts.types import (
    Needs,
    PayoutFigures,
    PayoutOut,
    PayoutRow,
    PayoutsOfStatus,
    PayoutStatus,
    StuckPayouts,
)
from chalicelib.platform import clock, lists, messages
from chalicelib.platform.errors import NotFound
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.messages import Language
from chalicelib.platform.paging import Id
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.wechatpay import refusals
from chalicelib.wechatpay.refusals import Treatment

_OPEN = tuple(status for status in get_args(PayoutStatus) if status != rules.PAID)
_MOST_READ = 20_000  # of a status for one answer: 200 requests, some 3 s
_LATE = timedelta(hours=2)  # a payout that is still planned then was never taken on


class PayoutsQuery(Paging, kw_only=True):
    status: PayoutStatus | None = None
    stuck: Annotated[bool, Meta(description="Only what needs somebody to do something")] = False
    distributor_id: Annotated[Id | None, Meta(description="To this distributor")] = None
    settlement_id: Annotated[Id | None, Meta(description="Of this settlement, by their number")] = None


def page(query: PayoutsQuery, language: Language = "zh", principal: Principal = SYSTEM) -> Page[PayoutRow]:
    """By the narrowest key that the query gives; all else is a filter over that."""
    found = _page(query)
    return Page(_rows(found.items, language, principal), found.total, found.next_cursor, found.total_is)


def _page(query: PayoutsQuery) -> Page[PayoutItem]:
    def is_wanted(item: PayoutItem) -> bool:
        return query.status in (None, item.status) and query.distributor_id in (None, item.distributor_id)

    if query.settlement_id:
        of_settlement = partial(PayoutItem.of_settlement.query, query.settlement_id)
        return lists.history(
            of_settlement,
            query,
            lambda item: is_wanted(item) and (not query.stuck or _needs([item])[item.payout_id] is not None),
        )

    def load(keys: list[PayoutItem]) -> list[PayoutItem | None]:
        items = models.load_several([key.payout_id for key in keys])
        wanted = {payout_id: item for payout_id, item in items.items() if is_wanted(item)}
        needs = _needs(wanted.values()) if query.stuck else {}
        return [
            None if query.stuck and needs.get(key.payout_id) is None else wanted.get(key.payout_id)
            for key in keys
        ]

    index: Any = PayoutItem.by_status
    every = _OPEN if query.stuck else get_args(PayoutStatus)
    partitions = [query.status] if query.status else list(every)
    if query.distributor_id:
        index, partitions = PayoutItem.of_distributor, [query.distributor_id]
    return lists.merged([partitions], partial(models.keys, index), query, models.place, load=load)


def get(payout_id: str, language: Language = "zh", principal: Principal = SYSTEM) -> PayoutOut:
    """A payout as finance sees it. NotFound."""
    return show(_find(payout_id), language, principal)


def commissions_of(payout_id: str, principal: Principal) -> Page[CommissionOut]:
    """What a payout was made of, as it is now: what was given back since is no longer in it. NotFound."""
    item = _find(payout_id)
    rows = commission_list.in_rounds(item.distributor_id, set(item.rounds))
    return Page(commission_list.named(rows, principal), len(rows))


def show(item: PayoutItem, language: Language, principal: Principal = SYSTEM) -> PayoutOut:
    (values,) = _values_of([item], language, principal)
    texts = ("transfer_bill_no", "package_info", "replaces")
    return PayoutOut(**values, calls=int(item.calls), **{name: getattr(item, name) for name in texts})


def count(status: PayoutStatus) -> int:
    """How many are in a status: some 8,000 of them a read."""
    return PayoutItem.by_status.count(status)


def figures(language: Language = "zh") -> PayoutFigures:
    """Counts and sums of all payouts by status; what was paid is summed by the ledger."""
    statuses, open_items = [], []
    for status in _OPEN:
        newest = PayoutItem.by_status.query(status, scan_index_forward=False, limit=_MOST_READ + 1)
        keys = [key.payout_id for key in newest]
        items = list(models.load_several(keys[:_MOST_READ]).values())
        open_items += items
        is_whole = len(keys) <= _MOST_READ
        statuses.append(
            PayoutsOfStatus(
                status=cast(PayoutStatus, status),
                count=len(items) if is_whole else count(cast(PayoutStatus, status)),
                amount_fen=sum(int(item.amount_fen) for item in items),
                amount_is="exact" if is_whole else "at_least",
            )
        )
    paid = sum(balance.paid_fen for balance in ledger.all_balances())
    statuses.append(PayoutsOfStatus(status="paid", count=count("paid"), amount_fen=paid))
    return PayoutFigures(statuses=statuses, stuck=_stuck(open_items, language))


def _stuck(items: Iterable[PayoutItem], language: Language) -> list[StuckPayouts]:
    """By what they need and why, the largest sum first."""
    known = list(items)
    needs_of = _needs(known)
    groups: dict[tuple[Needs, str | None], list[PayoutItem]] = {}
    for item in known:
        if needs := needs_of[item.payout_id]:
            groups.setdefault((needs, item.reason), []).append(item)
    rows = [
        StuckPayouts(
            needs=needs,
            reason=reason,
            reason_text=_words(reason, language),
            cure=messages.text(f"cure_{needs}", language, {}),
            count=len(group),
            amount_fen=sum(int(item.amount_fen) for item in group),
        )
        for (needs, reason), group in groups.items()
    ]
    return sorted(rows, key=lambda row: -row.amount_fen)


def _needs(items: Iterable[PayoutItem]) -> dict[str, Needs | None]:
    """What each payout needs of a person, by its id; the balances of those that failed are read together."""
    known = list(items)
    failed = {item.distributor_id for item in known if item.status == rules.FAILED and not item.replaced_by}
    balances = ledger.balances(failed) if failed else {}
    return {item.payout_id: _need(item, balances.get(item.distributor_id)) for item in known}


def _need(item: PayoutItem, balance: Balance | None) -> Needs | None:
    """balance: of the receiver, where the payout failed and was not offered again."""
    if item.status == rules.FAILED:
        is_there = (
            not item.replaced_by
            and balance is not None
            and balance.returned.issuperset(item.rounds)
            and balance.available_fen >= rules.MINIMUM_FEN
        )
        return "offer" if is_there else None
    if item.status == rules.PLANNED:
        return "look" if clock.now() - clock.parse(item.created_at) > _LATE else None
    if item.status not in (rules.CALLING, rules.PROCESSING) or not item.reason:
        return None
    if item.reason == "NOT_ENOUGH":
        return "top_up"
    passes = (Treatment.AGAIN, Treatment.UNCERTAIN)
    is_passing = refusals.known(item.reason) and refusals.treatment(item.reason) in passes
    return None if is_passing else "mend"


def _find(payout_id: str) -> PayoutItem:
    item: PayoutItem | None = PayoutItem.find(payout_id)
    if item is None:
        raise NotFound(code="no_payout", payout_id=payout_id)
    return item


def _rows(items: list[PayoutItem], language: Language, principal: Principal) -> list[PayoutRow]:
    return [PayoutRow(**values) for values in _values_of(items, language, principal)]


def _values_of(items: list[PayoutItem], language: Language, principal: Principal) -> list[dict[str, Any]]:
    """The fields of `PayoutRow`s."""
    texts = (
        *("payout_id", "settlement_id", "distributor_id", "status", "reason", "created_at", "changed_at"),
        *("scene_id", "offered_at", "expires_at", "replaced_by"),
    )
    sums = ("gross_fen", "debt_fen", "tax_fen", "amount_fen")
    names = distributors.names((item.distributor_id for item in items), principal)
    needs_of = _needs(items)
    rows = []
    for item in items:
        needs = needs_of[item.payout_id]
        values = {name: getattr(item, name) for name in texts}
        values |= {name: int(getattr(item, name)) for name in sums}
        values |= {
            "reason_text": _words(item.reason, language),
            "needs": needs,
            "cure": _cure(item, needs, language),
        }
        rows.append(values | {"distributor_name": names.get(item.distributor_id)})
    return rows


def _cure(item: PayoutItem, needs: Needs | None, language: Language) -> str | None:
    """What to do, or what it waits for."""
    if needs:
        return messages.text(f"cure_{needs}", language, {})
    if item.status in ("wait_user_confirm", "calling", "processing", "planned"):
        return messages.text(f"wait_{item.status}", language, {})
    if item.status == rules.FAILED:
        return messages.text("wait_replaced" if item.replaced_by else "wait_gone", language, {})
    return None


def _words(reason: str | None, language: Language) -> str | None:
    """WeChat Pay's reason in a person's words."""
    if not reason:
        return None
    if messages.known(reason):
        return messages.text(reason, language, {})
    return messages.text("wechatpay_refused", language, {"reason": reason})
