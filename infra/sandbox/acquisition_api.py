"""Customer acquisition links 「获客助手」 and their quota (wecom-api.md §2.4, §4.12)."""

import urllib.parse
from typing import Any

from infra.sandbox import state as st
from infra.sandbox.endpoint import Call, Endpoint, P, ok, page
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World

MAX_PEOPLE = 500
MAX_CHANNEL = 64  # bytes of customer_channel; what is beyond them is cut without a word
CHAT_KEY_SECONDS = 1800
_PATH = "externalcontact/customer_acquisition"
_LOT_DAYS = 365
_DAY = 86_400


def url_of(world: World, link_id: str) -> str:
    return f"{world.base_url}/ca/{link_id}"


def link_in(url: str) -> tuple[str, str]:
    """(link_id, customer_channel as WeCom keeps it) of a link's URL. ValueError for another URL."""
    parts = urllib.parse.urlsplit(url)
    if not parts.path.startswith("/ca/"):
        raise ValueError("not an acquisition link")
    channel = dict(urllib.parse.parse_qsl(parts.query)).get("customer_channel", "")
    return parts.path.removeprefix("/ca/"), cut(channel)


def cut(channel: str) -> str:
    return channel.encode()[:MAX_CHANNEL].decode(errors="ignore")


def balance(world: World) -> int:
    known = world.state.acquisition_balance
    return world.config.acquisition_balance if known is None else known


def usable(world: World, link: st.AcquisitionLink) -> list[str]:
    """The link's people who can be added now. Departments have everybody who is in them."""
    parties = set(link.fields["department_list"])
    wanted = [u.lower() for u in link.fields["user_list"]]
    wanted += [key for key, member in world.state.staff.items() if parties & set(member.department)]
    members = [world.state.staff[key] for key in dict.fromkeys(wanted) if key in world.state.staff]
    return [member.userid for member in members if member.status == 1]


def _range(world: World, given: Any) -> dict[str, Any]:
    users, parties = given.get("user_list") or [], given.get("department_list") or []
    if not users and not parties:
        raise ApiError(40063, "range")
    if len(users) > MAX_PEOPLE:
        raise ApiError(40032, "range.user_list")
    people = {world.staff(user).userid.lower(): world.staff(user).userid for user in users}
    of_parties = {k for k, member in world.state.staff.items() if set(parties) & set(member.department)}
    if len(set(people) | of_parties) > MAX_PEOPLE:
        raise ApiError(40032, "range")
    if any(world.state.staff[key].status != 1 for key in people):
        raise ApiError(41054)
    return {"user_list": list(people.values()), "department_list": list(parties)}


def create_link(call: Call) -> dict[str, Any]:
    world = call.world
    fields: dict[str, Any] = {"link_name": call["link_name"], **_range(world, call["range"])}
    for name in ("skip_verify", "mark_source"):
        fields[name] = True if call[name] is None else call[name]
    if call["priority_option"]:
        fields["priority_option"] = call["priority_option"]
    if len(world.state.links) >= world.config.acquisition_link_limit:
        raise ApiError(41095)
    link = st.AcquisitionLink(world.new_id("ca", 24), int(world.ts()), fields)
    world.state.links[link.link_id] = link
    return ok(link={"link_id": link.link_id, **_shown(world, link)})


def _shown(world: World, link: st.AcquisitionLink) -> dict[str, Any]:
    return {
        "link_name": link.fields["link_name"],
        "url": url_of(world, link.link_id),
        "create_time": link.created_at,
    }


def _link(call: Call) -> st.AcquisitionLink:
    link = call.world.state.links.get(call["link_id"])
    if link is None:
        raise ApiError(60136)
    return link


def get(call: Call) -> dict[str, Any]:
    link = _link(call)
    flags = {name: link.fields[name] for name in ("skip_verify", "mark_source")}
    people = {name: link.fields[name] for name in ("user_list", "department_list")}
    more = {"priority_option": link.fields["priority_option"]} if "priority_option" in link.fields else {}
    return ok(link={**_shown(call.world, link), **flags}, range=people, **more)


