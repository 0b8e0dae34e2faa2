"""SOPs over HTTP: make them, hold them, see what they did."""

from chalicelib.platform import http
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Page
from chalicelib.sops import service, touches
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
    status=201,
    permission="sops.write",
    summary="Make an SOP, for the customers of one's scope, and start it",
    answer=SopMade,
)
def create(call: Call) -> SopMade:
    return SopMade(sop_id=service.create(call.body, call.principal))


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
