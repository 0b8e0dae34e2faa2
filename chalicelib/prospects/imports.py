"""Imports: made, uploaded, started; read by functions/prospect in as many invocations as it takes.

Each invocation goes on from the progress that the last slice left, works until its time is nearly
over and sends itself the continuation. A workbook is read once, into a CSV of our own, from which it
goes on as any. The files, which hold the numbers in clear, are deleted when the import is finished.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from chalicelib.platform import clock, files, ids, jobs, queues, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.prospects import brand_settings, csv_rows, import_rows, phones, rules, table_columns
from chalicelib.prospects.import_rows import Incoming, Intake
from chalicelib.prospects.models import FigureItem, ImportItem, ProgressItem, unpack
from chalicelib.prospects.table_columns import BadTable, Record

TYPES = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
MAX_BYTES = {"csv": 512 * 1024**2, "xlsx": 128 * 1024**2}  # an XLSX lies on Lambda's disk of 512 MB
_LISTED = "import"
_ENOUGH_MS = 30_000  # of time left, to begin another slice
_TELL_EVERY = 20  # slices


def create(new: dict[str, Any], by: str | None) -> dict[str, Any]:
    """A new import, and where its file is to be put. Invalid."""
    _check(new)
    item = _new(new, new["format"], "uploading", by)
    item.save()
    kind = TYPES[new["format"]]
    url = files.upload_url(_file(item), kind)
    return {"import_id": item.import_id, "upload_url": url, "upload_headers": {"Content-Type": kind}}


def start(import_id: str) -> jobs.Job:
    """Begin to read the uploaded file → its job. Repeats give the same job. NotFound, Conflict, Invalid."""
    item = find(import_id)
    if item.source not in TYPES:
        raise Conflict("this import has no file")
    if item.status == "uploading":
        size = files.size(_file(item))
        if not size:
            raise Conflict("the file is not there yet: PUT it to the upload_url first")
        if size > MAX_BYTES[item.source]:
            raise Invalid(("file", f"is over {MAX_BYTES[item.source] >> 20} MB: import it in parts"))
        job_id = f"job_{ids.derived('prospect-import', import_id, length=20)}"
        brand_settings.begin()
        jobs.start("prospect_import", 0, import_id, job_id)
        actions = [ImportItem.status.set("running"), ImportItem.job_id.set(job_id)]
        if storage.update_if(item, actions, ImportItem.status == "uploading"):
            _go_on(item, 0)
        else:
            item = find(import_id)
    elif item.status == "running":  # a start that was cut off before it was sent
        _go_on(item, 0)
    return jobs.get(str(item.job_id))


def take(new: dict[str, Any], by: str | None) -> dict[str, Any]:
    """Import rows at once. Right ones are taken, the others told by their number. Invalid."""
    _check(new)
    brand_settings.begin()
    item = _new({**new, "columns": {}}, "rows", "running", by)
    item.save()
    intake = Intake(item)
    rows = [Incoming(number + 1, dict(row)) for number, row in enumerate(new["rows"])]
    for part in import_rows.sliced(rows):
        intake.take(part)
    _finished(item)
    errors = [
        {"row": line - 1, "field": f"rows[{line - 1}].{name}", "message": message}
        for line, name, message, _ in import_rows.reports(item.import_id)
    ]
    counts = {name: intake.state[name] for name in ("rows", "new", "duplicates", "do_not_contact", "bad")}
    return {"import_id": item.import_id, **counts, "errors": errors}


def run(import_id: str, milliseconds_left: Callable[[], int]) -> None:
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
        _failed(item, str(error) if isinstance(error, BadTable) else "the file is gone")
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
        if number % _TELL_EVERY == 0:
            done = intake.state["rows"]
            jobs.update(intake.job.job_id, done=done, total=max(done, intake.state["total"]))
        if milliseconds_left() < _ENOUGH_MS:
            _go_on(intake.job, intake.state["end"])
            return False
    return True


def _go_on(item: ImportItem, end: int) -> None:
    """Have the file read on. end: how far it was read, which makes the message another one."""
    of = {"import_id": item.import_id, "job_id": item.job_id}
    queues.send("prospect", {**of, "kind": "import", "part": end, "what": "what is left of the file"})


def _note_csv(intake: Intake) -> None:
    """What kind of CSV it is, found once and kept with the progress."""
    read = partial(files.part, _file(intake.job))
    encoding, lines = csv_rows.examined(read)
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
        files.download(_file(intake.job), packed)
        records = xlsx_rows.Book(packed).records()
        header = next(records, None)
        where, line = _where(intake, header), 0
        for record in records:
            if milliseconds_left() < _ENOUGH_MS:
                raise BadTable("takes too long to read: save it as CSV")
            row = table_columns.fields(record.values, where)
            out.write(b"\n" * (record.line - line - 1) + _line([record.line, *map(row.get, where)]))
            line, total = record.line, total + 1
    if find(intake.job.import_id).status != "running":  # the same message twice, and the other one is through
        _forget(intake.job)
    places = {name: place for place, name in enumerate(where, 1)}
    intake.note(where=places, encoding="utf-8", delimiter=",", total=total, end=0, following=1)


def _where(intake: Intake, header: Record | None) -> dict[str, int]:
    if header is None or header.fault:
        raise BadTable("has no first line with the names of its columns")
    return table_columns.positions(header.values, intake.job.columns)


def _finish(item: ImportItem) -> None:
    """The report, then the end; a repeat writes the same."""
    with files.Upload(_report(item), "text/csv; charset=utf-8") as out:
        out.write("\ufeffline,field,message,phone\r\n".encode())
        for row in import_rows.reports(item.import_id):
            out.write(csv_line(row))
    _finished(item)
    _close(find(item.import_id))


def _finished(item: ImportItem) -> None:
    actions = [ImportItem.status.set("finished"), ImportItem.finished_at.set(clock.iso(clock.now()))]
    storage.update_if(item, actions, ImportItem.status == "running")


def _failed(item: ImportItem, why: str) -> None:
    actions = [ImportItem.status.set("failed"), ImportItem.error.set(why)]
    storage.update_if(item, actions, ImportItem.status == "running")
    _close(find(item.import_id))


def _close(item: ImportItem) -> None:
    """What follows the end of an import that had a file: its job, and the numbers in clear go."""
    if item.status == "failed":
        jobs.update(item.job_id, status="failed", error=f"the file {item.error}")
    else:
        rows = int(ProgressItem.get(item.import_id, "progress").state["rows"])
        told = {"result_key": _report(item), "result_name": f"{item.name}-report.csv"}
        jobs.update(item.job_id, status="finished", done=rows, total=rows, **told)
    _forget(item)


def csv_line(values: Any) -> bytes:
    """A line of a CSV that no spreadsheet takes for formulas."""
    line = io.StringIO()
    csv.writer(line).writerow([rules.cell(str(value)) for value in values])
    return line.getvalue().encode()


def _line(values: Iterable[Any]) -> bytes:
    """A record in one line, whatever line breaks its cells have."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return " ".join(line.getvalue().splitlines()).encode() + b"\n"


