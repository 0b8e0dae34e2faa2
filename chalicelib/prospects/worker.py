"""The work of functions/prospect: one message each. Each is harmless when it comes again."""

from collections.abc import Callable
from typing import Any

from chalicelib.platform import clock
from chalicelib.prospects import brand_settings, daily_tasks, exports, imports, matching


def work(message: dict[str, Any], milliseconds_left: Callable[[], int]) -> None:
    """Do what a message asks for. KeyError or ValueError for one that none of ours can be."""
    match message["kind"]:
        case "import":
            imports.run(message["import_id"], milliseconds_left)
        case "arrived":
            at = clock.parse(message["at"])
            matching.arrived(message["external_userid"], message["staff_id"], at)
        case "order":
            matching.order(message)
        case "prospect_day":
            daily_tasks.morning(message["day"], message["due_at"])
        case "lists":
            daily_tasks.morning(brand_settings.day_of(clock.now()), None)
        case "list":
            daily_tasks.make_list(message["staff_id"], message["day"])
        case "left":
            daily_tasks.left(message["staff_id"])
        case "respread":
            daily_tasks.respread(message["staff_id"], message["to"], message["after"], message["done"])
        case "export":
            wanted = {name: message[name] for name in ("status", "staff_id", "import_id")}
            exports.write_export(message["job_id"], wanted)
        case other:
            raise ValueError(f"no work of kind {other}")
