"""Money that a receiver let lapse or refused is offered again, under a new number.

A payout that failed has given its money back to `available` in the transaction of its end, and a payout
fails only when WeChat has closed its bill or certainly never knew it: so a new number can't pay twice. Its
rounds stand in the balance as returned until they go out again; whoever takes them first, this or a
settlement, has them. The new number follows from the old, so that asking twice offers once.

| an offer | a settlement of the same distributor |
|---|---|
| reads: the old payout's round is returned, 100 available | |
| | transaction: takes 100, the round is no longer returned |
| its condition (the round is returned) fails: nothing is left to offer | |
"""

from chalicelib.distribution import service as distribution
from chalicelib.distribution.types import Distributor
from chalicelib.ledger import rules as journals
from chalicelib.ledger import service as ledger
from chalicelib.ledger.rules import Balance
from chalicelib.payouts import rules
from chalicelib.payouts.models import PayoutItem
from chalicelib.payouts.rules import Sums
from chalicelib.platform import audit, clock, due, ids, queues, storage, timeline
from chalicelib.platform.errors import Conflict, NotFound
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line


def offer(payout_id: str) -> PayoutItem:
    """The payout that offers a failed one's money again. NotFound; Conflict when there is nothing to offer.

    Upstream when the queue does not take its transfer, which then begins within the hour.
    """
    made = _offer(payout_id)
    if made.status == rules.PLANNED:
        work = {"kind": "payout", "payout_id": made.payout_id}
        queues.send("payout", work, group=made.payout_id)
    return made


def offer_again(payout_id: str) -> None:
    """`offer`, as the receiver asked for it on their page, which shows them what is there to offer."""
    try:
        offer(payout_id)
    except Conflict:
        return


@storage.retrying("the distributor's money keeps moving", attempts=20)
def _offer(payout_id: str) -> PayoutItem:
    old: PayoutItem | None = PayoutItem.find(payout_id)
    if old is None:
        raise NotFound(code="no_payout", payout_id=payout_id)
    if old.replaced_by:
        again: PayoutItem = PayoutItem.get(old.replaced_by, consistent_read=True)
        return again
    if old.status != rules.FAILED:
        raise Conflict(code="payout_not_failed", payout_id=payout_id, status=old.status)
    who, balance = distribution.distributor(old.distributor_id), ledger.balance(old.distributor_id)
    sums = _sums(old, who, balance)
    if sums is None:
        raise Conflict(code="nothing_to_offer", payout_id=payout_id)
    made = _payout(old, who, sums)
    _transaction(old, made, sums).commit()
    return made


def _sums(old: PayoutItem, who: Distributor, balance: Balance) -> Sums | None:
    """What of the old payout's money is still there to go out."""
    if not balance.returned.issuperset(old.rounds):
        return None
    withhold = distribution.plan(who.plan_id).withhold_tax
    available = min(int(old.gross_fen), balance.available_fen)
    return rules.sums(available, balance.debt_fen, 0, withhold)


def _payout(old: PayoutItem, who: Distributor, sums: Sums) -> PayoutItem:
    """Of the old one's settlement, whose totals count that money already."""
    now = clock.iso(clock.now())
    return PayoutItem(
        ids.derived("offer", old.payout_id, length=32),
        settlement_id=old.settlement_id,
        distributor_id=who.distributor_id,
        openid=who.openid,
        name=who.name,
        gross_fen=sums.gross_fen,
        debt_fen=sums.debt_fen,
        tax_fen=sums.tax_fen,
        amount_fen=sums.net_fen,
        rounds=old.rounds,
        created_at=now,
        status=rules.PLANNED,
        replaces=old.payout_id,
        changed_at=now,
    )


def _transaction(old: PayoutItem, made: PayoutItem, sums: Sums) -> Transaction:
    now = clock.parse(made.created_at)
    reason = {"settlement_id": made.settlement_id, "payout_id": made.payout_id, "replaces": old.payout_id}
    cause = journals.Cause(made.distributor_id, now, made.payout_id, reason)
    written = journals.payout_started(cause, sums.available_fen, sums.debt_fen, sums.tax_fen)
    data = {"payout_id": made.payout_id, "amount_fen": sums.net_fen, "status": rules.PLANNED}
    tx = Transaction()
    tx.put("payout", made, PayoutItem.payout_id.does_not_exist())
    replaced = [PayoutItem.replaced_by.set(made.payout_id), PayoutItem.version.add(1)]
    tx.update("old payout", PayoutItem(old.payout_id), replaced, PayoutItem.version == old.version)
    ledger.post_returned(tx, written, old.rounds)
    subject, key = f"distributor#{made.distributor_id}", f"{made.payout_id}#1"
    timeline.add(tx, Line(subject, "payout_changed", now, key, data))
    work = {"kind": "payout", "payout_id": made.payout_id}
    due.add(tx, "payout", now + rules.LOOK_AGAIN, made.payout_id, work)
    audit.add(tx, "payouts.offer", old.payout_id, None, {"replaced_by": made.payout_id})
    return tx
