"""Doors of contact ways: a live code with WeCom's own code of it, and how many ways the corp has in use.

The first is here and not in livecodes, which knows nothing of contact ways.
"""

from chalicelib.contactways import native_code, usage
from chalicelib.contactways.types import WaysInUse
from chalicelib.livecodes import listing
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.types import LiveCodeOut
from chalicelib.platform import http, messages
from chalicelib.platform.http import Answer, Call

door = http.Door(__name__, tag="Live codes")


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}",
    permission="live_codes.read",
    summary="One live code",
    answer=LiveCodeOut,
)
def get_live_code(call: Call, live_code_id: str) -> Answer:
    code = livecodes.get(live_code_id, call.principal)
    language = messages.language(call.headers.get("accept-language"))
    native = (native_code.find_status(code, language),) if code.native else ()
    mine = code.live_code_id in livecodes.select_changeable([code], call.principal)
    return http.versioned(listing.show(code, language, mine, *native), code.version)


@door.route(
    "GET",
    "/api/contact-ways/usage",
    permission="contact_ways.read",
    answer=WaysInUse,
    summary="How many of WeCom's contact ways the corp has in use, of 500,000",
)
def ways_in_use(call: Call) -> WaysInUse:
    return usage.in_use()
