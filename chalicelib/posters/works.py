"""Work for batches of posters, in their order: the list of posters, its chunks, the ZIP of them all."""

from chalicelib.platform.works import Work

_WORK = "chalicelib.posters.batch_work"

WORKS = [
    Work(kind="plan", queue="poster", handler=f"{_WORK}:plan_batch", takes=("job_id",)),
    Work(kind="chunk", queue="poster", handler=f"{_WORK}:make_chunk", takes=("job_id", "chunk")),
    Work(kind="zip", queue="poster", handler=f"{_WORK}:pack_zip", takes=("job_id",)),
]
