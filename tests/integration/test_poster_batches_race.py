"""A batch's messages at once and again, against an engine whose transactions hold: each poster counts once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.platform import jobs
from chalicelib.posters import batches


def test_chunks_that_come_many_times_at_once_count_once(
    engine: str, bucket: str, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = "job_race"
    batches.begin(batch_id, {"ids": []}, 6 * batches.CHUNK - 7)

    def counted(number: int) -> bool:
        size = batches.CHUNK - (7 if number == 5 else 0)
        batches.count(batch_id, number, size, [[number * batches.CHUNK, "why"]])
        return batches.complete(batch_id)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(counted, [n for n in range(6) for _ in range(4)]))
    assert any(told)  # somebody sends the ZIP
    assert jobs.get(batch_id)["done"] == 6 * batches.CHUNK - 7
    assert len(batches.errors(batch_id)) == 6
    batches.finish(batch_id, 113, 6, "results/x.zip")
    assert not batches.complete(batch_id)
    assert jobs.get(batch_id)["status"] == "finished"
