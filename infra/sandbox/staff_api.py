"""Members, departments, their tags, and the app itself (wecom-api.md §4.19)."""

from typing import Any

from infra.sandbox import state as st
from infra.sandbox.endpoint import Call, Endpoint, P, ok, page
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World

_TAGS = 3_000


def member(staff: st.Staff) -> dict[str, Any]:
    """A member as an app made after 2022-06-20 sees them: no mobile, mail, avatar, gender, address."""
    return {
        "userid": staff.userid, "name": staff.name, "department": staff.department,
        "order": [0] * len(staff.department), "position": staff.position,
        "is_leader_in_dept": [0] * len(staff.department),
        "direct_leader": [], "telephone": "", "alias": "", "status": staff.status, "extattr": {"attrs": []},
        "open_userid": "", "main_department": staff.department[0], "external_position": "",
        "external_profile": {"external_corp_name": "", "external_attr": []},
    }  # fmt: skip


def present(world: World) -> list[st.Staff]:
    return [staff for staff in world.state.staff.values() if staff.status != 5]


def user_get(call: Call) -> dict[str, Any]:
    return ok(**member(call.world.staff(call["userid"])))


def _of_department(call: Call) -> list[st.Staff]:
    """Who is directly in it; `fetch_child` was taken back. 60003 for one that nobody knows."""
    if str(call["department_id"]) not in departments(call.world):
        raise ApiError(60003)
    return [s for s in present(call.world) if call["department_id"] in s.department]


def user_simplelist(call: Call) -> dict[str, Any]:
    names = ("userid", "name", "department", "open_userid")
    return ok(userlist=[{n: member(s)[n] for n in names} for s in _of_department(call)])


def user_list(call: Call) -> dict[str, Any]:
    return ok(userlist=[member(s) for s in _of_department(call)])


def user_list_id(call: Call) -> dict[str, Any]:
    rows = [{"userid": s.userid, "department": d} for s in present(call.world) for d in s.department]
    shown, cursor = page(rows, call, 10_000)
    return ok(next_cursor=cursor, dept_user=shown)


# Departments: those that were made, and those that somebody is said to be in


def departments(world: World) -> dict[str, dict[str, Any]]:
    """Department id (as text) → id, name, parentid, order."""
    mentioned = sorted({1, *(d for s in world.state.staff.values() for d in s.department)})
    known = {
        str(d): {"id": d, "name": world.config.corp_name if d == 1 else f"{d} 部门", "parentid": int(d != 1),
                 "order": 100_000_000 - d}
        for d in mentioned
    }  # fmt: skip
    return known | world.state.departments


def _shown_department(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "name_en": "", "department_leader": []}


def _below(call: Call) -> list[dict[str, Any]]:
    """The asked department and all below it; all without an id."""
    rows = departments(call.world)
    if call["id"] is None:
        return list(rows.values())
    if str(call["id"]) not in rows:
        raise ApiError(60003)
    wanted = {call["id"]}
    for _ in rows:
        wanted |= {row["id"] for row in rows.values() if row["parentid"] in wanted}
    return [row for row in rows.values() if row["id"] in wanted]


def department_list(call: Call) -> dict[str, Any]:
    return ok(department=[_shown_department(row) for row in _below(call)])


def department_simplelist(call: Call) -> dict[str, Any]:
    return ok(department_id=[{n: row[n] for n in ("id", "parentid", "order")} for row in _below(call)])


def department_get(call: Call) -> dict[str, Any]:
    row = departments(call.world).get(str(call["id"]))
    if row is None:
        raise ApiError(60003)
    return ok(department=_shown_department(row))


# Tags of members (not of customers)


def _tag(call: Call) -> dict[str, Any]:
    tag = call.world.state.member_tags.get(str(call["tagid"]))
    if tag is None:
        raise ApiError(40068)
    return tag


def _free_name(call: Call) -> None:
    if any(tag["name"] == call["tagname"] for tag in call.world.state.member_tags.values()):
        raise ApiError(40071)


def tag_create(call: Call) -> dict[str, Any]:
    tags = call.world.state.member_tags
    _free_name(call)
    tag_id = max((int(t) for t in tags), default=0) + 1 if call["tagid"] is None else call["tagid"]
    if str(tag_id) in tags or len(tags) >= _TAGS:
        raise ApiError(40068)
    tags[str(tag_id)] = {"name": call["tagname"], "users": [], "parties": []}
    return ok(tagid=tag_id)


def tag_update(call: Call) -> dict[str, Any]:
    tag = _tag(call)
    if tag["name"] != call["tagname"]:
        _free_name(call)
    tag["name"] = call["tagname"]
    return ok()


def tag_delete(call: Call) -> dict[str, Any]:
    _tag(call)
    del call.world.state.member_tags[str(call["tagid"])]
    return ok()


def tag_list(call: Call) -> dict[str, Any]:
    tags = call.world.state.member_tags
    return ok(taglist=[{"tagid": int(tag_id), "tagname": tag["name"]} for tag_id, tag in tags.items()])


def tag_get(call: Call) -> dict[str, Any]:
    tag, staff = _tag(call), call.world.state.staff
    users = [{"userid": staff[key].userid, "name": staff[key].name} for key in tag["users"] if key in staff]
    return ok(tagname=tag["name"], userlist=users, partylist=tag["parties"])


