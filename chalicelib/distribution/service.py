"""Distribution: plans, distributors, and the commissions that an order's transaction carries."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from chalicelib.distribution import models, rules
from chalicelib.distribution.models import CommissionItem, DistributorItem, PlanItem
from chalicelib.distribution.rules import (
    AVAILABLE,
    PAID,
    PENDING,
    Commission,
    Distributor,
    Plan,
    Sale,
    SaleLine,
)
from chalicelib.ledger import rules as journals
from chalicelib.ledger import service as ledger
from chalicelib.platform import clock, due, ids, settings, storage, timeline
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.storage import Busy, ConditionFailed, Transaction
from chalicelib.platform.timeline import Line

__all__ = ["Distributor", "Plan", "Sale", "SaleLine"]  # the types that callers make and get

_TRIES = 8


# Plans and distributors


def create_plan(values: dict[str, Any]) -> Plan:
    """A new plan from `Plan`'s fields without id and time. Invalid."""
    if wrong := rules.check(values["rates"]):
        raise Invalid(*wrong)
    now = clock.now()
    plan = Plan(plan_id=f"plan_{ids.short(12)}", created_at=clock.iso(now), **values)
    models.plan_item(plan).save()
    return plan


def plan(plan_id: str) -> Plan:
    """NotFound."""
    item = PlanItem.find(plan_id)
    if item is None:
        raise NotFound(f"there is no plan {plan_id}")
    return models.plan_of(item)


def plans(limit: int, cursor: str | None) -> tuple[list[Plan], str | None]:
    """A page of plans, newest first."""
    query = partial(PlanItem.by_listing.query, "plan", scan_index_forward=False, limit=limit)
    rows, following = storage.page(query, cursor)
    return [models.plan_of(row) for row in rows], following


def create_distributor(
    *,
    name: str,
    openid: str,
    plan_id: str,
    parent_id: str | None,
    external_userid: str | None,
    unionid: str | None,
) -> Distributor:
    """A new distributor. Invalid for a plan or parent that isn't there, Conflict for a person who is one.

    A parent is there before its child and never changes, so there is no cycle.
    """
    wrong = []
    if not (external_userid or unionid):
        wrong.append(("external_userid", "external_userid or unionid is needed"))
    if PlanItem.find(plan_id) is None:
        wrong.append(("plan_id", "there is no such plan"))
    if parent_id is not None and _find(parent_id) is None:
        wrong.append(("parent_id", "there is no such distributor"))
    if wrong:
        raise Invalid(*wrong)
    people = {"external_userid": external_userid, "unionid": unionid}
    for _ in range(_TRIES):
        code = ids.short(8)
        made = Distributor(
            distributor_id=f"d_{code}",
            share_code=code,
            name=name,
            openid=openid,
            plan_id=plan_id,
            parent_id=parent_id,
            status="active",
            created_at=clock.iso(clock.now()),
            **people,
        )
        absent = DistributorItem.distributor_id.does_not_exist()
        tx = Transaction()
        tx.put("distributor", models.distributor_item(made), absent)
        for kind, value in people.items():
            if value:
                mark = DistributorItem(
                    f"identity#{kind}:{value}", created_at=made.created_at, is_same_as=made.distributor_id
                )
                tx.put("identity", mark, absent)
        try:
            tx.commit()
            return made
        except ConditionFailed as error:
            if "identity" in error.names:
                raise Conflict("this person is a distributor already") from None
    raise Busy("no free share code was found")


def distributor(distributor_id: str) -> Distributor:
    """NotFound."""
    found = _find(distributor_id)
    if found is None:
        raise NotFound(f"there is no distributor {distributor_id}")
    return found


def distributors(limit: int, cursor: str | None) -> tuple[list[Distributor], str | None]:
    """A page of distributors, oldest first."""
    rows, following = storage.page(
        partial(DistributorItem.by_listing.query, "distributor", limit=limit), cursor
    )
    return [models.distributor_of(row) for row in rows], following


def share_url(share_code: str) -> str:
    """The distributor's own page."""
    return f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}/h5/d/{share_code}"


def of_share_code(share_code: str) -> Distributor | None:
    return _find(f"d_{share_code}")


def _find(distributor_id: str) -> Distributor | None:
    item = DistributorItem.find(distributor_id) if distributor_id.startswith("d_") else None
    return models.distributor_of(item) if item else None


# Commissions


def add_order(tx: Transaction, sale: Sale, now: datetime) -> dict[str, Any] | None:
    """Add what a sale's new state means for commissions to the order's transaction.

    Adds commissions, journals, balances, timeline lines, and the maturing that falls due. Answers the
    attribution to keep with the order: None while there is nothing to decide on. Of the
    transaction's items, `commission`, `journal:…` and `balance` may fail: read and decide again.
    """
    if not sale.paid:
        return None
    if sale.attribution is not None:
        attribution = dict(sale.attribution)
        known = models.commissions(sale.order_id) if attribution["by"] else []
    elif sale.share_code:
        attribution, known = _attribute(sale, now)
    else:
        return None
    maturing = set()
    for before in known:
        after = rules.recompute(before, sale)
        if after == before and before.version:
            continue
        _change(tx, before, after, sale)
        if after.mature_at and after.mature_at != before.mature_at:
            maturing.add(after.mature_at)
    for at in maturing:
        due.add(tx, "mature", at, sale.order_id, {"kind": "mature", "order_id": sale.order_id})
    return attribution