def find(import_id: str) -> ImportItem:
    item = ImportItem.find(import_id)
    if item is None:
        raise NotFound("there is no such import")
    return item  # type: ignore[no-any-return]


def page(limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Imports, the newest first, without their figures."""
    query = partial(ImportItem.by_import.query, _LISTED, limit=limit, scan_index_forward=False)
    rows, following = storage.page(query, cursor)
    names = ("import_id", "name", "source", "status", "job_id", "error", "created_at", "finished_at")
    return [{name: getattr(row, name) for name in names} for row in rows], following


def report(import_id: str) -> dict[str, Any]:
    """An import with its figures: how many are in which status, by guide and by day. NotFound."""
    item = find(import_id)
    found = ProgressItem.find(import_id, "progress")
    state = found.state if found else {}
    by_staff = {
        staff_id: {**dict.fromkeys(rules.STATUSES, 0), rules.TO_ADD: count}
        for staff_id, count in ({} if found is None else unpack(found.packed)).items()
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
    statuses = {s: sum(row[s] for row in by_staff.values()) for s in rules.STATUSES}
    everybody, added = sum(statuses.values()), statuses[rules.ADDED]
    counts = ("rows", "new", "duplicates", "do_not_contact", "bad")
    return {
        **{name: getattr(item, name) for name in _SHOWN},
        "daily_pace": int(item.daily_pace),
        **{name: int(state.get(name, 0)) for name in counts},
        "statuses": statuses,
        "by_staff": [{"staff_id": s, **row} for s, row in sorted(by_staff.items()) if any(row.values())],
        "by_day": [{"day": day, **row} for day, row in sorted(by_day.items())],
        "add_rate_bps": added * 10_000 // everybody if everybody else 0,
        "mean_seconds_to_add": seconds // added if added else None,
    }


_SHOWN = (
    *("import_id", "name", "source", "status", "job_id", "error", "consent", "tags", "staff"),
    *("created_at", "finished_at"),
)


def _check(new: dict[str, Any]) -> None:
    wrong = brand_settings.mistakes(new["staff"])
    if not phones.is_country(new["country"]):
        wrong.append(("country", "is no country's ISO 3166 code"))
    if not new["consent"].strip():
        wrong.append(("consent", "say how these people agreed to be contacted"))
    if wrong:
        raise Invalid(*wrong)


def _new(new: dict[str, Any], source: str, status: str, by: str | None) -> ImportItem:
    now = clock.now()
    return ImportItem(
        new.get("import_id") or f"im_{ids.ulid(now)}",
        listing=_LISTED,
        name=new["name"],
        source=source,
        status=status,
        columns=new["columns"],
        staff=new["staff"],
        daily_pace=new["daily_pace"],
        tags=new["tags"],
        consent=new["consent"],
        country=new["country"],
        by=by,
        created_at=clock.iso(now),
    )


def made_once(new: dict[str, Any], source: str) -> ImportItem:
    """The import of that `import_id`, made if it is not there."""
    item = _new(new, source, "finished", None)
    storage.put_once(item, ImportItem.import_id.does_not_exist())
    return find(new["import_id"])


def _file(item: ImportItem) -> str:
    return f"uploads/prospects/{item.import_id}.{item.source}"


def _report(item: ImportItem) -> str:
    return f"results/prospect-imports/{item.import_id}.csv"


def _rows(item: ImportItem) -> str:
    """The CSV that is read: the upload itself, or what was read of it."""
    return _file(item) if item.source == "csv" else f"{_file(item)}.csv"


def _forget(item: ImportItem) -> None:
    files.delete(_file(item))
    files.delete(_rows(item))
