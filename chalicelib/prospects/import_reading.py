"""An import's file is read by functions/prospect, in as many invocations as it takes.

Each goes on from the progress that the last slice left, works until its time is nearly over and sends itself
the continuation. A workbook is read once, into a CSV of our own, from which it goes on as any. The files,
which hold the numbers in clear, are deleted when the import is finished.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from chalicelib.platform import files, jobs, messages, storage
from chalicelib.platform.errors import NotFound
from chalicelib.prospects import csv_rows, import_rows, imports, table_columns
from chalicelib.prospects.import_rows import Incoming, Intake
from chalicelib.prospects.imports import TYPES, file_key
from chalicelib.prospects.models import ImportItem, ProgressItem
from chalicelib.prospects.table_columns import BadTable, Record

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
            _note_csv(intake) if item.source == "csv" else _note_xlsx(intake, milliseconds_left)
            intake.look()
        whole = _read(intake, milliseconds_left)
    except (BadTable, NotFound) as error:
        _fail(item, error if isinstance(error, BadTable) else BadTable("file_gone"))
        return
    if whole:
        _finish(item)


def _read(intake: Intake, milliseconds_left: Callable[[], int]) -> bool:
    """Whether all is read; else somebody else goes on."""
    state, read = intake.state, partial(files.part, _rows(intake.job))
    where, place = state["where"], (state["end"], state["following"])
    records = csv_rows.records(read, *place, state["encoding"], state["delimiter"])
    for number, part in enumerate(import_rows.sliced(records)):
        rows = [
            Incoming(r.line, {} if r.fault else table_columns.fields(r.values, where), r.fault) for r in part
        ]
        if not intake.take(rows, end=part[-1].end, following=part[-1].following):
            return False
        if number % _UPDATE_EVERY == 0:
            done = intake.state["rows"]
            jobs.update(intake.job.job_id, done=done, total=max(done, intake.state["total"]))
        if milliseconds_left() < _ENOUGH_MS:
            imports.order_reading(intake.job, intake.state["end"])
            return False
    return True


def _note_csv(intake: Intake) -> None:
    """What kind of CSV it is, looked at once and kept with the progress."""
    read = partial(files.part, file_key(intake.job))
    encoding, lines = csv_rows.examine(read)
    first = read(0, csv_rows.MAX_RECORD).split(b"\n", 1)[0]
    mark = csv_rows.delimiter_of(first)
    header = next(csv_rows.records(read, 0, 1, encoding, mark), None)
    where = _where(intake, header)
    assert header is not None
    kept = {"where": where, "encoding": encoding, "delimiter": mark, "total": max(0, lines - 1)}
    intake.note(**kept, end=header.end, following=header.following)


def _note_xlsx(intake: Intake, milliseconds_left: Callable[[], int]) -> None:
    """Read the workbook once: what is imported of its rows as CSV, row n in line n, behind its number."""
    from chalicelib.prospects import xlsx_rows

    total = 0
    with tempfile.TemporaryFile() as packed, files.Upload(_rows(intake.job), TYPES["csv"]) as out:
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
    # The same message twice: the other may be through, and has deleted the files.
    if imports.load(intake.job.import_id).status != "running":
        _delete_files(intake.job)
    places = {name: place for place, name in enumerate(where, 1)}
    intake.note(where=places, encoding="utf-8", delimiter=",", total=total, end=0, following=1)


def _where(intake: Intake, header: Record | None) -> dict[str, int]:
    if header is None or header.fault:
        raise BadTable("table_no_header")
    return table_columns.positions(header.values, intake.job.columns)


def _finish(item: ImportItem) -> None:
    """The report, then the end; a repeat writes the same."""
    with files.Upload(_report(item), "text/csv; charset=utf-8") as out:
        out.write("\ufeffline,field,message,phone\r\n".encode())
        for line, field, _, message, masked in import_rows.reports(item):
            out.write(imports.csv_line([line, field, message, masked]))
    imports.finish(item)
    _close(imports.load(item.import_id))


def _fail(item: ImportItem, why: BadTable) -> None:
    text = messages.text(why.code, item.report_language, why.params)
    failed = [ImportItem.status.set("failed"), ImportItem.error.set(text)]
    storage.update_if(item, failed, ImportItem.status == "running")
    _close(imports.load(item.import_id))


def _close(item: ImportItem) -> None:
    """What follows the end of an import that had a file: its job, and the numbers in clear go."""
    if item.status == "failed":
        jobs.update(item.job_id, status="failed", error=item.error)
    else:
        rows = int(ProgressItem.get(item.import_id, "progress").state["rows"])
        report = {"result_key": _report(item), "result_name": f"{item.name}-report.csv"}
        jobs.update(item.job_id, status="finished", done=rows, total=rows, **report)
    _delete_files(item)


def _line(values: Iterable[Any]) -> bytes:
    """A record in one line, whatever line breaks its cells have."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return " ".join(line.getvalue().splitlines()).encode() + b"\n"


def _report(item: ImportItem) -> str:
    return f"results/prospect-imports/{item.import_id}.csv"


def _rows(item: ImportItem) -> str:
    """The CSV that is read: the upload itself, or what was read of it."""
    return file_key(item) if item.source == "csv" else f"{file_key(item)}.csv"


def _delete_files(item: ImportItem) -> None:
    files.delete(file_key(item))
    files.delete(_rows(item))
