"""An import's file is read by functions/prospect, in as many invocations as it takes.

Each goes on from the progress that the last slice left, works until its time is nearly over and sends itself
the continuation. A workbook, known by its content, is read once, into a CSV of our own, from which it goes on
as any; so is a text in UTF-16. The files, which hold the numbers in clear, are deleted when the import is
finished.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from chalicelib.platform import files, jobs, messages, storage
from chalicelib.platform.errors import NotFound
from chalicelib.prospects import import_rows, imports, table_columns
from chalicelib.prospects.import_rows import Incoming, Intake
from chalicelib.prospects.imports import TYPES, file_key
from chalicelib.prospects.models import ImportItem, ProgressItem
from chalicelib.tables import csv_rows, encodings, reading
from chalicelib.tables.types import BadTable, Record

_ENOUGH_MS = 30_000  # of time left, to begin another slice
_UPDATE_EVERY = 20  # slices


def read_on(import_id: str, milliseconds_left: Callable[[], int]) -> None:
    """Read on. Twice at the same time is harmless: one of the two stops at its first slice."""
    item = ImportItem.find(import_id)
    if item is not None and item.status in ("finished", "failed"):
        _close(item)  # whoever ended it may have died before that
    if item is None or item.status != "running":
        return
    try:
        intake = Intake(item)
        if "where" not in intake.state:
            _note(intake, milliseconds_left)
            intake.look()
        whole = _read(intake, milliseconds_left)
        if whole:
            _write_report(item)
            _refuse_nothing(intake)
    except (BadTable, NotFound) as error:
        _fail(item, error if isinstance(error, BadTable) else BadTable("file_gone"))
        return
    if whole:
        imports.finish(item)
        _close(imports.load(import_id))


def _read(intake: Intake, milliseconds_left: Callable[[], int]) -> bool:
    """Whether all is read; else somebody else goes on."""
    state, read = intake.state, partial(files.part, _rows(intake))
    place = state["end"], state["following"]
    records = csv_rows.records(read, *place, state["encoding"], state["delimiter"])
    for number, part in enumerate(import_rows.sliced(records)):
        rows = _incoming(part, state["where"])
        if not intake.take(rows, end=part[-1].end, following=part[-1].following):
            return False
        if number % _UPDATE_EVERY == 0:
            done = intake.state["rows"]
            jobs.update(intake.job.job_id, done=done, total=max(done, intake.state["total"]))
        if milliseconds_left() < _ENOUGH_MS:
            imports.order_reading(intake.job, intake.state["end"])
            return False
    return True


def _incoming(part: Sequence[Record], where: dict[str, int]) -> list[Incoming]:
    rows = [Incoming(r.line, {} if r.fault else table_columns.fields(r.values, where), r.fault) for r in part]
    if rounded := table_columns.rounded_ids(row.fields for row in rows):
        for at, row in enumerate(rows):
            for name, ids in rounded.items():
                if row.fields.get(name) in ids:
                    rows[at] = Incoming(row.line, row.fields, "cell_rounded", name)
    return rows


def _note(intake: Intake, milliseconds_left: Callable[[], int]) -> None:
    """What kind of file it is, looked at once and kept with the progress."""
    read = partial(files.part, file_key(intake.job))
    if reading.is_workbook(read(0, 8)):
        _note_xlsx(intake, milliseconds_left)
        return
    encoding, lines = encodings.examine(read)
    if is_utf16 := encoding.startswith("utf-16"):
        with files.Upload(_converted(intake.job), TYPES["csv"]) as out:
            for part in encodings.transcoded(read, encoding):
                out.write(part)
        _stop_if_ended(intake.job)
        read = partial(files.part, _converted(intake.job))
        encoding = "utf-8"
    how = csv_rows.layout(read, encoding, lines)
    kept = {"where": _where(intake, how.header), "encoding": how.encoding, "delimiter": how.delimiter}
    place = {"end": how.header.end, "following": how.header.following}
    intake.note(**kept, **place, total=how.total, converted=is_utf16)


def _note_xlsx(intake: Intake, milliseconds_left: Callable[[], int]) -> None:
    """Read the workbook once: what is imported of its rows as CSV, row n in line n, behind its number."""
    from chalicelib.tables import xlsx_rows

    size, most = files.size(file_key(intake.job)) or 0, imports.MAX_BYTES["xlsx"]
    if size > most:
        raise BadTable("file_too_large", megabytes=most >> 20)
    total = 0
    with tempfile.TemporaryFile() as packed, files.Upload(_converted(intake.job), TYPES["csv"]) as out:
        files.download(file_key(intake.job), packed)
        records = xlsx_rows.Book(packed).records()
        header = next(records, None)
        where, line = _where(intake, header), 0
        for record in records:
            if milliseconds_left() < _ENOUGH_MS:
                raise BadTable("table_too_slow")
            row = table_columns.fields(record.values, where)
            out.write(b"\n" * (record.line - line - 1) + _line([record.line, *map(row.get, where)]))
            line, total = record.line, total + 1
    _stop_if_ended(intake.job)
    places = {name: place for place, name in enumerate(where, 1)}
    kept = {"where": places, "encoding": "utf-8", "delimiter": ",", "total": total, "converted": True}
    intake.note(**kept, end=0, following=1)


def _stop_if_ended(job: ImportItem) -> None:
    """The same message twice: the other may be through, and has deleted the files."""
    if imports.load(job.import_id).status != "running":
        _delete_files(job)


def _where(intake: Intake, header: Record | None) -> dict[str, int]:
    if header is None or header.fault:
        raise BadTable("table_no_header")
    return table_columns.positions(header.values, intake.job.columns)


def _write_report(item: ImportItem) -> None:
    """A repeat writes the same."""
    with files.Upload(_report(item), "text/csv; charset=utf-8") as out:
        out.write("\ufeffline,field,message,phone\r\n".encode())
        for line, field, _, message, masked in import_rows.reports(item):
            out.write(imports.csv_line([line, field, message, masked]))


def _refuse_nothing(intake: Intake) -> None:
    """An import that has found nobody has failed. BadTable."""
    rows = int(intake.state["rows"])
    if not rows:
        raise BadTable("table_no_rows")
    if rows == int(intake.state["bad"]):
        raise BadTable("table_all_bad", rows=rows)


def _fail(item: ImportItem, why: BadTable) -> None:
    text = messages.text(why.code, item.report_language, why.params)
    failed = [ImportItem.status.set("failed"), ImportItem.error.set(text)]
    storage.update_if(item, failed, ImportItem.status == "running")
    _close(imports.load(item.import_id))


def _close(item: ImportItem) -> None:
    """What follows the end of an import that had a file: its job, and the numbers in clear go."""
    progress = ProgressItem.find(item.import_id, "progress")
    rows = int(progress.state["rows"]) if progress else 0
    ended: dict[str, Any] = {"status": item.status, "done": rows, "total": rows}
    if item.status == "failed":
        ended["error"] = item.error
    if rows:
        ended |= {"result_key": _report(item), "result_name": f"{item.name}-report.csv"}
    jobs.update(item.job_id, **ended)
    _delete_files(item)


def _line(values: Iterable[Any]) -> bytes:
    """A record in one line, whatever line breaks its cells have."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return " ".join(line.getvalue().splitlines()).encode() + b"\n"


def _report(item: ImportItem) -> str:
    return f"results/prospect-imports/{item.import_id}.csv"


def _rows(intake: Intake) -> str:
    """The CSV that is read: the upload itself, or what was read of it."""
    # An import that an older version began has no such word.
    is_converted = intake.state.get("converted", intake.job.source == "xlsx")
    return _converted(intake.job) if is_converted else file_key(intake.job)


def _converted(item: ImportItem) -> str:
    return f"{file_key(item)}.csv"


def _delete_files(item: ImportItem) -> None:
    files.delete(file_key(item))
    files.delete(_converted(item))
