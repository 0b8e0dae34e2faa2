"""Settlements: what is available goes into payouts, one transaction a distributor.

A run goes through all distributors page by page, a queue message a page. Whatever a run does for a
distributor hangs on the payout's number, which follows from the settlement and the distributor: a
page that is worked twice, or was cut short, does nothing twice and leaves nothing out.

| a run | a refund of the same distributor |
|---|---|
| reads: available 100 | |
| | transaction: available 80 |
| its condition (available is 100, same round) fails: reads again, pays out 80 | |
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from typing import Any, cast

from chalicelib.distribution import plans
from chalicelib.distribution import service as distribution
from chalicelib.distribution.types import FROZEN, Distributor, Plan
from chalicelib.ledger import rules as journals
from chalicelib.ledger import service as ledger
from chalicelib.payouts import payees, rules, taxes
from chalicelib.payouts.models import PayoutItem, SettlementItem
from chalicelib.payouts.rules import Sums
from chalicelib.payouts.taxes import Account
from chalicelib.payouts.types import (
    SettlementJob,
)
from chalicelib.platform import audit, clock, due, ids, jobs, log, queues, storage, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line

_PAGE = 100


def start(until: datetime | None) -> SettlementJob:
    """Begin a run by hand: the job and the settlement's id. Upstream when the queue does not take it."""
    now = clock.now()
    settlement_id = f"st_{ids.ulid(now).lower()}"
    job_id = jobs.start("settlement", 0, result_id=settlement_id, permission="settlements.run")
    run = _new(settlement_id, until or now, now, job_id=job_id)
    tx = Transaction()
    tx.put("settlement", run, SettlementItem.settlement_id.does_not_exist())
    audit.add(tx, "settlements.run", settlement_id, None, {"until": run.until})
    tx.commit()
    try:
        _continue("settle", settlement_id, None, 0, job_id)
    except Upstream:
        run.update(actions=[SettlementItem.status.set("failed")])
        jobs.update(job_id, status="failed", error="the queue did not take it")
        raise
    return SettlementJob(job_id=job_id, settlement_id=settlement_id)


def daily(now: datetime) -> None:
    """What the schedule does: mature what was left behind, and settle the plans whose period has begun."""
    _continue("sweep", f"sweep_{now:%Y%m%d}", None, 0)
    today = now.astimezone(clock.SHANGHAI).date()
    for every in sorted({plan.settle_every for plan in plans.every_plan() if plan.settle_every}):
        settlement_id = rules.scheduled_id(every, today)
        storage.put_once(
            _new(settlement_id, now, now, every=every), SettlementItem.settlement_id.does_not_exist()
        )
        _continue("settle", settlement_id, None, 0)


def run_page(settlement_id: str, cursor: str | None, done: int) -> None:
    """Settle one page of distributors, then hand on to the next, or finish."""
    run = SettlementItem.find(settlement_id)
    if run is None or run.status != "running":
        return
    # No commission matures before its time, whatever `until` says.
    until = min(clock.parse(run.until), clock.now())
    plan_of = cache(distribution.plan)

    def settle(who: Distributor) -> str | None:
        plan = plan_of(who.plan_id)
        wanted = run.every is None or run.every == plan.settle_every
        distribution.mature_due(who.distributor_id, until)
        return _settle(run, who, plan) if wanted else None

    page, following = distribution.page_of_distributors(_PAGE, cursor)
    payouts, skipped = _each(page, settle)
    queues.send_all("payout", ((_work(payout_id), payout_id) for payout_id in payouts))
    if skipped:  # a page that comes again has been counted
        counts = [SettlementItem.skipped.add(skipped), SettlementItem.skipped_at.set(done)]
        new = SettlementItem.skipped_at.does_not_exist() | (SettlementItem.skipped_at < done)
        storage.update_if(run, counts, new)
    done += len(page)
    if following:
        _progress(run, done=done)
        _continue("settle", settlement_id, following, done, run.job_id)
    else:
        _progress(run, done=done, total=done, status="finished")
        run.update(actions=[SettlementItem.status.set("finished")])


def sweep_page(name: str, cursor: str | None, done: int) -> None:
    """Mature one page of distributors' leftovers, then hand on to the next."""
    now = clock.now()
    page, following = distribution.page_of_distributors(_PAGE, cursor)

    def mature(who: Distributor) -> None:
        distribution.mature_due(who.distributor_id, now)

    _each(page, mature)
    if following:
        _continue("sweep", name, following, done + len(page))


