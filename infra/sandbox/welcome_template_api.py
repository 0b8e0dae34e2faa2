"""Welcome templates of groups 入群欢迎语 (wecom-api.md §4.8): none is used until a group's owner picks it."""

from typing import Any

from infra.sandbox.content import check_content
from infra.sandbox.endpoint import Call, Endpoint, P, ok
from infra.sandbox.errors import ApiError

NICKNAME = "%NICKNAME%"
_MOST = 100
_KINDS = ("image", "link", "miniprogram", "file", "video")  # of several given, the first wins in silence


def _content(call: Call) -> dict[str, Any]:
    kind = next((kind for kind in _KINDS if call[kind]), "")
    attachments = [{"msgtype": kind, kind: call[kind]}] if kind else []
    check_content(call.world, {"text": call["text"], "attachments": attachments})
    text = {"text": call["text"]} if call["text"] else {}
    return {**text, **({kind: call[kind]} if kind else {})}


def add(call: Call) -> dict[str, Any]:
    world = call.world
    content = _content(call)
    if len(world.state.group_welcomes) >= _MOST:
        raise ApiError(41055)
    template_id = world.new_id("msg", 32)
    world.state.group_welcomes[template_id] = content
    return ok(template_id=template_id)


def _known(call: Call) -> dict[str, Any]:
    content = call.world.state.group_welcomes.get(call["template_id"])
    if content is None:
        raise ApiError(41058)
    return content


def edit(call: Call) -> dict[str, Any]:
    _known(call)
    call.world.state.group_welcomes[call["template_id"]] = _content(call)
    return ok()


def get(call: Call) -> dict[str, Any]:
    return ok(**_known(call))


def delete(call: Call) -> dict[str, Any]:
    _known(call)
    del call.world.state.group_welcomes[call["template_id"]]
    return ok()


_FIELDS = (
    P("text", dict),
    *(P(kind, dict) for kind in _KINDS),
    P("agentid", int),
    P("notify", int, choices=(0, 1)),
)
_TEMPLATE = P("template_id", str, True)
_PATH = "externalcontact/group_welcome_template/"

TABLE = (
    Endpoint("POST", _PATH + "add", add, _FIELDS),
    Endpoint("POST", _PATH + "edit", edit, (_TEMPLATE, *_FIELDS)),
    Endpoint("POST", _PATH + "get", get, (_TEMPLATE,)),
    Endpoint("POST", _PATH + "del", delete, (_TEMPLATE, P("agentid", int))),
)
