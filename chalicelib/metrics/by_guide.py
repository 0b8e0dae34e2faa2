"""What each guide did in a period: scans, adds, welcomes and touches, from the counters of the stores."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.metrics import rules, views
from chalicelib.metrics.periods import PeriodSearch, period
from chalicelib.metrics.rules import Figures
from chalicelib.metrics.types import GuideRow
from chalicelib.metrics.views import View
from chalicelib.platform import lists
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import Principal
from chalicelib.platform.userids import fold
from chalicelib.staff import service as staff
from chalicelib.stores import guides
from chalicelib.stores import service as stores

Sort = Literal[
    "name",
    "-name",
    "scans",
    "-scans",
    "adds",
    "-adds",
    "lost",
    "-lost",
    "welcomes_missed",
    "-welcomes_missed",
]


class GuidesQuery(PeriodSearch, kw_only=True):
    """`q`: in name and id."""

    sort: Annotated[Sort, Meta(description="Most adds first without it")] = "-adds"


def page(query: GuidesQuery, principal: Principal) -> Page[GuideRow]:
    """Guides who have a figure in the period. Invalid for the period."""
    sums = _sums(*period(query), principal)
    names = staff.names(sums)
    rows = [rules.guide_row(staff_id, names.get(staff_id), of_guide) for staff_id, of_guide in sums.items()]
    return lists.whole(
        rows,
        query,
        key=lambda row: row.staff_id,
        sorts={
            "name": lambda row: row.name,
            "scans": lambda row: row.scans,
            "adds": lambda row: row.adds,
            "lost": lambda row: row.lost,
            "welcomes_missed": lambda row: row.welcomes_missed,
        },
        sort=query.sort,
        texts=lambda row: (row.name, row.staff_id),
    )


def _sums(start: date, end: date, principal: Principal) -> dict[str, Figures]:
    parts: dict[str, list[Figures]] = {}
    for cell, (_, staff_id, _) in views.read(views.of(principal) or _whole(), start, end):
        if staff_id:
            parts.setdefault(staff_id, []).append(cell.figures)
    return {staff_id: rules.total(figures) for staff_id, figures in parts.items()}


def _whole() -> View:
    """All stores that there are, and who of the staff is of none: the corp's own counters know no guide."""
    staff_ids = (fold(member.staff_id) for member in staff.members(None))
    alone = frozenset(one for one in staff_ids if guides.store_of([one]) is None)
    return View(frozenset(stores.ids()), alone)
