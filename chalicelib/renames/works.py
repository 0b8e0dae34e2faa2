"""The parts of a rename, one after another."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="staff_rename",
        queue="migrate",
        handler="chalicelib.renames.service:run",
        takes=("old", "new"),
        optional=("number",),
        timed=True,
    )
]
