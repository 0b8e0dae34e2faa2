"""The ledger's door: its proof, and what is in each account. Whose it is: distribution/books.py."""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from chalicelib.ledger import history, service
from chalicelib.ledger.types import AccountOut, DayCount, TrialBalance
from chalicelib.platform import http
from chalicelib.platform.lists import Page, Tabular

door = http.Door(__name__, tag="Ledger")


class AccountQuery(Struct, kw_only=True):
    as_of: Annotated[datetime, Meta(tz=True, description="As it was at that time; now if absent")] | None = (
        None
    )


class DaysQuery(Tabular, kw_only=True):
    from_: date = field(name="from")
    to: date


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
    "/api/ledger/accounts/{account}",
    permission="ledger.read",
    query=AccountQuery,
    summary="An account's sums, now or as of a time",
    answer=AccountOut,
)
def get_account(call: http.Call, account: str) -> AccountOut:
    return history.account(account, call.query.as_of)


@door.route(
    "GET",
    "/api/ledger/journals-per-day",
    permission="ledger.read",
    query=DaysQuery,
    summary="How many journals there are of each day",
    answer=Page[DayCount],
)
def count_journals(call: http.Call) -> Page[DayCount]:
    days = history.per_day(call.query.from_, call.query.to)
    return Page(days, len(days))
