"""Staff, media and messages to staff (wecom-api.md §4.14, §4.15, §4.17, §4.19)."""

from typing import Any

from infra.sandbox import oauth
from infra.sandbox import state as st
from infra.sandbox.endpoint import Call, Endpoint, P, ok, page
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World

_MB = 1 << 20
_MEDIA_SIZES = {"image": 10 * _MB, "voice": 2 * _MB, "video": 10 * _MB, "file": 20 * _MB}
_TEXT_BYTES = 2048
_A_MINUTE, _AN_HOUR = (60, 30), (3600, 1000)  # messages to one member; the excess is dropped silently


def _member(world: World, staff: st.Staff) -> dict[str, Any]:
    """A member as an app made after 2022-06-20 sees them: no mobile, mail, avatar, gender, address."""
    return {
        "userid": staff.userid, "name": staff.name, "department": staff.department,
        "order": [0] * len(staff.department), "position": "导购",
        "is_leader_in_dept": [0] * len(staff.department),
        "direct_leader": [], "telephone": "", "alias": "", "status": staff.status, "extattr": {"attrs": []},
        "open_userid": "", "main_department": staff.department[0], "external_position": "",
        "external_profile": {"external_corp_name": "", "external_attr": []},
    }  # fmt: skip


def user_get(call: Call) -> dict[str, Any]:
    return ok(**_member(call.world, call.world.staff(call["userid"])))


def present(world: World) -> list[st.Staff]:
    return [staff for staff in world.state.staff.values() if staff.status != 5]


def user_simplelist(call: Call) -> dict[str, Any]:
    mine = [s for s in present(call.world) if call["department_id"] in s.department]
    rows = [{"userid": s.userid, "name": s.name, "department": s.department, "open_userid": ""} for s in mine]
    return ok(userlist=rows)


def user_list_id(call: Call) -> dict[str, Any]:
    rows = [{"userid": s.userid, "department": d} for s in present(call.world) for d in s.department]
    shown, cursor = page(rows, call, 10_000)
    return ok(next_cursor=cursor, dept_user=shown)


def department_simplelist(call: Call) -> dict[str, Any]:
    known = sorted({1, *(d for s in call.world.state.staff.values() for d in s.department)})
    rows = [{"id": d, "parentid": 0 if d == 1 else 1, "order": 100_000_000 - d} for d in known]
    return ok(department_id=[r for r in rows if call["id"] in (None, 1, r["id"])])


def media_upload(call: Call) -> dict[str, Any]:
    kind = call["type"]
    if call.upload is None or len(call.upload.data) <= 5:
        raise ApiError(44001)
    if len(call.upload.data) > _MEDIA_SIZES[kind]:
        raise ApiError(40006)
    now = call.world.ts()
    media = st.Media(call.world.new_id("MEDIA", 40), kind, now)
    call.world.state.media[media.media_id] = media
    return ok(type=kind, media_id=media.media_id, created_at=str(int(now)))


def media_uploadimg(call: Call) -> dict[str, Any]:
    if call.upload is None or len(call.upload.data) <= 5:
        raise ApiError(44001)
    if len(call.upload.data) > 2 * _MB:
        raise ApiError(40006)
    media_id = call.world.new_id("IMG", 40)
    url = f"{call.world.base_url}/img/{media_id}"
    call.world.state.media[media_id] = st.Media(media_id, "img", call.world.ts(), url)
    return ok(url=url)


def _receivers(call: Call) -> tuple[list[st.Staff], list[str]]:
    world, given = call.world, call["touser"] or ""
    if given == "@all":
        return [s for s in present(world) if s.status == 1], []
    names = [name for name in given.split("|") if name]
    if len(names) > 1000:
        raise ApiError(40032)
    known, unknown = [], []
    for name in names:
        try:
            known.append(world.staff(name))
        except ApiError:
            unknown.append(name.lower())
    return known, unknown


def message_send(call: Call) -> dict[str, Any]:
    world, kind = call.world, call["msgtype"]
    if call["agentid"] != world.config.agent_id:
        raise ApiError(40056)
    body = call[kind]
    if not isinstance(body, dict):
        raise ApiError(40063, kind)
    if kind in ("text", "markdown") and not body.get("content"):
        raise ApiError(44004)
    if len(str(body.get("content", "")).encode()) > _TEXT_BYTES:
        raise ApiError(45002)
    if kind in ("image", "voice", "video", "file") and body.get("media_id") not in world.state.media:
        raise ApiError(40007)
    known, unknown = _receivers(call)
    if not known:
        raise ApiError(81013)
    now = world.ts()
    for member in known:
        times = [at for at in world.app_messages.get(member.userid, []) if at > now - _AN_HOUR[0]]
        if len(times) < _AN_HOUR[1] and sum(at > now - _A_MINUTE[0] for at in times) < _A_MINUTE[1]:
            world.deliver("app_message", "", member.userid, {"msgtype": kind, kind: body}, now)
            times.append(now)
        world.app_messages[member.userid] = times
    shown = {"invaliduser": "|".join(unknown), "invalidparty": "", "invalidtag": "", "unlicenseduser": ""}
    return ok(**shown, msgid=world.new_id("appmsg", 40), response_code=world.new_id("rc", 40))


def getuserinfo(call: Call) -> dict[str, Any]:
    """Codes of the authorise page, good once for five minutes; for tests also `member:USERID` and
    `customer:EXTERNAL_USERID`, each again and again."""
    if (userid := oauth.redeemed(call.world, call["code"])) is not None:
        return ok(userid=userid, user_ticket=call.world.new_id("UT", 40))
    kind, _, who = call["code"].partition(":")
    if kind == "member" and who:
        return ok(userid=call.world.staff(who).userid, user_ticket=call.world.new_id("UT", 40))
    if kind == "customer" and who in call.world.state.contacts:
        return ok(openid=call.world.openid(who), external_userid=who)
    raise ApiError(40029)


_PAGED = (P("limit", int, most=10_000), P("cursor", str))
_MSGTYPES = (
    "text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown",
    "miniprogram_notice", "template_card",
)  # fmt: skip

TABLE = (
    Endpoint("GET", "user/get", user_get, (P("userid", str, True),)),
    Endpoint("GET", "user/simplelist", user_simplelist, (P("department_id", int, True),)),
    Endpoint("POST", "user/list_id", user_list_id, _PAGED),
    Endpoint("GET", "department/simplelist", department_simplelist, (P("id", int),)),
    Endpoint(
        "POST", "media/upload", media_upload, (P("type", str, True, choices=tuple(_MEDIA_SIZES), code=40004),)
    ),
    Endpoint("POST", "media/uploadimg", media_uploadimg),
    Endpoint(
        "POST", "message/send", message_send,
        (P("touser", str), P("toparty", str), P("totag", str),
         P("msgtype", str, True, choices=_MSGTYPES, code=40008),
         P("agentid", int, True)),
        only_app=True,
    ),
    Endpoint("GET", "auth/getuserinfo", getuserinfo, (P("code", str, True),)),
)  # fmt: skip
