"""Contact ways 「联系我」 and welcome messages (wecom-api.md §4.1, §4.2, §4.6)."""

from typing import Any

from infra.sandbox import state as st
from infra.sandbox.content import check_content
from infra.sandbox.endpoint import Call, Endpoint, P, ok, page
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World

WELCOME_SECONDS = 20
_DEFAULTS: dict[str, Any] = {
    "style": 1, "remark": "", "skip_verify": True, "state": "", "user": [], "party": [],
    "is_exclusive": False, "mark_source": True, "is_temp": False,
}  # fmt: skip
_FIELDS = (
    P("style", int), P("remark", str, most=30), P("skip_verify", bool), P("state", str, most=30),
    P("user", list, most=100, code=41041, items=str), P("party", list, items=int),
    P("is_exclusive", bool), P("mark_source", bool),
)  # fmt: skip


def qr_url(world: World, config_id: str) -> str:
    return f"{world.base_url}/qr/{config_id}.png"


def get_follow_user_list(call: Call) -> dict[str, Any]:
    return ok(follow_user=[s.userid for s in call.world.state.staff.values() if s.status == 1])


def _members(world: World, kind: int, users: list[Any], parties: list[Any]) -> list[str]:
    if kind == 1 and (len(users) != 1 or parties):
        raise ApiError(40058, "type 1 takes exactly one user")
    if not users and not parties:
        raise ApiError(40063, "user")
    members = [world.staff(user) for user in users]
    if any(member.status != 1 for member in members):
        raise ApiError(41054)
    return [member.userid for member in members]


def add_contact_way(call: Call) -> dict[str, Any]:
    world = call.world
    if call["is_temp"]:
        raise ApiError(48002, "is_temp is for medical corps")
    users = _members(world, call["type"], call["user"] or [], call["party"] or [])
    if call["scene"] == 1 and call["style"] not in (None, 1, 2, 3):
        raise ApiError(41042)
    if len(world.state.ways) + len(world.state.join_ways) >= world.config.contact_way_limit:
        raise ApiError(41045)
    config_id = world.new_id("cfg")
    given = {name: call[name] for name in _DEFAULTS if call[name] is not None}
    fields = {"type": call["type"], "scene": call["scene"], **_DEFAULTS, **given, "user": users}
    world.state.ways[config_id] = st.ContactWay(config_id, int(world.ts()), fields)
    made = {"config_id": config_id}
    return ok(**made, qr_code=qr_url(world, config_id)) if call["scene"] == 2 else ok(**made)


def _way(call: Call) -> st.ContactWay:
    way = call.world.state.ways.get(call["config_id"])
    if way is None:
        raise ApiError(41044)
    return way


def get_contact_way(call: Call) -> dict[str, Any]:
    way = _way(call)
    shown = {**way.fields, "config_id": way.config_id}
    if way.fields["scene"] == 2:
        shown["qr_code"] = qr_url(call.world, way.config_id)
    return ok(contact_way=shown)


def list_contact_way(call: Call) -> dict[str, Any]:
    now = int(call.world.ts())
    start, end = call["start_time"] or now - 90 * 86400, call["end_time"] or now
    rows = [
        {"config_id": w.config_id} for w in call.world.state.ways.values() if start <= w.created_at <= end
    ]
    shown, cursor = page(rows, call, 100)
    return ok(contact_way=shown, next_cursor=cursor)


def update_contact_way(call: Call) -> dict[str, Any]:
    way = _way(call)
    changes = {name: call[name] for name in _DEFAULTS if call[name] is not None and name != "is_temp"}
    if "user" in changes or "party" in changes:
        users = changes.get("user", way.fields["user"])
        parties = changes.get("party", way.fields["party"])
        changes["user"] = _members(call.world, way.fields["type"], users, parties)
    way.fields.update(changes)
    return ok()


def del_contact_way(call: Call) -> dict[str, Any]:
    del call.world.state.ways[_way(call).config_id]
    return ok()


def send_welcome_msg(call: Call) -> dict[str, Any]:
    world, now = call.world, call.world.ts()
    code = world.state.welcome_codes.get(call["welcome_code"])
    if code is None or now - code.at > WELCOME_SECONDS:
        raise ApiError(41050)
    if code.used:
        raise ApiError(41051)
    content = check_content(world, call.args)
    code.used = True
    world.deliver("welcome", code.userid, code.external_userid, content, now)
    return ok()


TABLE = (
    Endpoint("GET", "externalcontact/get_follow_user_list", get_follow_user_list),
    Endpoint(
        "POST", "externalcontact/add_contact_way", add_contact_way,
        (P("type", int, True, choices=(1, 2)), P("scene", int, True, choices=(1, 2)), P("is_temp", bool),
         *_FIELDS),
    ),
    Endpoint("POST", "externalcontact/get_contact_way", get_contact_way, (P("config_id", str, True),)),
    Endpoint(
        "POST", "externalcontact/list_contact_way", list_contact_way,
        (P("start_time", int), P("end_time", int), P("cursor", str), P("limit", int, most=1000, least=1)),
    ),
    Endpoint(
        "POST", "externalcontact/update_contact_way", update_contact_way,
        (P("config_id", str, True), *_FIELDS),
    ),
    Endpoint("POST", "externalcontact/del_contact_way", del_contact_way, (P("config_id", str, True),)),
    Endpoint(
        "POST", "externalcontact/send_welcome_msg", send_welcome_msg,
        (P("welcome_code", str, True), P("text", dict), P("attachments", list)),
    ),
)  # fmt: skip
