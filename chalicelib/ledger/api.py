"""The ledger's doors: its proof, and each distributor's journals with the reason of every fen."""

from typing import Any

import msgspec

from chalicelib.ledger import service
from chalicelib.platform import http
from chalicelib.platform.lists import Paging

door = http.Door(__name__, tag="Ledger")


class AccountSum(msgspec.Struct, kw_only=True):
    account: str
    debit_fen: int
    credit_fen: int


class TrialBalance(msgspec.Struct, kw_only=True):
    """Debits equal credits, or something is wrong."""

    total_debit_fen: int
    total_credit_fen: int
    accounts: list[AccountSum]
    read_at: str


class EntryOut(msgspec.Struct, kw_only=True):
    account: str
    debit_fen: int
    credit_fen: int


class JournalOut(msgspec.Struct, kw_only=True):
    """`reason`: what it was for, to the fen."""

    journal_id: str
    kind: str
    at: str
    entries: list[EntryOut]
    reason: dict[str, Any]


class Difference(msgspec.Struct, kw_only=True):
    account: str
    journals_fen: int
    balance_fen: int


class BalanceAudit(msgspec.Struct, kw_only=True):
    """`ok`: balances are the sums of the journals, and no journal was altered."""

    subject: str
    journals: int
    ok: bool
    differences: list[Difference]
    altered: list[str]


@door.route(
    "GET",
    "/api/ledger/trial-balance",
    permission="ledger.read",
    summary="The sums of all accounts",
    answer=TrialBalance,
)
def trial_balance(call: http.Call) -> dict[str, Any]:
    return service.trial_balance()


@door.route(
    "GET",
    "/api/distributors/{distributor_id}/journals",
    permission="balances.read",
    summary="A distributor's journals, newest first, each with its reason",
    query=Paging,
    answer=http.Listing[JournalOut],
)
def journals(call: http.Call, distributor_id: str) -> dict[str, Any]:
    return http.listing(*service.journals(distributor_id, *call.page()))


@door.route(
    "GET",
    "/api/distributors/{distributor_id}/audit",
    permission="balances.read",
    summary="Whether a distributor's balances are the sums of their journals",
    answer=BalanceAudit,
)
def audit(call: http.Call, distributor_id: str) -> dict[str, Any]:
    return service.audit(distributor_id)
