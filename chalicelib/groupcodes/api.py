"""Doors of group codes: the line of a code, and what owners of groups are asked to do for it."""

from typing import Any, Literal

import msgspec

from chalicelib.groupcodes import join_ways, next_group
from chalicelib.groupcodes.line import is_group_code, is_opened_by_wecom, limit_of, line_of
from chalicelib.groupcodes.types import Done, LineOut, TaskOut
from chalicelib.groups import service as groups
from chalicelib.groups import tasks
from chalicelib.groups.types import RoomOut
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import http
from chalicelib.platform.errors import NotFound
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Paging

door = http.Door(__name__, tag="Groups")


class TasksQuery(Paging, kw_only=True):
    status: Literal["open", "done"] = "open"


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/groups",
    permission="groups.read",
    answer=LineOut,
    summary="The groups of a group code, in the order in which they fill up",
)
def line(call: Call, live_code_id: str) -> LineOut:
    code = livecodes.get(live_code_id)
    if not is_group_code(code):
        raise NotFound("is not a group code")
    limit = limit_of(code)
    chat_ids = line_of(code)
    rooms = groups.rooms(chat_ids)
    shown = groups.shown(chat_ids)
    return LineOut(
        live_code_id=live_code_id,
        printing=code.definition["printing"],
        limit=limit,
        opened_by="wecom" if is_opened_by_wecom(code) else "owner",
        line=[
            RoomOut(**group, places_left=room.left(limit)) for group, room in zip(shown, rooms, strict=True)
        ],
        native=join_ways.show_native(code),
    )


@door.route(
    "GET",
    "/api/group-tasks",
    permission="group_tasks.read",
    query=TasksQuery,
    summary="What owners of groups were asked to do, newest first",
    answer=http.Listing[TaskOut],
)
def list_tasks(call: Call) -> dict[str, Any]:
    return http.listing(*tasks.page(call.query.status, *call.page()))


@door.route(
    "POST",
    "/api/group-tasks/{task_id}/done",
    body=Done,
    answer=TaskOut,
    permission="group_tasks.write",
    summary="A task is done; a new group joins the code's line",
)
def finish_task(call: Call, task_id: str) -> TaskOut:
    return msgspec.convert(next_group.finish_task(task_id, call.body.chat_id), TaskOut)
