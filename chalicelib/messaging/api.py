"""The default welcome: for adds that no live code and no SOP has a welcome for."""

from chalicelib.messaging import rules, service
from chalicelib.messaging.rules import Welcome
from chalicelib.messaging.types import WelcomeSetting
from chalicelib.platform import http
from chalicelib.platform.errors import Invalid

door = http.Door(__name__, tag="Messaging")


@door.route(
    "GET",
    "/api/settings/welcome",
    permission="settings.read",
    answer=WelcomeSetting,
    summary="The default welcome",
)
def get(call: http.Call) -> WelcomeSetting:
    welcome = service.default_welcome()
    return WelcomeSetting(text=welcome.text, attachments=[dict(a) for a in welcome.attachments])


@door.route(
    "PUT",
    "/api/settings/welcome",
    body=WelcomeSetting,
    answer=WelcomeSetting,
    permission="settings.write",
    summary="Set the default welcome; an empty one is none",
)
def put(call: http.Call) -> WelcomeSetting:
    welcome = Welcome(call.body.text, tuple(call.body.attachments))
    if wrong := rules.check(welcome):
        raise Invalid(*wrong)
    service.set_default_welcome(welcome)
    return call.body  # type: ignore[no-any-return]
