"""A table of stores that an operator imports: right rows are written, the others answered by line.

| import | somebody else |
|---|---|
| reads the map's version, then the rows | |
| checks each line against its row | changes a store, moves it |
| makes known whose rows it writes (map_updates.begin) | |
| transaction of 48 rows: one was changed, nothing is written | |
| reads that row anew, puts the table's columns over it | deletes a store of the table |
| transaction: the deleted store stays deleted | |
| brings what it wrote onto the map (map_updates.end) | |
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from pynamodb.expressions.condition import Condition

from chalicelib.platform import audit, messages, storage
from chalicelib.platform.errors import Invalid, Issue, issue
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.userids import fold_all
from chalicelib.staff import problems
from chalicelib.stores import cells, map_updates, maps, rules
from chalicelib.stores.models import StoreItem
from chalicelib.stores.queries import ImportQuery
from chalicelib.stores.scope import groups_in_scope, guides_in_scope, is_in_scope
from chalicelib.stores.service import item_of, refuse_foreign_members, store_of
from chalicelib.stores.types import STORE_ID, Imported, ImportWarning, NewStore, Place, WrongLine
from chalicelib.tables import reading
from chalicelib.tables.types import BadTable

_MOST_NAMED = 1000  # guides, of whom there may be warnings
_AT_ONCE = 48  # rows of a transaction, each with its audit entry: under DynamoDB's 100
Fields = Mapping[str, Any]
Anew = Callable[[str, StoreItem | None], StoreItem]  # the row that the table makes of the one that is there


class _Row(Struct, frozen=True):
    line: int
    fields: dict[str, str]
    fault: str = ""


def import_file(
    raw: bytes,
    query: ImportQuery,
    principal: Principal,
    language: messages.Language,
    *,
    is_utf8: bool = False,
) -> Imported:
    """Import the rows that are right, and say what is wrong with the others.

    Of a store that is there already the columns of the table are replaced, so the same table twice, or once
    more with its bad lines put right, is the same stores. BadTable. is_utf8: the text came in JSON.
    """
    guides, groups = guides_in_scope(principal), groups_in_scope(principal)
    wrong: list[WrongLine] = []
    given: dict[str, Fields] = {}
    lines: dict[str, int] = {}
    table = _read(raw, query, is_utf8)
    rounded = rules.rounded_ids(row.fields for row in table)
    version = maps.view().version  # before the rows: they say where the stores stand on that map
    # DynamoDB refuses a whole request for one key that is too long.
    ids = {id for row in table if re.match(STORE_ID, id := row.fields.get("store_id", ""))}
    known = {row.store_id: row for row in StoreItem.batch_get(list(ids), consistent_read=True)} if ids else {}
    for row in table:
        try:
            fields = _fields(row, rounded)
            before = known.get(fields["store_id"])
            store = _store(fields, before)
            if store.store_id in given:
                raise Invalid(issue("store_id", "duplicate"))
            guides_before = before.staff_ids if before else ()
            if not is_in_scope(principal, store.store_id, guides_before if before else store.staff_ids):
                raise Invalid(issue("store_id", "outside_of_scope"))
            refuse_foreign_members(store, before, staff_ids=guides, chat_ids=groups)
        except Invalid as error:
            wrong += [_wrong_line(row.line, problem, language) for problem in error.issues]
            continue
        given[store.store_id], lines[store.store_id] = fields, row.line
    if not query.dry_run:
        _write(given, known, version)
    return Imported(imported=len(given), errors=wrong, warnings=_warnings(given, lines, language))


def _warnings(
    given: Mapping[str, Fields], lines: Mapping[str, int], language: messages.Language
) -> list[ImportWarning] | UnsetType:
    named = [(key, one) for key, row in given.items() for one in _guides_of(row)]
    found = problems.ask(staff_id for _, staff_id in named)
    told = problems.warnings(named[:_MOST_NAMED], found, language) or ()
    made = [
        ImportWarning(
            line=lines[one.field], field=f"{one.field}.staff_ids", code=one.code, message=one.message
        )
        for one in told
    ]
    return made or UNSET


def _guides_of(fields: Fields) -> list[str]:
    return fold_all(fields.get("staff_ids", ()))


def _read(raw: bytes, query: ImportQuery, is_utf8: bool) -> list[_Row]:
    table = reading.read(raw, rules.COLUMNS, query.named, is_utf8=is_utf8)
    rows: list[_Row] = []
    for record in table.rows:
        if len(rows) == rules.MAX_ROWS:
            raise BadTable("too_many_rows", max_rows=rules.MAX_ROWS)
        fault = record.fault
        if any(value.strip() for value in record.values[table.width :]):
            fault = "too_many_columns"
        fields = {} if fault else rules.fields_of(record.values, table.where)
        rows.append(_Row(record.line, fields, fault))
    if not rows:
        raise BadTable("table_no_rows")
    return rows


def _fields(row: _Row, rounded: Collection[str]) -> Fields:
    """Invalid: what can't be read, or has lost something."""
    if row.fault:
        raise Invalid(issue("store_id" if row.fault == "too_many_columns" else "row", row.fault))
    if damaged := [issue(name, code) for name, code in rules.damage(row.fields, rounded)]:
        raise Invalid(*damaged)
    return rules.typed(row.fields)


