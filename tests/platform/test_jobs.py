"""A job whose piece fails at every attempt ends, says what is missing, and can be gone on with."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.platform import auth, consumers, jobs, works
from chalicelib.platform import files as store
from chalicelib.platform.errors import Conflict, Forbidden, NotFound, Upstream
from chalicelib.posters import batch_state
from chalicelib.printruns import run_files
from tests.support import print_world as world
from tests.support.scan_support import NOON, new_process

RECEIVES = int(os.environ["RECEIVES"])
OPERATOR = auth.Principal("key", "o", "Ou", "operator")
FINANCE = auth.Principal("key", "f", "Fu", "finance")


@pytest.fixture(autouse=True)
def _world(tables: None, keys: None, bucket: str, at: Callable[[datetime], None]) -> Iterator[None]:
    new_process()
    at(NOON)
    yield
    new_process()


def received(message: dict[str, Any], times: int, queue: str = "printrun", group: str | None = None) -> Any:
    """The event of a message that SQS hands out for the so-many-th time."""
    attributes = {"ApproximateReceiveCount": str(times)} | ({"MessageGroupId": group} if group else {})
    arn = f"arn:aws:sqs:cn-north-1:1:test-{queue}" + (".fifo" if group else "")
    record = {"messageId": "m", "body": json.dumps(message), "attributes": attributes, "eventSourceARN": arn}
    return {"Records": [record]}


def failed(answer: Any) -> bool:
    return bool(answer["batchItemFailures"])


def test_a_piece_that_is_killed_each_time_ends_its_job_and_is_made_after_a_resume(
    sent: world.Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed: at the last receive nothing has told of the ones before."""
    monkeypatch.setattr(run_files, "PIECE", 10)
    run = world.a_run(30, prefix="W26")
    sent.clear()
    job_id = world.start_file(run, "zip")
    handler = consumers.sqs(works.do)
    pieces = []
    while sent:
        _, message, _ = sent.pop(0)
        if message["kind"] == "piece" and message["piece"] == 1:
            pieces.append(message)  # its function dies before it can say a word
        else:
            assert not failed(handler(received(message, 1), None))
    assert jobs.get(job_id).status == "running"

    (piece,) = pieces
    assert failed(handler(received(piece, RECEIVES), None))  # on to the dead letters, with their alarm
    assert failed(handler(received(piece, RECEIVES), None))  # SQS may hand out once more
    now = jobs.get(job_id)
    assert (now.status, now.done) == ("failed", 20)
    assert "cards W26-000011 to W26-000020" in now.error and "out of memory or time" in now.error
    assert now.error.count("W26-000011") == 1 and f"/api/jobs/{job_id}/resume" in now.error

    assert jobs.resume(job_id, OPERATOR).status == "running" and jobs.get(job_id).error is None
    world.work_off(sent)
    now = jobs.get(job_id)
    assert (now.status, now.done, now.error) == ("finished", 30, None)
    assert store.size(run_files.get(run.print_run_id, job_id).key)
    with pytest.raises(Conflict):
        jobs.resume(job_id, OPERATOR)


def test_the_others_are_worked_on_while_the_job_is_failed(
    sent: world.Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "PIECE", 10)
    run = world.a_run(20)
    sent.clear()
    job_id = world.start_file(run, "zip")
    handler = consumers.sqs(works.do)
    handler(received(sent.pop(0)[1], 1), None)
    first, second = [message for _, message, _ in sent]
    handler(received(first, RECEIVES), None)
    assert not failed(handler(received(second, 1), None))
    assert (jobs.get(job_id).status, jobs.get(job_id).done) == ("failed", 10)
    sent.clear()
    jobs.resume(job_id, OPERATOR)
    world.work_off(sent)
    assert jobs.get(job_id).status == "finished"


