"""The default welcome: for adds that no live code and no SOP has a welcome for."""

from typing import Annotated, Any

import msgspec

from chalicelib.messaging import rules, service
from chalicelib.platform import http
from chalicelib.platform.errors import Invalid
from chalicelib.wecom import attachments

door = http.Door(__name__, tag="Messaging")


class WelcomeSetting(msgspec.Struct, kw_only=True):
    """`{customer_name}` and `{staff_name}` in the text are replaced. Attachments: in WeCom's own shape."""

    text: Annotated[str, msgspec.Meta(max_length=rules.MAX_TEXT)] = ""
    attachments: Annotated[list[dict[str, Any]], msgspec.Meta(max_length=rules.MAX_ATTACHMENTS)] = []


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
    body: WelcomeSetting = call.body
    if len(body.text.encode()) > rules.MAX_TEXT:
        raise Invalid(("text", f"over {rules.MAX_TEXT} bytes"))
    for index, attachment in enumerate(body.attachments):
        if not attachments.well_formed(attachment):
            raise Invalid((f"attachments[{index}]", attachments.SHAPE))
    service.set_default_welcome(rules.Welcome(body.text, tuple(body.attachments)))
    return body
