"""The ledger's door: its proof. Each distributor's journals are distribution's, which knows who there is."""

from chalicelib.ledger import service
from chalicelib.ledger.types import TrialBalance
from chalicelib.platform import http

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