def list_link(call: Call) -> dict[str, Any]:
    rows, cursor = page(list(call.world.state.links), call, 100)
    return ok(link_id_list=rows, next_cursor=cursor)


def update_link(call: Call) -> dict[str, Any]:
    link = _link(call)
    people = _range(call.world, call["range"]) if call["range"] is not None else {}
    given = {n: call[n] for n in ("link_name", "skip_verify", "mark_source") if call[n] is not None}
    link.fields.update(given | people)
    if call["priority_option"] is not None:
        link.fields["priority_option"] = call["priority_option"]
    link.works = bool(usable(call.world, link))
    return ok()


def delete_link(call: Call) -> dict[str, Any]:
    del call.world.state.links[_link(call).link_id]
    return ok()


def customer(call: Call) -> dict[str, Any]:
    rows, cursor = page(list(_link(call).customers.values()), call, 50)
    names = ("external_userid", "userid", "state")
    shown = [{**{n: row[n] for n in names}, "chat_status": int(row["messages"] > 0)} for row in rows]
    return ok(customer_list=shown, next_cursor=cursor)


def quota(call: Call) -> dict[str, Any]:
    world, left = call.world, balance(call.world)
    expires = (int(world.ts()) // _DAY + _LOT_DAYS) * _DAY
    lots = [{"expire_date": expires, "balance": left}] if left else []
    return ok(total=world.state.acquisition_used, balance=left, quota_list=lots)


def statistic(call: Call) -> dict[str, Any]:
    link, start, end = _link(call), call["start_time"], call["end_time"]
    if start > end or end - start > 180 * _DAY:
        raise ApiError(40058, "end_time")
    last = end + _DAY - 1  # days, both included
    added = [row for row in link.customers.values() if start <= row["at"] <= last]
    clicks = [at for at in link.opened if start <= at <= last]
    return ok(click_link_customer_cnt=len(clicks), new_customer_cnt=len(added))


def get_chat_info(call: Call) -> dict[str, Any]:
    known = call.world.state.chat_keys.get(call["chat_key"])
    if known is None or call.world.ts() - known["at"] > CHAT_KEY_SECONDS:
        raise ApiError(40058, "chat_key")
    names = ("recv_msg_cnt", "link_id", "state")
    info = {name: known[name] for name in names}
    return ok(userid=known["userid"], external_userid=known["external_userid"], chat_info=info)


_LINK = P("link_id", str, True)
_FIELDS = (P("skip_verify", bool), P("mark_source", bool), P("priority_option", dict))

# The customer-contact secret's token is refused by all of them.
TABLE = (
    Endpoint(
        "POST", f"{_PATH}/create_link", create_link,
        (P("link_name", str, True, most=30), P("range", dict, True), *_FIELDS), only_app=True,
    ),
    Endpoint("POST", f"{_PATH}/get", get, (_LINK,), only_app=True),
    Endpoint(
        "POST", f"{_PATH}/list_link", list_link,
        (P("limit", int, most=100, least=1), P("cursor", str)), only_app=True,
    ),
    Endpoint(
        "POST", f"{_PATH}/update_link", update_link,
        (_LINK, P("link_name", str, most=30), P("range", dict), *_FIELDS), only_app=True,
    ),
    Endpoint("POST", f"{_PATH}/delete_link", delete_link, (_LINK,), only_app=True),
    Endpoint(
        "POST", f"{_PATH}/customer", customer,
        (_LINK, P("limit", int, most=1000, least=1), P("cursor", str)), only_app=True,
    ),
    Endpoint("GET", "externalcontact/customer_acquisition_quota", quota, only_app=True),
    Endpoint(
        "POST", f"{_PATH}/statistic", statistic,
        (_LINK, P("start_time", int, True), P("end_time", int, True)), only_app=True,
    ),
    Endpoint("POST", f"{_PATH}/get_chat_info", get_chat_info, (P("chat_key", str, True),), only_app=True),
)  # fmt: skip
