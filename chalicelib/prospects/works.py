"""Work for phone import: files, arrivals, lists of the day, exports. Each is harmless when it comes again."""

from chalicelib.platform.works import Work

_TASKS, _HANDOVER = "chalicelib.prospects.daily_tasks", "chalicelib.prospects.handover"

WORKS = [
    Work(
        kind="import",  # works until its invocation's time is nearly over
        queue="prospect",
        handler="chalicelib.prospects.import_reading:read_on",
        takes=("import_id",),
        timed=True,
    ),
    Work(
        kind="arrived",
        queue="prospect",
        handler="chalicelib.prospects.matching:match_arrival",
        takes=("external_userid", "staff_id", "at"),
    ),
    Work(kind="order", queue="prospect", handler="chalicelib.prospects.order_matching:match_order"),
    Work(kind="prospect_day", queue="prospect", handler=f"{_TASKS}:order_lists", takes=("day", "due_at")),
    Work(kind="lists", queue="prospect", handler=f"{_TASKS}:order_lists_now", takes=()),
    Work(kind="list", queue="prospect", handler=f"{_TASKS}:make_list", takes=("staff_id", "day")),
    Work(kind="left", queue="prospect", handler=f"{_HANDOVER}:leave", takes=("staff_id",)),
    Work(
        kind="respread",
        queue="prospect",
        handler=f"{_HANDOVER}:hand_over",
        takes=("staff_id", "to", "after", "done"),
    ),
    Work(
        kind="export",
        queue="prospect",
        handler="chalicelib.prospects.exports:write_export",
        takes=("job_id", "status", "staff_id", "import_id"),
        optional=("principal",),
    ),
]
