"""Many posters at once: asked for, cut into messages, counted once each, reported by a job.

Start: what is wanted is checked and kept as a file, and a message says `plan`. Plan: names are looked
up, the list of posters is kept as a file, and a message goes out for each chunk of it. Chunk: its posters
are files under their numbers; the chunk's item, the batch's sum and the job change in one
transaction, so a message that comes twice counts once, and one that was cut off makes only what is
missing. The chunk that completes the sum sends `zip`. Drawing and packing are batch_work.py's.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from chalicelib.platform import audit, clock, files, ids, jobs, queues, storage
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.posters.models import CONFIG, PosterBatchItem

CHUNK = 20  # posters in one message: some seconds of work
_KEEP = timedelta(days=30)  # as the files
Row = dict[str, Any]  # what the poster function takes for one poster, and "file", its name in the ZIP


def begin(
    batch_id: str, request: dict[str, Any], total: int, links: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Keep what is wanted, with its job (`batch_id`). links: of guides' or stores' own posters."""
    kept = json.dumps({**request, "links": dict(links)})
    files.put(_key(batch_id, "request.json"), kept.encode(), "application/json")
    batch = PosterBatchItem(
        batch_id,
        CONFIG,
        total=total,
        chunks=-(-total // CHUNK),
        chunks_done=0,
        failed=0,
        finished=0,
        expires_at=_expiry(),
    )
    tx = Transaction()
    tx.put("batch", batch)
    audit.add(tx, "poster_batches.create", batch_id, None, {**request, "total": total})
    tx.commit()
    plan = {"kind": "plan", "what": "the list of posters"}
    jobs.start("poster_batch", total, job_id=batch_id, first=("poster", plan))


def read_request(batch_id: str) -> dict[str, Any]:
    """What a batch was asked for. NotFound."""
    return dict(json.loads(files.get(_key(batch_id, "request.json"))))


def read_rows(batch_id: str) -> list[Row] | None:
    """A batch's list of posters; None when it was not planned yet."""
    batch = PosterBatchItem.find(batch_id, CONFIG)
    return list(json.loads(files.get(_key(batch_id, batch.plan)))) if batch and batch.plan else None


def keep_rows(batch_id: str, rows: list[Row]) -> None:
    """Keep the list of posters: the first one stays, and the batch names it."""
    name = f"plan-{ids.short()}.json"
    files.put(_key(batch_id, name), json.dumps(rows).encode(), "application/json")
    actions = [PosterBatchItem.plan.set(name)]
    storage.update_if(PosterBatchItem(batch_id, CONFIG), actions, PosterBatchItem.plan.does_not_exist())


def send_chunks(batch_id: str, count: int) -> None:
    """A message for each chunk. Those that are done answer at once."""
    firsts = range(0, count, CHUNK)
    names = [f"posters {first + 1} to {min(first + CHUNK, count)}" for first in firsts]
    chunk = {"kind": "chunk", "job_id": batch_id}
    queues.send_all("poster", (({**chunk, "chunk": n, "what": name}, None) for n, name in enumerate(names)))


def is_done(batch_id: str, chunk: int) -> bool:
    return PosterBatchItem.find(batch_id, _part(chunk)) is not None


def count_chunk(
    batch_id: str, chunk: int, made: int, errors: list[list[Any]], left_out: list[list[Any]]
) -> None:
    """Count a chunk's posters, once, in the batch and in its job. made: with failed ones."""
    tx = Transaction()
    item = PosterBatchItem(batch_id, _part(chunk), errors=errors, left_out=left_out, expires_at=_expiry())
    tx.put("chunk", item, PosterBatchItem.batch_id.does_not_exist())
    sums = [PosterBatchItem.chunks_done.add(1), PosterBatchItem.failed.add(len(errors))]
    tx.update("batch", PosterBatchItem(batch_id, CONFIG), sums, PosterBatchItem.batch_id.exists())
    jobs.advance(tx, batch_id, made)
    try:
        tx.commit()
    except ConditionFailed as error:
        if error.names != {"chunk"}:
            raise  # a batch that is not there: its message is parked


def is_complete(batch_id: str) -> bool:
    """Whether all chunks are counted, and the ZIP is not made yet."""
    batch = PosterBatchItem.find(batch_id, CONFIG)
    return batch is not None and batch.chunks_done == batch.chunks and not batch.finished


def read_errors(batch_id: str) -> list[list[Any]]:
    """`[number, why]` of the posters that could not be made, in their order."""
    return sorted(error for chunk in _chunks(batch_id) for error in chunk.errors or [])


def read_left_out(batch_id: str) -> list[list[Any]]:
    """`[number, which emoji]` of the posters on which some are not, in their order."""
    return sorted(emoji for chunk in _chunks(batch_id) for emoji in chunk.left_out or [])


def _chunks(batch_id: str) -> Iterable[PosterBatchItem]:
    return PosterBatchItem.query(batch_id, PosterBatchItem.part.startswith("chunk#"), consistent_read=True)


def finish(batch_id: str, total: int, failed: int, incomplete: int, key: str) -> None:
    """Report to the job that the ZIP is there, and what is not in it or not on it."""
    told = []
    if failed:
        told.append(f"{failed} of {total} posters could not be made: errors.csv in the ZIP")
    if incomplete:
        told.append(f"emoji are left out on {incomplete} of {total} posters: left_out.csv in the ZIP")
    values = {"error": "; ".join(told)} if told else {}
    jobs.update(batch_id, status="finished", result_key=key, result_name="海报.zip", **values)
    storage.update_if(PosterBatchItem(batch_id, CONFIG), [PosterBatchItem.finished.set(1)])


def poster_key(batch_id: str, number: int, form: str) -> str:
    return _key(batch_id, f"{number:05}.{form}")


def zip_key(batch_id: str) -> str:
    return _key(batch_id, "posters.zip")


def _key(batch_id: str, name: str) -> str:
    return f"results/posters/{batch_id}/{name}"


def _part(chunk: int) -> str:
    return f"chunk#{chunk:04}"


def _expiry() -> int:
    return int((clock.now() + _KEEP).timestamp())
