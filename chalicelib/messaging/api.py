"""The default welcome, for adds that no live code and no SOP has one for; and who got none."""

from chalicelib.messaging import missed, rules, service
from chalicelib.messaging.rules import Welcome
from chalicelib.messaging.types import (
    Handled,
    HandledCount,
    MissedQuery,
    MissedWelcome,
    WelcomeSetting,
)
from chalicelib.platform import http
from chalicelib.platform.errors import Invalid
from chalicelib.platform.lists import Page
from chalicelib.platform.versions import IfMatchHeader

door = http.Door(__name__, tag="Messaging")


@door.route(
    "GET",
    "/api/settings/welcome",
    permission="settings.read",
    answer=WelcomeSetting,
    summary="The default welcome",
)
def get(call: http.Call) -> http.Answer:
    welcome, version = service.default_welcome_and_version()
    shown = WelcomeSetting(text=welcome.text, attachments=[dict(a) for a in welcome.attachments])
    return http.versioned(shown, version)


@door.route(
    "PUT",
    "/api/settings/welcome",
    body=WelcomeSetting,
    answer=WelcomeSetting,
    permission="settings.write",
    headers=IfMatchHeader,
    summary="Set the default welcome; an empty one is none",
)
def put(call: http.Call) -> http.Answer:
    welcome = Welcome(call.body.text, tuple(call.body.attachments))
    if wrong := rules.check(welcome):
        raise Invalid(*wrong)
    return http.versioned(call.body, service.set_default_welcome(welcome, call.if_match))


@door.route(
    "GET",
    "/api/welcomes/missed",
    permission="customers.read",
    query=MissedQuery,
    answer=Page[MissedWelcome],
    summary="Who got no welcome in the last 7 days, and why",
)
def list_missed(call: http.Call) -> Page[MissedWelcome]:
    return missed.page(call.query, call.principal)


@door.route(
    "POST",
    "/api/welcomes/missed/handled",
    body=Handled,
    answer=HandledCount,
    permission="customers.write",
    summary="Note that somebody has seen to these",
)
def handle_missed(call: http.Call) -> HandledCount:
    return HandledCount(handled=missed.handle(call.body.missed_ids, call.principal))
