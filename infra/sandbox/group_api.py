"""Customer groups and join ways 「加入群聊」 (wecom-api.md §4.3, §4.4), and what happens in a group."""

import copy
import hashlib
import re
from typing import Any

from infra.sandbox import state as st
from infra.sandbox.endpoint import Call, Endpoint, P, ok, page
from infra.sandbox.errors import ApiError
from infra.sandbox.staff_api import present
from infra.sandbox.world import World

QR_LIMIT = 200  # members from which on nobody enters by a QR code
GROUP_SIZE = 500
_CHAT_ID = re.compile(r"wr[A-Za-z0-9_-]{1,62}")
_REMEMBERED = 50  # states of a group that a lagging answer may show
_DEFAULTS: dict[str, Any] = {
    "remark": "", "auto_create_room": 1, "room_base_name": "", "room_base_id": 1, "state": "",
    "mark_source": True,
}  # fmt: skip
_FIELDS = (
    P("scene", int, True, choices=(1, 2)), P("remark", str), P("auto_create_room", int, choices=(0, 1)),
    P("room_base_name", str, most=40), P("room_base_id", int), P("state", str, most=30),
    P("chat_id_list", list, True, most=5, code=41091, items=str), P("mark_source", bool),
)  # fmt: skip


# The world's groups


def group(world: World, chat_id: str) -> st.GroupChat:
    """The group; one that is only mentioned is made, with nobody in it, unless the sandbox is strict."""
    known = world.state.groups.get(chat_id)
    if known is None:
        if world.config.strict or not isinstance(chat_id, str) or not _CHAT_ID.fullmatch(chat_id):
            raise ApiError(40058, "chat_id")
        first = next((s.userid for s in world.state.staff.values() if s.status == 1), "group-owner")
        owner = world.staff(first).userid
        known = st.GroupChat(chat_id, f"客户群{chat_id[-4:]}", owner, int(world.ts()))
        world.state.groups[chat_id] = known
    return known


def version(chat: st.GroupChat) -> str:
    """WeCom's member_version: says nothing, and is another after each change."""
    return chat.told_version or hashlib.sha256(f"{chat.chat_id}#{chat.version}".encode()).hexdigest()[:32]


def shown(chat: st.GroupChat) -> dict[str, Any]:
    """What groupchat/get answers, but for the names of members."""
    return {
        "chat_id": chat.chat_id, "name": chat.name, "owner": chat.owner, "create_time": chat.create_time,
        "notice": chat.notice, "member_list": copy.deepcopy(chat.members),
        "admin_list": [{"userid": userid} for userid in chat.admins], "member_version": version(chat),
    }  # fmt: skip


def changing(world: World, chat: st.GroupChat, told_version: str = "") -> tuple[str, str]:
    """To be called before a group changes; its version before and after. Answers may lag behind."""
    if world.config.group_lag > 0:
        chat.past = [*chat.past, [world.ts(), shown(chat)]][-_REMEMBERED:]
    before = version(chat)
    chat.version += 1
    chat.told_version = told_version
    return before, version(chat)


def own_id(world: World, member_id: str) -> str:
    """As the corp spells it: a member's userid compares without case, a customer's id does not."""
    known = world.state.staff.get(member_id.lower())
    return known.userid if known is not None else member_id


def take_out(world: World, chat: st.GroupChat, member_ids: list[str]) -> None:
    """They are not in the group any more."""
    at = int(world.ts())
    chat.gone += [{**row, "left_at": at} for row in chat.members if row["userid"] in member_ids]
    chat.members = [row for row in chat.members if row["userid"] not in member_ids]


def dismiss(world: World, chat: st.GroupChat) -> None:
    """The group ends."""
    take_out(world, chat, [row["userid"] for row in chat.members])
    chat.dismissed, chat.dismissed_at = True, int(world.ts())


def put_member(
    world: World, chat: st.GroupChat, member_id: str, scene: int, state: str = "", invitor: str = ""
) -> bool:
    """Somebody is in the group from now on. False when they are already."""
    member_id = own_id(world, member_id)
    if any(row["userid"] == member_id for row in chat.members):
        return False
    row: dict[str, Any] = {"userid": member_id, "join_time": int(world.ts()), "join_scene": scene}
    if member_id.lower() in world.state.staff:
        row["type"] = 1
    else:
        contact = world.contact(member_id)
        row |= {"type": 2} | ({"unionid": contact.unionid} if contact.unionid else {})
    if state:
        row["state"] = state
    if invitor:
        row["invitor"] = {"userid": invitor}
    chat.members.append(row)
    return True


