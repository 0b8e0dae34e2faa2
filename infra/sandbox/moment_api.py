"""Moments 客户朋友圈 (wecom-api.md §4.9): a task of the corp, which members publish in their own time."""

from typing import Any

from infra.sandbox import state as st
from infra.sandbox.endpoint import Call, Endpoint, P, ok, page
from infra.sandbox.errors import ApiError
from infra.sandbox.mass_api import confirm_at
from infra.sandbox.world import World

_JOB_SECONDS = 86_400
_MONTH = 30 * 86_400
_TEXT_BYTES, _TEXT_CHARACTERS = 4000, 2000
_MOST_PICTURES = 9


# What members do


def _open_tasks(world: World) -> list[tuple[st.Moment, dict[str, Any]]]:
    moments = [m for m in world.state.moments.values() if not m.cancelled]
    return [(m, task) for m in moments for task in m.tasks.values() if task["published_at"] is None]


def settle(world: World, now: float) -> int:
    """Let the members who would have published by `now` publish, in their order; how many did."""
    due = [(m, t) for m, t in _open_tasks(world) if t["confirm_at"] is not None and t["confirm_at"] <= now]
    for moment, task in sorted(due, key=lambda pair: (pair[1]["confirm_at"], pair[1]["userid"])):
        _publish(world, moment, task, task["confirm_at"])
    return len(due)


def next_at(world: World) -> float | None:
    """When the next member publishes."""
    times = [task["confirm_at"] for _, task in _open_tasks(world)]
    return min((at for at in times if at is not None), default=None)


def publish(world: World, moment_id: str, userid: str) -> None:
    """A member publishes now. KeyError for a task they do not have."""
    settle(world, world.ts())
    moment = world.state.moments[moment_id]
    task = moment.tasks[userid.lower()]
    if task["published_at"] is None and not moment.cancelled:
        _publish(world, moment, task, world.ts())


def _publish(world: World, moment: st.Moment, task: dict[str, Any], at: float) -> None:
    task["published_at"] = at
    for external in _seen_by(world, task):
        world.deliver(
            "moment", task["userid"], external, {"moment_id": moment.moment_id, **moment.content}, at
        )


def _seen_by(world: World, task: dict[str, Any]) -> list[str]:
    bonds = [(external, world.bond(task["userid"], external)) for external in task["audience"]]
    return [external for external, bond in bonds if bond is not None and bond.kind == "full"]


# Making one


def _check_media(world: World, body: dict[str, Any], kind: str) -> None:
    media = world.state.media.get(body.get("media_id") or "")
    if media is None:
        raise ApiError(40007, kind)
    if media.purpose != 1:
        raise ApiError(41072, kind)
    if world.ts() - media.created_at > 3 * 86_400:
        raise ApiError(40007, kind)


def _content(call: Call) -> dict[str, Any]:
    """The text and the attachments. ApiError 41089, 45002, 41064, 41065, 41072, 40007, 40063, 41082."""
    words, attachments = (call["text"] or {}).get("content") or "", call["attachments"] or []
    if not isinstance(words, str):
        raise ApiError(40058, "text.content")
    if not words and not attachments:
        raise ApiError(41089)
    if len(words) > _TEXT_CHARACTERS or len(words.encode()) > _TEXT_BYTES:
        raise ApiError(45002)
    kinds = [item.get("msgtype") for item in attachments]
    if any(kind not in ("image", "video", "link") for kind in kinds) or len(set(kinds)) > 1:
        raise ApiError(41065)
    if len(kinds) > (_MOST_PICTURES if kinds[:1] == ["image"] else 1):
        raise ApiError(41064)
    for item, kind in zip(attachments, kinds, strict=True):
        body = item.get(kind)
        if not isinstance(body, dict) or any(not isinstance(value, str) for value in body.values()):
            raise ApiError(40058, kind)
        if kind == "link" and not body.get("url"):
            raise ApiError(40063, "link.url")
        if len(body.get("title", "").encode()) > 64:
            raise ApiError(41082, "link.title")
        if kind != "link" or body.get("media_id"):
            _check_media(call.world, body, kind)
    return {"text": {"content": words}, "attachments": attachments}