def _store(fields: Fields, row: StoreItem | None) -> NewStore:
    """What the table makes of a row: columns that it lacks stay. The datum goes with the position."""
    kept = {} if row is None else {name: row.fields()[name] for name in rules.OPTIONAL}
    return store_of({**kept, **fields})


def _wrong_line(line: int, problem: Issue, language: messages.Language) -> WrongLine:
    if problem.field.startswith("hours"):
        problem = issue(problem.field, "store_hours")
    return WrongLine(
        line=line,
        field=problem.field,
        code=problem.code,
        params=dict(problem.params),
        message=problem.message(language),
    )


def _write(given: Mapping[str, Fields], known: Mapping[str, StoreItem], version: int) -> None:
    """Write the rows that are new or different, and bring them onto the map; `version`: it had before.

    All of them, also those that stay where they were: another import may be moving them at this moment.
    """

    def anew(key: str, row: StoreItem | None) -> StoreItem:
        return item_of(_store(given[key], row), row)

    made = {key: anew(key, known.get(key)) for key in given}
    keys = [key for key, item in made.items() if key not in known or item.fields() != known[key].fields()]
    if not keys:
        return
    was = {key: {_cell(known[key])} if key in known else set() for key in keys}
    import_id = map_updates.begin(was)
    written: dict[str, StoreItem] = {}
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        written |= _put({key: made[key] for key in part}, known, anew)
    map_updates.end(import_id, version, was, {key: _place(item) for key, item in written.items()})


def _put(items: Mapping[str, StoreItem], known: Mapping[str, StoreItem], anew: Anew) -> dict[str, StoreItem]:
    """Write rows in one transaction, each only over the row that it was made of; what was written. Busy."""
    left, rows = dict(items), dict(known)

    @storage.retrying("others keep changing these stores")
    def write() -> dict[str, StoreItem]:
        tx = Transaction()
        for key, item in left.items():
            row = rows.get(key)
            tx.put(key, item, _unchanged(row))
            audit.add(tx, "stores.import", key, row and row.fields(), item.fields())
        try:
            tx.commit()
        except ConditionFailed as error:
            now = {row.store_id: row for row in StoreItem.batch_get(list(error.names), consistent_read=True)}
            rows.update(now)
            for key in error.names:
                del left[key]
                if key in now:  # else it was deleted meanwhile, and stays so
                    left[key] = anew(key, now[key])
            raise
        return left

    return write()


def _unchanged(row: StoreItem | None) -> Condition:
    return StoreItem.version == row.version if row else StoreItem.store_id.does_not_exist()


def _cell(item: StoreItem) -> int:
    return cells.deepest(cells.position(_place(item)))


def _place(item: StoreItem) -> Place:
    return rules.place(item.store())
