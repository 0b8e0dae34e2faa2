"""Work for assignments: reservations lapse, WeCom's own list of members is kept in step."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="lapse",
        queue="assign",
        handler="chalicelib.assignments.lapse:lapse",
        takes=("live_code_id", "staff_id", "assignment_id"),
    ),
    Work(
        kind="native",
        queue="assign",
        handler="chalicelib.assignments.upkeep:keep_in_step",
        takes=("live_code_id",),
        optional=("changed",),
    ),
]
