"""Commissions: what an order's transaction carries of them, how they mature and are paid.

Also what functions ask of plans and distributors; how those are made, changed and listed: plans.py,
distributors.py; their names and openids: payees.py.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from chalicelib.distribution import models, payees, persons, rules
from chalicelib.distribution.models import CommissionItem, DistributorItem, PlanItem
from chalicelib.distribution.types import (
    AVAILABLE,
    LEFT,
    PAID,
    PENDING,
    Attribution,
    Commission,
    Distributor,
    Payee,
    Plan,
    Sale,
)
from chalicelib.ledger import rules as journals
from chalicelib.ledger import service as ledger
from chalicelib.platform import clock, due, storage, timeline
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line

_BUSY = "the commission keeps changing"


def plan(plan_id: str) -> Plan:
    """NotFound."""
    known = find_plan(plan_id)
    if known is None:
        raise NotFound(code="no_plan", plan_id=plan_id)
    return known


def find_plan(plan_id: str) -> Plan | None:
    item = PlanItem.find(plan_id) if "#" not in plan_id else None
    return models.plan_of(item) if item else None


def plan_at(plan_id: str, at: datetime) -> Plan | None:
    """The plan in the version of that time; the first, for a time before it was made."""
    known = find_plan(plan_id)
    while known is not None and known.version > 1 and at < clock.parse(known.since):
        item = PlanItem.find(f"{plan_id}#v{known.version - 1}")
        if item is None:
            break
        known = models.plan_of(item)
    return known


def distributor(distributor_id: str) -> Distributor:
    """NotFound."""
    who = find_distributor(distributor_id)
    if who is None:
        raise no_distributor(distributor_id)
    return who


def find_distributor(distributor_id: str) -> Distributor | None:
    item = DistributorItem.find(distributor_id) if distributor_id.startswith("d_") else None
    return models.distributor_of(item) if item else None


def check_unchanged(tx: Transaction, who: Distributor) -> None:
    """Add to a transaction that a distributor is as they were read, as the item `distributor`."""
    same = DistributorItem.version == who.version
    if not who.version:
        same = DistributorItem.distributor_id.exists() & DistributorItem.version.does_not_exist()
    tx.check("distributor", DistributorItem(who.distributor_id), same)


def open_payee(distributor_id: str, sealed: str) -> Payee:
    """Whom to pay, from what was sealed for a distributor. The function must hold the secret `keys`."""
    return payees.unseal(distributor_id, sealed)


def no_distributor(distributor_id: str) -> NotFound:
    return NotFound(code="no_distributor", distributor_id=distributor_id)


def of_share_code(share_code: str) -> Distributor | None:
    """Whose code it is, also as somebody types it."""
    code = rules.clean_code(share_code)
    return find_distributor(f"d_{code}") if len(code) <= rules.MAX_ID else None


def payee(who: Distributor) -> Payee:
    """Whom to pay for that distributor. The function must hold the secret `keys`. vault.Broken."""
    return payees.unseal(who.distributor_id, who.sealed)


def is_paid_under(who: Distributor, openid: str) -> bool:
    """Whether that openid is the distributor's: it proves who they are. The function must hold `keys`."""
    return hmac.compare_digest(payee(who).openid.encode(), openid.encode("utf-8", "replace"))


def page_of_distributors(limit: int, cursor: str | None) -> tuple[list[Distributor], str | None]:
    """Distributors, oldest first, and the cursor of the next page: for a run over all of them."""
    query = partial(DistributorItem.by_listing.query, "distributor", limit=limit)
    rows, following = storage.page(query, cursor)
    return [models.distributor_of(row) for row in rows], following


