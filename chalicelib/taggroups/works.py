"""Work for tag groups: read anew; customers of what was renamed or deleted."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="tag_sync",
        queue="push",
        handler="chalicelib.taggroups.mirror:sync",
        takes=(),
        optional=("job_id",),
        order="kind",
    ),
    Work(
        kind="tag_moved",
        queue="lake",
        handler="chalicelib.taggroups.carrying:spread",
        takes=("tag_id", "old"),
    ),
    Work(
        kind="tag_carry",
        queue="push",
        handler="chalicelib.taggroups.carry_work:carry",
        takes=("tag_id", "old", "who"),
        order="tag_id",
    ),
]
