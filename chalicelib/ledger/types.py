"""The ledger as its doors show it."""

from typing import Any

from msgspec import Struct


class AccountSum(Struct, frozen=True, kw_only=True):
    account: str
    debit_fen: int
    credit_fen: int


class TrialBalance(Struct, frozen=True, kw_only=True):
    """Debits equal credits, or something is wrong."""

    total_debit_fen: int
    total_credit_fen: int
    accounts: list[AccountSum]
    read_at: str


class EntryOut(Struct, frozen=True, kw_only=True):
    account: str
    debit_fen: int
    credit_fen: int


class JournalOut(Struct, frozen=True, kw_only=True):
    """`reason`: what it was for, to the fen."""

    journal_id: str
    kind: str
    at: str
    entries: list[EntryOut]
    reason: dict[str, Any]


class Difference(Struct, frozen=True, kw_only=True):
    account: str
    journals_fen: int
    balance_fen: int


class BalanceAudit(Struct, frozen=True, kw_only=True):
    """`ok`: balances are the sums of the journals, and no journal was altered. Sums: credits less debits."""

    subject: str
    journals: int
    ok: bool
    differences: list[Difference]
    altered: list[str]
