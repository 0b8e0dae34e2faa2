"""The ledger read backwards: journals, newest first, each with what it left in one account.

The first row's balance is the account's sum of now, each older row's is less what the newer one changed, and
before the oldest it is zero: who shows them to the end has proved the sum.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec

from chalicelib.ledger import models, rules, service
from chalicelib.ledger.models import JournalItem
from chalicelib.ledger.types import AccountOut, AccountShare, DayCount, EntryOut, JournalKind, JournalOut
from chalicelib.platform import clock, lists
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.platform.lists import Page, Paging

Sum = TypeVar("Sum")
Journals = TypeVar("Journals")
_MOST_DAYS = 366
_READS = 3  # of a sum and the journals behind it, until nothing was written between the two


def account(name: str, as_of: datetime | None = None) -> AccountOut:
    """An account's sums, as they were at that time. NotFound.

    What was written of later is taken off the sums of now: a month of 100,000 journals is some 40 pages.
    """
    _check(name)
    if as_of is None:
        debit, credit = _sums(name)
    else:
        (debit, credit), later = _settled(partial(_sums, name), partial(_sides_since, as_of, name))
        debit -= sum(later_debit for later_debit, _ in later)
        credit -= sum(later_credit for _, later_credit in later)
    return AccountOut(
        account=name,
        debit_fen=debit,
        credit_fen=credit,
        balance_fen=rules.balance_of(name, debit, credit),
        as_of=clock.iso(min(as_of or clock.now(), clock.now())),
    )


def shares(name: str) -> list[AccountShare]:
    """Who has how much of an account, the most first; nobody who never had any. NotFound."""
    _check(name)
    held = []
    for balance in service.all_balances():
        debit, credit = balance.sums[name]
        if debit or credit:
            held.append((rules.balance_of(name, debit, credit), balance.subject, debit, credit))
    running, rows = 0, []
    for fen, subject, debit, credit in sorted(held, reverse=True):
        running += fen
        rows.append(
            AccountShare(
                distributor_id=subject,
                distributor_name=None,
                debit_fen=debit,
                credit_fen=credit,
                balance_fen=fen,
                running_total_fen=running,
            )
        )
    return rows


def of_account(name: str, paging: Paging) -> Page[JournalOut]:
    """All journals of an account. NotFound."""
    _check(name)

    def read(query: Paging) -> Page[JournalItem]:
        months = lists.months(clock.now(), cursor=query.cursor, shards=models.SHARDS)
        return lists.merged(months, models.of_month, query, lambda row: str(row.listed_at), _touches(name))

    return _with_balances(name, paging, read, lambda: rules.balance_of(name, *_sums(name)))


def of_subject(subject: str, paging: Paging, name: str | None = None) -> Page[JournalOut]:
    """A subject's journals; of one account, with its balance."""

    def read(query: Paging) -> Page[JournalItem]:
        keep = _touches(name) if name else None
        return lists.merged([[subject]], models.of_subject, query, lambda row: str(row.journal), keep)

    if name is None:
        return read(paging).map(_shown)
    _check(name)
    sums = partial(service.balance, subject)
    return _with_balances(name, paging, read, lambda: rules.balance_of(name, *sums().sums.get(name, (0, 0))))


def journals(
    paging: Paging, first: date | None, last: date | None, kind: JournalKind | None
) -> Page[JournalOut]:
    """All journals of these days, both included, and of a kind; newest first. Invalid."""
    if first and last and first > last:
        raise Invalid(issue("from", "after", other="to"))
    since = clock.iso(_start_of(first)) if first else None
    until = clock.iso(_start_of(last) + timedelta(days=1)) if last else None
    months = [
        group
        for group in lists.months(clock.now(), back=120, cursor=paging.cursor, shards=models.SHARDS)
        if (since or "")[:7] <= group[0][:7] <= (until or "9")[:7]
    ]

    def read(partition: str, before: str | None, limit: int) -> list[JournalItem]:
        upper = min(filter(None, (before, until)), default=None)
        return models.of_month(partition, upper, limit, since)

    keep = (lambda row: row.kind == kind) if kind else None
    page = lists.merged(months, read, paging, lambda row: str(row.listed_at), keep)
    return page.map(_shown)


