"""Doors of assignments: what scans got, why, and who would get one now."""

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.assignments import figures, history, service
from chalicelib.assignments.figures import CodeResults
from chalicelib.assignments.types import AssignmentOut, AssignmentsQuery, ExplainedAssignment, WouldGet
from chalicelib.platform import clock, http, lists
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.http import Call

door = http.Door(__name__, tag="Live codes")


class WhyQuery(Struct, kw_only=True):
    """returning_to: the scan of a person who has added this guide of the code before.

    at_store: of a nearest_store code, the scan of a person who is at that store.
    """

    at: Annotated[str, Meta(description="Another time (ISO 8601 with its offset); places as taken now")] = ""
    returning_to: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    at_store: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


@door.route(
    "GET",
    "/api/assignments",
    permission="assignments.read",
    summary="What scans got, newest first, and what became of it",
    query=AssignmentsQuery,
    answer=lists.Page[AssignmentOut],
)
def list_assignments(call: Call) -> lists.Page[AssignmentOut]:
    return history.list_assignments(call.query, call.principal)


@door.route(
    "GET",
    "/api/assignments/{assignment_id}",
    permission="assignments.read",
    summary="Why a scan got whom it got, and what became of it, also in a sentence",
    answer=ExplainedAssignment,
)
def get(call: Call, assignment_id: str) -> ExplainedAssignment:
    return service.get(assignment_id, call.principal)


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/results",
    permission="assignments.read",
    summary="What came of a code since it was made: in all, by guide, group, store and month",
    answer=CodeResults,
)
def results(call: Call, live_code_id: str) -> CodeResults:
    return figures.of_code(live_code_id, call.principal)


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/why",
    permission="assignments.read",
    summary="Who would get a scan now, and why; nothing is written",
    query=WhyQuery,
    answer=WouldGet,
)
def would_get(call: Call, live_code_id: str) -> WouldGet:
    at = call.query.at
    try:
        # A "+" that was not escaped comes as a space.
        when = clock.parse(at.replace(" ", "+")) if at else None
    except ValueError as error:
        raise Invalid(issue("at", "date_time")) from error
    query = call.query
    return service.would_get(live_code_id, when, call.principal, query.returning_to, query.at_store)
