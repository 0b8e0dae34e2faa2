"""Doors of segments."""

from chalicelib.customers.types import CustomerRow
from chalicelib.exports import service as exports
from chalicelib.exports.types import NewExport
from chalicelib.platform import http
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.jobs import Job
from chalicelib.platform.lists import Page
from chalicelib.platform.messages import language
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.segments import service
from chalicelib.segments.types import (
    DeletedSegment,
    ExportedAs,
    MembersQuery,
    NewSegment,
    Preview,
    SegmentMade,
    SegmentOut,
    SegmentPatch,
    SegmentsQuery,
    Wanted,
)

door = http.Door(__name__, tag="Segments")


@door.route(
    "POST",
    "/api/segments",
    body=NewSegment,
    status=201,
    permission="segments.write",
    summary="A new segment, for the customers of one's scope",
    answer=SegmentMade,
)
def create(call: Call) -> SegmentMade:
    return SegmentMade(segment_id=service.create(call.body, call.principal))


@door.route(
    "POST",
    "/api/segments/preview",
    body=Wanted,
    permission="segments.read",
    summary="Who would fit a rule: how many, by part and guide, and a sample with why; makes nothing",
    answer=Preview,
)
def preview(call: Call) -> Preview:
    return service.preview(call.body.rule, call.principal)


@door.route(
    "GET",
    "/api/segments",
    permission="segments.read",
    query=SegmentsQuery,
    summary="Segments, as they were counted last",
    answer=Page[SegmentOut],
)
def index(call: Call) -> Page[SegmentOut]:
    return service.page(call.query, call.principal)


@door.route(
    "GET",
    "/api/segments/{segment_id}",
    permission="segments.read",
    summary="A segment, and how many it has now",
    answer=SegmentOut,
)
def get(call: Call, segment_id: str) -> Answer:
    segment = service.get(segment_id, call.principal)
    return http.versioned(segment, segment.version)


@door.route(
    "PATCH",
    "/api/segments/{segment_id}",
    body=SegmentPatch,
    takes="application/json",
    headers=IfMatchHeader,
    permission="segments.write",
    summary="Change a segment's name, or a live one's rule",
    answer=SegmentOut,
)
def change(call: Call, segment_id: str) -> Answer:
    http.convert(call.json(), SegmentPatch)
    segment = service.change(segment_id, call.json(), call.if_match, call.principal)
    return http.versioned(segment, segment.version)


@door.route(
    "DELETE",
    "/api/segments/{segment_id}",
    headers=IfMatchHeader,
    permission="segments.write",
    summary="Delete a segment that no other asks for",
    answer=DeletedSegment,
)
def remove(call: Call, segment_id: str) -> DeletedSegment:
    service.remove(segment_id, call.if_match, call.principal)
    return DeletedSegment(segment_id=segment_id)


@door.route(
    "GET",
    "/api/segments/{segment_id}/customers",
    permission="customers.read",
    query=MembersQuery,
    summary="Who is in a segment now, of one's own customers",
    answer=Page[CustomerRow],
)
def members(call: Call, segment_id: str) -> Page[CustomerRow]:
    return service.members(segment_id, call.query, call.principal)


@door.route(
    "POST",
    "/api/segments/{segment_id}/export",
    body=ExportedAs,
    status=202,
    permission="exports.write",
    summary="Who is in a segment, as a file: the finished job has `result_url`",
    answer=Job,
)
def export(call: Call, segment_id: str) -> Job:
    wanted = NewExport(list=f"segments/{segment_id}/customers", format=call.body.format)
    return exports.start(wanted, call.principal, language(call.headers.get("accept-language")))