def _named(call: Call) -> tuple[list[str], list[str], list[int], list[int]]:
    """(members, unknown members, departments, unknown ones) of the call."""
    if not call["userlist"] and not call["partylist"]:
        raise ApiError(40063, "userlist, partylist")
    users, parties, known = call["userlist"] or [], call["partylist"] or [], departments(call.world)
    good, bad = [], []
    for userid in users:
        try:
            good.append(call.world.staff(userid).userid.lower())
        except ApiError:
            bad.append(userid)
    return (good, bad, [p for p in parties if str(p) in known], [p for p in parties if str(p) not in known])


def _unknown(good: list[Any], bad: list[str], bad_parties: list[int]) -> dict[str, Any]:
    """All is well, or some are not there, or none is (40031)."""
    if not good:
        raise ApiError(40031)
    told = {"invalidlist": "|".join(bad)} if bad else {}
    return ok(**told, **({"invalidparty": bad_parties} if bad_parties else {}))


def tag_add(call: Call) -> dict[str, Any]:
    tag, (users, bad, parties, bad_parties) = _tag(call), _named(call)
    tag["users"] = list(dict.fromkeys([*tag["users"], *users]))
    tag["parties"] = list(dict.fromkeys([*tag["parties"], *parties]))
    return _unknown([*users, *parties], bad, bad_parties)


def tag_remove(call: Call) -> dict[str, Any]:
    tag, (users, bad, parties, bad_parties) = _tag(call), _named(call)
    tag["users"] = [u for u in tag["users"] if u not in users]
    tag["parties"] = [p for p in tag["parties"] if p not in parties]
    return _unknown([*users, *parties], bad, bad_parties)


# The app


def _agent(world: World) -> dict[str, Any]:
    own = {
        "agentid": world.config.agent_id, "name": "Millrace", "square_logo_url": "", "description": "",
        "redirect_domain": "", "report_location_flag": 0, "isreportenter": 0, "home_url": "",
    }  # fmt: skip
    return own | {name: value for name, value in world.state.app.items() if name in own}


def agent_get(call: Call) -> dict[str, Any]:
    world = call.world
    if call["agentid"] != world.config.agent_id:
        raise ApiError(301002)
    visible = {"user": [{"userid": s.userid} for s in present(world)]}
    visibility = {"allow_userinfos": visible, "allow_partys": {"partyid": [1]}, "allow_tags": {"tagid": []}}
    return ok(**_agent(world), **visibility, close=0, customized_publish_status=0)


def agent_list(call: Call) -> dict[str, Any]:
    own = _agent(call.world)
    return ok(agentlist=[{name: own[name] for name in ("agentid", "name", "square_logo_url")}])


def agent_set(call: Call) -> dict[str, Any]:
    if call["agentid"] != call.world.config.agent_id:
        raise ApiError(301002)
    names = ("name", "description", "redirect_domain", "report_location_flag", "isreportenter", "home_url")
    call.world.state.app.update({n: call[n] for n in names if call[n] is not None})
    return ok()


_PAGED = (P("limit", int, most=10_000, least=1), P("cursor", str))
_DEPARTMENT = (P("department_id", int, True, least=1), P("fetch_child", int), P("status", int))
_TAG = P("tagid", int, True, least=1)
_PEOPLE = (P("userlist", list, most=1000, items=str), P("partylist", list, most=100, items=int))
_TAG_NAME = P("tagname", str, True, most=32)

TABLE = (
    Endpoint("GET", "user/get", user_get, (P("userid", str, True),)),
    Endpoint("GET", "user/simplelist", user_simplelist, _DEPARTMENT),
    Endpoint("GET", "user/list", user_list, _DEPARTMENT),
    Endpoint("POST", "user/list_id", user_list_id, _PAGED),
    Endpoint("GET", "department/list", department_list, (P("id", int),)),
    Endpoint("GET", "department/simplelist", department_simplelist, (P("id", int),)),
    Endpoint("GET", "department/get", department_get, (P("id", int, True),)),
    Endpoint("POST", "tag/create", tag_create, (_TAG_NAME, P("tagid", int, least=1))),
    Endpoint("POST", "tag/update", tag_update, (_TAG, _TAG_NAME)),
    Endpoint("GET", "tag/delete", tag_delete, (_TAG,)),
    Endpoint("GET", "tag/list", tag_list),
    Endpoint("GET", "tag/get", tag_get, (_TAG,)),
    Endpoint("POST", "tag/addtagusers", tag_add, (_TAG, *_PEOPLE)),
    Endpoint("POST", "tag/deltagusers", tag_remove, (_TAG, *_PEOPLE)),
    Endpoint("GET", "agent/get", agent_get, (P("agentid", int, True),), only_app=True),
    Endpoint("GET", "agent/list", agent_list, only_app=True),
    Endpoint(
        "POST", "agent/set", agent_set,
        (P("agentid", int, True), P("name", str, most=32), P("description", str, most=120),
         P("redirect_domain", str), P("report_location_flag", int, most=1), P("isreportenter", int, most=1),
         P("home_url", str)),
        only_app=True,
    ),
)  # fmt: skip
