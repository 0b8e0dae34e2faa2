"""What a screen asks for again and again, and what a role finds on its first page."""

from chalicelib.home import pulse, tiles
from chalicelib.home.types import Home, IfNoneMatch, Pulse
from chalicelib.platform import http

door = http.Door(__name__, tag="Home")


@door.route(
    "GET",
    "/api/pulse",
    permission="pulse.read",
    headers=IfNoneMatch,
    summary="What happens now: one version of all that the scope sees",
    answer=Pulse,
    others={304: "Nothing is new"},
)
def get_pulse(call: http.Call) -> http.Answer:
    cells = pulse.cells_of(call.principal)
    etag = f'"{pulse.version(cells)}"'
    asked = [one.strip().removeprefix("W/") for one in (call.headers.get("if-none-match") or "").split(",")]
    if etag in asked:
        return http.Answer(b"", 304, {"ETag": etag})
    return http.Answer(pulse.show(cells, call.principal), headers={"ETag": etag})


@door.route(
    "GET",
    "/api/home",
    permission="home.read",
    summary="The first page: what a role looks at first, each number with the list behind it",
    answer=Home,
)
def get_home(call: http.Call) -> Home:
    return tiles.of(call.principal)