def _senders(world: World, given: dict[str, Any]) -> tuple[list[st.Staff], dict[str, Any]]:
    """Who is to publish, and who was named in vain."""
    users, parties = given.get("user_list") or [], given.get("department_list") or []
    if not users and not parties:
        return [s for s in world.state.staff.values() if s.status == 1], _nobody()
    found: dict[str, st.Staff] = {}
    invalid: dict[str, Any] = {"user_list": [], "department_list": []}
    for userid in users:
        try:
            member = world.staff(userid)
        except ApiError:
            invalid["user_list"].append(userid)
            continue
        if member.status == 1:
            found[member.userid.lower()] = member
        else:
            invalid["user_list"].append(userid)
    for party in parties:
        inside = {k: s for k, s in world.state.staff.items() if party in s.department and s.status == 1}
        found |= inside
        if not inside:
            invalid["department_list"].append(party)
    return list(found.values()), invalid


def _nobody() -> dict[str, Any]:
    return {"user_list": [], "department_list": []}


def add_moment_task(call: Call) -> dict[str, Any]:
    world, now = call.world, call.world.ts()
    content = _content(call)
    given = call["visible_range"] or {}
    named, by_tag = given.get("sender_list") or {}, given.get("external_contact_list") or {}
    tags = by_tag.get("tag_list") or []
    running = sum(now - m.created_at < world.config.dispatch_seconds for m in world.state.moments.values())
    if running >= world.config.moment_job_limit:
        raise ApiError(41078)
    good = {t for t in tags if (tag := world.state.tags.get(t)) is not None and not tag.deleted}
    senders, invalid = _senders(world, named)
    bad_tags = {"tag_list": [t for t in tags if t not in good]}
    made = st.Moment(
        world.new_id("mom", 32), world.new_id("JOBMOM", 40), now, content, not tags,
        {"invalid_sender_list": invalid, "invalid_external_contact_list": bad_tags},
    )  # fmt: skip
    for member in senders:
        bonds = [b for b in world.bonds_of(member.userid) if b.kind == "full"]
        audience = [b.external_userid for b in bonds if not tags or good & set(b.tag_ids)]
        if audience:
            at = confirm_at(world, made.moment_id, member, now)
            task = {"userid": member.userid, "audience": audience, "confirm_at": at, "published_at": None}
            made.tasks[member.userid.lower()] = task
    world.state.moments[made.moment_id] = made
    return ok(jobid=made.jobid)


def get_moment_task_result(call: Call) -> dict[str, Any]:
    world = call.world
    moments = world.state.moments.values()
    moment = next((m for m in moments if m.jobid and m.jobid == call["jobid"]), None)
    if moment is None or world.ts() - moment.created_at > _JOB_SECONDS:
        raise ApiError(40058, "jobid")
    if world.ts() - moment.created_at < world.config.dispatch_seconds:
        return ok(status=2, type="add_moment_task", result={})
    result = {**ok(moment_id=moment.moment_id), **moment.invalid}
    if not moment.tasks:
        result |= {"errcode": 41048, "errmsg": ApiError(41048).text}
    return ok(status=3, type="add_moment_task", result=result)


# Looking at them


def _shown(moment: st.Moment) -> dict[str, Any]:
    by_kind: dict[str, list[Any]] = {"image": [], "video": [], "link": []}
    for item in moment.content["attachments"]:
        by_kind[item["msgtype"]].append(item[item["msgtype"]])
    shown: dict[str, Any] = {
        "moment_id": moment.moment_id, "create_time": int(moment.created_at),
        "create_type": int(not moment.jobid), "visible_type": int(moment.is_public),
        "text": moment.content["text"], "image": by_kind["image"],
        "video": next(iter(by_kind["video"]), {}), "link": next(iter(by_kind["link"]), {}), "location": {},
    }  # fmt: skip
    return shown if moment.jobid else {"creator": next(iter(moment.tasks.values()))["userid"], **shown}


