"""Customers, remarks and corp tags (wecom-api.md §4.5, §4.18)."""

from typing import Any

from infra.sandbox import state as st
from infra.sandbox.endpoint import Call, Endpoint, P, ok, page
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World

_FOLLOWERS_A_PAGE = 500


def _person(contact: st.Contact) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "external_userid": contact.external_userid, "name": contact.name, "avatar": contact.avatar,
        "type": contact.type, "gender": contact.gender,
    }  # fmt: skip
    if contact.unionid:
        shown["unionid"] = contact.unionid
    return shown


def _follow(bond: st.Bond) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "userid": bond.userid, "remark": bond.remark, "description": bond.description,
        "createtime": bond.createtime, "remark_corp_name": bond.remark_corp_name,
        "remark_mobiles": bond.remark_mobiles, "oper_userid": bond.oper_userid, "add_way": bond.add_way,
    }  # fmt: skip
    if bond.state:
        shown["state"] = bond.state
    return shown


def _bond_tags(world: World, bond: st.Bond) -> list[dict[str, Any]]:
    shown = []
    for tag_id in bond.tag_ids:
        tag = world.state.tags[tag_id]
        group = world.state.tag_groups[tag.group_id]
        shown.append({"group_name": group.group_name, "tag_name": tag.name, "tag_id": tag.id, "type": 1})
    return shown


def get(call: Call) -> dict[str, Any]:
    call.world.settle_in(call["external_userid"])
    contact = call.world.state.contacts.get(call["external_userid"])
    if contact is None:
        raise ApiError(40096)
    followers = call.world.followers(contact.external_userid)
    if not followers:
        raise ApiError(84061)
    rows, cursor = page(followers, call, _FOLLOWERS_A_PAGE)
    shown = [{**_follow(bond), "tags": _bond_tags(call.world, bond)} for bond in rows]
    return ok(external_contact=_person(contact), follow_user=shown, next_cursor=cursor)


def list_(call: Call) -> dict[str, Any]:
    book = call.world.book(call.world.staff(call["userid"]).userid)
    if not len(book):
        raise ApiError(84061)
    return ok(external_userid=book.ids())


def batch_get_by_user(call: Call) -> dict[str, Any]:
    world = call.world
    books = [world.book(world.staff(userid).userid) for userid in call["userid_list"]]
    places, cursor = page(range(sum(map(len, books))), call, 50)
    rows: list[tuple[st.Contact, st.Bond]] = []
    first = 0
    for book in books:
        rows += book.rows(max(0, places.start - first), max(0, places.stop - first)) if len(places) else []
        first += len(book)
    shown = [
        {"external_contact": _person(contact), "follow_info": {**_follow(bond), "tag_id": bond.tag_ids}}
        for contact, bond in rows
    ]
    return ok(external_contact_list=shown, next_cursor=cursor, fail_info={"unlicensed_userid_list": []})


def remark(call: Call) -> dict[str, Any]:
    world = call.world
    bond = world.usable_bond(world.staff(call["userid"]).userid, call["external_userid"])
    names = ("remark", "description", "remark_company", "remark_mobiles", "remark_pic_mediaid")
    if all(call[name] is None for name in names):
        raise ApiError(40063, "nothing to set")
    bond.remark = call["remark"] if call["remark"] is not None else bond.remark
    bond.description = call["description"] if call["description"] is not None else bond.description
    bond.remark_corp_name = (
        call["remark_company"] if call["remark_company"] is not None else bond.remark_corp_name
    )
    if call["remark_mobiles"] is not None:
        bond.remark_mobiles = [mobile for mobile in call["remark_mobiles"] if mobile]
    return ok()


def _live_tags(world: World, group_id: str | None = None) -> list[st.Tag]:
    return [t for t in world.state.tags.values() if not t.deleted and group_id in (None, t.group_id)]


def mark_tag(call: Call) -> dict[str, Any]:
    world, add, remove = call.world, call["add_tag"] or [], call["remove_tag"] or []
    if not add and not remove:
        raise ApiError(40063, "add_tag, remove_tag")
    bond = world.usable_bond(world.staff(call["userid"]).userid, call["external_userid"])
    for tag_id in (*add, *remove):
        tag = world.state.tags.get(tag_id) if isinstance(tag_id, str) else None
        if tag is None or tag.deleted:
            raise ApiError(40068)
    kept = [tag_id for tag_id in bond.tag_ids if tag_id not in remove]
    bond.tag_ids = list(dict.fromkeys([*kept, *(t for t in add if t not in remove)]))
    return ok()


def _shown_group(world: World, group: st.TagGroup, tags: list[st.Tag], asked_by_id: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "group_id": group.group_id, "group_name": group.group_name,
        "create_time": group.create_time, "order": group.order,
        "tag": [
            {"id": t.id, "name": t.name, "create_time": t.create_time, "order": t.order}
            | ({"deleted": t.deleted} if asked_by_id else {})
            for t in sorted(tags, key=lambda t: -t.order)
        ],
    }  # fmt: skip
    return shown | ({"deleted": group.deleted} if asked_by_id else {})


def get_corp_tag_list(call: Call) -> dict[str, Any]:
    world, group_ids, tag_ids = call.world, call["group_id"] or [], call["tag_id"] or []
    by_id = bool(group_ids or tag_ids)
    shown = []
    for group in sorted(world.state.tag_groups.values(), key=lambda g: -g.order):
        tags = [
            t for t in world.state.tags.values() if t.group_id == group.group_id and (by_id or not t.deleted)
        ]
        if group_ids:  # tag_id is ignored beside it
            tags = tags if group.group_id in group_ids else []
        elif tag_ids:
            tags = [t for t in tags if t.id in tag_ids]
        if tags and (by_id or not group.deleted):
            shown.append(_shown_group(world, group, tags, by_id))
    return ok(tag_group=shown)


