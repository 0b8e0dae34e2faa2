"""`/` leads to the console. A door of the public function, which has none of the console's files."""

from chalicelib.console import pages
from chalicelib.platform import http
from chalicelib.platform.http import Answer, Call

door = http.Door(__name__, tag="Console")


@door.route("GET", "/", status=302, gives="text/html", summary="To the console")
def entrance(call: Call) -> Answer:
    return Answer(b"", 302, {"Location": f"{pages.base_path()}console", "Cache-Control": "no-cache"})