@storage.retrying("the distributor's money keeps moving", attempts=20)
def _settle(run: SettlementItem, listed: Distributor, plan: Plan) -> str | None:
    """The id of the distributor's payout in this run; None with nothing to pay, or while they are frozen."""
    payout_id = rules.payout_id(run.settlement_id, listed.distributor_id)
    if PayoutItem.find(payout_id) is not None:
        return payout_id
    who = distribution.distributor(listed.distributor_id)  # as they are now: the list may be behind
    if who.status == FROZEN:
        return None
    balance = ledger.balance(who.distributor_id)
    account = taxes.open_account(who, plan, rules.month_of(clock.parse(run.created_at)))
    month = account.total if account else rules.Month()
    sums = rules.sums(balance.available_fen, balance.debt_fen, plan.minimum_payout_fen, plan.tax, month)
    if sums is None:
        return None
    _planned(run, who, payout_id, sums, balance, account).commit()
    return payout_id


def _planned(
    run: SettlementItem,
    who: Distributor,
    payout_id: str,
    sums: Sums,
    balance: journals.Balance,
    account: Account | None,
) -> Transaction:
    now = clock.now()
    tx = Transaction()
    item = PayoutItem(
        payout_id,
        settlement_id=run.settlement_id,
        distributor_id=who.distributor_id,
        **cast(Any, payees.stored(who)),
        gross_fen=sums.gross_fen,
        debt_fen=sums.debt_fen,
        tax_fen=sums.tax_fen,
        amount_fen=sums.net_fen,
        **cast(Any, taxes.add(tx, account, sums) if account else {}),
        rounds=sorted({balance.round, *balance.returned}),
        created_at=clock.iso(now),
        status=rules.PLANNED,
        changed_at=clock.iso(now),
    )
    reason = {"settlement_id": run.settlement_id, "payout_id": payout_id}
    cause = journals.Cause(who.distributor_id, clock.parse(run.created_at), payout_id, reason)
    written = journals.payout_started(cause, sums.available_fen, sums.debt_fen, sums.tax_fen)
    totals = [
        SettlementItem.distributors.add(1),
        SettlementItem.gross_fen.add(sums.gross_fen),
        SettlementItem.debt_fen.add(sums.debt_fen),
        SettlementItem.tax_fen.add(sums.tax_fen),
        SettlementItem.net_fen.add(sums.net_fen),
    ]
    data = {"payout_id": payout_id, "amount_fen": sums.net_fen, "status": rules.PLANNED}
    distribution.check_unchanged(tx, who)
    tx.put("payout", item, PayoutItem.payout_id.does_not_exist())
    ledger.post_and_close_round(tx, written, balance)
    tx.update("settlement", SettlementItem(run.settlement_id), totals)
    timeline.add(tx, Line(f"distributor#{who.distributor_id}", "payout_changed", now, f"{payout_id}#1", data))
    due.add(tx, "payout", now + rules.LOOK_AGAIN, payout_id, _work(payout_id))
    return tx


def _work(payout_id: str) -> dict[str, str]:
    return {"kind": "payout", "payout_id": payout_id}


def _each(page: Iterable[Distributor], work: Callable[[Distributor], str | None]) -> tuple[list[str], int]:
    """`work` for each who has money that may move. What fails for one does not stop the others."""
    distributors = list(page)
    balances = ledger.balances(who.distributor_id for who in distributors)
    answers, failed = [], 0
    for who in distributors:
        balance = balances.get(who.distributor_id)
        if balance is None or not (balance.pending_fen or balance.available_fen or balance.in_payout_fen):
            continue
        try:
            answer = work(who)
        except Exception as error:  # noqa: BLE001 (counted in `skipped`; the money stays where it is)
            log.failure("distributor not settled", error, distributor_id=who.distributor_id)
            failed += 1
            continue
        if answer:
            answers.append(answer)
    return answers, failed


def _new(
    settlement_id: str, until: datetime, now: datetime, *, every: str | None = None, job_id: str | None = None
) -> SettlementItem:
    return SettlementItem(
        settlement_id,
        created_at=clock.iso(now),
        until=clock.iso(until),
        every=every,
        status="running",
        job_id=job_id,
    )


def _continue(kind: str, name: str, cursor: str | None, done: int, job_id: str | None = None) -> None:
    message = {"kind": kind, "settlement_id": name, "cursor": cursor, "done": done, "job_id": job_id}
    queues.send("settle", message, group=name)


def _progress(run: SettlementItem, **values: Any) -> None:
    if run.job_id:
        jobs.update(run.job_id, **values)