def _check_agent(call: Call) -> None:
    if call["agentid"] is not None and call["agentid"] != call.world.config.agent_id:
        raise ApiError(40056)


def _group_for(call: Call) -> st.TagGroup:
    world = call.world
    live = [g for g in world.state.tag_groups.values() if not g.deleted]
    if call["group_id"]:
        group = next((g for g in live if g.group_id == call["group_id"]), None)
        if group is None:
            raise ApiError(40068)
        return group
    if not call["group_name"]:
        raise ApiError(40063, "group_name")
    group = next((g for g in live if g.group_name == call["group_name"]), None)
    return group or st.TagGroup(world.new_id("etg"), call["group_name"], int(world.ts()), call["order"] or 0)


def add_corp_tag(call: Call) -> dict[str, Any]:
    world = call.world
    _check_agent(call)
    wanted: dict[str, int] = {}
    for item in call["tag"]:
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not 1 <= len(name) <= 30:
            raise ApiError(40058, "tag.name")
        wanted.setdefault(name, item.get("order") or 0)
    group = _group_for(call)
    if any(t.name in wanted for t in _live_tags(world, group.group_id)):
        raise ApiError(40071)
    if len(_live_tags(world)) + len(wanted) > world.config.tag_limit:
        raise ApiError(40126)
    world.state.tag_groups[group.group_id] = group
    now = int(world.ts())
    made = [st.Tag(world.new_id("et"), group.group_id, name, now, order) for name, order in wanted.items()]
    world.state.tags.update({tag.id: tag for tag in made})
    return ok(tag_group=_shown_group(world, group, made, False))


def edit_corp_tag(call: Call) -> dict[str, Any]:
    world = call.world
    _check_agent(call)
    tag, group = world.state.tags.get(call["id"]), world.state.tag_groups.get(call["id"])
    if tag is not None and not tag.deleted:
        others = [t.name for t in _live_tags(world, tag.group_id) if t is not tag]
        if call["name"] in others:
            raise ApiError(40071)
        tag.name = call["name"] or tag.name
        tag.order = call["order"] if call["order"] is not None else tag.order
    elif group is not None and not group.deleted:
        group.group_name = call["name"] or group.group_name
        group.order = call["order"] if call["order"] is not None else group.order
    else:
        raise ApiError(40068)
    return ok()


def del_corp_tag(call: Call) -> dict[str, Any]:
    world, tag_ids, group_ids = call.world, call["tag_id"] or [], call["group_id"] or []
    _check_agent(call)
    if not tag_ids and not group_ids:
        raise ApiError(40063, "tag_id, group_id")
    gone = [t for t in _live_tags(world) if t.id in tag_ids or t.group_id in group_ids]
    known_groups = [g for g in world.state.tag_groups.values() if g.group_id in group_ids and not g.deleted]
    if {t.id for t in gone} < set(tag_ids) or len(known_groups) < len(set(group_ids)):
        raise ApiError(40068)
    drop_tags(world, gone)
    return ok()


def drop_tags(world: World, gone: list[st.Tag]) -> None:
    """Delete tags, take them off everybody, and the groups that are empty then."""
    ids = {tag.id for tag in gone}
    for tag in gone:
        tag.deleted = True
    for bond in world.state.bonds.values():
        bond.tag_ids = [tag_id for tag_id in bond.tag_ids if tag_id not in ids]
    for group in world.state.tag_groups.values():
        group.deleted = group.deleted or not _live_tags(world, group.group_id)


_PAIR = (P("userid", str, True), P("external_userid", str, True))
_AGENT = P("agentid", int)
_NAME = P("name", str, most=30)

TABLE = (
    Endpoint("GET", "externalcontact/get", get, (P("external_userid", str, True), P("cursor", str))),
    Endpoint("GET", "externalcontact/list", list_, (P("userid", str, True),)),
    Endpoint(
        "POST", "externalcontact/batch/get_by_user", batch_get_by_user,
        (P("userid_list", list, True, most=100, code=40032), P("cursor", str), P("limit", int, most=100)),
    ),
    Endpoint(
        "POST", "externalcontact/remark", remark,
        (*_PAIR, P("remark", str, most=20), P("description", str, most=150),
         P("remark_company", str, most=20),
         P("remark_mobiles", list), P("remark_pic_mediaid", str)),
    ),
    Endpoint(
        "POST", "externalcontact/mark_tag", mark_tag,
        (*_PAIR, P("add_tag", list), P("remove_tag", list)),
    ),
    Endpoint(
        "POST", "externalcontact/get_corp_tag_list", get_corp_tag_list,
        (P("tag_id", list), P("group_id", list)),
    ),
    Endpoint(
        "POST", "externalcontact/add_corp_tag", add_corp_tag,
        (P("group_id", str), P("group_name", str, most=30), P("order", int), P("tag", list, True), _AGENT),
    ),
    Endpoint(
        "POST", "externalcontact/edit_corp_tag", edit_corp_tag,
        (P("id", str, True), _NAME, P("order", int), _AGENT),
    ),
    Endpoint(
        "POST", "externalcontact/del_corp_tag", del_corp_tag,
        (P("tag_id", list), P("group_id", list), _AGENT),
    ),
)  # fmt: skip
