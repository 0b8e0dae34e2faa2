"""What is stored of the ledger: journals, never changed, and the sums that the same transaction keeps.

A journal is smaller than a write unit, so that the index `listing` takes one a journal, with all of it.
"""

import base64

from pynamodb.attributes import JSONAttribute, NumberAttribute, NumberSetAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

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
from chalicelib.platform import clock, lists, settings, storage
from chalicelib.platform.storage import Base, BaseMeta

SHARDS = 1  # of a month: its index takes one write unit a journal


class ByMonth(GlobalSecondaryIndex["JournalItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    month_shard = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class JournalItem(Base):
    """listed_at: when it was of, or was written if that is earlier; with whose it is and its key."""

    class Meta(BaseMeta):
        table_name = settings.table("journals")

    subject = UnicodeAttribute(hash_key=True)
    journal = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    entries = JSONAttribute()
    reason = JSONAttribute()
    input_hash = UnicodeAttribute()
    month_shard = UnicodeAttribute(null=True)
    listed_at = UnicodeAttribute(null=True)

    by_month = ByMonth()


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
    item = JournalItem(
        journal.subject,
        f"{clock.iso(journal.at)}#{journal.key}",
        kind=journal.kind,
        entries=journal.values,
        reason=dict(journal.reason),
        input_hash=journal.input_hash,
    )
    item.month_shard, item.listed_at = _listing(item)
    return item


def enter_in_list(item: JournalItem) -> None:
    """List a journal that was written before there was a list."""
    if item.listed_at is None:
        month_shard, listed_at = _listing(item)
        actions = [JournalItem.month_shard.set(month_shard), JournalItem.listed_at.set(listed_at)]
        storage.update_if(item, actions, JournalItem.subject.exists())


def _listing(item: JournalItem) -> tuple[str, str]:
    """The keys of the list."""
    at, _, key = item.journal.partition("#")
    listed = min(clock.parse(at), clock.now())  # a mall's clock may be ahead: lists begin at the present
    return lists.month_shard(listed, item.subject, SHARDS), f"{clock.iso(listed)}#{item.subject}#{key}"


def of_month(partition: str, before: str | None, limit: int, since: str | None = None) -> list[JournalItem]:
    """Journals of a month, newest first, whose place is before the one given and not before the other."""
    within = lists.between(JournalItem.listed_at, since, before)
    return list(JournalItem.by_month.query(partition, within, scan_index_forward=False, limit=limit))


def of_subject(subject: str, before: str | None, limit: int) -> list[JournalItem]:
    """A subject's journals, newest first, whose place is before the given one; read consistently."""
    earlier = JournalItem.journal < before if before else None
    rows = JournalItem.query(subject, earlier, scan_index_forward=False, limit=limit, consistent_read=True)
    return list(rows)


def id_of(item: JournalItem) -> str:
    """A journal's id: whose it is and its key, as they can stand in an address."""
    return base64.urlsafe_b64encode(f"{item.subject} {item.journal}".encode()).decode().rstrip("=")


def find_journal(journal_id: str) -> JournalItem | None:
    try:
        text = base64.urlsafe_b64decode(journal_id + "=" * (-len(journal_id) % 4)).decode()
    except ValueError:
        return None
    subject, _, journal = text.partition(" ")
    found: JournalItem | None = JournalItem.find(subject, journal) if journal else None
    return found if found is not None and id_of(found) == journal_id else None


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
