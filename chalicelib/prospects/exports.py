"""Prospects as a CSV file; an export that has an erased person in it is deleted."""

from datetime import timedelta

from chalicelib.platform import clock, files, jobs, queues, storage
from chalicelib.platform.storage import Busy
from chalicelib.prospects import imports, prospect_list
from chalicelib.prospects.models import ExportItem

_TRIES = 6
_EXPORTS = "exports"
_KEEP_EXPORTS = timedelta(days=30)  # as the files
_EXPORTED = (
    *("prospect_id", "status", "phone", "name", "note", "external_id", "staff_id", "store_id", "import_id"),
    *("code", "created_at", "asked_at", "added_at", "matched_by", "external_userid"),
)


def start_export(wanted: dict[str, str | None]) -> jobs.Job:
    """Begin an export as CSV (numbers masked) → its job. NotFound."""
    if wanted["import_id"]:
        imports.find(wanted["import_id"])
    job_id = jobs.start("prospect_export", 0)
    queues.send("prospect", {"kind": "export", "job_id": job_id, **wanted})
    return jobs.get(job_id)


def write_export(job_id: str, wanted: dict[str, str | None]) -> None:
    """Write the file of an export. A repeat writes it again. Busy when people are erased all the time."""
    named = {"result_key": _export_key(job_id), "result_name": "prospects.csv"}
    for _ in range(_TRIES):
        expires = int((clock.now() + _KEEP_EXPORTS).timestamp())
        ExportItem(_EXPORTS, job_id, expires_at=expires).save()
        done = _write(named["result_key"], wanted)
        begun = ExportItem.find(_EXPORTS, job_id)
        if begun is not None and not begun.stale:
            jobs.update(job_id, status="finished", done=done, total=done, **named)
            return
    files.delete(named["result_key"])
    raise Busy("people are being erased")


def _write(key: str, wanted: dict[str, str | None]) -> int:
    done = 0
    with files.Upload(key, "text/csv; charset=utf-8") as out:
        out.write("\ufeff".encode() + imports.csv_line(_EXPORTED))
        for item in prospect_list.read_all(wanted):
            row = prospect_list.show(item)
            out.write(imports.csv_line([row[name] or "" for name in _EXPORTED]))
            done += 1
    return done


def _export_key(job_id: str) -> str:
    return f"results/prospect-exports/{job_id}.csv"


def delete_exports() -> None:
    """All of them: somebody who stands in them was erased."""
    for export in ExportItem.query(_EXPORTS, consistent_read=True):
        storage.update_if(export, [ExportItem.stale.set(True)])  # one that is being written begins anew
        files.delete(_export_key(export.part))
        storage.delete_if(export, ExportItem.stale.exists())
