"""A distributor's payouts as their own page shows them: what to collect, what lapsed, what was paid."""

from typing import Literal

from msgspec import Struct

from chalicelib.ledger.rules import Balance
from chalicelib.payouts import models, rules
from chalicelib.payouts.models import PayoutItem

_LATEST = 20
Stage = Literal["to_collect", "lapsed", "on_the_way", "paid", "returned"]


class Collected(Struct, frozen=True):
    """stage: to_collect, with `package_info`; lapsed: to be offered again; returned: its money is back."""

    payout_id: str
    stage: Stage
    amount_fen: int
    created_at: str
    changed_at: str
    expires_at: str | None
    package_info: str | None


def latest(balance: Balance) -> list[Collected]:
    """Of a balance's distributor, newest first; one that was offered again stands there once."""
    keys = models.keys(PayoutItem.of_distributor, balance.subject, None, _LATEST)
    known = models.load_several([key.payout_id for key in keys])
    items = [item for key in keys if (item := known.get(key.payout_id)) and not item.replaced_by]
    shown = []
    left = balance.returned  # what a later payout offered once more is that one's to offer
    for item in items:
        stage = _stage(item, balance, left)
        if stage == "lapsed":
            left = left.difference(item.rounds)
        shown.append(_collected(item, stage))
    return shown


def _collected(item: PayoutItem, stage: Stage) -> Collected:
    return Collected(
        payout_id=item.payout_id,
        stage=stage,
        amount_fen=int(item.amount_fen),
        created_at=item.created_at,
        changed_at=item.changed_at,
        expires_at=item.expires_at,
        package_info=item.package_info,
    )


def _stage(item: PayoutItem, balance: Balance, left: frozenset[int]) -> Stage:
    if item.status == rules.PAID:
        return "paid"
    if item.status == rules.FAILED:
        is_there = left.issuperset(item.rounds) and balance.available_fen >= rules.MINIMUM_FEN
        return "lapsed" if item.reason == rules.LAPSED and is_there else "returned"
    # while it is `transfering` the confirmation page can be opened again
    can_open = item.status in ("wait_user_confirm", "transfering") and item.package_info
    return "to_collect" if can_open else "on_the_way"
