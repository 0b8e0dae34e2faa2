"""Work for phone import: files, arrivals, lists of the day, exports. Each is harmless when it comes again."""

from chalicelib.platform.works import Work

_WORKER, _TASKS = "chalicelib.prospects.worker", "chalicelib.prospects.daily_tasks"

WORKS = [
    Work(
        kind="import",  # works until its invocation's time is nearly over
        queue="prospect",
        handler="chalicelib.prospects.imports:run",
        takes=("import_id",),
        timed=True,
    ),
    Work(
        kind="arrived",
        queue="prospect",
        handler=f"{_WORKER}:arrived",
        takes=("external_userid", "staff_id", "at"),
    ),
    Work(kind="order", queue="prospect", handler="chalicelib.prospects.matching:order"),
    Work(kind="prospect_day", queue="prospect", handler=f"{_TASKS}:morning", takes=("day", "due_at")),
    Work(kind="lists", queue="prospect", handler=f"{_WORKER}:lists", takes=()),
    Work(kind="list", queue="prospect", handler=f"{_TASKS}:make_list", takes=("staff_id", "day")),
    Work(kind="left", queue="prospect", handler=f"{_TASKS}:left", takes=("staff_id",)),
    Work(
        kind="respread",
        queue="prospect",
        handler=f"{_TASKS}:respread",
        takes=("staff_id", "to", "after", "done"),
    ),
    Work(
        kind="export",
        queue="prospect",
        handler=f"{_WORKER}:export",
        takes=("job_id", "status", "staff_id", "import_id"),
    ),
]
