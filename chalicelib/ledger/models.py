"""What is stored of the ledger: journals, never changed, and the sums that the same transaction keeps."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, NumberSetAttribute, UnicodeAttribute

from chalicelib.ledger.rules import (
    AVAILABLE,
    DEBT,
    EXPENSE,
    IN_PAYOUT,
    MERCHANT,
    PENDING,
    TAX,
    Balance,
    Entry,
    Journal,
)
from chalicelib.platform import clock, settings
from chalicelib.platform.storage import Base, BaseMeta


class JournalItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("journals")

    subject = UnicodeAttribute(hash_key=True)
    journal = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    entries = JSONAttribute()
    reason = JSONAttribute()
    input_hash = UnicodeAttribute()


class BalanceItem(Base):
    """Debits and credits per account, only ever added to.

    `available_fen` and `debt_fen` repeat two balances, because a condition can't subtract: they are
    what keeps either from going below zero.
    """

    class Meta(BaseMeta):
        table_name = settings.table("balances")

    subject = UnicodeAttribute(hash_key=True)
    dr_expense = NumberAttribute(null=True)
    cr_expense = NumberAttribute(null=True)
    dr_pending = NumberAttribute(null=True)
    cr_pending = NumberAttribute(null=True)
    dr_available = NumberAttribute(null=True)
    cr_available = NumberAttribute(null=True)
    dr_in_payout = NumberAttribute(null=True)
    cr_in_payout = NumberAttribute(null=True)
    dr_tax = NumberAttribute(null=True)
    cr_tax = NumberAttribute(null=True)
    dr_debt = NumberAttribute(null=True)
    cr_debt = NumberAttribute(null=True)
    dr_merchant = NumberAttribute(null=True)
    cr_merchant = NumberAttribute(null=True)
    available_fen = NumberAttribute(null=True)
    debt_fen = NumberAttribute(null=True)
    round = NumberAttribute(null=True)
    returned = NumberSetAttribute(null=True)


# account → its debit and credit sums
SUMS: dict[str, tuple[NumberAttribute, NumberAttribute]] = {
    EXPENSE: (BalanceItem.dr_expense, BalanceItem.cr_expense),
    PENDING: (BalanceItem.dr_pending, BalanceItem.cr_pending),
    AVAILABLE: (BalanceItem.dr_available, BalanceItem.cr_available),
    IN_PAYOUT: (BalanceItem.dr_in_payout, BalanceItem.cr_in_payout),
    TAX: (BalanceItem.dr_tax, BalanceItem.cr_tax),
    DEBT: (BalanceItem.dr_debt, BalanceItem.cr_debt),
    MERCHANT: (BalanceItem.dr_merchant, BalanceItem.cr_merchant),
}


def journal_item(journal: Journal) -> JournalItem:
    return JournalItem(
        journal.subject,
        f"{clock.iso(journal.at)}#{journal.key}",
        kind=journal.kind,
        entries=journal.values,
        reason=dict(journal.reason),
        input_hash=journal.input_hash,
    )


def journal_of(item: JournalItem) -> Journal:
    at, _, key = item.journal.partition("#")
    entries = tuple(Entry(**values) for values in item.entries)
    return Journal(item.subject, item.kind, clock.parse(at), key, entries, item.reason)


def balance_of(item: BalanceItem) -> Balance:
    values = item.attribute_values
    sums = {
        account: (int(values.get(dr.attr_name) or 0), int(values.get(cr.attr_name) or 0))
        for account, (dr, cr) in SUMS.items()
    }
    return Balance(item.subject, sums, int(item.round or 0), frozenset(int(n) for n in item.returned or ()))
