"""WeCom's doors: verify, make the event durable, answer. What it leads to is decided behind the queue.

What is verified is taken, whatever it holds: what can't be read lands in the dead-letter queue of `callback`.
WeCom waits 5 s and sends again whatever was not answered with 200. So both queues must have taken
the event before it gets one; when the second has not, the first drops the repeat by the event's
digest. The welcome goes first: its code is dead after 20 s.
"""

import re

from msgspec import Struct

from chalicelib.platform import clock, http, queues, settings
from chalicelib.platform.errors import Forbidden, Malformed, NotFound
from chalicelib.wecom import crypto, events
from chalicelib.wecom.events import Event

door = http.Door(__name__, tag="WeCom")


class Signature(Struct, kw_only=True):
    """Without them, or forged, it is no message of WeCom's."""

    msg_signature: str = ""
    timestamp: str = ""
    nonce: str = ""


class UrlCheck(Signature, kw_only=True):
    echostr: str = ""


_FORGED = {403: "Forged, or more than 15 minutes off"}
_FILE = re.compile(r"WW_verify_([A-Za-z0-9]{1,64})\.txt")


@door.route(
    "GET",
    "/wecom/callback",
    summary="WeCom checks the callback's address",
    gives="text/plain",
    query=UrlCheck,
    others={400: "No callback of WeCom's", **_FORGED},
)
def verify_url(call: http.Call) -> http.Answer:
    token, aes_key = settings.secret("wecom", "callback_token"), settings.secret("wecom", "callback_aes_key")
    return http.Answer(crypto.verify_url(token, aes_key, settings.env("WECOM_CORP_ID"), call.strings))


@door.route(
    "POST",
    "/wecom/callback",
    summary="WeCom tells of an event",
    takes="text/xml",
    gives="text/plain",
    query=Signature,
    others=_FORGED,
)
def receive(call: http.Call) -> http.Answer:
    token, aes_key = settings.secret("wecom", "callback_token"), settings.secret("wecom", "callback_aes_key")
    corp_id, now = settings.env("WECOM_CORP_ID"), clock.now()
    try:
        message = crypto.open_callback(token, aes_key, corp_id, call.strings, call.raw, now)
    except (crypto.Refused, Malformed) as error:
        _note_refusal(getattr(error, "why", "form"))
        raise
    event = events.parse(message, now)
    if event.to_corp and event.to_corp != corp_id:
        _note_refusal("receiver")
        raise Forbidden(code="not_from_wecom")
    if event.welcome_code and event.external_userid and event.staff_id:
        welcome = _welcome(event, clock.iso(now))
        queues.send("welcome", welcome, group=event.external_userid, key=event.digest)
    queues.send("callback", event.to_message(), group=event.subject(), key=event.digest)
    return http.Answer("")


@door.route(
    "GET", "/{filename}", summary="WeCom checks that a domain is ours (WW_verify_….txt)", gives="text/plain"
)
def domain_verify(call: http.Call, filename: str) -> http.Answer:
    name = _FILE.fullmatch(filename)
    if name is None or name[1] not in _tokens():
        raise NotFound(code="no_path")
    return http.Answer(name[1])


def _note_refusal(reason: str) -> None:
    from chalicelib.platform import connections  # the store, which a callback that is let in does without

    connections.note_refusal("wecom_callback", reason)


def _tokens() -> list[str]:
    return [token.strip() for token in settings.env("WECOM_DOMAIN_VERIFY", "").split(",")]


def _welcome(event: Event, received_at: str) -> dict[str, str | None]:
    """All that a welcome needs, so that it reads nothing that the callback's consumer writes."""
    return {
        "code": event.welcome_code,
        "external_userid": event.external_userid,
        "staff_id": event.staff_id,
        "state": event.state,
        "at": clock.iso(event.at),
        "received_at": received_at,
    }
