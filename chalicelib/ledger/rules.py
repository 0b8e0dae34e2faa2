"""Journals: what may be written in the ledger. Each is balanced, in fen, or it is not made at all.

Accounts, all kept per distributor (a house account is the sum of everybody's share of it, so that
no item is hot): what the house spent (expense), what it owes the distributor (pending: earned but
not matured; available; in_payout: on its way), what the distributor owes the house (debt: a refund
after the money was gone), what is withheld for the tax office, and the merchant's purse.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

EXPENSE = "expense:commission"
PENDING = "liability:pending"
AVAILABLE = "liability:available"
IN_PAYOUT = "liability:in_payout"
TAX = "liability:tax"
DEBT = "asset:debt"
MERCHANT = "asset:merchant"
ACCOUNTS = (EXPENSE, PENDING, AVAILABLE, IN_PAYOUT, TAX, DEBT, MERCHANT)
_GROWS_BY_DEBITS = (EXPENSE, DEBT)  # the merchant's purse is shown by what has gone out of it


class Entry(Struct, frozen=True):
    """One side of a journal: a debit or a credit of more than zero fen."""

    account: str
    debit_fen: int = 0
    credit_fen: int = 0


class Journal(Struct, frozen=True):
    """Something that happened to a distributor's money.

    key: unique with `at` among the subject's journals; the same key is the same journal. at: when it
    happened. reason: why (ids and figures). ValueError when it is not balanced or moves nothing.
    """

    subject: str
    kind: str
    at: datetime
    key: str
    entries: tuple[Entry, ...]
    reason: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.entries or any(e.account not in ACCOUNTS for e in self.entries):
            raise ValueError("a journal has entries of known accounts")
        if any(
            min(e.debit_fen, e.credit_fen) != 0 or max(e.debit_fen, e.credit_fen) <= 0 for e in self.entries
        ):
            raise ValueError("an entry is a debit or a credit of more than zero")
        if sum(e.debit_fen for e in self.entries) != sum(e.credit_fen for e in self.entries):
            raise ValueError("a journal is balanced")

    @property
    def values(self) -> list[dict[str, Any]]:
        """The entries as JSON values."""
        return [
            {"account": e.account, "debit_fen": e.debit_fen, "credit_fen": e.credit_fen} for e in self.entries
        ]

    @property
    def input_hash(self) -> str:
        """A hash of its content, which distinguishes a repeat from another journal under its key."""
        content = [self.subject, self.kind, self.key, self.values, dict(self.reason)]
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def net_credit(self, account: str) -> int:
        """Credits less debits of one account."""
        return sum(e.credit_fen - e.debit_fen for e in self.entries if e.account == account)


class Balance(Struct, frozen=True):
    """A subject's sums. `sums`: account → (debits, credits).

    round: how many payouts have been begun; `returned`: rounds whose money came back (the payout
    failed) and has not gone out again. They decide which commissions a payout covers.
    """

    subject: str
    sums: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    round: int = 0
    returned: frozenset[int] = frozenset()

    def owed(self, account: str) -> int:
        """A liability's balance: credits less debits."""
        debit, credit = self.sums.get(account, (0, 0))
        return credit - debit

    @property
    def pending_fen(self) -> int:
        return self.owed(PENDING)

    @property
    def available_fen(self) -> int:
        return self.owed(AVAILABLE)

    @property
    def in_payout_fen(self) -> int:
        return self.owed(IN_PAYOUT)

    @property
    def debt_fen(self) -> int:
        return -self.owed(DEBT)

    @property
    def paid_fen(self) -> int:
        return self.owed(MERCHANT)

    @property
    def tax_withheld_fen(self) -> int:
        return self.owed(TAX)


def balance_of(account: str, debit_fen: int, credit_fen: int) -> int:
    """What an account is spoken of as: spent, owed, withheld, paid."""
    return debit_fen - credit_fen if account in _GROWS_BY_DEBITS else credit_fen - debit_fen


class Cause(Struct, frozen=True):
    """What a journal is written for: whose money, when, under what key and why."""

    subject: str
    at: datetime
    key: str
    reason: Mapping[str, Any] = field(default_factory=dict)

    def journal(self, kind: str, *entries: Entry) -> Journal:
        """The journal of that kind for this cause; entries of zero are left out."""
        moved = tuple(e for e in entries if e.debit_fen or e.credit_fen)
        return Journal(self.subject, kind, self.at, f"{kind}#{self.key}", moved, self.reason)


def debit(account: str, fen: int) -> Entry:
    return Entry(account, debit_fen=fen)


def credit(account: str, fen: int) -> Entry:
    return Entry(account, credit_fen=fen)


def earned(cause: Cause, fen: int, matured: bool) -> list[Journal]:
    """Commission of a sale; straight to `available` when the commission has matured before."""
    return [cause.journal("earned", debit(EXPENSE, fen), credit(AVAILABLE if matured else PENDING, fen))]


def matured(cause: Cause, fen: int) -> list[Journal]:
    return [cause.journal("matured", debit(PENDING, fen), credit(AVAILABLE, fen))]


def reversed_pending(cause: Cause, fen: int) -> list[Journal]:
    """A refund before maturity."""
    return [cause.journal("reversed", debit(PENDING, fen), credit(EXPENSE, fen))]


def reversed_matured(cause: Cause, fen: int, available_fen: int) -> list[Journal]:
    """A refund after maturity: from what is available; what that does not cover becomes a debt."""
    covered = min(fen, available_fen)
    written = []
    if covered:
        written.append(cause.journal("reversed", debit(AVAILABLE, covered), credit(EXPENSE, covered)))
    if fen > covered:
        written.append(
            cause.journal("debt_taken", debit(DEBT, fen - covered), credit(EXPENSE, fen - covered))
        )
    return written


def payout_started(cause: Cause, gross_fen: int, debt_fen: int, tax_fen: int) -> list[Journal]:
    """`gross_fen` leaves `available`: the debt is settled first, then tax withheld, the rest goes out."""
    written = []
    if debt_fen:
        written.append(cause.journal("debt_offset", debit(AVAILABLE, debt_fen), credit(DEBT, debt_fen)))
    left = gross_fen - debt_fen
    written.append(
        cause.journal(
            "payout_started", debit(AVAILABLE, left), credit(TAX, tax_fen), credit(IN_PAYOUT, left - tax_fen)
        )
    )
    return written


def payout_paid(cause: Cause, net_fen: int) -> list[Journal]:
    return [cause.journal("payout_paid", debit(IN_PAYOUT, net_fen), credit(MERCHANT, net_fen))]


def payout_failed(cause: Cause, net_fen: int, tax_fen: int) -> list[Journal]:
    """The money is available again, the tax no longer withheld. A debt that was settled stays settled."""
    back = net_fen + tax_fen
    return [
        cause.journal(
            "payout_failed", debit(IN_PAYOUT, net_fen), debit(TAX, tax_fen), credit(AVAILABLE, back)
        )
    ]
