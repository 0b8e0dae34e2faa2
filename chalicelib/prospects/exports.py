"""Prospects as a CSV file; an export that has an erased person in it is deleted."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from chalicelib.platform import audit, clock, files, jobs, queues, storage
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.prospects import imports, prospect_list
from chalicelib.prospects.models import ExportItem
from chalicelib.prospects.types import ExportFilter

_EXPORTS = "exports"
_KEEP_EXPORTS = timedelta(days=30)  # as the files
_EXPORTED = (
    *("prospect_id", "status", "phone", "name", "note", "external_id", "staff_id", "store_id", "import_id"),
    *("code", "created_at", "asked_at", "added_at", "matched_by", "external_userid"),
)


def start_export(wanted: ExportFilter, principal: Principal = SYSTEM) -> jobs.Job:
    """Begin an export of the scope as CSV (numbers masked) → its job. NotFound."""
    if wanted.import_id:
        imports.load(wanted.import_id, principal)
    job_id = jobs.start("prospect_export", 0)
    tx = Transaction()
    audit.add(tx, "prospects.export", job_id, None, {"format": "csv", **msgspec.to_builtins(wanted)})
    tx.commit()
    message = {"kind": "export", "job_id": job_id, **msgspec.to_builtins(wanted)}
    queues.send("prospect", {**message, "principal": msgspec.to_builtins(principal)})
    return jobs.get(job_id)


def write_export(
    job_id: str,
    status: str | None,
    staff_id: str | None,
    import_id: str | None,
    principal: Mapping[str, Any] | None = None,
) -> None:
    """Write the file of an export. A repeat writes it again. Busy when people are erased all the time.

    principal: who asked; the scope is that of the moment at which it is written.
    """
    filters = {"status": status, "staff_id": staff_id, "import_id": import_id}
    wanted = msgspec.convert(filters, ExportFilter)
    key = _export_key(job_id)
    try:
        done = _write_whole(
            job_id, key, wanted, msgspec.convert(principal, Principal) if principal else SYSTEM
        )
    except storage.Busy:
        files.delete(key)
        raise
    jobs.update(job_id, status="finished", done=done, total=done, result_key=key, result_name="prospects.csv")


@storage.retrying("people are being erased")
def _write_whole(job_id: str, key: str, wanted: ExportFilter, principal: Principal) -> int:
    """Anew when somebody was erased meanwhile: they must not stand in it."""
    expires = int((clock.now() + _KEEP_EXPORTS).timestamp())
    ExportItem(_EXPORTS, job_id, expires_at=expires).save()
    done = 0
    with files.Upload(key, "text/csv; charset=utf-8") as out:
        out.write("\ufeff".encode() + imports.csv_line(_EXPORTED))
        for item in prospect_list.read_all(wanted, principal):
            row = prospect_list.show(item, principal)
            out.write(imports.csv_line([getattr(row, name) or "" for name in _EXPORTED]))
            done += 1
    written = ExportItem.find(_EXPORTS, job_id)
    if written is None or written.stale:
        raise ConditionFailed({"export"})
    return done


def _export_key(job_id: str) -> str:
    return f"results/prospect-exports/{job_id}.csv"


def delete_exports() -> None:
    """All of them: somebody who stands in them was erased."""
    for export in ExportItem.query(_EXPORTS, consistent_read=True):
        storage.update_if(export, [ExportItem.stale.set(True)])  # one that is being written begins anew
        files.delete(_export_key(export.part))
        storage.delete_if(export, ExportItem.stale.exists())