def _attribute(sale: Sale, now: datetime) -> tuple[dict[str, Any], list[Commission]]:
    code = sale.share_code or ""
    first = of_share_code(code)
    chain = [first] if first and first.status == "active" else []
    item = PlanItem.find(chain[0].plan_id) if chain else None
    found = models.plan_of(item) if item else None
    if chain and found and len(found.rates) > 1 and chain[0].parent_id:
        parent = _find(chain[0].parent_id)
        chain += [parent] if parent and parent.status == "active" else []
    begun = rules.begin(sale, found, chain, clock.iso(now)) if found else []
    return rules.attribution(code, chain, found), begun


def _change(tx: Transaction, before: Commission, after: Commission, sale: Sale) -> None:
    """One commission's new lines: its item, the journal of the difference, its line.

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
    _tell(tx, after, sale.at, sale.key, delta)


def _tell(tx: Transaction, after: Commission, at: datetime, key: str, delta: int) -> None:
    data = {"order_id": after.order_id, "level": after.level, "delta_fen": delta, "status": after.status}
    subject = f"distributor#{after.distributor_id}"
    timeline.add(tx, Line(subject, "commission_changed", at, f"{key}#{after.level}", data))


def mature(order_id: str) -> None:
    """Make available what of an order has matured by now. Twice is the same as once."""
    now = clock.now()
    for found in models.commissions(order_id):
        _mature(found, now)


def mature_due(distributor_id: str, until: datetime) -> None:
    """Make available whatever of a distributor has matured by then and was left behind."""
    waiting = CommissionItem.of_distributor.query(
        distributor_id, filter_condition=CommissionItem.state == PENDING
    )
    for item in waiting:
        _mature(models.commission_of(item), until)


def _mature(found: Commission, until: datetime) -> None:
    before: Commission | None = found
    for _ in range(_TRIES):
        if before is None or before.state != PENDING or before.mature_at is None or before.mature_at > until:
            return
        if _try_mature(before, before.mature_at):
            return
        before = _fresh(found)
    raise Busy("the commission keeps changing")


def _try_mature(before: Commission, at: datetime) -> bool:
    balance = ledger.balance(before.distributor_id)
    after = replace(before, state=AVAILABLE, round=balance.round)
    tx = Transaction()
    models.add(tx, after)
    if before.amount_fen:
        key = f"{before.order_id}#{before.level}"
        cause = journals.Cause(before.distributor_id, at, key, {"order_id": before.order_id})
        ledger.post_in_round(tx, journals.matured(cause, before.amount_fen), balance)
        _tell(tx, after, at, f"mature#{before.order_id}", 0)
    try:
        tx.commit()
        return True
    except ConditionFailed:
        return False


def mark_paid(distributor_id: str, rounds: Iterable[int], payout_id: str, now: datetime) -> None:
    """Mark the commissions that a finished payout covered. Twice is the same as once."""
    covered = set(rounds)
    unpaid = CommissionItem.of_distributor.query(
        distributor_id, filter_condition=CommissionItem.state != PAID
    )
    for item in unpaid:
        found: Commission | None = models.commission_of(item)
        if found and found.state == PENDING:
            if found.mature_at is None or found.mature_at > now:
                continue
            found = _fresh(found)  # the index may be behind
        for _ in range(_TRIES):
            if found is None or found.state != AVAILABLE or found.round not in covered:
                break
            paid, unchanged = models.write(replace(found, state=PAID, payout_id=payout_id))
            if storage.put_once(paid, unchanged):
                break
            found = _fresh(found)
        else:
            raise Busy("the commission keeps changing")


def _fresh(found: Commission) -> Commission | None:
    return models.commission(found.order_id, found.distributor_id, found.level)


def commissions_of_order(order_id: str) -> list[dict[str, Any]]:
    """Per line and level, as `GET /api/commissions` shows them."""
    return [shown for found in models.commissions(order_id) for shown in _show(found)]


def commissions_of_distributor(
    distributor_id: str, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """The same for a distributor, newest order first; `limit` counts orders."""
    query = partial(
        CommissionItem.of_distributor.query, distributor_id, scan_index_forward=False, limit=limit
    )
    rows, following = storage.page(query, cursor)
    return [shown for row in rows for shown in _show(models.commission_of(row))], following


def _show(found: Commission) -> list[dict[str, Any]]:
    return [
        {
            "commission_id": ids.derived(
                found.order_id, line.line_id, found.distributor_id, str(found.level)
            ),
            "order_id": found.order_id,
            "line_id": line.line_id,
            "distributor_id": found.distributor_id,
            "level": found.level,
            "base_fen": line.base_fen,
            "rate_bps": found.rate_bps,
            "amount_fen": line.amount_fen,
            "status": found.line_status(line),
            "mature_at": clock.iso(found.mature_at) if found.mature_at else None,
            "payout_id": found.payout_id,
        }
        for line in found.lines
    ]