def add_order(tx: Transaction, sale: Sale, now: datetime) -> Attribution | None:
    """Add what a sale's new state means for commissions to the order's transaction.

    Adds commissions, journals, balances, timeline lines, and the maturing that falls due. Answers the
    attribution to keep with the order: None while there is nothing to decide on. Of the
    transaction's items, `commission`, `journal:…` and `balance` may fail: read and decide again.
    """
    if not sale.paid:
        return None
    decided = sale.attribution
    if decided is not None and not (decided.own_purchase and sale.buyer_changed):
        attribution = decided
        known = models.commissions(sale.order_id) if attribution.by else []
        if known and sale.buyer_changed:
            known = _with_buyer(known, sale, now)
    elif sale.share_code:
        attribution, known = _attribute(sale, now)
    else:
        return None
    maturing = set()
    for before in known:
        after = rules.recompute(before, sale)
        if after == before and before.version:
            continue
        _change_commission(tx, before, after, sale)
        if after.mature_at and after.mature_at != before.mature_at:
            maturing.add(after.mature_at)
    for at in maturing:
        due.add(tx, "mature", at, sale.order_id, {"kind": "mature", "order_id": sale.order_id})
    return attribution


def _attribute(sale: Sale, now: datetime) -> tuple[Attribution, list[Commission]]:
    """Who a sale is credited to, and the commissions that it begins."""
    code = rules.clean_code(sale.share_code or "")
    first = of_share_code(code)
    if first is None:
        return Attribution(share_code=code, why="credit_unknown_code"), []
    nobody = Attribution(share_code=code, distributor_id=first.distributor_id)
    plan = plan_at(first.plan_id, sale.paid_at or now)
    if first.status == LEFT:
        return replace(nobody, why="credit_left"), []
    if plan is None:
        return replace(nobody, why="credit_no_plan"), []
    chain, parent_why = _chain(first, plan)
    barred = _barred(chain, sale, plan)
    if barred[0]:
        return replace(nobody, why="credit_own_purchase", own_purchase=True), []
    if barred[1:] == (True,):
        parent_why = "credit_parent_own_purchase"
    # Who is barred has a commission of nothing, so that it can come back when the buyer was somebody else.
    began = zip(rules.begin(sale, plan, chain, clock.iso(now)), barred, strict=True)
    return rules.attribution(code, chain, plan, parent_why), [
        replace(one, is_own=is_own) for one, is_own in began
    ]


def _chain(first: Distributor, plan: Plan) -> tuple[list[Distributor], str]:
    """Who may earn on a sale of the first's: they and the parent; and why there is a second, or none."""
    if len(plan.rates) < 2:
        return [first], "credit_one_level"
    parent = find_distributor(first.parent_id) if first.parent_id else None
    if parent is None:
        return [first], "credit_no_parent"
    if parent.status == LEFT:
        return [first], "credit_parent_left"
    return [first, parent], "credit_parent"


def _with_buyer(commissions: list[Commission], sale: Sale, now: datetime) -> list[Commission]:
    """Commissions of an order whose buyer became known, or another, after they had begun."""
    found = [find_distributor(commission.distributor_id) for commission in commissions]
    chain = [who for who in found if who is not None]
    plan = plan_at(commissions[0].plan_id, sale.paid_at or now)
    if plan is None or len(chain) < len(commissions):
        return commissions
    barred = _barred(chain, sale, plan)
    return [replace(one, is_own=is_own) for one, is_own in zip(commissions, barred, strict=True)]


def _barred(chain: list[Distributor], sale: Sale, plan: Plan) -> tuple[bool, ...]:
    """Which of a sale's distributors must not earn on it: see rules.who_must_not_earn."""
    marks = frozenset() if plan.self_purchase else persons.plain_marks(*sale.buyer_ids)
    buyers, earners = persons.find_with(marks, [who.person_id for who in chain])
    ids = [earners[who.person_id].person_id for who in chain]
    return rules.who_must_not_earn(ids, {one.person_id for one in buyers.values()}, plan.self_purchase)


