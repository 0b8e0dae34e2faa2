"""The door of exports."""

from chalicelib.exports import service
from chalicelib.exports.types import NewExport
from chalicelib.platform import http
from chalicelib.platform.http import Call
from chalicelib.platform.jobs import Job
from chalicelib.platform.messages import language

door = http.Door(__name__, tag="Exports")


@door.route(
    "POST",
    "/api/exports",
    body=NewExport,
    status=202,
    permission="exports.write",
    answer=Job,
    summary="A whole list as a file, however long: the finished job has `result_url`",
)
def create(call: Call) -> Job:
    return service.start(call.body, call.principal, language(call.headers.get("accept-language")))
