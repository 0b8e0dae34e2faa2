"""Imports: made, uploaded, started, listed. What is in them: import_reading.py, import_rows.py."""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from chalicelib.platform import audit, clock, files, ids, jobs, lists, queues, storage
from chalicelib.platform.errors import Conflict, Invalid, Issue, NotFound, issue
from chalicelib.platform.lists import Page
from chalicelib.platform.messages import Language
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.prospects import brand_settings, import_rows, phones, rules, table_columns
from chalicelib.prospects.import_rows import Incoming, Intake
from chalicelib.prospects.models import ImportItem, ProgressItem, unpack
from chalicelib.prospects.types import (
    FromOrders,
    Import,
    ImportMade,
    ImportsQuery,
    NewImport,
    NewRows,
    RowError,
    RowsTaken,
)
from chalicelib.stores import service as stores
from chalicelib.tables import previews
from chalicelib.tables.types import TablePreview

TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
MAX_BYTES = {"csv": 512 * 1024**2, "xlsx": 128 * 1024**2}  # an XLSX lies on Lambda's disk of 512 MB
_LISTED = "import"
_BATCH = 100  # DynamoDB: items in one batch
_SORTS: Mapping[str, Callable[[ImportItem], str]] = {
    "created_at": lambda item: str(item.created_at),
    "name": lambda item: str(item.name),
}


def create(new: NewImport, principal: Principal = SYSTEM, language: Language = "zh") -> ImportMade:
    """A new import, and where its file is to be put. Invalid. language: of the report of its bad rows."""
    _check(new, principal)
    item = _new(new, new.format, "uploading", principal, language)
    item.columns = asdict(new.columns)
    _put(item)
    kind = TYPES[new.format]
    url = files.upload_url(file_key(item), kind)
    return ImportMade(import_id=item.import_id, upload_url=url, upload_headers={"Content-Type": kind})


def preview(raw: bytes) -> TablePreview:
    """The columns of a file and its first rows, numbers masked wherever they stand. BadTable."""
    seen = previews.preview(raw, table_columns.COLUMNS)
    rows = [replace(row, values=[rules.hidden(text) for text in row.values]) for row in seen.rows]
    return replace(seen, rows=rows)


def start(import_id: str, principal: Principal = SYSTEM) -> jobs.Job:
    """Begin to read the uploaded file → its job. Repeats give the same job. NotFound, Conflict, Invalid."""
    item = load(import_id, principal)
    if item.source not in TYPES:
        raise Conflict(code="import_without_file")
    if item.status == "uploading":
        size = files.size(file_key(item))
        if not size:
            raise Conflict(code="import_not_uploaded")
        if size > MAX_BYTES[item.source]:
            raise Invalid(issue("file", "file_too_large", megabytes=MAX_BYTES[item.source] >> 20))
        job_id = f"job_{ids.derived('prospect-import', import_id, length=20)}"
        brand_settings.begin()
        jobs.start("prospect_import", 0, import_id, job_id)
        running = [ImportItem.status.set("running"), ImportItem.job_id.set(job_id)]
        tx = Transaction()
        tx.update("import", item, running, ImportItem.status == "uploading")
        audit.add(tx, "prospect_imports.start", import_id, {"status": "uploading"}, {"status": "running"})
        try:
            tx.commit()
        except ConditionFailed:  # somebody else has started it
            return jobs.get(job_id)
        item.job_id = job_id
        order_reading(item, 0)
    elif item.status == "running":  # a start that was cut off before it was sent
        order_reading(item, 0)
    return jobs.get(str(item.job_id))


def order_reading(item: ImportItem, end: int) -> None:
    """Have the file read on. end: how far it was read, which makes the message another one."""
    of = {"import_id": item.import_id, "job_id": item.job_id}
    queues.send("prospect", {**of, "kind": "import", "part": end, "what": "what is left of the file"})


def take(new: NewRows, principal: Principal = SYSTEM, language: Language = "zh") -> RowsTaken:
    """Import rows at once. Right ones are taken, the others named by their number. Invalid."""
    _check(new, principal)
    brand_settings.begin()
    item = _new(new, "rows", "running", principal, language)
    _put(item)
    intake = Intake(item)
    rows = [Incoming(number, asdict(row)) for number, row in enumerate(new.rows, 1)]
    for part in import_rows.sliced(rows):
        intake.take(part)
    finish(item)
    errors = [
        RowError(row=line - 1, field=f"rows[{line - 1}].{name}", code=code, message=message)
        for line, name, code, message, _ in import_rows.reports(item)
    ]
    counts = {name: intake.state[name] for name in ("rows", "new", "duplicates", "do_not_contact", "bad")}
    return RowsTaken(import_id=item.import_id, errors=errors, **counts)


def finish(item: ImportItem) -> None:
    ended = [ImportItem.status.set("finished"), ImportItem.finished_at.set(clock.iso(clock.now()))]
    storage.update_if(item, ended, ImportItem.status == "running")


