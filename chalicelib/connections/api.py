"""Doors of connections: how each is, and a test by a button."""

from chalicelib.connections import service
from chalicelib.connections.types import Connection
from chalicelib.platform import http, messages
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Page
from chalicelib.platform.messages import Language

door = http.Door(__name__, tag="Connections")


@door.route(
    "GET",
    "/api/connections",
    permission="connections.read",
    answer=Page[Connection],
    summary="What connects us with WeCom, WeChat Pay and malls: what is set, last heard, and wrong",
)
def listing(call: Call) -> Page[Connection]:
    rows = service.listing(_language(call))
    return Page(rows, len(rows))


@door.route(
    "GET",
    "/api/connections/{connection}",
    permission="connections.read",
    answer=Connection,
    summary="One of them",
)
def get(call: Call, connection: str) -> Connection:
    return service.get(connection, _language(call))


@door.route(
    "POST",
    "/api/connections/{connection}/test",
    permission="connections.test",
    answer=Connection,
    summary="Test it by a real call that changes nothing; `testing`: another function does it, ask again",
)
def test(call: Call, connection: str) -> Connection:
    return service.test(connection, _language(call))


def _language(call: Call) -> Language:
    return messages.language(call.headers.get("accept-language"))
