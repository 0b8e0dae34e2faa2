"""An import's figures: how many are in which status, by guide and by day."""

from collections.abc import Iterable
from typing import Any

from chalicelib.platform import lists
from chalicelib.platform.errors import NotFound
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.prospects import import_rows, imports, rules
from chalicelib.prospects.models import FigureItem, ImportItem, ProgressItem, unpack
from chalicelib.prospects.types import (
    DayCounts,
    GuideCounts,
    Import,
    ImportFigures,
    ImportRowError,
    Spread,
    StatusCounts,
)
from chalicelib.stores import service as stores

_OF_THE_FILE = ("rows", "duplicates", "do_not_contact", "bad")


def report(import_id: str, principal: Principal = SYSTEM) -> ImportFigures:
    """Those of the scope's guides; what is not counted by guide only when there are no others. NotFound."""
    item = imports.load(import_id, principal)
    progress = ProgressItem.find(import_id, "progress")
    by_staff, by_day, seconds = _counts(import_id, unpack(progress.packed) if progress else {})
    guides = stores.guides_in_scope(principal)
    is_whole = guides is None or guides.issuperset(by_staff)
    if guides is not None:
        by_staff = {staff_id: row for staff_id, row in by_staff.items() if staff_id in guides}
    statuses = {s: sum(row[s] for row in by_staff.values()) for s in rules.STATUSES}
    everybody, added = sum(statuses.values()), statuses[rules.ADDED]
    state = progress.state if progress else {}
    values: dict[str, Any] = {name: getattr(item, name) for name in Import.__struct_fields__}
    values |= {name: int(state.get(name, 0)) if is_whole else None for name in _OF_THE_FILE}
    if not is_whole:
        values["job_id"] = None  # its result is the report of the whole file
    return ImportFigures(
        **values,
        consent=item.consent,
        daily_pace=int(item.daily_pace),
        tags=item.tags,
        staff=_spread(item, guides),
        new=int(state.get("new", 0)) if is_whole else everybody,
        statuses=StatusCounts(**statuses),
        by_staff=[GuideCounts(staff_id=s, **row) for s, row in sorted(by_staff.items()) if any(row.values())],
        by_day=[DayCounts(day=day, **row) for day, row in sorted(by_day.items())] if is_whole else [],
        add_rate_bps=added * 10_000 // everybody if everybody else 0,
        mean_seconds_to_add=seconds // added if added and is_whole else None,
    )


def row_errors(import_id: str, paging: Paging, principal: Principal) -> Page[ImportRowError]:
    """What is wrong with its rows, by line. NotFound, also for who sees a part of the import only."""
    if report(import_id, principal).rows is None:
        raise NotFound(code="no_import")
    found = [
        ImportRowError(line=line, field=name, code=code, message=message, value=masked)
        for line, name, code, message, masked in import_rows.reports(imports.load(import_id, principal))
    ]
    return lists.whole(
        found,
        paging,
        key=lambda row: f"{row.field}#{row.code}",
        sorts={"line": lambda row: row.line},
        sort="line",
    )


def _counts(
    import_id: str, assigned: dict[str, int]
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]], int]:
    """(by guide, by day, seconds from asking to adding): what was assigned, and what has moved since."""
    by_staff = {
        staff_id: {**dict.fromkeys(rules.STATUSES, 0), rules.TO_ADD: count}
        for staff_id, count in assigned.items()
    }
    by_day: dict[str, dict[str, int]] = {}
    seconds = 0
    for row in FigureItem.query(import_id):
        kind, _, name = row.what.partition("#")
        moved = {status: int(getattr(row, status) or 0) for status in rules.STATUSES}
        if kind == "staff":
            before = by_staff.setdefault(name, dict.fromkeys(rules.STATUSES, 0))
            by_staff[name] = {status: before[status] + moved[status] for status in rules.STATUSES}
        else:
            by_day[name] = {s: moved[s] for s in rules.STATUSES if s != rules.TO_ADD}
            seconds += int(row.seconds or 0)
    return by_staff, by_day, seconds


def _spread(item: ImportItem, guides: Iterable[str] | None) -> Spread:
    spread = item.spread
    if guides is None:
        return spread
    seen = set(guides)
    return Spread(
        rule=spread.rule,
        staff_ids=[staff_id for staff_id in spread.staff_ids if staff_id in seen],
        weights={staff_id: weight for staff_id, weight in spread.weighted.items() if staff_id in seen},
    )
