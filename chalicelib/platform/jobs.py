"""Long work that an API call started: `GET /api/jobs/{job_id}` says how far it is.

A queue message that is part of a job has its `job_id`, and `what` it makes, in an operator's words.
When it has failed at every attempt, the job keeps it (`lost`) and is failed; `resume` sends it again.
The attempt that ends it does no work (consumers.py), so a piece that is killed each time ends as well. Where
not even that could run (a function that dies as it starts), a job that has reported nothing for `SILENCE`
is failed as well; `resume` then sends its first message again.

A job belongs to whoever started it: a principal that is kept to a scope sees its own jobs, and no others. A
private one, whose file holds what not everybody may read, is seen by nobody else.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, cast

from msgspec import Meta, Struct
from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import audit, clock, files, ids, lists, queues, settings, storage
from chalicelib.platform.errors import Conflict, DomainError, Forbidden, NotFound
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.principal import SYSTEM, Principal, acting
from chalicelib.platform.storage import Base, BaseMeta, Transaction

SILENCE = timedelta(hours=6)  # over twice what the attempts at a message may take
_KEEP = timedelta(days=30)
_LISTING = "job"
_MAX_NAMED = 5  # lost pieces that an error names

Status = Literal["queued", "running", "finished", "failed"]


class Job(Struct, frozen=True, kw_only=True):
    """`queued`: nothing has been reported of it yet. `result_url`: good for an hour, made anew each time.

    created_at: null for one from before jobs were listed. can_resume: what is left can be tried again.
    failure: `given_up` after several attempts, `silent` when nothing was heard of it any more, `other` for
    what `error` says; null while it has not failed.
    """

    job_id: str
    kind: str
    status: Status
    done: int
    total: int
    created_at: str | None
    result_id: str | None
    result: dict[str, Any] | None = None
    result_url: str | None
    error: str | None
    failure: Literal["given_up", "silent", "other"] | None
    can_resume: bool


class JobsQuery(Paging, kw_only=True):
    kind: Annotated[str | None, Meta(description="What it makes, e.g. `print_run`")] = None
    status: Status | None = None


class JobsByTime(GlobalSecondaryIndex["JobItem"]):
    """One partition: jobs are started at people's pace, and expire."""

    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


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
    result = JSONAttribute(null=True)
    error = UnicodeAttribute(null=True)
    lost = UnicodeSetAttribute(null=True)  # messages given up, each {"queue","group","message"} as JSON
    hindrance = UnicodeAttribute(null=True)  # what stopped a piece last
    first = UnicodeAttribute(null=True)  # the message that set it going, as one of `lost`
    told_at = UnicodeAttribute(null=True)  # when something was last reported of it
    permission = UnicodeAttribute(default="jobs.write")
    expires_at = NumberAttribute()
    listing = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)  # `<when it was started>#<job_id>`
    started_by = UnicodeAttribute(null=True)  # the principal's id
    private = BooleanAttribute(null=True)
    by_time = JobsByTime()


def start(
    kind: str,
    total: int,
    result_id: str | None = None,
    job_id: str | None = None,
    first: tuple[str, Mapping[str, Any]] | None = None,
    permission: str = "jobs.write",
    private: bool = False,
) -> str:
    """A new job's id, whose owner is who acts. `result_id`: the id of what it makes, e.g. a settlement.

    job_id: its own, for what is started once: a job that is there already stays as it is.
    first: queue and message that set it going, sent with its `job_id`. Upstream.
    permission: which permission it takes to resume it. private: nobody else sees it.
    """
    now = clock.now()
    started_at = clock.iso(now)
    job = JobItem(
        job_id or f"job_{ids.short(16)}",
        kind=kind,
        status="running",
        total=total,
        result_id=result_id,
        permission=permission,
        told_at=started_at,
        expires_at=int((now + _KEEP).timestamp()),
        listing=_LISTING,
        started_by=acting.get().id,
        private=private or None,
    )
    job.place = f"{started_at}#{job.job_id}"
    message = {**first[1], "job_id": job.job_id} if first else {}
    job.first = _to_text(first[0], None, message) if first else None
    storage.put_once(job, JobItem.job_id.does_not_exist())
    if first:
        queues.send(first[0], message)
    return str(job.job_id)


def update(job_id: str, **values: Any) -> None:
    """Set `done`, `total`, `status` ("finished", "failed"), `error`; `result`, JSON; `result_key`, the
    file in S3 that it made, and `result_name`, under which it is downloaded."""
    actions = [getattr(JobItem, name).set(value) for name, value in values.items()]
    JobItem(job_id).update(actions=[*actions, _reported_now()])


def raise_done(job_id: str, done: int) -> None:
    """Set `done`, unless it is higher already: a piece may report late."""
    storage.update_if(JobItem(job_id), [JobItem.done.set(done), _reported_now()], JobItem.done < done)


def advance(tx: Transaction, job_id: str, done: int) -> None:
    """Have a transaction add to the job's `done`: counted once, with whatever else the transaction holds."""
    tx.update("job", JobItem(job_id), [JobItem.done.add(done), _reported_now()], JobItem.job_id.exists())


def note_failure(message: Mapping[str, Any], error: Exception) -> None:
    """Note what stopped a piece, should it be given up: in our own words, since others may quote input."""
    reason = str(error) if isinstance(error, DomainError) else type(error).__name__
    _update_existing(message["job_id"], [JobItem.hindrance.set(f"{_name_piece(message)}: {reason}")])


