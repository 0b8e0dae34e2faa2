"""Start an import, and see how far it is."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from chalicelib.imports import models, steps
from chalicelib.imports.types import PARTS, ImportOut, ImportsQuery, PartOut, Problem, Run, UnreadStaff
from chalicelib.platform import audit, clock, ids, jobs, lists, messages, storage
from chalicelib.platform.errors import NotFound
from chalicelib.platform.jobs import Job
from chalicelib.platform.lists import Page
from chalicelib.platform.messages import Language
from chalicelib.platform.storage import Transaction
from chalicelib.staff import service as staff

_UNREAD_SHOWN = 100
_ALIVE = ("queued", "running")


def start() -> Job:
    """The job of a new import, or of the one that is running. Upstream."""
    run = _current_or_new()
    known = _job(run)
    if known is not None:
        return known
    first = (steps.QUEUE, steps.message(run, 0))
    jobs.start("first_import", 0, run.import_id, run.job_id, first, permission="imports.write")
    return jobs.get(run.job_id)


@storage.retrying("others keep starting imports")
def _current_or_new() -> Run:
    before = models.current()
    if before is not None and before.ended_at is None:
        job = _job(before)
        if job is None or job.status in _ALIVE:  # None: whoever began it was killed before its job was there
            return before
    run = Run(import_id=f"imp_{ids.short(16)}", started_at=clock.now())
    tx = Transaction()
    models.add(tx, run, before)
    audit.add(tx, "imports.start", run.job_id, None, {"kind": "first_import"})
    tx.commit()
    return run


def page(query: ImportsQuery, language: Language) -> Page[ImportOut]:
    """Imports, the newest first."""
    newest: Any = partial(models.RunItem.by_time.query, models.LISTED, scan_index_forward=False)
    return lists.history(newest, query).map(lambda item: _shown(models.run_of(item), language))


def get(import_id: str, language: Language) -> ImportOut:
    """NotFound."""
    run = models.find(import_id)
    if run is None:
        raise NotFound(code="no_such_import", import_id=import_id)
    return _shown(run, language)


def _job(run: Run) -> Job | None:
    try:
        return jobs.get(run.job_id)
    except NotFound:
        return None


def _shown(run: Run, language: Language) -> ImportOut:
    job = _job(run)
    status: Any = job.status if job else ("finished" if run.ended_at else "failed")
    names = staff.names(run.unread[:_UNREAD_SHOWN])
    return ImportOut(
        import_id=run.import_id,
        job_id=run.job_id,
        status=status,
        started_at=clock.iso(run.started_at),
        ended_at=_iso(run.ended_at),
        ends_at=_iso(estimate_end(run, clock.now())) if status in _ALIVE else None,
        resumes_at=_iso(run.resumes_at) if status in _ALIVE else None,
        error=_error(run, language) if status == "failed" else None,
        can_resume=bool(job and job.can_resume),
        parts=[_part(run, part) for part in PARTS],
        unread=[UnreadStaff(staff_id=s, staff_name=names.get(s) or s) for s in run.unread[:_UNREAD_SHOWN]],
    )


def _error(run: Run, language: Language) -> str:
    problem = run.problem or Problem("import_stopped")
    return messages.text(problem.code, language, problem.params)


def _part(run: Run, part: Any) -> PartOut:
    progress = run.progress(part)
    status: Literal["waiting", "running", "finished"] = "running" if run.part == part else "waiting"
    return PartOut(
        part=part,
        status="finished" if progress.ended_at else status,
        seen=progress.seen,
        new=progress.new,
        changed=progress.changed,
        done=progress.done,
        total=progress.total,
        began_at=_iso(progress.began_at),
        ended_at=_iso(progress.ended_at),
    )


def estimate_end(run: Run, now: datetime) -> datetime | None:
    """When the part that takes the time may be done, at its pace until now; None while that is not known.

    Groups come after the customers and are not in their estimate: how many there are WeCom tells by page.
    """
    if run.part not in ("customers", "groups"):
        return None
    progress = run.progress(run.part)
    if progress.began_at is None or not 0 < progress.share < 1:
        return None
    elapsed = now - progress.began_at
    left: timedelta = elapsed * ((1 - progress.share) / progress.share)
    return max(now + left, run.resumes_at or now)


def _iso(at: datetime | None) -> str | None:
    return clock.iso(at) if at else None
