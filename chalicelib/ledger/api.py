"""The ledger's doors: its proof, and each distributor's journals with the reason of every fen."""

from chalicelib.ledger import service
from chalicelib.ledger.types import BalanceAudit, JournalOut, TrialBalance
from chalicelib.platform import http
from chalicelib.platform.lists import Page, Paging

door = http.Door(__name__, tag="Ledger")


@door.route(
    "GET",
    "/api/ledger/trial-balance",
    permission="ledger.read",
    summary="The sums of all accounts",
    answer=TrialBalance,
)
def trial_balance(call: http.Call) -> TrialBalance:
    return service.trial_balance()


@door.route(
    "GET",
    "/api/distributors/{distributor_id}/journals",
    permission="balances.read",
    summary="A distributor's journals, newest first, each with its reason",
    query=Paging,
    answer=Page[JournalOut],
)
def list_journals(call: http.Call, distributor_id: str) -> Page[JournalOut]:
    return service.journals(distributor_id, call.query)


@door.route(
    "GET",
    "/api/distributors/{distributor_id}/audit",
    permission="balances.read",
    summary="Whether a distributor's balances are the sums of their journals",
    answer=BalanceAudit,
)
def audit(call: http.Call, distributor_id: str) -> BalanceAudit:
    return service.audit(distributor_id)
