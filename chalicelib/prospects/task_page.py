"""The guide's task list as a page: own tasks only, full numbers, one button for what became of each."""

from urllib.parse import parse_qs

import msgspec

from chalicelib.platform import clock, http
from chalicelib.platform.errors import Conflict, DomainError, NotFound
from chalicelib.platform.http import Answer, Call
from chalicelib.prospects import brand_settings, daily_tasks, rules, status_changes
from chalicelib.staff import service as staff
from chalicelib.staffauth import service as auth
from chalicelib.web import frame
from chalicelib.web.tasks import page

door = http.Door(__name__, tag="Prospects")

_PAGE = "/h5/tasks"
_MAX_FORM = 4096


@door.route(
    "GET",
    _PAGE,
    summary="A guide's tasks of today; signs in by WeCom first",
    others={302: "To WeCom's sign-in"},
    gives="text/html",
    page=frame.problem,
)
def show(call: Call) -> Answer:
    session = auth.current(call.cookies)
    if session is None or session.staff_id is None:
        where, cookie = auth.begin(_PAGE)
        return Answer(b"", 302, {"Location": where, "Set-Cookie": cookie, "Cache-Control": "no-store"})
    day = brand_settings.day_of(clock.now())
    rows = [msgspec.to_builtins(task) for task in daily_tasks.of_day(session.staff_id, day)]
    name = staff.name(session.staff_id)
    return page.tasks(name, day, rows, session.csrf_token, auth.folder()).answer()


def _failed(error: DomainError) -> Answer:
    back = auth.folder() + _PAGE
    return page.refused("操作失败，请重试", "That didn't work. Please try again.", back).answer(error.status)


@door.route(
    "POST",
    "/h5/tasks/{prospect_id}",
    status=303,
    summary="A guide says what became of a task (a form: csrf, status)",
    max_body=_MAX_FORM,
    takes="application/x-www-form-urlencoded",
    others={
        401: "Nobody is signed in",
        403: "The page is of another session",
        409: "The task has changed meanwhile",
    },
    page=_failed,
)
def set_status(call: Call, prospect_id: str) -> Answer:
    session = auth.current(call.cookies)
    back = auth.folder() + _PAGE
    if session is None or session.staff_id is None:
        return page.again(back).answer(401)
    form = parse_qs(call.raw.decode("utf-8", "replace"), max_num_fields=20)
    if not session.has_csrf_token(form.get("csrf", [""])[0]):
        return page.again(back).answer(403)
    status = form.get("status", [""])[0]
    if status not in (rules.TO_ADD, rules.ASKED, rules.REFUSED, rules.UNREACHABLE):
        return page.refused("状态不正确", "Unknown status", back).answer(422)
    try:
        item = status_changes.change(
            prospect_id, status, f"staff:{session.staff_id}", of_staff=session.staff_id
        )
    except NotFound:
        return page.refused("这不是您的任务", "This isn't your task", back).answer(404)
    except Conflict:
        return page.refused(
            "状态已变更，请返回查看", "This task has changed. Go back to see it.", back
        ).answer(409)
    return Answer(b"", 303, {"Location": f"{back}#t-{item.code}", "Cache-Control": "no-store"})
