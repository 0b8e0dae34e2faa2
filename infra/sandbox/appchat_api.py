"""The app's own groups of members, and its menu. (Customer groups are in `group_api`.)"""

from typing import Any

from infra.sandbox.endpoint import Call, Endpoint, P, ok
from infra.sandbox.errors import ApiError
from infra.sandbox.message_api import MSGTYPES, checked_body


def create(call: Call) -> dict[str, Any]:
    world = call.world
    members = list(dict.fromkeys(world.staff(userid).userid for userid in call["userlist"]))
    owner = world.staff(call["owner"]).userid if call["owner"] else members[0]
    members = list(dict.fromkeys([owner, *members]))
    if len(members) < 2:
        raise ApiError(40058, "userlist")
    chatid = call["chatid"] or world.new_id("appchat", 32)
    if chatid in world.state.appchats:
        raise ApiError(40058, "chatid")
    made = {"chatid": chatid, "name": call["name"] or "群聊", "owner": owner, "userlist": members}
    world.state.appchats[chatid] = made
    return ok(chatid=chatid)


def _chat(call: Call) -> dict[str, Any]:
    chat = call.world.state.appchats.get(call["chatid"])
    if chat is None:
        raise ApiError(86003)
    return chat


def get(call: Call) -> dict[str, Any]:
    return ok(chat_info={**_chat(call), "chat_type": 0})


def update(call: Call) -> dict[str, Any]:
    world, chat = call.world, _chat(call)
    added = [world.staff(userid).userid for userid in call["add_user_list"] or []]
    removed = {userid.lower() for userid in call["del_user_list"] or []}
    owner = world.staff(call["owner"]).userid if call["owner"] else chat["owner"]
    members = [u for u in dict.fromkeys([*chat["userlist"], *added]) if u.lower() not in removed]
    chat.update(name=call["name"] or chat["name"], owner=owner, userlist=members)
    return ok()


def send(call: Call) -> dict[str, Any]:
    chat, body, kind, now = _chat(call), checked_body(call), call["msgtype"], call.world.ts()
    for userid in chat["userlist"]:
        content = {"chatid": chat["chatid"], "msgtype": kind, kind: body}
        call.world.deliver("app_chat", "", userid, content, now)
    return ok()


def _own_app(call: Call) -> None:
    if call["agentid"] != call.world.config.agent_id:
        raise ApiError(40056)


def menu_create(call: Call) -> dict[str, Any]:
    _own_app(call)
    if len(call["button"]) > 3:
        raise ApiError(40058, "button")
    call.world.state.app["button"] = call["button"]
    return ok()


def menu_get(call: Call) -> dict[str, Any]:
    _own_app(call)
    return {"button": call.world.state.app.get("button", [])}


def menu_delete(call: Call) -> dict[str, Any]:
    _own_app(call)
    call.world.state.app.pop("button", None)
    return ok()


_CHAT = P("chatid", str, True, most=32)
_AGENT = P("agentid", int, True)


TABLE = (
    Endpoint(
        "POST", "appchat/create", create,
        (P("name", str, most=50), P("owner", str), P("userlist", list, True, most=2000, items=str),
         P("chatid", str, most=32)),
    ),
    Endpoint("GET", "appchat/get", get, (_CHAT,)),
    Endpoint(
        "POST", "appchat/update", update,
        (_CHAT, P("name", str, most=50), P("owner", str), P("add_user_list", list, items=str),
         P("del_user_list", list, items=str)),
    ),
    Endpoint(
        "POST", "appchat/send", send,
        (_CHAT, P("msgtype", str, True, choices=MSGTYPES, code=40008), P("safe", int)),
    ),
    Endpoint(
        "POST", "menu/create", menu_create, (_AGENT, P("button", list, True, items=dict)), only_app=True,
        in_query=("agentid",),
    ),
    Endpoint("GET", "menu/get", menu_get, (_AGENT,), only_app=True),
    Endpoint("GET", "menu/delete", menu_delete, (_AGENT,), only_app=True),
)  # fmt: skip
