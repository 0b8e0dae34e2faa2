"""Losses as a principal sees them: those of the guides of their scope."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from chalicelib.churn import models
from chalicelib.churn.models import LossItem
from chalicelib.churn.queries import LossesQuery
from chalicelib.churn.types import After, Loss
from chalicelib.customers import rules as customer_rules
from chalicelib.customers import service as customers
from chalicelib.metrics.periods import period
from chalicelib.platform import clock, lists
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import Principal
from chalicelib.platform.stored import read_stored
from chalicelib.sops import service as sops
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores
from chalicelib.stores.scope import guides_in_scope

NO_CONTACT = "none"
_BY = {"customer": "customer", "staff": "guide"}  # the timeline's word, and the door's


def page(query: LossesQuery, principal: Principal) -> Page[Loss]:
    """Newest first. NotFound for a store that is not there, or outside of the scope; Invalid."""
    seen = guides_in_scope(principal)
    guides = seen
    if query.store_id is not None:
        guides = _both(guides, stores.get(query.store_id, principal).staff_ids)
    if query.staff_id is not None:
        guides = _both(guides, [query.staff_id])
    start, end = bounds(*period(query))
    wanted = (query.q or "").strip()

    def is_wanted(row: Loss) -> bool:
        after = row.after
        return (
            query.by in (None, row.by)
            and query.channel in (None, row.channel)
            and query.after in (None, after.type if after else NO_CONTACT)
            and query.sop_id in (None, after and after.sop_id)
            and (not wanted or any(lists.matches(wanted, n) for n in (row.customer_name, row.staff_name)))
        )

    def load(items: list[LossItem]) -> Iterable[Loss | None]:
        rows = map(_showing(items, principal, seen), items)
        return [row if is_wanted(row) else None for row in rows]

    if guides is None:
        months = lists.months(clock.now(), cursor=query.cursor, shards=models.SHARDS)
        groups: Iterable[list[str]] = [g for g in months if start[:7] <= g[0][:7] <= end[:7]]
        read = models.of_month
    else:
        groups, read = [sorted(guides)], models.of_guide
    return lists.merged(groups, _within(read, start, end), query, place=lambda row: str(row.place), load=load)


def in_period(start: date, end: date, guides: frozenset[str] | None) -> Iterator[LossItem]:
    """All losses of these days (the last included), of these guides; None: of all."""
    since, until = bounds(start, end)
    if guides is not None:
        for staff_id in sorted(guides):
            yield from models.of_guide(staff_id, until, None, since)
        return
    for (month,) in lists.months(clock.now(), shards=models.SHARDS):
        if since[:7] <= month[:7] <= until[:7]:
            yield from models.of_month(month, until, None, since)


def bounds(start: date, end: date) -> tuple[str, str]:
    """When these days begin, and when the day after the last does, as places have it."""
    return _start_of(start), _start_of(end + timedelta(days=1))


def _start_of(day: date) -> str:
    """When a day begins in Shanghai, as places have it."""
    return clock.iso(datetime(day.year, day.month, day.day, tzinfo=clock.SHANGHAI))


def _within(
    read: Callable[[str, str | None, int | None, str], Iterator[LossItem]], start: str, end: str
) -> Callable[[str, str | None, int], Iterator[LossItem]]:
    def rows(partition: str, before: str | None, limit: int) -> Iterator[LossItem]:
        return read(partition, min(before or end, end), limit, start)

    return rows


def _both(guides: frozenset[str] | None, others: Collection[str]) -> frozenset[str]:
    return frozenset(others) if guides is None else guides & frozenset(others)


def _showing(
    items: Collection[LossItem], principal: Principal, seen: frozenset[str] | None
) -> Callable[[LossItem], Loss]:
    people = customers.several(list({item.external_userid for item in items}))
    guides = {item.staff_id for item in items}
    names, in_stores = staff.names(guides), stores.of_guides(guides)
    named = sops.names({item.after["sop_id"] for item in items if item.after and item.after.get("sop_id")})
    mask = customer_rules.masked if principal.sees_masked else (lambda customer: customer)

    def shown(item: LossItem) -> Loss:
        who = people.get(item.external_userid)
        shown_who = mask(who) if who else None
        after = read_stored(item.after, After) if item.after else None
        return Loss(
            loss_id=hashlib.sha256(item.place.encode()).hexdigest()[:16],
            external_userid=shown_who.external_userid if shown_who else "***",
            customer_name=shown_who.name if shown_who else "",
            can_open=who is not None and (seen is None or who.place_among(seen) is not None),
            staff_id=item.staff_id,
            staff_name=names.get(item.staff_id) or item.staff_id,
            store_names=[name for _, name in in_stores.get(item.staff_id, ())],
            by=_BY[item.by],  # type: ignore[arg-type]
            at=item.at,
            channel=item.channel,
            days=(clock.parse(item.at) - clock.parse(item.added_at)).days if item.added_at else None,
            last=item.last,
            orders=int(item.orders),
            paid_fen=int(item.paid_fen),
            after=_with_name(after, named) if after else None,
        )

    return shown


def _with_name(after: After, names: dict[str, str]) -> After:
    return replace(after, sop_name=names.get(after.sop_id or "", ""))
