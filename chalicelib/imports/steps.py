"""An import goes on: pieces, one after another, for as long as a step lasts; then the next message.

Each piece reads from WeCom, writes what it read, and then notes that it is done; so one that was killed is
done again. It waits for WeCom as later work: nothing sleeps here.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from chalicelib.imports import models, part_customers, part_groups, part_staff, part_tags
from chalicelib.imports.piece import Context
from chalicelib.imports.types import DONE, PARTS, Problem, Progress, Run
from chalicelib.platform import clock, due, jobs, log, queues, settings
from chalicelib.platform.errors import DomainError, Upstream
from chalicelib.platform.storage import ConditionFailed
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError

QUEUE = "imports"
_STEP = timedelta(seconds=60)  # of a step: no piece begins after that
_HELD = timedelta(seconds=150)  # longer than a worker may live (infra/stack.yaml)
_A_MINUTE = timedelta(minutes=1)
_CALLS = 5_000  # in one minute, of the 10,000 that an endpoint takes from all that we do
_MOST_WAITS = 60
_LONGEST_WAIT = timedelta(minutes=15)
_WORK: Mapping[str, Callable[[Run, Context], Run]] = {
    "staff": part_staff.do_piece,
    "tags": part_tags.do_piece,
    "customers": part_customers.do_piece,
    "groups": part_groups.do_piece,
}


def message(run: Run, turn: int) -> dict[str, Any]:
    return {
        "kind": "import_step",
        "import_id": run.import_id,
        "turn": turn,
        "job_id": run.job_id,
        "what": "import",
    }


def work(asked: Mapping[str, Any]) -> None:
    """One turn of an import. Twice is once; Upstream when it has waited for too long."""
    import_id, turn = str(asked["import_id"]), int(asked["turn"])
    begun = clock.now()
    run = models.take(import_id, turn, begun + _HELD)
    if run is None:
        return
    client = wecom.default_client()
    calls = sum(client.calls.values())
    context = Context(client)
    try:
        while run.part != DONE and clock.now() - begun < _STEP:
            if sum(client.calls.values()) - calls >= _CALLS:
                _go_on_at(run, turn, begun + _A_MINUTE)
                return
            run = _do_piece(run, context)
    except ConditionFailed:  # another worker has the run
        log.logger.info("an import's piece was somebody else's", extra={"import_id": import_id})
        return
    except (Upstream, settings.Missing) as error:
        _wait(import_id, turn, asked, error)
        return
    if run.part == DONE:
        finish(run)
    else:
        queues.send(QUEUE, message(run, turn + 1))


def _do_piece(run: Run, context: Context) -> Run:
    """The run after one piece, written."""
    part, now = run.part, clock.now()
    progress = run.progress(part)
    if progress.began_at is None:
        run = replace(run, parts={**run.parts, part: replace(progress, began_at=now)})
    after = _WORK[part](run, context)
    if after.part != part:
        ended = replace(after.progress(part), ended_at=clock.now(), share=1)
        after = replace(after, parts={**after.parts, part: ended})
    if after.part == DONE:
        after = replace(after, ended_at=clock.now())
    saved = models.save(replace(after, waits=0, resumes_at=None, problem=None), clock.now() + _HELD)
    done, total = progress_of(saved)
    jobs.update(saved.job_id, done=done, total=total)
    return saved


def finish(run: Run) -> None:
    done, _ = progress_of(run)
    result = {part: _figures(run.progress(part)) for part in PARTS}
    jobs.update(run.job_id, done=done, total=done, status="finished", result=result)


def _figures(progress: Progress) -> dict[str, int]:
    return {"seen": progress.seen, "new": progress.new, "changed": progress.changed}


def progress_of(run: Run) -> tuple[int, int]:
    """What is read, and of how much that is known of."""
    parts = [run.progress(part) for part in PARTS]
    return sum(p.done for p in parts), sum(max(p.total or 0, p.done) for p in parts)


def _wait(import_id: str, turn: int, asked: Mapping[str, Any], error: Exception) -> None:
    """Go on later where that may help; else the job has failed, and may be resumed when it is mended."""
    run = models.find(import_id)
    assert run is not None
    if not getattr(error, "retryable", False) or run.waits >= _MOST_WAITS:
        log.failure("import stopped", error, import_id=import_id)
        jobs.note_failure(asked, error)
        models.save(replace(run, problem=_problem(error), resumes_at=None))
        models.release(import_id)
        jobs.give_up(QUEUE, None, asked)
        return
    delay = min(_A_MINUTE * 2**run.waits, _LONGEST_WAIT)
    if isinstance(error, WeComError) and error.retry_after:
        delay = timedelta(seconds=error.retry_after)
    at = clock.now() + delay
    log.logger.info("an import waits for WeCom", extra={"import_id": import_id, "seconds": delay.seconds})
    run = models.save(replace(run, waits=run.waits + 1, resumes_at=at))
    _go_on_at(run, turn, at)
    jobs.update(run.job_id)


def _problem(error: Exception) -> Problem:
    if isinstance(error, DomainError) and error.message_code:
        return Problem(error.message_code, {name: str(value) for name, value in error.params.items()})
    return Problem("import_stopped")


def _go_on_at(run: Run, turn: int, at: datetime) -> None:
    due.put("import_step", at, f"{run.import_id}#{turn + 1}", message(run, turn + 1))
