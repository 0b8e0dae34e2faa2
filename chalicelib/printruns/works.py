"""Work for print runs: their files are made. Each message has the file's `print_run_id` and `job_id`."""

from chalicelib.platform.works import Work

_MAKING = "chalicelib.printruns.file_making"
_FILE = ("print_run_id", "job_id")

WORKS = [
    Work(kind="file", queue="printrun", handler=f"{_MAKING}:begin_file", takes=_FILE),
    Work(kind="piece", queue="printrun", handler=f"{_MAKING}:make_piece", takes=(*_FILE, "piece")),
    Work(kind="join", queue="printrun", handler=f"{_MAKING}:join_pieces", takes=_FILE),
]
