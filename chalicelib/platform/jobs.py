"""Long work that an API call started: `GET /api/jobs/{job_id}` tells how far it is.

A queue message that is part of a job has its `job_id`, and `what` it makes, in an operator's words.
When it has failed at every attempt, the job keeps it (`lost`) and is failed; `resume` sends it again.
The attempt that ends it does no work (consumers.py), so a piece that is killed each time ends as well.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from chalicelib.platform import clock, files, ids, queues, settings, storage
from chalicelib.platform.errors import Conflict, DomainError, NotFound
from chalicelib.platform.storage import Base, BaseMeta, Transaction

_KEEP = timedelta(days=30)
_NAMED = 5  # lost pieces that an error names


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
    lost = UnicodeSetAttribute(null=True)  # messages given up, each {"queue","group","message"} as JSON
    hindrance = UnicodeAttribute(null=True)  # what stopped a piece last
    expires_at = NumberAttribute()


def start(kind: str, total: int, result_id: str | None = None, job_id: str | None = None) -> str:
    """A new running job's id. `result_id`: the id of what it makes, e.g. a settlement."""
    job = JobItem(
        job_id or f"job_{ids.short(16)}",
        kind=kind,
        status="running",
        total=total,
        result_id=result_id,
        expires_at=int((clock.now() + _KEEP).timestamp()),
    )
    job.save()
    return str(job.job_id)


def update(job_id: str, **values: Any) -> None:
    """Set `done`, `total`, `status` ("finished", "failed"), `error`; `result_key`, the file in S3 that
    it made, and `result_name`, under which it is downloaded."""
    actions = [getattr(JobItem, name).set(value) for name, value in values.items()]
    JobItem(job_id).update(actions=actions)


def advance(tx: Transaction, job_id: str, done: int) -> None:
    """Have a transaction add to the job's `done`: counted once, with whatever else the transaction holds."""
    tx.update("job", JobItem(job_id), [JobItem.done.add(done)], JobItem.job_id.exists())


def hindered(message: Mapping[str, Any], error: Exception) -> None:
    """Note what stopped a piece, should it be given up: in our own words, since others may quote input."""
    why = str(error) if isinstance(error, DomainError) else type(error).__name__
    told = [JobItem.hindrance.set(f"{_what(message)}: {why}")]
    storage.update_if(JobItem(message["job_id"]), told, JobItem.job_id.exists())


def give_up(queue: str, group: str | None, message: Mapping[str, Any]) -> None:
    """Keep a message that is not tried again: its job is failed until it is resumed. Twice is once."""
    kept = json.dumps(
        {"queue": queue, "group": group, "message": message}, ensure_ascii=False, sort_keys=True
    )
    storage.update_if(JobItem(message["job_id"]), [JobItem.lost.add({kept})], JobItem.job_id.exists())


def resume(job_id: str) -> dict[str, Any]:
    """Try what was given up again: the job, running. NotFound, Conflict, Upstream.

    What is done already answers at once, so a call that was cut in half, or came twice, sends it twice.
    """
    job = _find(job_id)
    lost = set(job.lost or ())
    if _status(job) != "failed" or not lost:
        raise Conflict(f"the job is {_status(job)}, and nothing of it can be resumed")
    for one in map(json.loads, sorted(lost)):
        queues.send(one["queue"], one["message"], group=one["group"])
    job.update([JobItem.lost.delete(lost), JobItem.hindrance.remove()])
    return get(job_id)


def get(job_id: str) -> dict[str, Any]:
    """`{"job_id","kind","status","done","total","result_id","result_url","error"}`; NotFound.

    `result_url` is a link made anew each time, good for an hour.
    """
    job = _find(job_id)
    told = {name: getattr(job, name) for name in ("job_id", "kind", "done", "total", "result_id")}
    status, error = _status(job), job.error
    if job.lost and status == "failed":
        error = _given_up(job)
    url = files.download_url(job.result_key, job.result_name) if job.result_key else None
    return {**told, "status": status, "error": error, "result_url": url}


def _find(job_id: str) -> JobItem:
    job: JobItem | None = JobItem.find(job_id)
    if job is None:
        raise NotFound(f"there is no job {job_id}")
    return job


def _status(job: JobItem) -> str:
    return "failed" if job.lost and job.status == "running" else str(job.status)


def _given_up(job: JobItem) -> str:
    lost = sorted(_what(json.loads(one)["message"]) for one in job.lost or ())
    named = "; ".join(lost[:_NAMED]) + (f"; and {len(lost) - _NAMED} more" if len(lost) > _NAMED else "")
    why = f"the last error: {job.hindrance}" if job.hindrance else "killed each time: out of memory or time"
    return f"given up after several attempts: {named} ({why}). POST /api/jobs/{job.job_id}/resume tries again"


def _what(message: Mapping[str, Any]) -> str:
    return str(message.get("what") or message["kind"])
