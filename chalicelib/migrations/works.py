"""A migration's scan, page after page."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="migrate",
        queue="migrate",
        handler="chalicelib.migrations.service:run",
        takes=("name", "cursor", "done", "job_id"),
        timed=True,
    )
]