def test_the_reason_is_the_last_error_and_never_somebody_elses_words(sent: world.Sent) -> None:
    job_id = jobs.start("groups_sync", 0)
    message = {"kind": "groups_sync", "job_id": job_id}

    def work(_: Any) -> None:
        raise error

    error: Exception = ValueError("13800138000")
    assert failed(consumers.sqs(work)(received(message, 1, "assign"), None))
    assert jobs.get(job_id).status == "running"
    consumers.sqs(work)(received(message, RECEIVES, "assign"), None)
    told = jobs.get(job_id).error
    assert "groups_sync: ValueError" in told and "13800138000" not in told
    jobs.resume(job_id, OPERATOR)
    error = Upstream("S3 is away")
    consumers.sqs(work)(received(message, 1, "assign"), None)
    consumers.sqs(work)(received(message, RECEIVES, "assign"), None)
    assert "S3 is away" in jobs.get(job_id).error


def test_who_tells_late_takes_nothing_back(sent: world.Sent) -> None:
    job_id = jobs.start("print_run", 20)
    jobs.raise_done(job_id, 20)
    jobs.update(job_id, status="finished", done=20)
    jobs.raise_done(job_id, 10)
    assert jobs.get(job_id).done == 20


def test_a_fifo_piece_goes_back_into_its_group(sent: world.Sent) -> None:
    job_id = jobs.start("settlement", 0)
    message = {"kind": "settle", "settlement_id": "st_1", "cursor": None, "done": 0, "job_id": job_id}
    consumers.sqs(lambda _: None)(received(message, RECEIVES, "settle", "st_1"), None)
    jobs.resume(job_id, OPERATOR)
    assert sent == [("settle", message, "st_1")]


