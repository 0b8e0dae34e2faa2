"""Doors of the console: its page at every address, and the page's files."""

from chalicelib.console import pages
from chalicelib.platform import http
from chalicelib.platform.errors import NotFound
from chalicelib.platform.http import Answer, Call

door = http.Door(__name__, tag="Console")


@door.route(
    "GET",
    "/console",
    gives="text/html",
    others={404: "There is no console in this package"},
    summary="The console",
)
def console(call: Call) -> Answer:
    return pages.page(call.headers)


@door.route(
    "GET",
    "/console/assets/{name}",
    gives="text/javascript",
    summary="A file of the console's page, by a name that holds its hash",
)
def asset(call: Call, name: str) -> Answer:
    return pages.asset(name, call.headers)


@door.route("GET", "/console/{screen+}", gives="text/html", summary="A screen of the console")
def screen(call: Call) -> Answer:
    """A path with a dot is a file that is not there; who asks for JSON is a program in the wrong place."""
    if "." in call.path.rpartition("/")[2] or http.wants_json(call.headers):
        raise NotFound(code="no_path")
    return pages.page(call.headers)
