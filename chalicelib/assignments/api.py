"""Doors of assignments: what a code's scans got, why, and who would get one now."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from chalicelib.assignments import service
from chalicelib.assignments.types import AssignmentOut, ExplainedAssignment, WouldGet
from chalicelib.platform import clock, http
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Paging

door = http.Door(__name__, tag="Live codes")


class AssignmentsQuery(Paging, kw_only=True):
    live_code_id: Annotated[str, Meta(min_length=1)]


class WhyQuery(Struct, kw_only=True):
    at: Annotated[str, Meta(description="Another time (ISO 8601 with its offset); places as taken now")] = ""


@door.route(
    "GET",
    "/api/assignments",
    permission="assignments.read",
    summary="What a code's scans got, newest first, and what became of it",
    query=AssignmentsQuery,
    answer=http.Listing[AssignmentOut],
)
def list_assignments(call: Call) -> dict[str, Any]:
    return http.listing(*service.page(call.query.live_code_id, *call.page()))


@door.route(
    "GET",
    "/api/assignments/{assignment_id}",
    permission="assignments.read",
    summary="Why a scan got whom it got, and what became of it, also in a sentence",
    answer=ExplainedAssignment,
)
def get(call: Call, assignment_id: str) -> dict[str, Any]:
    return service.get(assignment_id)


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/why",
    permission="assignments.read",
    summary="Who would get a scan now, and why; nothing is written",
    query=WhyQuery,
    answer=WouldGet,
)
def would_get(call: Call, live_code_id: str) -> dict[str, Any]:
    at = call.query.at
    try:
        # A "+" that was not escaped comes as a space.
        when = clock.parse(at.replace(" ", "+")) if at else None
    except ValueError as error:
        raise Invalid(issue("at", "date_time")) from error
    return service.would_get(live_code_id, when)
