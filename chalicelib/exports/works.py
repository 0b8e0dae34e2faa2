"""Work for exports: a list's file."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="list_export",
        queue="export",
        handler="chalicelib.exports.service:write",
        takes=("job_id", "list", "query", "format", "language", "principal"),
    ),
]
