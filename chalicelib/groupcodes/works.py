"""Work for group codes that is done later."""

from chalicelib.platform.works import Work

_UPKEEP, _NEXT, _WAYS = (
    f"chalicelib.groupcodes.{name}" for name in ("upkeep", "open_next_group", "join_ways")
)

WORKS = [
    Work(kind="group_changed", queue="assign", handler=f"{_UPKEEP}:follow_change"),
    Work(kind="group_check", queue="assign", handler=f"{_UPKEEP}:check"),
    Work(kind="group_code", queue="assign", handler=f"{_UPKEEP}:keep"),
    Work(kind="group_room", queue="assign", handler=f"{_NEXT}:look", takes=("live_code_id",)),
    Work(
        kind="group_poll", queue="assign", handler=f"{_NEXT}:poll", takes=("live_code_id", "task_id", "time")
    ),
    Work(
        kind="group_lapse",
        queue="assign",
        handler="chalicelib.groupcodes.reservations:lapse",
        takes=("live_code_id", "chat_id", "assignment_id"),
    ),
    Work(
        kind="join_way_cleanup",
        queue="assign",
        handler=f"{_WAYS}:delete_unused_ways",
        takes=("live_code_id", "version", "native"),
    ),
    Work(
        kind="join_way_delete",
        queue="assign",
        handler="chalicelib.contactways.join_ways:delete_at_wecom",
        takes=("config_id",),
    ),
]