def _change_commission(tx: Transaction, before: Commission, after: Commission, sale: Sale) -> None:
    """A commission that was earned, or taken back by a refund: its item, the journal, its line.

    What is earned after maturing is available in the present round, whatever the rest was paid with.
    """
    delta = after.amount_fen - before.amount_fen
    balance = ledger.balance(after.distributor_id) if delta and before.state != PENDING else None
    if balance and delta > 0:
        after = replace(after, state=AVAILABLE, round=balance.round, payout_id=None)
    models.add(tx, after)
    if not delta:
        return
    reason = {"order_id": after.order_id, "level": after.level, "rate_bps": after.rate_bps}
    cause = journals.Cause(after.distributor_id, sale.at, f"{sale.key}#{after.level}", reason)
    if delta > 0:
        written = journals.earned(cause, delta, matured=balance is not None)
    elif balance is None:
        written = journals.reversed_pending(cause, -delta)
    else:
        written = journals.reversed_matured(cause, -delta, balance.available_fen)
    if balance is None:
        ledger.post(tx, written)
    else:
        ledger.post_in_round(tx, written, balance)
    _add_line(tx, after, sale.at, sale.key, delta)


def _add_line(tx: Transaction, after: Commission, at: datetime, key: str, delta: int) -> None:
    data = {"order_id": after.order_id, "level": after.level, "delta_fen": delta, "status": after.status}
    subject = f"distributor#{after.distributor_id}"
    timeline.add(tx, Line(subject, "commission_changed", at, f"{key}#{after.level}", data))


def mature(order_id: str) -> None:
    """Make available what of an order has matured by now. Twice is the same as once."""
    now = clock.now()
    for commission in models.commissions(order_id):
        _mature(commission, now)


def mature_due(distributor_id: str, until: datetime) -> None:
    """Make available whatever of a distributor has matured by then and was left behind."""
    waiting = CommissionItem.of_distributor.query(
        distributor_id, filter_condition=CommissionItem.state == PENDING
    )
    for item in waiting:
        _mature(models.commission_of(item), until)


def _mature(commission: Commission, until: datetime) -> None:
    if _is_mature(commission, until):
        _mature_now(commission, until)


@storage.retrying(_BUSY)
def _mature_now(commission: Commission, until: datetime) -> None:
    now = _reload(commission)
    if now is not None and _is_mature(now, until):
        _make_available(now)


def _is_mature(commission: Commission, until: datetime) -> bool:
    at = commission.mature_at
    return commission.state == PENDING and at is not None and at <= until


def _make_available(before: Commission) -> None:
    """ConditionFailed when the commission, or the round of its distributor's payouts, is another now."""
    at = before.mature_at
    if at is None:
        raise ValueError("this commission does not mature yet")
    balance = ledger.balance(before.distributor_id)
    after = replace(before, state=AVAILABLE, round=balance.round)
    tx = Transaction()
    models.add(tx, after)
    if before.amount_fen:
        key = f"{before.order_id}#{before.level}"
        cause = journals.Cause(before.distributor_id, at, key, {"order_id": before.order_id})
        ledger.post_in_round(tx, journals.matured(cause, before.amount_fen), balance)
        _add_line(tx, after, at, f"{before.order_id}#mature", 0)  # a sale's key ends in its version
    tx.commit()


def mark_paid(distributor_id: str, rounds: Iterable[int], payout_id: str, now: datetime) -> None:
    """Mark the commissions that a finished payout covered. Twice is the same as once."""
    covered = set(rounds)
    unpaid = CommissionItem.of_distributor.query(
        distributor_id, filter_condition=CommissionItem.state != PAID
    )
    for item in unpaid:
        commission = models.commission_of(item)
        if commission.state != PENDING:
            if commission.round in covered:
                _mark_paid(commission, covered, payout_id)
        elif commission.mature_at is not None and commission.mature_at <= now:
            _mark_paid(commission, covered, payout_id)  # it may have matured: the index may be behind


@storage.retrying(_BUSY)
def _mark_paid(commission: Commission, covered: set[int], payout_id: str) -> None:
    now = _reload(commission)
    if now is None or now.state != AVAILABLE or now.round not in covered:
        return
    item, unchanged = models.write(replace(now, state=PAID, payout_id=payout_id))
    if not storage.put_once(item, unchanged):
        raise ConditionFailed({"commission"})


def _reload(commission: Commission) -> Commission | None:
    return models.commission(commission.order_id, commission.distributor_id, commission.level)
