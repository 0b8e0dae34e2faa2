"""The ledger: post to it within somebody's transaction, read balances, prove that it balances."""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import and_

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.ledger import rules
from chalicelib.ledger.models import SUMS, BalanceItem, JournalItem, balance_of, journal_item, journal_of
from chalicelib.ledger.rules import Balance, Journal
from chalicelib.ledger.types import (
    AccountSum,
    BalanceAudit,
    Difference,
    TrialBalance,
)
from chalicelib.platform import clock
from chalicelib.platform.storage import Transaction


def post(tx: Transaction, journals: Sequence[Journal]) -> None:
    """Add one subject's journals and their sums to a transaction: items `journal:<kind>` and `balance`.

    A transaction takes a subject once. The commit fails on `journal:…` when that key was written
    before, and on `balance` when `available` or `debt` would go below zero: read again and decide
    again.
    """
    _post(tx, journals)


def post_in_round(tx: Transaction, journals: Sequence[Journal], balance: Balance) -> None:
    """`post`, if no payout has begun since `balance` was read."""
    _post(tx, journals, [_same_round(balance)])


def post_and_close_round(tx: Transaction, journals: Sequence[Journal], balance: Balance) -> None:
    """`post` a payout's start: it takes what `balance` says, so fails when that has changed since.

    What matures from now on belongs to the next round.
    """
    unchanged = [_same_round(balance), BalanceItem.available_fen == balance.available_fen]
    actions: list[Action] = [BalanceItem.round.add(1)]
    if balance.returned:
        actions.append(BalanceItem.returned.delete(set(balance.returned)))
    _post(tx, journals, unchanged, actions)


def post_and_return(tx: Transaction, journals: Sequence[Journal], rounds: Iterable[int]) -> None:
    """`post` a payout's failure: the rounds that it covered wait for another payout."""
    _post(tx, journals, actions=[BalanceItem.returned.add(set(rounds))])


def post_returned(tx: Transaction, journals: Sequence[Journal], rounds: Sequence[int]) -> None:
    """`post` the start of a payout that offers those rounds again, if they (still) wait for another."""
    waiting = [BalanceItem.returned.contains(number) for number in rounds]
    _post(tx, journals, waiting, [BalanceItem.returned.delete(set(rounds))])


def balance(subject: str) -> Balance:
    """What a distributor has, read consistently."""
    item = BalanceItem.find(subject)
    return balance_of(item) if item else Balance(subject)


def balances(subjects: Iterable[str]) -> dict[str, Balance]:
    """Of these subjects, 100 a read; those that never had money are left out."""
    return {
        item.subject: balance_of(item) for item in BalanceItem.batch_get(list(subjects), consistent_read=True)
    }


def audit(subject: str) -> BalanceAudit:
    """Whether a subject's balances are the sums of its journals, and each journal what was written.

    Read it while no money moves: journals and balances are two reads.
    """
    sums = dict.fromkeys(rules.ACCOUNTS, 0)
    count, altered = 0, []
    for row in JournalItem.query(subject, consistent_read=True):
        count += 1
        journal = journal_of(row)
        if journal.input_hash != row.input_hash:
            altered.append(row.journal)
        for account in sums:
            sums[account] += journal.net_credit(account)
    kept = balance(subject)
    differences = [
        Difference(account=account, journals_fen=fen, balance_fen=kept.owed(account))
        for account, fen in sums.items()
        if fen != kept.owed(account)
    ]
    return BalanceAudit(
        subject=subject,
        journals=count,
        ok=not differences and not altered,
        differences=differences,
        altered=altered,
    )


def all_balances() -> Iterator[Balance]:
    """Everybody's, read consistently page by page: an item a distributor."""
    return map(balance_of, BalanceItem.scan(consistent_read=True))


def trial_balance() -> TrialBalance:
    """The sums of all accounts; debits equal credits, always.

    It reads the balances table whole, page by page: an item a distributor, which is what that table
    is for. Every journal is balanced within its own subject's item, so pages read at different
    moments still add up.
    """
    totals = {account: [0, 0] for account in rules.ACCOUNTS}
    for kept in all_balances():
        for account, (debits, credits) in kept.sums.items():
            totals[account][0] += debits
            totals[account][1] += credits
    return TrialBalance(
        total_debit_fen=sum(debits for debits, _ in totals.values()),
        total_credit_fen=sum(credits for _, credits in totals.values()),
        accounts=[
            AccountSum(
                account=account,
                debit_fen=debits,
                credit_fen=credits,
                balance_fen=rules.balance_of(account, debits, credits),
            )
            for account, (debits, credits) in sorted(totals.items())
        ],
        read_at=clock.iso(clock.now()),
    )


def _post(
    tx: Transaction,
    journals: Sequence[Journal],
    conditions: Sequence[Condition] = (),
    actions: Sequence[Action] = (),
) -> None:
    (subject,) = {journal.subject for journal in journals}
    for journal in journals:
        tx.put(f"journal:{journal.kind}", journal_item(journal), JournalItem.subject.does_not_exist())
    added: list[Action] = [*actions]
    for account, sums in SUMS.items():
        entries = [e for journal in journals for e in journal.entries if e.account == account]
        for attribute, fen in zip(
            sums, (sum(e.debit_fen for e in entries), sum(e.credit_fen for e in entries)), strict=True
        ):
            if fen:
                added.append(attribute.add(fen))
    floors: list[Condition] = [*conditions]
    available = sum(journal.net_credit(rules.AVAILABLE) for journal in journals)
    debt = -sum(journal.net_credit(rules.DEBT) for journal in journals)
    for attribute, change in ((BalanceItem.available_fen, available), (BalanceItem.debt_fen, debt)):
        if change:
            added.append(attribute.add(change))
        if change < 0:
            floors.append(attribute >= -change)
    tx.update("balance", BalanceItem(subject), added, reduce(and_, floors) if floors else None)


def _same_round(balance: Balance) -> Condition:
    if balance.round:
        return BalanceItem.round == balance.round
    return BalanceItem.round.does_not_exist()
