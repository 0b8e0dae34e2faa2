"""What works.py declares, where a message is not just a function's arguments."""

from chalicelib.platform import clock
from chalicelib.prospects import brand_settings, daily_tasks, exports, matching


def arrived(external_userid: str, staff_id: str, at: str) -> None:
    matching.arrived(external_userid, staff_id, clock.parse(at))


def lists() -> None:
    """Today's lists, asked for by an operator."""
    daily_tasks.morning(brand_settings.day_of(clock.now()), None)


def export(job_id: str, status: str | None, staff_id: str | None, import_id: str | None) -> None:
    exports.write_export(job_id, {"status": status, "staff_id": staff_id, "import_id": import_id})
