"""Work for notices: what waits for a guide is sent, in order."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="notify",
        queue="notify",
        handler="chalicelib.notices.service:deliver",
        takes=("staff_id",),
        order="staff_id",
    ),
]