def get_moment_list(call: Call) -> dict[str, Any]:
    start, end = call["start_time"], call["end_time"]
    if end < start or end - start > _MONTH:
        raise ApiError(40058, "start_time, end_time")
    rows = [
        row
        for row in map(_shown, call.world.state.moments.values())
        if start <= row["create_time"] <= end
        and call["filter_type"] in (None, 2, row["create_type"])
        and (call["creator"] or "").lower() in ("", row.get("creator", "").lower())
    ]
    listed, cursor = page(rows, call, 20)
    return ok(next_cursor=cursor, moment_list=listed)


def _moment(call: Call, of_the_corp: bool = False) -> st.Moment:
    world = call.world
    moment = world.state.moments.get(call["moment_id"])
    if moment is None:
        raise ApiError(41059)
    if of_the_corp and not moment.jobid:
        raise ApiError(41067)
    if moment.jobid and world.ts() - moment.created_at < world.config.dispatch_seconds:
        raise ApiError(41079)
    settle(world, world.ts())
    return moment


def get_moment_task(call: Call) -> dict[str, Any]:
    tasks = _moment(call, of_the_corp=True).tasks.values()
    rows = [{"userid": t["userid"], "publish_status": int(t["published_at"] is not None)} for t in tasks]
    shown, cursor = page(rows, call, 500)
    return ok(next_cursor=cursor, task_list=shown)


def _task(call: Call) -> dict[str, Any]:
    task = _moment(call).tasks.get(call["userid"].lower())
    if task is None:
        raise ApiError(40003)
    return task


def get_moment_customer_list(call: Call) -> dict[str, Any]:
    """Whom the member may show it to."""
    task = _task(call)
    rows = [{"userid": task["userid"], "external_userid": external} for external in task["audience"]]
    shown, cursor = page(rows, call, 500)
    return ok(next_cursor=cursor, customer_list=shown)


def get_moment_send_result(call: Call) -> dict[str, Any]:
    """Who can see it, since it is published."""
    task = _task(call)
    seen = _seen_by(call.world, task) if task["published_at"] is not None else []
    shown, cursor = page([{"external_userid": external} for external in seen], call, 3000)
    return ok(next_cursor=cursor, customer_list=shown)


def get_moment_comments(call: Call) -> dict[str, Any]:
    _task(call)
    moment = call.world.state.moments[call["moment_id"]]
    own = call["userid"].lower()
    shown = {
        name: [{k: v for k, v in row.items() if k != "of"} for row in rows if row["of"] == own]
        for name, rows in (("comment_list", moment.comments), ("like_list", moment.likes))
    }
    return ok(**shown)


def cancel_moment_task(call: Call) -> dict[str, Any]:
    """What is not published yet will not be."""
    _moment(call, of_the_corp=True).cancelled = True
    return ok()


_MOMENT = P("moment_id", str, True)
_PAGED = (P("limit", int, most=1000, least=1), P("cursor", str))
_PATH = "externalcontact/"
_OF_MEMBER = (_MOMENT, P("userid", str, True))

TABLE = (
    Endpoint(
        "POST", _PATH + "add_moment_task", add_moment_task,
        (P("text", dict), P("attachments", list, items=dict), P("visible_range", dict)),
    ),
    Endpoint("GET", _PATH + "get_moment_task_result", get_moment_task_result, (P("jobid", str, True),)),
    Endpoint(
        "POST", _PATH + "get_moment_list", get_moment_list,
        (P("start_time", int, True), P("end_time", int, True), P("creator", str),
         P("filter_type", int, choices=(0, 1, 2)), P("cursor", str), P("limit", int, most=20, least=1)),
    ),
    Endpoint("POST", _PATH + "get_moment_task", get_moment_task, (_MOMENT, *_PAGED)),
    Endpoint(
        "POST", _PATH + "get_moment_customer_list", get_moment_customer_list, (*_OF_MEMBER, *_PAGED)
    ),
    Endpoint(
        "POST", _PATH + "get_moment_send_result", get_moment_send_result,
        (*_OF_MEMBER, P("limit", int, most=5000, least=1), P("cursor", str)),
    ),
    Endpoint("POST", _PATH + "get_moment_comments", get_moment_comments, _OF_MEMBER),
    Endpoint("POST", _PATH + "cancel_moment_task", cancel_moment_task, (_MOMENT,)),
)  # fmt: skip