def load(import_id: str, principal: Principal = SYSTEM) -> ImportItem:
    """NotFound, also outside of the scope."""
    item: ImportItem | None = ImportItem.find(import_id)
    guides = stores.guides_in_scope(principal)
    if item is None or (guides is not None and not _is_seen(item, guides, principal, _assigned([import_id]))):
        raise NotFound(code="no_import")
    return item


def page(query: ImportsQuery, principal: Principal = SYSTEM) -> Page[Import]:
    """Imports of the scope, without their figures."""

    def read(**options: Any) -> Iterable[ImportItem]:
        return ImportItem.by_import.query(_LISTED, scan_index_forward=False, **options)

    rows = [
        item
        for item in lists.partition(read)
        if query.status in (None, item.status) and query.source in (None, item.source)
    ]
    guides = stores.guides_in_scope(principal)
    if guides is not None:
        assigned = _assigned([item.import_id for item in rows])
        rows = [item for item in rows if _is_seen(item, guides, principal, assigned)]
    return lists.whole(
        rows,
        query,
        key=lambda item: str(item.import_id),
        sorts=_SORTS,
        sort=query.sort,
        texts=lambda item: (item.name, item.import_id),
    ).map(lambda item: Import(**{name: getattr(item, name) for name in Import.__struct_fields__}))


def _is_seen(
    item: ImportItem,
    guides: Collection[str],
    principal: Principal,
    assigned: Mapping[str, Collection[str]],
) -> bool:
    """By whoever made it, and whose scope has any guide that it names or was spread to."""
    named = {*item.spread.staff_ids, *item.spread.weighted, *assigned.get(item.import_id, ())}
    return not named.isdisjoint(guides) or item.principal.id == principal.id


def _assigned(import_ids: list[str]) -> dict[str, Collection[str]]:
    """To whom these imports' rows have gone so far."""
    keys = [(import_id, "progress") for import_id in import_ids]
    rows = (
        row
        for start in range(0, len(keys), _BATCH)
        for row in ProgressItem.batch_get(keys[start : start + _BATCH])
    )
    return {row.import_id: unpack(row.packed) for row in rows}


def csv_line(values: Any) -> bytes:
    """A line of a CSV that no spreadsheet takes for formulas."""
    line = io.StringIO()
    csv.writer(line).writerow([rules.cell(str(value)) for value in values])
    return line.getvalue().encode()


def _check(new: NewImport | NewRows, principal: Principal) -> None:
    wrong: list[Issue] = brand_settings.issues(new.staff)
    if not phones.is_country(new.country):
        wrong.append(issue("country", "country"))
    if not new.consent.strip():
        wrong.append(issue("consent", "required"))
    guides = stores.guides_in_scope(principal)
    named = {*new.staff.staff_ids, *new.staff.weighted}
    if guides is not None and (foreign := sorted(named - guides)):
        field = "staff.weights" if new.staff.weights else "staff.staff_ids"
        wrong.append(issue(field, "guides_outside_scope", staff_ids=foreign))
    if wrong:
        raise Invalid(*wrong)


def _new(
    new: NewImport | NewRows, source: str, status: str, principal: Principal, language: Language
) -> ImportItem:
    now = clock.now()
    return ImportItem(
        f"im_{ids.ulid(now)}",
        listing=_LISTED,
        name=new.name,
        source=source,
        status=status,
        columns={},
        staff=msgspec.to_builtins(new.staff),
        daily_pace=new.daily_pace,
        tags=new.tags,
        consent=new.consent,
        country=new.country,
        by=principal.name,
        maker=msgspec.to_builtins(principal),
        language=language,
        created_at=clock.iso(now),
    )


def _put(item: ImportItem) -> None:
    tx = Transaction()
    tx.put("import", item, ImportItem.import_id.does_not_exist())
    names = ("name", "source", "status", "staff", "daily_pace", "tags", "consent", "country")
    audit.add(
        tx, "prospect_imports.create", item.import_id, None, {name: getattr(item, name) for name in names}
    )
    tx.commit()


def make_of_orders(import_id: str, name: str, chosen: FromOrders, country: str) -> ImportItem:
    """The import of that `import_id`, made if it is not there."""
    item = ImportItem(
        import_id,
        listing=_LISTED,
        name=name,
        source="orders",
        status="finished",
        columns={},
        staff=msgspec.to_builtins(chosen.staff),
        daily_pace=chosen.daily_pace,
        tags=chosen.tags,
        consent=chosen.consent,
        country=country,
        created_at=clock.iso(clock.now()),
    )
    storage.put_once(item, ImportItem.import_id.does_not_exist())
    return load(import_id)


def file_key(item: ImportItem) -> str:
    return f"uploads/prospects/{item.import_id}.{item.source}"
