"""SOPs over HTTP: make them, hold them, see what they did."""

from chalicelib.platform import http, judging, plain_text, yaml_text
from chalicelib.platform.errors import Invalid
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page
from chalicelib.sops import rules, service, touches
from chalicelib.sops.queries import SopsQuery, TouchesQuery
from chalicelib.sops.types import (
    Plan,
    SopMade,
    SopOut,
    SopStatus,
    SopWithCounts,
    TouchOut,
)

door = http.Door(__name__, tag="SOP")


@door.route(
    "POST",
    "/api/sops",
    body=Plan,
    takes=http.JSON,
    status=201,
    permission="sops.write",
    summary="Make an SOP, for the customers of one's scope, and start it; JSON or YAML (`application/yaml`)",
    answer=SopMade,
)
def create(call: Call) -> SopMade:
    return SopMade(sop_id=service.create(_plan(call), call.principal))


@door.route(
    "POST",
    "/api/sops/check",
    body=Plan,
    takes=http.JSON,
    permission="sops.write",
    summary="What an SOP would be, JSON or YAML; makes nothing. What is wrong with a YAML has its `line`",
    answer=Plan,
)
def check(call: Call) -> Plan:
    return _plan(call)


@door.route(
    "GET",
    "/api/sops",
    permission="sops.read",
    summary="SOPs, without counts",
    query=SopsQuery,
    answer=Page[SopOut],
)
def index(call: Call) -> Page[SopOut]:
    return service.page(call.query, call.principal)


@door.route(
    "GET",
    "/api/sops/{sop_id}",
    permission="sops.read",
    summary="An SOP, with its touches counted by step",
    answer=SopWithCounts,
)
def get(call: Call, sop_id: str) -> SopWithCounts:
    item = service.load(sop_id, call.principal)
    return service.show_with_counts(item, touches.count_by_step(item, call.principal))


@door.route(
    "GET",
    "/api/sops/{sop_id}/file",
    permission="sops.read",
    summary="An SOP as YAML, from which another one can be made",
    gives="application/yaml",
)
def get_file(call: Call, sop_id: str) -> Answer:
    text = yaml_text.dumps(service.definition(sop_id, call.principal))
    return Answer(text, headers={"Content-Type": "application/yaml; charset=utf-8"})


@door.route(
    "POST",
    "/api/sops/{sop_id}/pause",
    permission="sops.write",
    summary="Let what falls due wait",
    answer=SopStatus,
)
def pause(call: Call, sop_id: str) -> SopStatus:
    return service.set_status(sop_id, "pause", call.principal)


@door.route(
    "POST",
    "/api/sops/{sop_id}/resume",
    permission="sops.write",
    summary="Go on after a pause; what has waited goes out within some ten minutes",
    answer=SopStatus,
)
def resume(call: Call, sop_id: str) -> SopStatus:
    return service.set_status(sop_id, "resume", call.principal)


@door.route(
    "POST", "/api/sops/{sop_id}/stop", permission="sops.write", summary="Stop it for good", answer=SopStatus
)
def stop(call: Call, sop_id: str) -> SopStatus:
    return service.set_status(sop_id, "stop", call.principal)


@door.route(
    "GET",
    "/api/touches",
    permission="touches.read",
    summary="Touches of an SOP, a customer, a guide or a scope, the newest first",
    query=TouchesQuery,
    answer=Page[TouchOut],
)
def index_touches(call: Call) -> Page[TouchOut]:
    """`status`: scheduled, handed_over (WeCom has it), sent, skipped or failed (and `reason`)."""
    return touches.page(call.query, call.principal)


def _plan(call: Call) -> Plan:
    """The SOP of a body. Invalid, of a YAML with the lines."""
    if "yaml" not in (call.headers.get("content-type") or ""):
        return service.checked(judging.convert(call.json(), Plan, rules.check))
    text = yaml_text.decode(call.raw)
    value = yaml_text.loads(text)
    try:
        if wrong := list(plain_text.problems(value)):
            raise Invalid(*wrong)
        return service.checked(judging.convert(value, Plan, rules.check))
    except Invalid as error:
        raise Invalid(*yaml_text.with_lines(text, error.issues)) from error
