"""The pictures of the first page, each of what a role may read: every number with the list behind it.

A number is worked out by the very list that it names, or by the counters that the list adds up, so the two
can't differ. Not there yet, since nothing counts it: retention by cohort, touches that are planned, replies,
a store's rank, reconciliation.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from chalicelib.ads import quota as ads
from chalicelib.channels import service as channels
from chalicelib.churn import loss_list as churned
from chalicelib.churn.queries import LossesQuery
from chalicelib.contactways import usage as ways
from chalicelib.groups import group_list
from chalicelib.groups.types import TasksQuery
from chalicelib.home.types import Figure, Home, Tile, TileRow, Unit
from chalicelib.ledger.types import TrialBalance
from chalicelib.messaging import missed as missed_welcomes
from chalicelib.messaging.types import MissedQuery
from chalicelib.metrics import rules as figures
from chalicelib.metrics import service as metrics
from chalicelib.platform import clock, jobs
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.principal import Principal
from chalicelib.prospects import prospect_list
from chalicelib.prospects.types import ProspectsQuery
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores

WEEK = 7
_MAX_PAGES = 3  # of a list that is only counted: beyond 600 rows it is "at least"
_FUNNEL = ("scans", "adds", "orders", "gmv_fen")
Counted = list[tuple[str, str, str | None, figures.Figures]]  # day, guide, channel, figures


class Look:
    """One principal's look at the first page: what several tiles show is read once."""

    def __init__(self, principal: Principal):
        self.principal = principal
        self.today = figures.day_of(clock.now())
        self.begun = self.today - timedelta(days=2 * WEEK - 1)

    @cached_property
    def counted(self) -> Counted:
        return list(metrics.figures(self.begun, self.today, self.principal))

    @cached_property
    def proof(self) -> TrialBalance:
        """The sums of all accounts: it takes the balances of everybody."""
        from chalicelib.ledger import service as ledger

        return ledger.trial_balance()

    def sum(self, name: str, start: date, end: date, **which: str) -> int:
        """Of one counter, of both days and those between; of a channel, a guide."""
        first, last = start.isoformat(), end.isoformat()
        return sum(
            sums.get(name, 0)
            for day, guide, channel, sums in self.counted
            if first <= day <= last
            and which.get("channel") in (None, channel)
            and which.get("staff_id") in (None, guide)
        )

    def days(self, name: str, start: date, end: date, before: int | None = None, **which: str) -> Figure:
        """A figure whose list is the days that it is the sum of."""
        value = self.sum(name, start, end, **which)
        where = _list("/api/metrics/days", {"from": start, "to": end, **which})
        return Figure(name=name, value=value, unit=_unit(name), list=where, field=name, before=before)

    def of_channels(self, name: str, start: date, among: Sequence[str], where: str) -> Figure:
        value = sum(self.sum(name, start, self.today, channel=channel) for channel in among)
        return Figure(name=name, value=value, unit=_unit(name), list=where, field=name)

    def week(self, name: str) -> Figure:
        """The last seven days, against the seven before them."""
        middle = self.today - timedelta(days=WEEK - 1)
        before = self.sum(name, self.begun, middle - timedelta(days=1))
        return self.days(name, middle, self.today, before=before)

    def this_day(self, name: str, **which: str) -> Figure:
        return self.days(name, self.today, self.today, None, **which)


def of(principal: Principal) -> Home:
    look = Look(principal)
    made = [make(look) for needed, make in _tiles(principal) if all(principal.may(one) for one in needed)]
    tiles = [tile for tile in made if tile.figures or tile.rows]
    return Home(as_of=clock.iso(clock.now()), today=look.today.isoformat(), tiles=tiles)


def _tiles(principal: Principal) -> list[tuple[tuple[str, ...], Callable[[Look], Tile]]]:
    """(what one must be allowed to read, the tile), in the order in which a role sees them."""
    from chalicelib.home import money_tiles  # it brings the ledger and payouts, which are not everybody's

    work: list[tuple[tuple[str, ...], Callable[[Look], Tile]]] = [
        (("metrics.read", "group_tasks.read", "prospects.read"), needs),
        (("jobs.read",), failed),
    ]
    reach: list[tuple[tuple[str, ...], Callable[[Look], Tile]]] = [
        (("metrics.read",), adds),
        *([(("metrics.read",), guides)] if principal.is_scoped else [(("metrics.read",), funnel)]),
        (("metrics.read",), welcomes),
        (("metrics.read",), touches),
        *([(("metrics.read",), churn)] if principal.is_scoped else [(("contact_ways.read",), quota)]),
        (("metrics.read",), gmv),
    ]
    if principal.role == "finance":
        return [*money_tiles.MONEY, *work[1:], reach[-1]]
    if principal.role == "auditor":
        return [*money_tiles.AUDIT, *money_tiles.MONEY, reach[0]]
    if principal.role == "admin" and not principal.is_scoped:
        return [*work, *reach, *money_tiles.MONEY, *money_tiles.AUDIT]
    return [*work, *reach]


def count(page: Callable[[Any], Page[Any]], query: Paging) -> tuple[int, bool]:
    """How long a list is, and whether that is all of it."""
    query.limit = 200
    for _ in range(_MAX_PAGES):
        found = page(query)
        if found.total_is == "exact":
            return found.total, True
        query.cursor = found.next_cursor
    return found.total, False


def listed(name: str, address: str, page: Callable[[Any], Page[Any]], query: Paging) -> Figure:
    """A figure that is the length of a list."""
    value, exact = count(page, query)
    return Figure(name=name, value=value, list=address, exact=exact)