def room_of(world: World, way: st.JoinWay) -> tuple[st.GroupChat | None, bool]:
    """(the group that a scan of the way leads into, whether it was opened for it); None: no room."""
    chats = [group(world, chat_id) for chat_id in way.fields["chat_id_list"]]
    chats = [chat for chat in chats if not chat.dismissed]
    free = next((chat for chat in chats if len(chat.members) < QR_LIMIT), None)
    if free is not None or not chats or not way.fields["auto_create_room"]:
        return free, False
    number = way.fields["room_base_id"] + way.opened
    way.opened += 1
    name = f"{way.fields['room_base_name'] or chats[-1].name}{number}"
    owner, now = chats[-1].owner, int(world.ts())
    row = {"userid": owner, "type": 1, "join_time": now, "join_scene": 1}
    made = st.GroupChat(world.new_id("wr"), name, owner, now, members=[row])
    world.state.groups[made.chat_id] = made
    way.fields["chat_id_list"] = [*way.fields["chat_id_list"], made.chat_id]
    return made, True


# Endpoints


def groupchat_list(call: Call) -> dict[str, Any]:
    owners = (call["owner_filter"] or {}).get("userid_list") or []
    if len(owners) > 100:
        raise ApiError(40032)
    if not owners and len(present(call.world)) > 1000:
        raise ApiError(81017)
    wanted = {owner.lower() for owner in owners}
    rows = [
        {"chat_id": g.chat_id, "status": g.status}
        for g in call.world.state.groups.values()
        if not g.dismissed
        and (not wanted or g.owner.lower() in wanted)
        and call["status_filter"] in (None, 0, g.status)
    ]
    listed, cursor = page(rows, call, 1000)
    return ok(group_chat_list=listed, next_cursor=cursor)


def groupchat_get(call: Call) -> dict[str, Any]:
    world, chat = call.world, group(call.world, call["chat_id"])
    if chat.dismissed:
        raise ApiError(40058, "chat_id")
    late = world.ts() - world.config.group_lag
    state = next((then for at, then in chat.past if at > late), None) or shown(chat)
    members = [
        {"group_nickname": "", **row, **({"name": _name(world, row)} if call["need_name"] else {})}
        for row in state["member_list"]
    ]
    return ok(group_chat={**state, "member_list": members})


def _name(world: World, row: dict[str, Any]) -> str:
    person = world.staff(row["userid"]) if row["type"] == 1 else world.contact(row["userid"])
    return person.name


def _fields(call: Call) -> dict[str, Any]:
    """All fields: those that are not given fall back, also in an update."""
    given = {name: call[name] for name in _DEFAULTS if call[name] is not None}
    chat_ids = [group(call.world, chat_id).chat_id for chat_id in call["chat_id_list"]]
    fields = {**_DEFAULTS, **given, "scene": call["scene"], "chat_id_list": chat_ids}
    return {**fields, "remark": fields["remark"][:30]}


def add_join_way(call: Call) -> dict[str, Any]:
    world = call.world
    if len(world.state.ways) + len(world.state.join_ways) >= world.config.contact_way_limit:
        raise ApiError(41045)
    made = st.JoinWay(world.new_id("jw"), int(world.ts()), _fields(call))
    world.state.join_ways[made.config_id] = made
    return ok(config_id=made.config_id)


def _way(call: Call) -> st.JoinWay:
    way = call.world.state.join_ways.get(call["config_id"])
    if way is None:
        raise ApiError(41044)
    return way


def get_join_way(call: Call) -> dict[str, Any]:
    way = _way(call)
    fields = {**way.fields, "config_id": way.config_id}
    if way.fields["scene"] == 2:
        fields["qr_code"] = f"{call.world.base_url}/qr/{way.config_id}.png"
    return ok(join_way=fields)


def update_join_way(call: Call) -> dict[str, Any]:
    _way(call).fields = _fields(call)
    return ok()


def del_join_way(call: Call) -> dict[str, Any]:
    del call.world.state.join_ways[_way(call).config_id]
    return ok()


_CONFIG = P("config_id", str, True)
_PATH = "externalcontact/groupchat/"

TABLE = (
    Endpoint(
        "POST", _PATH + "list", groupchat_list,
        (P("status_filter", int, choices=(0, 1, 2, 3)), P("owner_filter", dict), P("cursor", str),
         P("limit", int, True, most=1000, least=1)),
    ),
    Endpoint(
        "POST", _PATH + "get", groupchat_get,
        (P("chat_id", str, True), P("need_name", int, choices=(0, 1))),
    ),
    Endpoint("POST", _PATH + "add_join_way", add_join_way, _FIELDS),
    Endpoint("POST", _PATH + "get_join_way", get_join_way, (_CONFIG,)),
    Endpoint("POST", _PATH + "update_join_way", update_join_way, (_CONFIG, *_FIELDS)),
    Endpoint("POST", _PATH + "del_join_way", del_join_way, (_CONFIG,)),
)  # fmt: skip