def give_up(queue: str, group: str | None, message: Mapping[str, Any]) -> None:
    """Keep a message that is not tried again: its job is failed until it is resumed. Twice is once."""
    _update_existing(message["job_id"], [JobItem.lost.add({_to_text(queue, group, message)})])


def take_up(queue: str, group: str | None, message: Mapping[str, Any]) -> None:
    """A message that was given up has been sent again, from the dead letters: it is not lost any more."""
    lost = JobItem.lost.delete({_to_text(queue, group, message)})
    _update_existing(message["job_id"], [lost, _reported_now()])


def resume(job_id: str, principal: Principal) -> Job:
    """Try what was given up again: the job, running. NotFound, Forbidden, Conflict, Upstream.

    Sent first, noted then: a call that was cut in half, or came twice, sends it twice, and what is done
    already answers at once.
    """
    job = _find(job_id, principal)
    if not principal.may(job.permission):
        raise Forbidden(code="needs_permission", permission=job.permission)
    status, lost = _status(job), set(job.lost or ())
    again = lost or {job.first} - {None}
    if status != "failed" or job.status == "failed" or not again:
        raise Conflict(code="job_not_resumable", status=status)
    for kept in map(json.loads, sorted(again)):
        queues.send(kept["queue"], kept["message"], group=kept["group"])
    tx = Transaction()
    without_lost = [JobItem.lost.delete(lost)] if lost else []
    tx.update("job", JobItem(job_id), [*without_lost, JobItem.hindrance.remove(), _reported_now()])
    audit.add(tx, "jobs.resume", job_id, {"status": status}, {"status": "running"})
    tx.commit()
    return get(job_id)


def get(job_id: str, principal: Principal = SYSTEM) -> Job:
    """NotFound, also for another's job where the principal is kept to a scope."""
    return _job(_find(job_id, principal))


def page(query: JobsQuery, principal: Principal) -> Page[Job]:
    """Jobs, newest first, of a kind and in a status: a scoped principal's own ones."""

    def is_wanted(job: JobItem) -> bool:
        return (
            _is_visible(job, principal)
            and query.kind in (None, job.kind)
            and query.status in (None, _status(job))
        )

    def newest(**options: Any) -> Any:
        return JobItem.by_time.query(_LISTING, scan_index_forward=False, **options)

    return lists.history(newest, query, is_wanted).map(_job)


def _update_existing(job_id: str, actions: Sequence[Action]) -> None:
    storage.update_if(JobItem(job_id), actions, JobItem.job_id.exists())


def _find(job_id: str, principal: Principal) -> JobItem:
    job: JobItem | None = JobItem.find(job_id)
    if job is None or not _is_visible(job, principal):
        raise NotFound(code="no_such_job", job_id=job_id)
    return job


def _is_visible(job: JobItem, principal: Principal) -> bool:
    everybody = principal.kind == "system" or not (principal.is_scoped or job.private)
    return everybody or job.started_by == principal.id


def _job(job: JobItem) -> Job:
    status, error = _status(job), job.error
    is_given_up = status == "failed" and job.status != "failed"
    failure: Any = "other" if status == "failed" else None
    if is_given_up:
        failure = "given_up" if job.lost else "silent"
        error = _given_up(job) if job.lost else f"nothing was heard of it since {job.told_at}{_advice(job)}"
    return Job(
        job_id=job.job_id,
        kind=job.kind,
        status=status,
        done=int(job.done),
        total=int(job.total),
        created_at=_started_at(job),
        result_id=job.result_id,
        result=job.result,
        result_url=files.download_url(job.result_key, job.result_name) if job.result_key else None,
        error=error,
        failure=failure,
        can_resume=is_given_up and bool(job.lost or job.first),
    )


def _status(job: JobItem) -> Status:
    """As stored; failed when what runs is not worked on any more, queued while nothing was reported of it."""
    if job.status != "running":
        return cast(Status, job.status)
    silent = job.told_at is not None and clock.now() - clock.parse(job.told_at) > SILENCE
    if job.lost or silent:
        return "failed"
    is_untouched = job.told_at == _started_at(job) and not job.done and not job.hindrance
    return "queued" if is_untouched else "running"


def _started_at(job: JobItem) -> str | None:
    return job.place.partition("#")[0] if job.place else None


def _given_up(job: JobItem) -> str:
    lost = sorted(_name_piece(json.loads(kept)["message"]) for kept in job.lost or ())
    named = "; ".join(lost[:_MAX_NAMED])
    more = f"; and {len(lost) - _MAX_NAMED} more" if len(lost) > _MAX_NAMED else ""
    reason = (
        f"the last error: {job.hindrance}" if job.hindrance else "killed each time: out of memory or time"
    )
    return f"given up after several attempts: {named}{more} ({reason}){_advice(job)}"


def _advice(job: JobItem) -> str:
    if not (job.lost or job.first):
        return ". Start it anew"
    return f". POST /api/jobs/{job.job_id}/resume tries again"


def _reported_now() -> Action:
    return JobItem.told_at.set(clock.iso(clock.now()))


def _to_text(queue: str, group: str | None, message: Mapping[str, Any]) -> str:
    return json.dumps(
        {"queue": queue, "group": group, "message": message}, ensure_ascii=False, sort_keys=True
    )


def _name_piece(message: Mapping[str, Any]) -> str:
    return str(message.get("what") or message["kind"])