def journal(journal_id: str) -> JournalOut:
    """NotFound."""
    row = models.find_journal(journal_id)
    if row is None:
        raise NotFound(code="no_journal", journal_id=journal_id[:100])
    return _shown(row)


def per_day(first: date, last: date) -> list[DayCount]:
    """How many journals there are of each day in China, of a year at most. Invalid."""
    if first > last:
        raise Invalid(issue("from", "after", other="to"))
    if (last - first).days >= _MOST_DAYS:
        raise Invalid(issue("from", "range_days", days=_MOST_DAYS))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [DayCount(day=day.isoformat(), journals=_count(day)) for day in days]


def _count(day: date) -> int:
    start = _start_of(day)
    end = start + timedelta(days=1)
    within = JournalItem.listed_at.between(clock.iso(start), clock.iso(end))
    months = {f"{at.astimezone(UTC):%Y-%m}" for at in (start, end)}
    parts = [f"{month}#{shard}" for month in months for shard in range(models.SHARDS)]
    return sum(JournalItem.by_month.count(part, within) for part in parts)


def _start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.SHANGHAI)


def _check(name: str) -> None:
    if name not in rules.ACCOUNTS:
        raise NotFound(code="no_account", account=name[:100])


def _sums(name: str) -> tuple[int, int]:
    for row in service.trial_balance().accounts:
        if row.account == name:
            return row.debit_fen, row.credit_fen
    raise ValueError(f"the trial balance lacks {name}")


def _sides_since(at: datetime, name: str) -> list[tuple[int, int]]:
    return [_sides(row, name) for row in _since(at)]


def _since(at: datetime) -> Iterator[JournalItem]:
    """Every journal of after that time."""
    since = f"{clock.iso(at)}$"  # after every `…#` of that moment
    for (month,) in lists.months(clock.now(), back=1200, shards=models.SHARDS):
        if month < f"{at.astimezone(UTC):%Y-%m}":
            return
        yield from JournalItem.by_month.query(month, JournalItem.listed_at > since)


def _sides(row: JournalItem, name: str) -> tuple[int, int]:
    """A journal's debits and credits of an account."""
    entries = [entry for entry in row.entries if entry["account"] == name]
    return sum(entry["debit_fen"] for entry in entries), sum(entry["credit_fen"] for entry in entries)


def _touches(name: str) -> Callable[[JournalItem], bool]:
    return lambda row: any(entry["account"] == name for entry in row.entries)


def _with_balances(
    name: str, paging: Paging, read: Callable[[Paging], Page[JournalItem]], now: Callable[[], int]
) -> Page[JournalOut]:
    """The page with the balance after each row; its cursor takes the balance along."""
    if paging.cursor:
        text, dot, cursor = paging.cursor.partition(".")
        if not dot or not text.removeprefix("-").isdecimal():
            raise Invalid(issue("cursor", "cursor"))
        balance, page = int(text), read(msgspec.structs.replace(paging, cursor=cursor))
    else:
        balance, page = _settled(now, lambda: read(paging))
    rows = []
    for row in page.items:
        debit, credit = _sides(row, name)
        shown = msgspec.structs.replace(_shown(row), debit_fen=debit, credit_fen=credit, balance_fen=balance)
        rows.append(shown)
        balance -= rules.balance_of(name, debit, credit)
    following = f"{balance}.{page.next_cursor}" if page.next_cursor else None
    return Page(rows, page.total, following, page.total_is)


def _settled(now: Callable[[], Sum], read: Callable[[], Journals]) -> tuple[Sum, Journals]:
    """A sum and the journals behind it, of one moment where money does not move all the time."""
    total = now()
    for _ in range(_READS):
        journals = read()
        before, total = total, now()
        if total == before:
            break
    return total, journals


def _shown(row: JournalItem) -> JournalOut:
    return JournalOut(
        journal_id=models.id_of(row),
        kind=row.kind,
        at=row.journal.partition("#")[0],
        distributor_id=row.subject,
        entries=msgspec.convert(row.entries, list[EntryOut]),
        reason=row.reason,
    )
