"""Messages of the app to members (wecom-api.md §4.15)."""

from typing import Any

from infra.sandbox import state as st
from infra.sandbox.endpoint import Call, Endpoint, P, ok
from infra.sandbox.errors import ApiError
from infra.sandbox.staff_api import present
from infra.sandbox.world import World

_TEXT_BYTES = 2048
_A_MINUTE, _AN_HOUR = (60, 30), (3600, 1000)  # messages to one member; the excess is dropped silently
_RECALLABLE, _CARD_SECONDS = 86_400, 72 * 3600
_KEEP_DROPPED = 5_000


def _receivers(call: Call) -> tuple[list[st.Staff], list[str]]:
    world, given = call.world, call["touser"] or ""
    if given == "@all":
        return [s for s in present(world) if s.status == 1], []
    names = [name for name in given.split("|") if name]
    if len(names) > 1000:
        raise ApiError(40032)
    known, unknown = {}, []
    for name in names:
        try:
            known[name.lower()] = world.staff(name)
        except ApiError:
            unknown.append(name.lower())
    parties = {int(text) for text in (call["toparty"] or "").split("|") if text.isdigit()}
    tags = [world.state.member_tags.get(text, {}) for text in (call["totag"] or "").split("|") if text]
    tagged = {userid for tag in tags for userid in tag.get("users", ())}
    parties |= {party for tag in tags for party in tag.get("parties", ())}
    for key, member in world.state.staff.items():
        if member.status != 5 and (parties & set(member.department) or key in tagged):
            known[key] = member
    return list(known.values()), unknown


def checked_body(call: Call) -> dict[str, Any]:
    """What is said. ApiError 40063, 44004, 45002, 40007."""
    kind, body = call["msgtype"], call[call["msgtype"]]
    if not isinstance(body, dict):
        raise ApiError(40063, kind)
    if kind in ("text", "markdown") and not body.get("content"):
        raise ApiError(44004)
    if len(str(body.get("content", "")).encode()) > _TEXT_BYTES:
        raise ApiError(45002)
    if kind in ("image", "voice", "video", "file") and body.get("media_id") not in call.world.state.media:
        raise ApiError(40007)
    return body


def send(call: Call) -> dict[str, Any]:
    world, kind = call.world, call["msgtype"]
    if call["agentid"] != world.config.agent_id:
        raise ApiError(40056)
    body = checked_body(call)
    known, unknown = _receivers(call)
    if not known:
        raise ApiError(81013)
    msgid, response_code = world.new_id("appmsg", 40), world.new_id("rc", 40)
    for member in known:
        _deliver(world, member, {"msgid": msgid, "msgtype": kind, kind: body})
    world.state.app_msgids[msgid] = {"at": world.ts(), "response_code": response_code, "used": False}
    shown = {"invaliduser": "|".join(unknown), "invalidparty": "", "invalidtag": "", "unlicenseduser": ""}
    return ok(**shown, msgid=msgid, response_code=response_code)


def _deliver(world: World, member: st.Staff, content: dict[str, Any]) -> None:
    """Deliver it, or drop it without a word when the member had too many."""
    now = world.ts()
    times = [at for at in world.app_messages.get(member.userid, []) if at > now - _AN_HOUR[0]]
    if len(times) < _AN_HOUR[1] and sum(at > now - _A_MINUTE[0] for at in times) < _A_MINUTE[1]:
        world.deliver("app_message", "", member.userid, content, now)
        times.append(now)
    else:
        dropped = [*world.state.dropped, {"at": now, "receiver": member.userid, **content}]
        world.state.dropped = dropped[-_KEEP_DROPPED:]
    world.app_messages[member.userid] = times


def recall(call: Call) -> dict[str, Any]:
    world = call.world
    known = world.state.app_msgids.get(call["msgid"])
    if known is None:
        raise ApiError(41047)
    if world.ts() - known["at"] > _RECALLABLE:
        raise ApiError(42052)
    for key, message in list(world.state.received.items()):
        if message.get("msgid") == call["msgid"] and message["kind"] == "app_message":
            del world.state.received[key]
    return ok()


def update_template_card(call: Call) -> dict[str, Any]:
    """The card's button says it is done. A response_code is good once, for 72 hours."""
    world = call.world
    if call["agentid"] != world.config.agent_id:
        raise ApiError(40056)
    of = [(m, k) for m, k in world.state.app_msgids.items() if k["response_code"] == call["response_code"]]
    if not of or of[0][1]["used"] or world.ts() - of[0][1]["at"] > _CARD_SECONDS:
        raise ApiError(40058, "response_code")
    msgid, known = of[0]
    known["used"] = True
    change = call["template_card"] or {"button": call["button"] or {}}
    for message in world.state.received.values():
        if message.get("msgid") == msgid and "template_card" in message:
            message["template_card"] = {**message["template_card"], **change}
    return ok(invaliduser=[])


MSGTYPES = (
    "text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown",
    "miniprogram_notice", "template_card",
)  # fmt: skip

TABLE = (
    Endpoint(
        "POST", "message/send", send,
        (P("touser", str), P("toparty", str), P("totag", str),
         P("msgtype", str, True, choices=MSGTYPES, code=40008),
         P("agentid", int, True), P("safe", int), P("enable_duplicate_check", int),
         P("duplicate_check_interval", int, most=14_400)),
        only_app=True,
    ),
    Endpoint("POST", "message/recall", recall, (P("msgid", str, True),), only_app=True),
    Endpoint(
        "POST", "message/update_template_card", update_template_card,
        (P("userids", list), P("agentid", int, True), P("response_code", str, True), P("button", dict),
         P("template_card", dict)),
        only_app=True,
    ),
)  # fmt: skip
