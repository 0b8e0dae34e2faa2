"""The WeCom API: every endpoint in one table, and the way a call goes through it."""

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from infra.sandbox import (
    acquisition_api,
    album_api,
    appchat_api,
    contact_way_api,
    customer_api,
    group_api,
    identity_api,
    mass_api,
    media_api,
    message_api,
    moment_api,
    staff_api,
    statistic_api,
    transfer_api,
    welcome_template_api,
)
from infra.sandbox.access import Limits, Tokens
from infra.sandbox.endpoint import Call, Download, Endpoint, Upload
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World

PREFIX = "/cgi-bin/"
_MODULES = (
    acquisition_api, album_api, appchat_api, contact_way_api, customer_api, group_api, identity_api, mass_api,
    media_api, message_api, moment_api, staff_api, statistic_api, transfer_api, welcome_template_api,
)  # fmt: skip
ENDPOINTS: dict[str, Endpoint] = {endpoint.path: endpoint for module in _MODULES for endpoint in module.TABLE}
# Calls of before, which WeCom took back.
WITHDRAWN = ("externalcontact/transfer", "externalcontact/get_group_msg_result", "message/update_taskcard")
# Products that this app was not given, and the address book, which only its own secret may change: 48002.
NO_RIGHT = (
    "agent/get_workbench_template", "agent/set_workbench_data", "agent/set_workbench_template", "batch/",
    "card/", "checkin/", "corp/", "department/create", "department/delete", "department/update", "dial/",
    "exmail/", "export/", "hardware/", "kf/", "living/", "oa/", "service/", "user/authsucc",
    "user/batchdelete", "user/create", "user/delete", "user/get_active_stat", "user/getuserid", "user/update",
)  # fmt: skip
_WRONG_JSON = " Warning: wrong json format."


class WecomApi:
    def __init__(self, world: World) -> None:
        self._world = world
        self.tokens = Tokens(world)
        self.limits = Limits(world)

    def answer(
        self, method: str, path: str, query: dict[str, str], content_type: str, raw: bytes, ip: str
    ) -> tuple[int, "dict[str, Any] | Download"]:
        """HTTP status and answer: always 200, with an `errcode`."""
        name = path.removeprefix(PREFIX).strip("/")
        is_form = content_type.startswith("multipart/form-data")
        upload = _upload(content_type, raw) if is_form else None
        body = {} if is_form else parsed(raw or b"{}")
        try:
            if name == "gettoken":
                with self._world.lock:
                    return 200, self.tokens.issue(query, ip)
            endpoint = ENDPOINTS.get(name)
            if endpoint is None:
                raise ApiError(48006 if name in WITHDRAWN else 48002, "" if known(name) else "no such api")
            if method != endpoint.method:
                raise ApiError(43001 if endpoint.method == "GET" else 43002)
            return 200, self._call(endpoint, query, body, b"" if is_form else raw, upload)
        except ApiError as error:
            note = _WRONG_JSON if method == "POST" and body is None else ""
            return 200, error.answer(ip, self._world.ts(), note)

    def _call(
        self, endpoint: Endpoint, query: dict[str, str], body: Any, raw: bytes, upload: Upload | None
    ) -> "dict[str, Any] | Download":
        with self._world.lock:
            app = self.tokens.app_of(query.get("access_token"))
            if endpoint.only_app and app != "app":
                raise ApiError(301002)
        args = endpoint.arguments(query, body, raw, self._world.config.strict)
        with self._world.lock:
            try:
                return endpoint.answer(Call(self._world, args, app, upload))
            except (
                TypeError,
                AttributeError,
            ) as error:  # something inside a list or an object is of a wrong kind
                raise ApiError(40058) from error


def known(name: str) -> bool:
    """Whether WeCom has such a call, be it one that this app may not make."""
    return name in ENDPOINTS or name in WITHDRAWN or name.startswith(NO_RIGHT)


def parsed(raw: bytes) -> Any:
    """The JSON of a body; None when it is none, or holds half a character that no UTF-8 text can."""
    try:
        value = json.loads(raw, parse_constant=_no_constant)
        if b"\\u" in raw or b"\xed" in raw:  # json takes its bytes, too
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _upload(content_type: str, raw: bytes) -> Upload | None:
    """The `media` part of a multipart body."""
    head = b"Content-Type: " + content_type.encode("utf-8", "replace") + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(head + raw)
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "media":
            data = part.get_payload(decode=True)
            return Upload(str(part.get_filename() or ""), data if isinstance(data, bytes) else b"")
    return None
