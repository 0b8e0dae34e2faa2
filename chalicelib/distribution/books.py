"""The ledger's doors that say whose money it is: an account's shares and journals, a journal."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, field
from msgspec.structs import replace

from chalicelib.distribution import distributors, service
from chalicelib.ledger import history
from chalicelib.ledger.types import AccountShare, JournalKind, JournalOut
from chalicelib.platform import http, lists
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.paging import Id
from chalicelib.platform.principal import Principal

door = http.Door(__name__, tag="Ledger")


class SharesQuery(Paging, kw_only=True):
    sort: Literal["-balance_fen"] = "-balance_fen"


class AccountJournalsQuery(Paging, kw_only=True):
    """A query of its own, since a cursor is good for one list."""


class AllJournalsQuery(Paging, kw_only=True):
    from_: Annotated[date | None, Meta(description="First day (Asia/Shanghai)")] = field(
        name="from", default=None
    )
    to: Annotated[date | None, Meta(description="Last day, included")] = None
    kind: JournalKind | None = None


class JournalsQuery(Paging, kw_only=True):
    account: Annotated[Id | None, Meta(description="Of this account, with what it had after each")] = None


@door.route(
    "GET",
    "/api/ledger/accounts/{account}/distributors",
    permission="balances.read",
    query=SharesQuery,
    summary="Who has how much of an account; the running sum ends at the account's",
    answer=Page[AccountShare],
)
def list_shares(call: http.Call, account: str) -> Page[AccountShare]:
    page = lists.whole(
        history.shares(account),
        call.query,
        key=lambda row: row.distributor_id,
        sorts={"balance_fen": lambda row: row.balance_fen},
        sort=call.query.sort,
    )
    names = distributors.names((row.distributor_id for row in page.items), call.principal)
    return page.map(lambda row: replace(row, distributor_name=names.get(row.distributor_id)))


@door.route(
    "GET",
    "/api/ledger/accounts/{account}/journals",
    permission="balances.read",
    query=AccountJournalsQuery,
    summary="An account's journals, newest first, with what it had after each",
    answer=Page[JournalOut],
)
def list_account_journals(call: http.Call, account: str) -> Page[JournalOut]:
    return _named(history.of_account(account, call.query), call.principal)


@door.route(
    "GET",
    "/api/ledger/journals",
    permission="balances.read",
    query=AllJournalsQuery,
    summary="All journals, newest first: of some days, of a kind",
    answer=Page[JournalOut],
)
def list_all_journals(call: http.Call) -> Page[JournalOut]:
    query = call.query
    return _named(history.journals(query, query.from_, query.to, query.kind), call.principal)


@door.route(
    "GET",
    "/api/ledger/journals/{journal_id}",
    permission="balances.read",
    summary="A journal, with its entries and what it was for",
    answer=JournalOut,
)
def get_journal(call: http.Call, journal_id: str) -> JournalOut:
    (journal,) = _named(Page([history.journal(journal_id)], 1), call.principal).items
    return journal


@door.route(
    "GET",
    "/api/distributors/{distributor_id}/journals",
    permission="balances.read",
    query=JournalsQuery,
    summary="A distributor's journals, newest first, each with its reason",
    answer=Page[JournalOut],
)
def list_journals(call: http.Call, distributor_id: str) -> Page[JournalOut]:
    who = service.distributor(distributor_id)
    return _named(history.of_subject(who.distributor_id, call.query, call.query.account), call.principal)


def _named(page: Page[JournalOut], principal: Principal) -> Page[JournalOut]:
    """With what the distributors are called, which the ledger does not know."""
    names = distributors.names((row.distributor_id for row in page.items), principal)
    return page.map(lambda row: replace(row, distributor_name=names.get(row.distributor_id)))
