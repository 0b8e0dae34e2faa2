"""Payouts: one transfer each, exactly once, whatever is lost on the way.

The intent is stored before the call, and the payout's id is the transfer's number at WeChat, always.
A payout whose answer was lost (`calling`) may or may not have reached WeChat: WeChat is asked, and only
when it does not know that number two minutes later, the same call is made again. What was refused is sent
again or fails as wechatpay/refusals.py says; what WeChat has taken in but can't lock the money for
(`processing`: the balance is short) is sent again under the same number with the same parameters, at
every poll, until it is paid or cancelled. Each poll writes the next before it asks, so that a poll that
fails for good does not end them; what was planned is looked at again in the same way. The final state,
the journal and the timeline line are one transaction, whoever brings the news: the call's answer, a
query, or a notification.

| the call | the poll, a minute later |
|---|---|
| stores the intent (`calling`) and the poll | |
| calls WeChat, which pays; the answer is lost | |
| | asks for the number: paid |
| | transaction: paid, journal, line |
| the notification comes: the payout is final, nothing is written | |
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from chalicelib.distribution import service as distribution
from chalicelib.ledger import rules as journals
from chalicelib.ledger import service as ledger
from chalicelib.payouts import models, rules
from chalicelib.payouts.models import PayoutItem
from chalicelib.platform import audit, clock, due, log, queues, storage, timeline
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.wechatpay import refusals, scenes
from chalicelib.wechatpay.client import NAME_FROM_FEN, Bill, State, TransferRejected, Unknown, default_client
from chalicelib.wechatpay.refusals import Treatment
from chalicelib.wechatpay.scenes import Scene

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
    at = rules.next_poll(clock.parse(payout.called_at), clock.now())
    due.put("payout_poll", at, payout_id, _poll(payout_id))
    try:
        _ask(payout)
    except Unknown:
        return


def retry(payout_id: str) -> None:
    """Send the same number again at once, unless it has been taken in for good. Unknown."""
    payout = _load(payout_id)
    if payout.final:
        return
    if payout.status == rules.PLANNED:
        _call(payout)
    else:
        _ask(payout, at_once=True)


def ask_retry(payout_id: str) -> PayoutItem:
    """Have it sent again at once. NotFound; Conflict when it has ended."""
    payout = _load(payout_id)
    if payout.final:
        raise Conflict(code="payout_ended", payout_id=payout_id, status=payout.status)
    tx = Transaction()
    calls = int(payout.calls)
    audit.add(tx, "payouts.retry", payout_id, {"calls": calls}, {"calls": calls + 1})
    tx.commit()
    queues.send("payout", {"kind": "payout_retry", "payout_id": payout_id}, group=payout_id)
    return payout


def _load(payout_id: str) -> PayoutItem:
    payout: PayoutItem | None = PayoutItem.find(payout_id)
    if payout is None:
        raise NotFound(code="no_payout", payout_id=payout_id)
    return payout


def _ask(payout: PayoutItem, at_once: bool = False) -> None:
    """Ask WeChat what became of it, and send it again when that is what is left to do. Unknown."""
    bill = default_client().query(payout.payout_id)
    since = clock.now() - clock.parse(payout.asked_at)
    if bill is None:
        _ask_again_or_give_up(payout, since, at_once)
        return
    _apply(bill)
    if bill.state is State.PROCESSING and (at_once or since >= rules.CERTAIN_AFTER):
        _call(_load(payout.payout_id))


def _ask_again_or_give_up(payout: PayoutItem, since: timedelta, at_once: bool) -> None:
    """WeChat does not know the number, it says."""
    if payout.status != rules.CALLING:
        log.logger.warning("WeChat has forgotten a transfer", extra={"payout_id": payout.payout_id})
        return
    treatment = refusals.treatment(payout.reason or "")
    if at_once or treatment in (Treatment.AGAIN, Treatment.MEND):
        _call(payout)
    elif treatment is not Treatment.REFUSED:
        if since >= rules.CERTAIN_AFTER:
            _call(payout)
    elif rules.is_absent(int(payout.absent) + 1, since):
        _fail(payout.payout_id, int(payout.calls), payout.reason or "")
    else:
        this_call = PayoutItem.calls == payout.calls
        storage.update_if(PayoutItem(payout.payout_id), [PayoutItem.absent.add(1)], this_call)


def _call(payout: PayoutItem) -> None:
    """Store the intent, then call. Whatever gets lost from here on is found by the poll that falls due."""
    now = clock.now()
    called_at = clock.parse(payout.called_at) if payout.called_at else now
    calls = int(payout.calls) + 1
    scene = _scene(payout)
    intent = {
        "status": rules.CALLING if payout.status == rules.PLANNED else payout.status,
        "called_at": clock.iso(called_at),
        "asked_at": clock.iso(now),
        "calls": calls,
        "absent": 0,
        "scene_id": scene and scene.scene_id,
        "reports": scene and scene.reports,
        "changed_at": clock.iso(now),
    }
    tx = Transaction()
    models.change(tx, payout, intent, cleared=("reason",))
    due.add(tx, "payout_poll", rules.next_poll(called_at, now), payout.payout_id, _poll(payout.payout_id))
    try:
        tx.commit()
    except ConditionFailed:
        return  # another worker has it, and its own poll
    amount = int(payout.amount_fen)
    name = payout.name if amount >= NAME_FROM_FEN else None
    try:
        if scene is None:
            raise TransferRejected("SCENE_REPORTS")
        _apply(default_client().transfer(payout.payout_id, payout.openid, amount, REMARK, scene, name))
    except (Unknown, TransferRejected) as error:
        _keep_reason(payout.payout_id, calls, error.code)
    except Invalid:
        _fail(payout.payout_id, calls, "INVALID")


def _scene(payout: PayoutItem) -> Scene | None:
    """What WeChat is told: as before, once it knows the number; else as set. None: settings are missing."""
    if payout.status not in (rules.PLANNED, rules.CALLING) and payout.scene_id:
        return Scene(payout.scene_id, tuple((name, text) for name, text in payout.reports))
    try:
        return scenes.from_settings()
    except scenes.Incomplete:
        return None


def _keep_reason(payout_id: str, calls: int, code: str) -> None:
    """The call was not taken, or nobody knows: WeChat's reason is shown until there is news."""
    log.logger.warning("transfer not taken", extra={"payout_id": payout_id, "code": code})
    if not code:
        return
    is_open = PayoutItem.status.is_in(rules.CALLING, rules.PROCESSING)
    storage.update_if(
        PayoutItem(payout_id), [PayoutItem.reason.set(code)], (PayoutItem.calls == calls) & is_open
    )
    if refusals.treatment(code) in (Treatment.MEND, Treatment.REFUSED) or not refusals.known(code):
        log.measure("payouts_blocked", 1, "Count")


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
        "reason": bill.fail_reason or ("MCH_CANCEL" if bill.state is State.CANCELLED else None),
        "changed_at": clock.iso(now),
    }
    if bill.state is State.WAIT_USER_CONFIRM and payout.offered_at is None:
        # one that waited for money is offered by the call that found it
        offered_at = max(bill.created_at or now, clock.parse(payout.asked_at))
        values["offered_at"] = clock.iso(offered_at)
        values["expires_at"] = clock.iso(offered_at + rules.OFFERED_FOR)
    is_past = payout.reason and not values["reason"] and status not in (rules.FAILED, rules.PROCESSING)
    tx = Transaction()
    models.change(tx, payout, values, cleared=("reason",) if is_past else ())
    reason = {"settlement_id": payout.settlement_id, "payout_id": payout.payout_id}
    cause = journals.Cause(payout.distributor_id, now, payout.payout_id, reason)
    net = int(payout.amount_fen)
    if status == rules.PAID:
        ledger.post(tx, journals.payout_paid(cause, net))
    elif status == rules.FAILED:
        ledger.post_and_return(tx, journals.payout_failed(cause, net, int(payout.tax_fen)), payout.rounds)
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
