"""The audit, read: by object, by actor, or all of it; the newest first."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct

from chalicelib.people import actors
from chalicelib.people.types import AuditQuery
from chalicelib.platform import clock, ids, lists
from chalicelib.platform.audit import AuditItem, ByActor, ByObject, Change, month_of
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.stored import read_stored

_YEAR = timedelta(days=366)
_FARTHEST = 5 * _YEAR
_FIRST_YEAR = 2020


class Actor(Struct, frozen=True):
    """name: a person's, or a key's; null for the system itself, and for a key that is not there any more."""

    kind: str
    id: str
    name: str | None


class Entry(Struct, frozen=True):
    """object_name: as it was called then; null where it had no name, or one that must not be read."""

    at: str
    actor: Actor
    action: str
    object: str
    object_name: str | None
    changes: list[Change]


def page(query: AuditQuery) -> lists.Page[Entry]:
    """Entries between two times; without the first one, of the year before the last. Invalid."""
    actor, object_id = query.actor, query.object
    last = query.last or clock.now()
    if last.year < _FIRST_YEAR:
        raise Invalid(issue("to", "not_after", other=str(_FIRST_YEAR)))
    first = query.first or last - _YEAR
    if not (object_id or actor) and last - first > _FARTHEST:  # each month is a query
        raise Invalid(issue("from", "range_days", days=_FARTHEST.days))
    if first > last:
        raise Invalid(issue("from", "after", other="to"))
    low, high = ids.ulid_floor(first), ids.ulid_floor(last) + "~"
    if object_id or actor:
        index: Any = AuditItem.by_object if object_id else AuditItem.by_actor
        field = (ByObject if object_id else ByActor).entry_id
        read_index = partial(
            index.query, object_id or actor, field.between(low, high), scan_index_forward=False
        )

        def is_wanted(item: AuditItem) -> bool:
            return (not actor or item.actor == actor) and _is_action(item, query.action)

        return _shown(lists.history(read_index, query, is_wanted))

    def read(month: str, before: str | None, limit: int) -> Iterator[AuditItem]:
        until = high if before is None else min(high, before)
        rows = AuditItem.query(
            month, AuditItem.entry_id.between(low, until), scan_index_forward=False, limit=limit + 1
        )
        yield from [row for row in rows if before is None or row.entry_id < before][:limit]

    def keep(item: AuditItem) -> bool:
        return _is_action(item, query.action)

    return _shown(lists.merged(_months(first, last), read, query, lambda item: str(item.entry_id), keep))


def _months(first: datetime, last: datetime) -> Iterator[list[str]]:
    """The partitions from the last month back to the first."""
    month, earliest = month_of(last), month_of(first)
    while month >= earliest:
        yield [month]
        year, number = map(int, month.split("-"))
        month = f"{year}-{number - 1:02}" if number > 1 else f"{year - 1}-12"


def _is_action(item: AuditItem, wanted: str | None) -> bool:
    action = str(item.action)
    if wanted is not None and wanted.startswith("*."):
        return action.endswith(wanted[1:])
    return wanted is None or action == wanted or action.startswith(f"{wanted}.")


def _shown(found: lists.Page[AuditItem]) -> lists.Page[Entry]:
    """Entries with the names of who acted: each is looked up once a page."""
    known = actors.names({str(item.actor) for item in found.items if item.actor_kind != "system"})

    def entry(item: AuditItem) -> Entry:
        return Entry(
            at=item.at,
            actor=Actor(item.actor_kind, item.actor, known.get(str(item.actor))),
            action=item.action,
            object=item.object,
            object_name=item.label,
            changes=read_stored(item.changes, list[Change]),
        )

    return found.map(entry)
