"""Mass sends 企业群发 (wecom-api.md §4.7).

The API makes tasks; members confirm them in their own time. Nothing waits on a timer: what has happened up
to now is worked out from the clock (`settle`), so that a moved clock gives the same history.
"""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.platform.clock import SHANGHAI
from infra.sandbox import state as st
from infra.sandbox.content import check_content
from infra.sandbox.endpoint import Call, Endpoint, P, ok, page
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World, digest

_DAY = 86400
_MONTH = 31 * _DAY
_NOT_SENT, _SENT, _NO_FRIEND, _OVER_LIMIT = 0, 1, 2, 3


# How members behave


def confirm_at(world: World, msgid: str, member: st.Staff, now: float) -> float | None:
    config = world.config
    if member.confirms is False:
        return None
    if member.confirm_after is not None:
        return now + member.confirm_after
    luck = int(digest(str(config.seed), msgid, member.userid)[:8], 16) / 2**32
    if member.confirms is None and luck < config.never_confirm_share:
        return None
    late = luck < config.never_confirm_share + config.late_confirm_share
    return now + (config.late_confirm_after if late else config.confirm_after)


def _quota_window(rule: str, at: float) -> tuple[float, int]:
    """Since when mass messages count against one at `at`, and how many are allowed; Beijing days."""
    day = datetime.fromtimestamp(at, SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    if rule == "day":
        return day.timestamp(), 1
    if rule == "week":
        return (day - timedelta(days=day.weekday())).timestamp(), 7
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first.timestamp(), (following - first).days


def _over_quota(world: World, receiver: str, at: float) -> bool:
    since, most = _quota_window(world.config.mass_quota, at)
    return sum(1 for sent_at in world.mass_sent.get(receiver, ()) if since <= sent_at <= at) >= most


def _send(world: World, task: st.MassTask, at: float) -> None:
    send = world.state.mass_sends[task.msgid]
    task.sent_at = at
    for receiver in task.results:
        bond = world.bond(task.userid, receiver)
        if send.chat_type == "single" and (bond is None or bond.kind != "full"):
            task.results[receiver] = _NO_FRIEND
        elif _over_quota(world, receiver, at):
            task.results[receiver] = _OVER_LIMIT
        else:
            task.results[receiver] = _SENT
            world.mass_sent.setdefault(receiver, []).append(at)
            world.deliver("mass_send", task.userid, receiver, {"msgid": task.msgid, **send.content}, at)


def _open_tasks(world: World) -> list[st.MassTask]:
    tasks = [t for t in world.state.mass_tasks.values() if t.sent_at is None and t.confirm_at is not None]
    return [t for t in tasks if not world.state.mass_sends[t.msgid].cancelled]


def settle(world: World, now: float) -> int:
    """Let the members who would have confirmed by `now` confirm, in their order; how many did."""
    due = sorted(
        (t for t in _open_tasks(world) if (t.confirm_at or 0) <= now), key=lambda t: (t.confirm_at, t.userid)
    )
    for task in due:
        _send(world, task, task.confirm_at or now)
    return len(due)


def next_at(world: World) -> float | None:
    """When the next member confirms."""
    return min((t.confirm_at for t in _open_tasks(world) if t.confirm_at is not None), default=None)


def confirm(world: World, msgid: str, userid: str) -> None:
    """A member confirms now. KeyError for a task they do not have."""
    settle(world, world.ts())
    task = world.state.mass_tasks[f"{msgid}|{userid.lower()}"]
    if task.sent_at is None and not world.state.mass_sends[msgid].cancelled:
        _send(world, task, world.ts())


# The calls


def _matches(bond: st.Bond, groups: list[list[str]]) -> bool:
    return all(set(group) & set(bond.tag_ids) for group in groups)


def _tag_groups(call: Call) -> list[list[str]]:
    given = (call["tag_filter"] or {}).get("group_list") or []
    groups = [g.get("tag_list") if isinstance(g, dict) else None for g in given]
    if not all(isinstance(g, list) and len(g) <= 100 for g in groups):
        raise ApiError(40058, "tag_filter")
    return [g for g in groups if g]


def _share_out(call: Call) -> tuple[dict[str, list[str]], list[str]]:
    """Who sends to whom, and who cannot be sent to."""
    world, groups = call.world, _tag_groups(call)
    sender = world.staff(call["sender"]).userid if call["sender"] else None
    wanted = call["external_userid"] or []
    if not sender and not wanted and not groups:
        raise ApiError(40063, "sender, external_userid, tag_filter")
    tasks: dict[str, list[str]] = {}
    failed: list[str] = []
    if wanted:
        for receiver in dict.fromkeys(wanted):
            bonds = [b for b in world.followers(receiver) if sender in (None, b.userid)]
            if bonds:  # without a sender: whoever talked to them last, for us the latest bond
                tasks.setdefault(bonds[-1].userid, []).append(receiver)
            else:
                failed.append(receiver)
        return tasks, failed
    books = [world.bonds_of(sender)] if sender else [list(world.state.bonds.values())]
    for bond in books[0]:
        if bond.kind == "full" and _matches(bond, groups):
            tasks.setdefault(bond.userid, []).append(bond.external_userid)
    return tasks, failed


def _group_share(call: Call) -> tuple[dict[str, list[str]], list[str]]:
    if not call["sender"]:
        raise ApiError(40063, "sender")
    owner = call.world.staff(call["sender"]).userid
    groups = [g for g in call.world.state.groups.values() if not g.dismissed]
    own = [g.chat_id for g in groups if g.owner.lower() == owner.lower()]
    wanted = call["chat_id_list"] or own
    return {owner: [c for c in wanted if c in own]}, [c for c in wanted if c not in own]


def add_msg_template(call: Call) -> dict[str, Any]:
    world, now = call.world, call.world.ts()
    settle(world, now)
    content = check_content(world, call.args)
    chat_type = call["chat_type"] or "single"
    tasks, failed = _share_out(call) if chat_type == "single" else _group_share(call)
    if not any(tasks.values()):
        raise ApiError(41048, fail_list=failed)
    msgid = world.new_id("msg", 34)
    world.state.mass_sends[msgid] = st.MassSend(msgid, chat_type, now, content)
    for userid, receivers in tasks.items():
        at = confirm_at(world, msgid, world.staff(userid), now)
        results = dict.fromkeys(receivers, _NOT_SENT)
        world.state.mass_tasks[f"{msgid}|{userid.lower()}"] = st.MassTask(msgid, userid, results, at)
    return ok(fail_list=failed, msgid=msgid)


def get_groupmsg_list_v2(call: Call) -> dict[str, Any]:
    start, end = call["start_time"], call["end_time"]
    if end < start or end - start > _MONTH:
        raise ApiError(40058, "start_time, end_time")
    rows = [
        {"msgid": s.msgid, "create_time": int(s.created_at), "create_type": 0, **s.content}
        for s in call.world.state.mass_sends.values()
        if s.chat_type == call["chat_type"] and start <= s.created_at <= end + 1 and call["filter_type"] != 1
    ]
    shown, cursor = page(rows, call, 50)
    return ok(next_cursor=cursor, group_msg_list=shown)


def _dispatched(call: Call) -> st.MassSend:
    world = call.world
    send = world.state.mass_sends.get(call["msgid"])
    if send is None:
        raise ApiError(41047)
    if world.ts() - send.created_at < world.config.dispatch_seconds:
        raise ApiError(41063)
    settle(world, world.ts())
    return send


def _tasks_of(world: World, msgid: str) -> list[st.MassTask]:
    return [t for t in world.state.mass_tasks.values() if t.msgid == msgid]


def get_groupmsg_task(call: Call) -> dict[str, Any]:
    send = _dispatched(call)
    rows = [
        {"userid": t.userid, "status": 0}
        if t.sent_at is None
        else {"userid": t.userid, "status": 2, "send_time": int(t.sent_at)}
        for t in _tasks_of(call.world, send.msgid)
    ]
    shown, cursor = page(rows, call, 500)
    return ok(next_cursor=cursor, task_list=shown)


def get_groupmsg_send_result(call: Call) -> dict[str, Any]:
    send = _dispatched(call)
    task = call.world.state.mass_tasks.get(f"{send.msgid}|{call['userid'].lower()}")
    if task is None:
        raise ApiError(40003)
    name = "external_userid" if send.chat_type == "single" else "chat_id"
    rows = []
    for receiver, status in task.results.items():
        row = {name: receiver, "userid": task.userid, "status": status}
        rows.append(row | ({"send_time": int(task.sent_at)} if status == _SENT and task.sent_at else {}))
    shown, cursor = page(rows, call, 500)
    return ok(next_cursor=cursor, send_list=shown)


def remind_groupmsg_send(call: Call) -> dict[str, Any]:
    send, now = _dispatched(call), call.world.ts()
    if send.cancelled:
        raise ApiError(41093)
    recent = [at for at in send.reminded_at if at > now - _DAY]
    if len(recent) >= 3:
        raise ApiError(41094)
    send.reminded_at = [*recent, now]
    return ok()


def cancel_groupmsg_send(call: Call) -> dict[str, Any]:
    send = _dispatched(call)
    if send.cancelled:
        raise ApiError(41093)
    send.cancelled = True
    return ok()


_MSGID = P("msgid", str, True)
_PAGED = (P("limit", int, most=1000, least=1), P("cursor", str))

TABLE = (
    Endpoint(
        "POST", "externalcontact/add_msg_template", add_msg_template,
        (P("chat_type", str, choices=("single", "group")),
         P("external_userid", list, most=10_000, code=40032, items=str),
         P("chat_id_list", list, most=2_000, items=str),
         P("sender", str), P("tag_filter", dict), P("allow_select", bool), P("text", dict),
         P("attachments", list)),
    ),
    Endpoint(
        "POST", "externalcontact/get_groupmsg_list_v2", get_groupmsg_list_v2,
        (P("chat_type", str, True, choices=("single", "group")), P("start_time", int, True),
         P("end_time", int, True), P("creator", str), P("filter_type", int, choices=(0, 1, 2)),
         P("limit", int, most=100, least=1), P("cursor", str)),
    ),
    Endpoint("POST", "externalcontact/get_groupmsg_task", get_groupmsg_task, (_MSGID, *_PAGED)),
    Endpoint(
        "POST", "externalcontact/get_groupmsg_send_result", get_groupmsg_send_result,
        (_MSGID, P("userid", str, True), *_PAGED),
    ),
    Endpoint("POST", "externalcontact/remind_groupmsg_send", remind_groupmsg_send, (_MSGID,)),
    Endpoint("POST", "externalcontact/cancel_groupmsg_send", cancel_groupmsg_send, (_MSGID,)),
)  # fmt: skip
