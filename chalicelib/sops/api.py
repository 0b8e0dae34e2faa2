"""SOPs over HTTP: make them, hold them, see what they did."""

from typing import Annotated, Any

from msgspec import Meta

from chalicelib.platform import http
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Paging
from chalicelib.sops import service, touches
from chalicelib.sops.types import Plan, SopMade, SopOut, SopStatus, SopWithCounts, TouchOut

door = http.Door(__name__, tag="SOP")


class TouchesQuery(Paging, kw_only=True):
    sop_id: Annotated[str, Meta(description="Of this SOP; it or external_userid is needed")] = ""
    external_userid: Annotated[str, Meta(description="Of this customer")] = ""


@door.route(
    "POST",
    "/api/sops",
    body=Plan,
    status=201,
    permission="sops.write",
    summary="Make an SOP and start it",
    answer=SopMade,
)
def create(call: Call) -> dict[str, str]:
    """`{"sop_id"}`."""
    return {"sop_id": service.create(call.body)}


@door.route(
    "GET",
    "/api/sops",
    permission="sops.read",
    summary="SOPs, the newest first",
    query=Paging,
    answer=http.Listing[SopOut],
)
def index(call: Call) -> dict[str, Any]:
    """Without counts."""
    return http.listing(*service.listing(*call.page()))


@door.route(
    "GET",
    "/api/sops/{sop_id}",
    permission="sops.read",
    summary="An SOP, with its touches counted by step",
    answer=SopWithCounts,
)
def get(call: Call, sop_id: str) -> dict[str, Any]:
    """The plan as stored, `status`, and `counts`: step_id → scheduled, handed_over, sent, skipped, failed."""
    item = service.load(sop_id)
    return {**service.shown(item), "counts": touches.counts(item)}


@door.route(
    "POST",
    "/api/sops/{sop_id}/pause",
    permission="sops.write",
    summary="Let what falls due wait",
    answer=SopStatus,
)
def pause(call: Call, sop_id: str) -> dict[str, str]:
    """`{"sop_id", "status"}`."""
    return service.turn(sop_id, "pause")


@door.route(
    "POST",
    "/api/sops/{sop_id}/resume",
    permission="sops.write",
    summary="Go on after a pause",
    answer=SopStatus,
)
def resume(call: Call, sop_id: str) -> dict[str, str]:
    """`{"sop_id", "status"}`. What has waited goes out within some ten minutes."""
    return service.turn(sop_id, "resume")


@door.route(
    "POST", "/api/sops/{sop_id}/stop", permission="sops.write", summary="Stop it for good", answer=SopStatus
)
def stop(call: Call, sop_id: str) -> dict[str, str]:
    """`{"sop_id", "status"}`."""
    return service.turn(sop_id, "stop")


@door.route(
    "GET",
    "/api/touches",
    permission="touches.read",
    summary="Touches of an SOP, of a customer, or both",
    query=TouchesQuery,
    answer=http.Listing[TouchOut],
)
def index_touches(call: Call) -> dict[str, Any]:
    """`status`: scheduled, handed_over (WeCom has it), sent, skipped or failed (and `reason`)."""
    sop_id, customer = call.query.sop_id or None, call.query.external_userid
    if customer:
        return http.listing(*touches.of_customer(customer, sop_id, *call.page()))
    if not sop_id:
        raise Invalid(issue("sop_id", "one_of_fields", fields=["sop_id", "external_userid"]))
    return http.listing(*touches.of_sop(sop_id, *call.page()))
