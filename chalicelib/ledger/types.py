"""The ledger as its doors show it."""

from typing import Any, Literal

from msgspec import Struct

JournalKind = Literal[
    "earned",
    "matured",
    "reversed",
    "debt_taken",
    "debt_offset",
    "payout_started",
    "payout_paid",
    "payout_failed",
]


class AccountSum(Struct, frozen=True, kw_only=True):
    """`balance_fen`: what was spent, is owed, is withheld, was paid, as the account has it."""

    account: str
    debit_fen: int
    credit_fen: int
    balance_fen: int


class AccountOut(AccountSum, frozen=True, kw_only=True):
    """`as_of`: with what was written of until then."""

    as_of: str


class AccountShare(Struct, frozen=True, kw_only=True):
    """A distributor's part of an account; `running_total_fen`: with all before it, at last the account's."""

    distributor_id: str
    distributor_name: str | None
    debit_fen: int
    credit_fen: int
    balance_fen: int
    running_total_fen: int


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
    """`reason`: what it was for, to the fen. Of a list that is of one account: `debit_fen` and `credit_fen`
    there, and `balance_fen`, what that account had after it; before the oldest it was zero."""

    journal_id: str
    kind: str
    at: str
    distributor_id: str
    distributor_name: str | None = None
    entries: list[EntryOut]
    reason: dict[str, Any]
    debit_fen: int | None = None
    credit_fen: int | None = None
    balance_fen: int | None = None


class DayCount(Struct, frozen=True, kw_only=True):
    """Days are China's."""

    day: str
    journals: int


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
