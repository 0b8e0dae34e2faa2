"""Long work that an API call started: `GET /api/jobs/{job_id}` tells how far it is.

A queue message that is part of a job has its `job_id`, and `what` it makes, in an operator's words.
When it has failed at every attempt, the job keeps it (`lost`) and is failed; `resume` sends it again.
The attempt that ends it does no work (consumers.py), so a piece that is killed each time ends as well. Where
not even that could run (a function that dies as it starts), a job of which nothing was heard for `SILENCE`
is failed as well; `resume` then sends its first message again.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from msgspec import Struct
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from chalicelib.platform import clock, files, ids, queues, settings, storage
from chalicelib.platform.auth import Principal
from chalicelib.platform.errors import Conflict, DomainError, Forbidden, NotFound
from chalicelib.platform.storage import Base, BaseMeta, Transaction

_KEEP = timedelta(days=30)
SILENCE = timedelta(hours=6)  # over twice what the attempts at a message may take
_NAMED = 5  # lost pieces that an error names


class Job(Struct, kw_only=True):
    """`result_url`: a link good for an hour, made anew each time."""

    job_id: str
    kind: str
    status: Literal["queued", "running", "finished", "failed"]
    done: int
    total: int
    result_id: str | None
    result_url: str | None
    error: str | None


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
    first = UnicodeAttribute(null=True)  # the message that set it going, as one of `lost`
    told_at = UnicodeAttribute(null=True)
    permission = UnicodeAttribute(default="jobs.write")
    expires_at = NumberAttribute()


def start(
    kind: str,
    total: int,
    result_id: str | None = None,
    job_id: str | None = None,
    first: tuple[str, Mapping[str, Any]] | None = None,
    permission: str = "jobs.write",
) -> str:
    """A new running job's id. `result_id`: the id of what it makes, e.g. a settlement.

    job_id: its own, for what is started once: a job that is there already stays as it is.
    first: queue and message that set it going, sent with its `job_id`. Upstream.
    permission: which one it takes to resume it.
    """
    job = JobItem(
        job_id or f"job_{ids.short(16)}",
        kind=kind,
        status="running",
        total=total,
        result_id=result_id,
        permission=permission,
        told_at=clock.iso(clock.now()),
        expires_at=int((clock.now() + _KEEP).timestamp()),
    )
    message = {**first[1], "job_id": job.job_id} if first else {}
    job.first = _kept(first[0], None, message) if first else None
    storage.put_once(job, JobItem.job_id.does_not_exist())
    if first:
        queues.send(first[0], message)
    return str(job.job_id)


def update(job_id: str, **values: Any) -> None:
    """Set `done`, `total`, `status` ("finished", "failed"), `error`; `result_key`, the file in S3 that
    it made, and `result_name`, under which it is downloaded."""
    actions = [getattr(JobItem, name).set(value) for name, value in values.items()]
    JobItem(job_id).update(actions=[*actions, _told_now()])


def reached(job_id: str, done: int) -> None:
    """Set `done`, unless it is further: who tells of a part may be late."""
    storage.update_if(JobItem(job_id), [JobItem.done.set(done), _told_now()], JobItem.done < done)


def advance(tx: Transaction, job_id: str, done: int) -> None:
    """Have a transaction add to the job's `done`: counted once, with whatever else the transaction holds."""
    tx.update("job", JobItem(job_id), [JobItem.done.add(done), _told_now()], JobItem.job_id.exists())


def hindered(message: Mapping[str, Any], error: Exception) -> None:
    """Note what stopped a piece, should it be given up: in our own words, since others may quote input."""
    why = str(error) if isinstance(error, DomainError) else type(error).__name__
    told = [JobItem.hindrance.set(f"{_what(message)}: {why}")]
    storage.update_if(JobItem(message["job_id"]), told, JobItem.job_id.exists())


def give_up(queue: str, group: str | None, message: Mapping[str, Any]) -> None:
    """Keep a message that is not tried again: its job is failed until it is resumed. Twice is once."""
    lost = JobItem.lost.add({_kept(queue, group, message)})
    storage.update_if(JobItem(message["job_id"]), [lost], JobItem.job_id.exists())


def take_up(queue: str, group: str | None, message: Mapping[str, Any]) -> None:
    """A message that was given up has been sent again, from the dead letters: it is not lost any more."""
    found = [JobItem.lost.delete({_kept(queue, group, message)}), _told_now()]
    storage.update_if(JobItem(message["job_id"]), found, JobItem.job_id.exists())


def resume(job_id: str, principal: Principal) -> dict[str, Any]:
    """Try what was given up again: the job, running. NotFound, Forbidden, Conflict, Upstream.

    What is done already answers at once, so a call that was cut in half, or came twice, sends it twice.
    """
    job = _find(job_id)
    if not principal.may(job.permission):
        raise Forbidden(f"to resume this job takes the permission {job.permission}")
    lost = set(job.lost or ())
    again = lost or {job.first} - {None}
    if _status(job) != "failed" or job.status == "failed" or not again:
        raise Conflict(f"the job is {_status(job)}, and nothing of it can be resumed")
    for one in map(json.loads, sorted(again)):
        queues.send(one["queue"], one["message"], group=one["group"])
    found = [JobItem.lost.delete(lost)] if lost else []
    job.update([*found, JobItem.hindrance.remove(), _told_now()])
    return get(job_id)


def get(job_id: str) -> dict[str, Any]:
    """`{"job_id","kind","status","done","total","result_id","result_url","error"}`; NotFound.

    `result_url` is a link made anew each time, good for an hour.
    """
    job = _find(job_id)
    told = {name: getattr(job, name) for name in ("job_id", "kind", "done", "total", "result_id")}
    status, error = _status(job), job.error
    if status != job.status:
        error = _given_up(job) if job.lost else f"nothing was heard of it since {job.told_at}{_hint(job)}"
    url = files.download_url(job.result_key, job.result_name) if job.result_key else None
    return {**told, "status": status, "error": error, "result_url": url}


def _find(job_id: str) -> JobItem:
    job: JobItem | None = JobItem.find(job_id)
    if job is None:
        raise NotFound(f"there is no job {job_id}")
    return job


def _status(job: JobItem) -> str:
    """As stored; failed when what runs is not worked on any more."""
    if job.status != "running":
        return str(job.status)
    silent = job.told_at is not None and clock.now() - clock.parse(job.told_at) > SILENCE
    return "failed" if job.lost or silent else "running"


def _given_up(job: JobItem) -> str:
    lost = sorted(_what(json.loads(one)["message"]) for one in job.lost or ())
    named = "; ".join(lost[:_NAMED]) + (f"; and {len(lost) - _NAMED} more" if len(lost) > _NAMED else "")
    why = f"the last error: {job.hindrance}" if job.hindrance else "killed each time: out of memory or time"
    return f"given up after several attempts: {named} ({why}){_hint(job)}"


def _hint(job: JobItem) -> str:
    if not (job.lost or job.first):
        return ". Start it anew"
    return f". POST /api/jobs/{job.job_id}/resume tries again"


def _told_now() -> Any:
    return JobItem.told_at.set(clock.iso(clock.now()))


def _kept(queue: str, group: str | None, message: Mapping[str, Any]) -> str:
    return json.dumps(
        {"queue": queue, "group": group, "message": message}, ensure_ascii=False, sort_keys=True
    )


def _what(message: Mapping[str, Any]) -> str:
    return str(message.get("what") or message["kind"])
