"""The door of migrations, for who upgrades."""

from chalicelib.migrations import service
from chalicelib.migrations.types import Migrating
from chalicelib.platform import http

door = http.Door(__name__, tag="Platform")


@door.route(
    "POST",
    "/api/migrations/{name}",
    status=202,
    permission="migrations.run",
    answer=Migrating,
    summary="Bring stored items into this version's shape; may be run again at any time",
)
def run(call: http.Call, name: str) -> Migrating:
    return Migrating(job_id=service.start(name))
