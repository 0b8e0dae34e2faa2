"""A batch's messages at once and again, against an engine whose transactions hold: each poster counts once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.platform import jobs
from chalicelib.posters import batch_state


def test_chunks_that_come_many_times_at_once_count_once(
    engine: str, bucket: str, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = "job_race"
    batch_state.begin(batch_id, {"ids": []}, 6 * batch_state.CHUNK - 7)

    def counted(number: int) -> bool:
        size = batch_state.CHUNK - (7 if number == 5 else 0)
        batch_state.count_chunk(batch_id, number, size, [[number * batch_state.CHUNK, "why"]], [])
        return batch_state.is_complete(batch_id)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(counted, [n for n in range(6) for _ in range(4)]))
    assert any(told)  # somebody sends the ZIP
    assert jobs.get(batch_id).done == 6 * batch_state.CHUNK - 7
    assert len(batch_state.read_errors(batch_id)) == 6
    batch_state.finish(batch_id, 113, 6, 0, "results/x.zip")
    assert not batch_state.is_complete(batch_id)
    assert jobs.get(batch_id).status == "finished"
