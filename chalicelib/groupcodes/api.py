"""Doors of group codes: the line of a code, and what owners of groups are asked to do for it."""

from chalicelib.groupcodes import line_view, open_next_group
from chalicelib.groupcodes.types import Done, LineOut
from chalicelib.groups import group_list
from chalicelib.groups.types import TaskOut, TasksQuery
from chalicelib.platform import http, lists
from chalicelib.platform.http import Call

door = http.Door(__name__, tag="Groups")


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/groups",
    permission="groups.read",
    answer=LineOut,
    summary="The groups of a group code, in the order in which they fill up",
)
def get_line(call: Call, live_code_id: str) -> LineOut:
    return line_view.show_line(live_code_id, call.principal)


@door.route(
    "GET",
    "/api/group-tasks",
    permission="group_tasks.read",
    query=TasksQuery,
    summary="What owners of groups were asked to do, newest first",
    answer=lists.Page[TaskOut],
)
def list_tasks(call: Call) -> lists.Page[TaskOut]:
    return group_list.page_of_tasks(call.query, call.principal)


@door.route(
    "POST",
    "/api/group-tasks/{task_id}/done",
    body=Done,
    answer=TaskOut,
    permission="group_tasks.write",
    summary="A task is done; a new group joins the code's line",
)
def finish_task(call: Call, task_id: str) -> TaskOut:
    group_list.check_task(task_id, call.principal)
    return open_next_group.finish_task(task_id, call.body.chat_id)