def needs(look: Look) -> Tile:
    """What waits for somebody."""
    who = look.principal
    return Tile(
        tile="needs",
        figures=[
            listed(
                "group_tasks",
                "/api/group-tasks?status=open",
                lambda query: group_list.page_of_tasks(query, who),
                TasksQuery(status="open"),
            ),
            listed(
                "prospects",
                "/api/prospects?status=to_add",
                lambda query: prospect_list.page(query, who),
                ProspectsQuery(status="to_add"),
            ),
        ],
    )


def failed(look: Look) -> Tile:
    """What did not work."""
    who = look.principal
    found = [
        listed(
            "jobs",
            "/api/jobs?status=failed",
            lambda query: jobs.page(query, who),
            jobs.JobsQuery(status="failed"),
        )
    ]
    if who.may("customers.read"):
        found.append(
            listed(
                "welcomes_missed",
                "/api/welcomes/missed",
                lambda query: missed_welcomes.page(query, who),
                MissedQuery(),
            )
        )
    if who.may("metrics.read"):
        found.append(look.this_day("touches_failed"))
    if who.may("payouts.read"):
        from chalicelib.home import money_tiles

        found.append(money_tiles.payouts_in("payouts_failed", "failed"))
    return Tile(tile="failed", figures=found)


def funnel(look: Look) -> Tile:
    """By channel, the last seven days; a channel's under all of its names."""
    start = look.today - timedelta(days=WEEK - 1)
    period = {"from": start, "to": look.today}
    things = channels.by_name()
    names: dict[str, list[str]] = {}  # channel_id, or the name that is no channel's → names
    for name in sorted({channel for _, _, channel, _ in look.counted if channel}):
        names.setdefault(things[name].channel_id if name in things else name, []).append(name)
    rows = []
    for key, among in names.items():
        thing = things.get(among[0])
        path = f"/api/channels/{key}/days" if thing else "/api/metrics/days"
        where = _list(path, period if thing else {**period, "channel": key})
        found = [look.of_channels(name, start, among, where) for name in _FUNNEL]
        if any(one.value for one in found):
            rows.append(TileRow(key=key, label=thing.name if thing else None, figures=found))
    rows.sort(key=lambda row: row.figures[1].value, reverse=True)
    return Tile(tile="funnel", figures=[look.week(name) for name in _FUNNEL], rows=rows)


def adds(look: Look) -> Tile:
    """A day, of two weeks."""
    days = figures.days(look.begun, look.today)
    rows = [
        TileRow(key=day.isoformat(), figures=[_of_day(look, day, name) for name in ("scans", "adds")])
        for day in days
    ]
    return Tile(tile="adds", figures=[look.this_day("adds"), look.week("adds")], rows=rows)


def _of_day(look: Look, day: date, name: str) -> Figure:
    """By channel, of one day."""
    where = _list("/api/metrics/funnel", {"from": day, "to": day})
    return Figure(name=name, value=look.sum(name, day, day), list=where, field=name)


def welcomes(look: Look) -> Tile:
    """Today's, and how many of them in time."""
    names = ("welcomes", "welcomes_missed", "welcomes_unknown")
    return Tile(tile="welcomes", figures=[*map(look.this_day, names), *map(look.week, names[:2])])


def touches(look: Look) -> Tile:
    names = ("touches", "touches_failed")
    return Tile(tile="touches", figures=[*map(look.this_day, names), *map(look.week, names)])


def churn(look: Look) -> Tile:
    return Tile(
        tile="churn", figures=[_lost(look, look.today), _lost(look, look.today - timedelta(WEEK - 1))]
    )


def _lost(look: Look, start: date) -> Figure:
    """Since a day."""
    query = LossesQuery(from_=start, to=look.today)
    where = _list("/api/churn", {"from": start, "to": look.today})
    return listed("lost", where, lambda asked: churned.page(asked, look.principal), query)


def gmv(look: Look) -> Tile:
    today, week = look.this_day("gmv_fen"), [look.week(name) for name in ("gmv_fen", "orders", "buyers")]
    days = figures.days(look.begun, look.today)
    rows = [TileRow(key=day.isoformat(), figures=[look.days("gmv_fen", day, day)]) for day in days]
    return Tile(tile="gmv", figures=[today, *week], rows=rows)


def guides(look: Look) -> Tile:
    """Of the scope, today: who got how many."""
    seen = sorted(stores.guides_in_scope(look.principal) or ())
    names = staff.names(seen)
    rows = [
        TileRow(
            key=staff_id,
            label=names.get(staff_id),
            figures=[look.this_day(name, staff_id=staff_id) for name in ("adds", "scans", "lost")],
        )
        for staff_id in seen
    ]
    rows.sort(key=lambda row: row.figures[0].value, reverse=True)
    return Tile(tile="guides", rows=rows)


def quota(look: Look) -> Tile:
    """What WeCom still gives."""
    used, links = ways.in_use(), ads.get()
    found = [Figure(name="contact_ways_left", value=used.left, list="/api/contact-ways/usage", field="left")]
    if links.balance is not None:
        found.append(
            Figure(name="link_quota_left", value=links.balance, list="/api/ad-quota", field="balance")
        )
    return Tile(tile="quota", figures=found)


def _unit(name: str) -> Unit:
    return "fen" if name.endswith("_fen") else "count"


def _list(path: str, query: dict[str, Any]) -> str:
    return f"{path}?{urlencode({name: str(value) for name, value in query.items()})}"
