"""Work for groups that is done later; see upkeep.py."""

from chalicelib.platform.works import Work

_UPKEEP = "chalicelib.groups.upkeep"

WORKS = [
    Work(kind="group_read", queue="assign", handler=f"{_UPKEEP}:read"),
    Work(kind="group_ask", queue="assign", handler=f"{_UPKEEP}:ask_owner"),
    Work(kind="group_black", queue="assign", handler=f"{_UPKEEP}:look_for_blacklisted"),
    Work(kind="groups_sync", queue="assign", handler=f"{_UPKEEP}:sync_page"),
]
