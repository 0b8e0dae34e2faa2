"""Who somebody is: sign-in codes, tickets of pages, ids under other names (wecom-api.md §4.16 to §4.18)."""

from typing import Any

from infra.sandbox import oauth
from infra.sandbox import state as st
from infra.sandbox.endpoint import Call, Endpoint, P, ok, page
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World, digest

_TICKET_SECONDS = 7200
_TICKETS_AN_HOUR = {"corp": 400, "app": 100}
_USER_TICKET_SECONDS = 1800
_PENDING_DAYS = 90


def getuserinfo(call: Call) -> dict[str, Any]:
    """Codes of the authorise page, good once for five minutes; for tests also `member:USERID` and
    `customer:EXTERNAL_USERID`, each again and again."""
    world = call.world
    userid = oauth.redeemed(world, call["code"])
    kind, _, who = call["code"].partition(":")
    if userid is None and kind == "member" and who:
        userid = world.staff(who).userid
    if userid is not None:
        ticket = world.new_id("UT", 40)
        world.user_tickets[ticket] = (userid, world.ts())
        return ok(userid=userid, user_ticket=ticket)
    if kind == "customer" and who in world.state.contacts:
        return ok(openid=world.openid(who), external_userid=who)
    raise ApiError(40029)


_OLD_NAMES = {"userid": "UserId", "openid": "OpenId"}


def old_getuserinfo(call: Call) -> dict[str, Any]:
    """The same under its first address, where the names had capitals."""
    return {_OLD_NAMES.get(name, name): value for name, value in getuserinfo(call).items()} | {"DeviceId": ""}


def getuserdetail(call: Call) -> dict[str, Any]:
    world = call.world
    userid, at = world.user_tickets.get(call["user_ticket"], ("", 0.0))
    if not userid or world.ts() - at > _USER_TICKET_SECONDS:
        raise ApiError(84015)
    own = digest("detail", userid.lower())
    digits = str(int(own, 16))[-8:]
    return ok(
        userid=userid, gender="2", avatar=f"{world.base_url}/avatar/{own[:12]}",
        qr_code=f"{world.base_url}/guide/{userid}", mobile=f"138{digits}",
        email=f"{userid.lower()}@example.com", biz_mail="", address="",
    )  # fmt: skip


def _ticket(call: Call, kind: str) -> dict[str, Any]:
    world, now = call.world, call.world.ts()
    times = [at for at in world.ticket_times.get(kind, []) if at > now - 3600]
    if len(times) >= _TICKETS_AN_HOUR[kind]:
        raise ApiError(45009)
    world.ticket_times[kind] = [*times, now]
    ticket, until = world.tickets.get(kind, ("", 0.0))
    if until <= now:
        ticket, until = digest("ticket", kind, world.new_id("tick")), now + _TICKET_SECONDS
        world.tickets[kind] = (ticket, until)
    return ok(ticket=ticket, expires_in=int(until - now))


def get_jsapi_ticket(call: Call) -> dict[str, Any]:
    """Of the corp, for wx.config."""
    return _ticket(call, "corp")


def ticket_get(call: Call) -> dict[str, Any]:
    """Of the app, for wx.agentConfig."""
    return _ticket(call, "app")


def getcallbackip(call: Call) -> dict[str, Any]:
    return ok(ip_list=["127.0.0.1"])


# Ids


def convert_to_openid(call: Call) -> dict[str, Any]:
    contact = call.world.state.contacts.get(call["external_userid"])
    if contact is None or contact.type != 1:
        raise ApiError(40096)
    return ok(openid=call.world.openid(contact.external_userid))


def user_to_openid(call: Call) -> dict[str, Any]:
    return ok(openid=call.world.openid(call.world.staff(call["userid"]).userid.lower()))


def openid_to_user(call: Call) -> dict[str, Any]:
    world = call.world
    keys = [key for key in world.state.staff if world.state.openids.get(key) == call["openid"]]
    if not keys:
        raise ApiError(60111)
    return ok(userid=world.state.staff[keys[0]].userid)


def _by_unionid(world: World, unionid: str) -> st.Contact | None:
    contacts = world.state.contacts.values()
    known = next((c for c in contacts if c.unionid == unionid), None)
    return known if known is not None and world.followers(known.external_userid) else None