def test_a_resume_that_is_cut_off_can_be_repeated(sent: world.Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = jobs.start("print_run", 10)
    message = {"kind": "piece", "job_id": job_id}
    consumers.sqs(lambda _: None)(received(message, RECEIVES), None)

    def refuse(*_: Any, **__: Any) -> None:
        raise Upstream("the queue did not take it")

    with monkeypatch.context() as patch:
        patch.setattr(jobs.queues, "send", refuse)
        with pytest.raises(Upstream):
            jobs.resume(job_id, OPERATOR)
    assert jobs.get(job_id).status == "failed"
    jobs.resume(job_id, OPERATOR)
    assert len(sent) == 1


def test_many_lost_pieces_are_counted_and_what_can_not_be_resumed_says_so(sent: world.Sent) -> None:
    job_id = jobs.start("poster_batch", 200)
    batch_state.send_chunks(job_id, 200)
    for _, message, _ in list(sent):
        consumers.sqs(lambda _: None)(received(message, RECEIVES, "poster"), None)
    told = jobs.get(job_id).error
    assert "posters 1 to 20" in told and "and 5 more" in told
    bad = jobs.start("print_run", 1)
    jobs.update(bad, status="failed", error="the font has no 🎁")
    with pytest.raises(Conflict):
        jobs.resume(bad, OPERATOR)
    with pytest.raises(NotFound):
        jobs.resume("job_nobody", OPERATOR)
    money = jobs.start("settlement", 0, permission="settlements.run")
    with pytest.raises(Forbidden):
        jobs.resume(money, OPERATOR)
    with pytest.raises(Conflict):  # it is running
        jobs.resume(money, FINANCE)
    for kind in ("plan", "chunk"):  # a job that is gone is not made anew
        consumers.sqs(lambda _: None)(received({"kind": kind, "job_id": "job_gone"}, RECEIVES), None)
    with pytest.raises(NotFound):
        jobs.get("job_gone")


def test_a_job_whose_function_can_not_even_start_ends_by_its_silence(
    sent: world.Sent, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "PIECE", 10)
    run = world.a_run(20)
    sent.clear()
    job_id = world.start_file(run, "zip")
    works.do(sent.pop(0)[1])
    works.do(sent.pop(0)[1])  # the other piece is in the dead letters
    sent.clear()
    at(NOON + jobs.SILENCE)
    assert jobs.get(job_id).status == "running"
    at(NOON + jobs.SILENCE + timedelta(seconds=1))
    now = jobs.get(job_id)
    assert (now.status, now.done) == ("failed", 10)
    assert "nothing was heard" in now.error and "/resume" in now.error
    assert jobs.resume(job_id, OPERATOR).status == "running"
    world.work_off(sent)
    now = jobs.get(job_id)
    assert (now.status, now.done, now.error) == ("finished", 20, None)
    at(NOON + 3 * jobs.SILENCE)
    assert jobs.get(job_id).status == "finished"


def test_a_silent_job_without_a_first_message_is_to_be_started_anew(
    sent: world.Sent, at: Callable[[datetime], None]
) -> None:
    job_id = jobs.start("groups_sync", 0)
    at(NOON + jobs.SILENCE / 2)
    jobs.update(job_id, done=1)
    at(NOON + jobs.SILENCE * 1.25)
    assert jobs.get(job_id).status == "running"
    at(NOON + jobs.SILENCE * 2)
    assert jobs.get(job_id).error.endswith("Start it anew")
    with pytest.raises(Conflict):
        jobs.resume(job_id, OPERATOR)


def test_a_batch_of_posters_is_resumed_by_its_plan(sent: world.Sent, at: Callable[[datetime], None]) -> None:
    batch_state.begin("job_b", {"ids": []}, 3)
    ((_, plan, _),) = sent
    at(NOON + jobs.SILENCE * 2)
    jobs.resume("job_b", OPERATOR)
    assert sent == [("poster", plan, None)] * 2 and plan["job_id"] == "job_b"


KEPT = auth.Principal("session", "ann", "Ann", "operator", auth.Scope(("s1",)))


def started_by(who: auth.Principal, kind: str, job_id: str) -> None:
    before = auth.acting.set(who)
    jobs.start(kind, 10, job_id=job_id, first=("printrun", {"kind": "piece"}))
    auth.acting.reset(before)


def test_jobs_are_listed_newest_first_by_kind_and_status(
    sent: world.Sent, at: Callable[[datetime], None]
) -> None:
    for number, kind in enumerate(("print_run", "prospect_export", "print_run", "print_run")):
        at(NOON + timedelta(seconds=number))
        started_by(OPERATOR, kind, f"job_{number}")
    jobs.update("job_0", status="finished", done=10)
    jobs.raise_done("job_2", 5)
    jobs.give_up("printrun", None, {"kind": "piece", "job_id": "job_3"})

    def ids(**query: Any) -> list[str]:
        return [job.job_id for job in jobs.page(jobs.JobsQuery(**query), OPERATOR).items]

    assert ids() == ["job_3", "job_2", "job_1", "job_0"]
    assert ids(kind="print_run") == ["job_3", "job_2", "job_0"]
    statuses = {status: ids(status=status) for status in ("queued", "running", "finished", "failed")}
    assert statuses == {"queued": ["job_1"], "running": ["job_2"], "finished": ["job_0"], "failed": ["job_3"]}
    first = jobs.page(jobs.JobsQuery(kind="print_run", limit=2), OPERATOR)
    assert (first.total, first.total_is) == (2, "at_least")
    assert ids(kind="print_run", limit=2, cursor=first.next_cursor) == ["job_0"]


def test_who_is_kept_to_a_scope_sees_and_resumes_their_own_jobs_alone(sent: world.Sent) -> None:
    for who, job_id in ((OPERATOR, "job_o"), (KEPT, "job_k"), (auth.SYSTEM, "job_s")):
        started_by(who, "print_run", job_id)
        jobs.give_up("printrun", None, {"kind": "piece", "job_id": job_id})
    assert [job.job_id for job in jobs.page(jobs.JobsQuery(), KEPT).items] == ["job_k"]
    assert len(jobs.page(jobs.JobsQuery(), OPERATOR).items) == 3
    assert jobs.get("job_k", KEPT).job_id == jobs.get("job_k", OPERATOR).job_id == "job_k"
    sent.clear()
    for act in (jobs.get, jobs.resume):
        for job_id in ("job_o", "job_s"):
            with pytest.raises(NotFound):
                act(job_id, KEPT)
    assert not sent
    jobs.resume("job_k", KEPT)
    assert len(sent) == 1
