"""Payouts: one transfer each, exactly once, whatever is lost on the way.

The intent is stored before the call, and the payout's id is the transfer's number at WeChat, always.
A payout whose answer was lost (`calling`) may or may not have reached WeChat: WeChat is asked, and only
when it does not know that number two minutes later, the same call is made again. Each poll writes the
next before it asks, so that a poll that fails for good does not end them; what was planned is looked at
again in the same way. The final state, the journal and the timeline line are one transaction, whoever
brings the news: the call's answer, a query, or a notification.

| the call | the poll, a minute later |
|---|---|
| stores the intent (`calling`) and the poll | |
| calls WeChat, which pays; the answer is lost | |
| | asks for the number: paid |
| | transaction: paid, journal, line |
| the notification comes: the payout is final, nothing is written | |
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.distribution import service as distribution
from chalicelib.ledger import rules as journals
from chalicelib.ledger import service as ledger
from chalicelib.payouts import models, payees, payout_list, rules, taxes
from chalicelib.payouts.models import PayoutItem
from chalicelib.payouts.types import PayoutOut
from chalicelib.platform import clock, due, log, queues, storage, timeline
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.wechatpay.client import NAME_FROM_FEN, Bill, State, TransferRejected, Unknown, default_client

REMARK = "推广佣金"


def accept_notice(bill: Bill) -> None:
    """Hand a verified notification on. Upstream when the queue does not take it."""
    message = {
        "kind": "payout_notice",
        "payout_id": bill.out_bill_no,
        "state": bill.state.value,
        "amount_fen": bill.amount_fen,
        "transfer_bill_no": bill.transfer_bill_no,
        "fail_reason": bill.fail_reason,
    }
    queues.send("payout", message, group=bill.out_bill_no)


def notice(message: Mapping[str, Any]) -> None:
    """Apply a verified notification. A transfer that is none of ours is let be."""
    if PayoutItem.find(message["payout_id"]) is None:
        log.logger.warning("a notification of another's transfer")
        return
    bill = Bill(
        out_bill_no=message["payout_id"],
        transfer_bill_no=message["transfer_bill_no"],
        state=State(message["state"]),
        amount_fen=message["amount_fen"],
        fail_reason=message["fail_reason"],
    )
    _apply(bill)


def advance(payout_id: str) -> None:
    """Take a payout on by what is next: call, or ask what became of it. Twice is the same as once."""
    payout = _load(payout_id)
    if payout.final:
        _mark(payout, last=True)
        return
    if payout.status == rules.PLANNED:
        _call(payout)
        return
    now = clock.now()
    at = rules.next_poll(clock.parse(payout.called_at), now)
    due.put("payout_poll", at, payout_id, _poll(payout_id))
    try:
        bill = default_client().query(payout_id)
    except Unknown:
        return
    if bill is not None:
        _apply(bill)
    elif payout.status == rules.CALLING and now - clock.parse(payout.asked_at) >= rules.CERTAIN_AFTER:
        _call(payout)


def get(payout_id: str) -> PayoutOut:
    """A payout as finance sees it. NotFound."""
    payout = _load(payout_id)
    return PayoutOut(
        **payout_list.values_of(payout),
        calls=int(payout.calls),
        transfer_bill_no=payout.transfer_bill_no,
        package_info=payout.package_info,
    )


def _load(payout_id: str) -> PayoutItem:
    payout: PayoutItem | None = PayoutItem.find(payout_id)
    if payout is None:
        raise NotFound(code="no_payout", payout_id=payout_id)
    return payout


def _call(payout: PayoutItem) -> None:
    """Store the intent, then call. Whatever gets lost from here on is found by the poll that falls due."""
    now = clock.now()
    called_at = clock.parse(payout.called_at) if payout.called_at else now
    calls = int(payout.calls) + 1
    intent = {
        "status": rules.CALLING,
        "called_at": clock.iso(called_at),
        "asked_at": clock.iso(now),
        "calls": calls,
        "changed_at": clock.iso(now),
    }
    tx = Transaction()
    models.change(tx, payout, intent)
    due.add(tx, "payout_poll", rules.next_poll(called_at, now), payout.payout_id, _poll(payout.payout_id))
    try:
        tx.commit()
    except ConditionFailed:
        return  # another worker has it, and its own poll
    amount, payee = int(payout.amount_fen), payees.payee_of(payout)
    name = payee.name if amount >= NAME_FROM_FEN else None
    try:
        _apply(default_client().transfer(payout.payout_id, payee.openid, amount, REMARK, name))
    except Unknown:
        log.logger.warning("transfer without an answer", extra={"payout_id": payout.payout_id})
    except TransferRejected as error:
        _rejected(payout.payout_id, calls, error)
    except Invalid:
        _fail(payout.payout_id, calls, "INVALID")


def _rejected(payout_id: str, calls: int, error: TransferRejected) -> None:
    """Not taken, WeChat says. A passing reason: the poll calls again. Else it fails, once a query agrees."""
    log.logger.warning("transfer refused", extra={"payout_id": payout_id, "code": error.code})
    if error.retryable:
        storage.update_if(
            PayoutItem(payout_id), [PayoutItem.reason.set(error.code)], PayoutItem.calls == calls
        )
        return
    try:
        bill = default_client().query(payout_id)
    except Unknown:
        return
    if bill is None:
        _fail(payout_id, calls, error.code)
    else:
        _apply(bill)


def _fail(payout_id: str, calls: int, reason: str) -> None:
    _apply(Bill(payout_id, "", State.FAIL, fail_reason=reason), refused=calls)


@storage.retrying("the payout keeps changing")
def _apply(bill: Bill, refused: int | None = None) -> None:
    """Write what WeChat says of a transfer. Conflict when it can't be true: a person has to look.

    refused: it is we who say so, of the call with that count; another may have been taken since.
    """
    status = rules.STATUS[bill.state.value]
    payout = _load(bill.out_bill_no)
    if refused is not None and (payout.status, int(payout.calls)) != (rules.CALLING, refused):
        return
    if bill.amount_fen is not None and bill.amount_fen != payout.amount_fen:
        raise Conflict("WeChat Pay says another amount than ours")
    if payout.final:
        if bill.state.final and status != payout.status:
            raise Conflict("WeChat Pay says another end than we know")
        _mark(payout)
        return
    if status == payout.status and (bill.package_info or payout.package_info) == payout.package_info:
        return
    _change_of(payout, bill, status).commit()
    if status == rules.PAID:
        _mark(_load(payout.payout_id))


def _change_of(payout: PayoutItem, bill: Bill, status: str) -> Transaction:
    now = clock.now()
    values = {
        "status": status,
        "transfer_bill_no": bill.transfer_bill_no or None,
        "package_info": bill.package_info or None,
        "reason": bill.fail_reason or None,
        "changed_at": clock.iso(now),
    }
    tx = Transaction()
    models.change(tx, payout, values)
    reason = {"settlement_id": payout.settlement_id, "payout_id": payout.payout_id}
    cause = journals.Cause(payout.distributor_id, now, payout.payout_id, reason)
    net = int(payout.amount_fen)
    if status == rules.PAID:
        ledger.post(tx, journals.payout_paid(cause, net))
    elif status == rules.FAILED:
        ledger.post_and_return(tx, journals.payout_failed(cause, net, int(payout.tax_fen)), payout.rounds)
        taxes.give_back(tx, payout)
    data = {"payout_id": payout.payout_id, "amount_fen": net, "status": status}
    key = f"{payout.payout_id}#{int(payout.version) + 1}"
    timeline.add(tx, Line(f"distributor#{payout.distributor_id}", "payout_changed", now, key, data))
    return tx


def _mark(payout: PayoutItem, last: bool = False) -> None:
    """Mark the commissions of a payout that was paid.

    With the change itself, and a `last` time when it is looked at after that: the index that they are found
    by may have been behind.
    """
    if payout.status != rules.PAID or payout.marked:
        return
    distribution.mark_paid(payout.distributor_id, payout.rounds, payout.payout_id, clock.now())
    if last:
        storage.update_if(PayoutItem(payout.payout_id), [PayoutItem.marked.set(True)])


def _poll(payout_id: str) -> dict[str, str]:
    return {"kind": "payout_poll", "payout_id": payout_id}