def unionid_to_external_userid(call: Call) -> dict[str, Any]:
    """The customer with it, or a pending_id under which they can be found when they become one."""
    world, now = call.world, call.world.ts()
    known = _by_unionid(world, call["unionid"])
    if known is not None:
        return ok(external_userid=known.external_userid)
    pending_id = ("pdg" + digest("pending", call["unionid"]))[:32]
    world.state.pending_ids[pending_id] = {
        "unionid": call["unionid"],
        "until": now + _PENDING_DAYS * 86_400,
    }
    return ok(pending_id=pending_id)


def external_userid_to_pending_id(call: Call) -> dict[str, Any]:
    world, now = call.world, call.world.ts()
    pending = {row["unionid"]: key for key, row in world.state.pending_ids.items() if row["until"] > now}
    rows = []
    for external in call["external_userid"]:
        contact = world.state.contacts.get(external)
        if contact is not None and contact.unionid in pending:
            rows.append({"external_userid": external, "pending_id": pending[contact.unionid]})
    return ok(result=rows)


def contact_list(call: Call) -> dict[str, Any]:
    """Everybody who was served: customers by guide, and who is only in groups."""
    world = call.world
    rows: list[dict[str, Any]] = []
    for contact in world.state.contacts.values():
        tmp = {"tmp_openid": "tmp" + digest("tmp", contact.external_userid)[:29]}
        bonds = world.followers(contact.external_userid)
        rows += [
            {"is_customer": True, **tmp, "external_userid": bond.external_userid,
             "follow_userid": bond.userid, "add_time": bond.createtime}
            for bond in bonds
        ]  # fmt: skip
        if not bonds:
            rows += [
                {"is_customer": False, **tmp, "name": f"***{contact.name[-1:]}", "chat_name": chat.name,
                 "add_time": row["join_time"]}
                for chat in world.state.groups.values() for row in chat.members
                if row["userid"] == contact.external_userid
            ]  # fmt: skip
    shown, cursor = page(rows, call, 1000)
    return ok(info_list=shown, next_cursor=cursor)


def opengid_of(chat_id: str) -> str:
    """A group's id as a mini program in it learns it."""
    return "og" + digest("opengid", chat_id)[:26]


def opengid_to_chatid(call: Call) -> dict[str, Any]:
    chats = call.world.state.groups
    chat_id = next((c for c in chats if opengid_of(c) == call["opengid"]), None)
    if chat_id is None:
        raise ApiError(90511)
    return ok(chat_id=chat_id)


def close_temp_chat(call: Call) -> dict[str, Any]:
    raise ApiError(48002, "temporary chats are for medical corps")


_EXTERNAL = P("external_userid", str, True)
_PATH = "externalcontact/"

TABLE = (
    Endpoint("GET", "auth/getuserinfo", getuserinfo, (P("code", str, True),)),
    Endpoint("GET", "user/getuserinfo", old_getuserinfo, (P("code", str, True),)),
    Endpoint("POST", "auth/getuserdetail", getuserdetail, (P("user_ticket", str, True),)),
    Endpoint("GET", "get_jsapi_ticket", get_jsapi_ticket),
    Endpoint(
        "GET", "ticket/get", ticket_get, (P("type", str, True, choices=("agent_config",), code=42012),)
    ),
    Endpoint("GET", "getcallbackip", getcallbackip),
    Endpoint("GET", "get_api_domain_ip", getcallbackip),
    Endpoint("POST", _PATH + "convert_to_openid", convert_to_openid, (_EXTERNAL,)),
    Endpoint("POST", "user/convert_to_openid", user_to_openid, (P("userid", str, True),)),
    Endpoint("POST", "user/convert_to_userid", openid_to_user, (P("openid", str, True),)),
    Endpoint(
        "POST", "idconvert/unionid_to_external_userid", unionid_to_external_userid,
        (P("unionid", str, True), P("openid", str, True), P("subject_type", int, choices=(0, 1))),
    ),
    Endpoint(
        "POST", "idconvert/batch/external_userid_to_pending_id", external_userid_to_pending_id,
        (P("chat_id", str), P("external_userid", list, True, most=100, items=str)),
    ),
    Endpoint("POST", _PATH + "contact_list", contact_list, (P("cursor", str), P("limit", int, most=1000))),
    Endpoint("POST", _PATH + "opengid_to_chatid", opengid_to_chatid, (P("opengid", str, True),)),
    Endpoint("POST", _PATH + "close_temp_chat", close_temp_chat, (P("userid", str, True), _EXTERNAL)),
)  # fmt: skip
