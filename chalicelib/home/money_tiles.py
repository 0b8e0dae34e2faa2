"""Tiles of finance and auditors: money by its accounts, payouts by state, who changed what."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import get_args
from urllib.parse import urlencode

from chalicelib.home.tiles import WEEK, Look, listed
from chalicelib.home.types import Figure, Tile, TileRow
from chalicelib.ledger import history as ledger_history
from chalicelib.ledger import rules as accounts
from chalicelib.metrics.rules import days
from chalicelib.payouts import payout_list, settlement_list
from chalicelib.payouts.settlement_list import SettlementsQuery
from chalicelib.payouts.types import PayoutStatus
from chalicelib.people import history
from chalicelib.people import service as people
from chalicelib.people.types import AuditQuery, KeysQuery, UsersQuery
from chalicelib.platform import clock

_SHOWN = {  # name → account
    "pending_fen": accounts.PENDING,
    "available_fen": accounts.AVAILABLE,
    "in_payout_fen": accounts.IN_PAYOUT,
    "paid_fen": accounts.MERCHANT,
    "debt_fen": accounts.DEBT,
    "tax_fen": accounts.TAX,
}
_MAX_ACTORS = 8


def money(look: Look) -> Tile:
    """What is owed and was paid, by account."""
    sums = {one.account: one.balance_fen for one in look.proof.accounts}
    found = [
        Figure(
            name=name,
            value=sums[account],
            unit="fen",
            list=f"/api/ledger/accounts/{account}",
            field="balance_fen",
        )
        for name, account in _SHOWN.items()
    ]
    return Tile(tile="money", figures=found)


def trial_balance(look: Look) -> Tile:
    """Both sides: equal, or something is wrong."""
    proof = look.proof
    return Tile(
        tile="trial_balance",
        figures=[
            Figure(name=name, value=value, unit="fen", list="/api/ledger/trial-balance", field=name)
            for name, value in (
                ("total_debit_fen", proof.total_debit_fen),
                ("total_credit_fen", proof.total_credit_fen),
            )
        ],
    )


def journals(look: Look) -> Tile:
    """A day, of two weeks."""
    counted = {one.day: one.journals for one in ledger_history.per_day(look.begun, look.today)}

    def of(start: date, end: date, before: int | None = None) -> Figure:
        value = sum(counted[day.isoformat()] for day in days(start, end))
        where = f"/api/ledger/journals-per-day?{urlencode({'from': start, 'to': end})}"
        return Figure(name="journals", value=value, list=where, field="journals", before=before)

    middle = look.today - timedelta(days=WEEK - 1)
    earlier = of(look.begun, middle - timedelta(days=1))
    rows = [TileRow(key=day.isoformat(), figures=[of(day, day)]) for day in days(look.begun, look.today)]
    return Tile(tile="journals", figures=[of(middle, look.today, earlier.value)], rows=rows)


def payouts(look: Look) -> Tile:
    """By state: those states in which there are any."""
    rows = []
    for status in get_args(PayoutStatus):
        found = payouts_in("payouts", status)
        if found.value:
            rows.append(TileRow(key=status, figures=[found]))
    return Tile(tile="payouts", rows=rows)


def payouts_in(name: str, status: PayoutStatus) -> Figure:
    return Figure(name=name, value=payout_list.count(status), list=f"/api/payouts?status={status}")


def settlements(look: Look) -> Tile:
    """The newest five."""
    newest = settlement_list.page(SettlementsQuery(limit=5)).items
    rows = [
        TileRow(
            key=run.settlement_id,
            label=run.created_at,
            figures=[
                Figure(
                    name=name,
                    value=getattr(run, name),
                    unit="fen",
                    list=f"/api/settlements/{run.settlement_id}",
                    field=name,
                )
                for name in ("gross_fen", "tax_fen", "net_fen")
            ],
        )
        for run in newest
    ]
    return Tile(tile="settlements", rows=rows)


def changes(look: Look) -> Tile:
    """Of the last seven days, by who made them."""
    start = _midnight(look)
    entries: list[history.Entry] = []
    query = AuditQuery(first=start, last=clock.now())
    while True:
        query.limit = 200
        listed = history.page(query)
        entries += listed.items
        if listed.next_cursor is None or len(entries) >= 600:
            break
        query.cursor = listed.next_cursor
    exact = listed.next_cursor is None
    since = {"from": start.isoformat()}

    def figure(name: str, value: int, **which: str) -> Figure:
        where = f"/api/audit?{urlencode({**since, **which})}"
        return Figure(name=name, value=value, list=where, exact=exact)

    by_actor = Counter(entry.actor.id for entry in entries)
    names = {entry.actor.id: entry.actor.name for entry in entries}
    rows = [
        TileRow(key=actor, label=names[actor], figures=[figure("changes", number, actor=actor)])
        for actor, number in by_actor.most_common(_MAX_ACTORS)
    ]
    looked_up = sum(entry.action == "phones.reveal" for entry in entries)
    exported = sum(entry.action.endswith(".export") for entry in entries)
    figures = [
        figure("changes", len(entries)),
        figure("phones_revealed", looked_up, action="phones.reveal"),
        figure("lists_exported", exported, action="*.export"),
    ]
    return Tile(tile="changes", figures=figures, rows=rows)


def access(look: Look) -> Tile:
    """Who may come in."""
    return Tile(
        tile="access",
        figures=[
            listed("people", "/api/users?status=active", people.users, UsersQuery(status="active")),
            listed("keys", "/api/api-keys?status=active", people.keys, KeysQuery(status="active")),
        ],
    )


def _midnight(look: Look) -> datetime:
    """When the first of the last seven days began."""
    return datetime.combine(look.today - timedelta(days=WEEK - 1), time(), clock.SHANGHAI)


_Made = tuple[tuple[str, ...], Callable[[Look], Tile]]
MONEY: list[_Made] = [
    (("ledger.read",), money),
    (("ledger.read",), trial_balance),
    (("payouts.read",), payouts),
    (("settlements.read",), settlements),
]
AUDIT: list[_Made] = [
    (("ledger.read",), journals),
    (("audit.read",), changes),
    (("users.read", "keys.read"), access),
]
