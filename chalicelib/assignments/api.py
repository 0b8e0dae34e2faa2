"""Doors of assignments: what a code's scans got, why, and who would get one now."""

from typing import Any

from chalicelib.assignments import service
from chalicelib.platform import clock, http
from chalicelib.platform.errors import Invalid
from chalicelib.platform.http import Call

door = http.Door(__name__, tag="Live codes")


@door.route(
    "GET",
    "/api/assignments",
    permission="assignments.read",
    summary="What a code's scans got, newest first, and what became of it",
    query={"live_code_id": "The live code"},
    paged=True,
)
def list_assignments(call: Call) -> dict[str, Any]:
    limit, cursor = call.page()
    live_code_id = call.query.get("live_code_id")
    if not live_code_id:
        raise Invalid(("live_code_id", "is needed"))
    return http.listing(*service.page(live_code_id, limit, cursor))


@door.route(
    "GET",
    "/api/assignments/{assignment_id}",
    permission="assignments.read",
    summary="Why a scan got whom it got, and what became of it, also in a sentence",
)
def get(call: Call, assignment_id: str) -> dict[str, Any]:
    return service.get(assignment_id)


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/why",
    permission="assignments.read",
    summary="Who would get a scan now, and why; nothing is written",
    query={"at": "Another time (ISO 8601 with its offset); the places are those taken at present"},
)
def would_get(call: Call, live_code_id: str) -> dict[str, Any]:
    at = call.query.get("at")
    try:
        # A "+" that was not escaped comes as a space.
        when = clock.parse(at.replace(" ", "+")) if at else None
    except ValueError as error:
        raise Invalid(("at", "an ISO 8601 time with its offset")) from error
    return service.would_get(live_code_id, when)
