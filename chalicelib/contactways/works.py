"""Work for contact ways that is done later."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="contact_way",  # of one member, before the first scan
        queue="assign",
        handler="chalicelib.contactways.upkeep:make_ahead",
        takes=("live_code_id", "staff_id"),
    ),
    Work(
        kind="way_cleanup",  # those that a change has left over
        queue="assign",
        handler="chalicelib.contactways.cleanup:delete_unused_ways",
        takes=("live_code_id", "version", "native"),
        optional=("after",),
    ),
    Work(
        kind="way_delete",
        queue="assign",
        handler="chalicelib.contactways.rows:delete_at_wecom",
        takes=("config_id",),
    ),
    Work(
        kind="member_problem",  # told to those whose codes count on the member
        queue="assign",
        handler="chalicelib.contactways.refusals:notify_makers",
        takes=("staff_id",),
    ),
    Work(
        kind="way_search",  # one whose answer was lost
        queue="assign",
        handler="chalicelib.contactways.lost_answers:resolve_lost_answer",
        takes=("state", "since", "after"),
    ),
]
