"""Long work that an API call started: `GET /api/jobs/{job_id}` tells how far it is."""

from datetime import timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.platform import clock, files, ids, settings, storage
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import Base, BaseMeta, Transaction

_KEEP = timedelta(days=30)


class JobItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("jobs")

    job_id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute()
    status = UnicodeAttribute()  # running, finished, failed
    done = NumberAttribute(default=0)
    total = NumberAttribute(default=0)
    result_id = UnicodeAttribute(null=True)
    result_key = UnicodeAttribute(null=True)
    result_name = UnicodeAttribute(null=True)
    error = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


def start(kind: str, total: int, result_id: str | None = None, job_id: str | None = None) -> str:
    """A new running job's id. `result_id`: the id of what it makes, e.g. a settlement.

    job_id: its own, for what is started once: a job that is there already stays as it is.
    """
    job = JobItem(
        job_id or f"job_{ids.short(16)}",
        kind=kind,
        status="running",
        total=total,
        result_id=result_id,
        expires_at=int((clock.now() + _KEEP).timestamp()),
    )
    storage.put_once(job, JobItem.job_id.does_not_exist())
    return str(job.job_id)


def update(job_id: str, **values: Any) -> None:
    """Set `done`, `total`, `status` ("finished", "failed"), `error`; `result_key`, the file in S3 that
    it made, and `result_name`, under which it is downloaded."""
    actions = [getattr(JobItem, name).set(value) for name, value in values.items()]
    JobItem(job_id).update(actions=actions)


def advance(tx: Transaction, job_id: str, done: int) -> None:
    """Have a transaction add to the job's `done`: counted once, with whatever else the transaction holds."""
    tx.update("job", JobItem(job_id), [JobItem.done.add(done)], JobItem.job_id.exists())


def get(job_id: str) -> dict[str, Any]:
    """`{"job_id","kind","status","done","total","result_id","result_url","error"}`; NotFound.

    `result_url` is a link made anew each time, good for an hour.
    """
    job = JobItem.find(job_id)
    if job is None:
        raise NotFound(f"there is no job {job_id}")
    names = ("job_id", "kind", "status", "done", "total", "result_id", "error")
    url = files.download_url(job.result_key, job.result_name) if job.result_key else None
    return {**{name: getattr(job, name) for name in names}, "result_url": url}
