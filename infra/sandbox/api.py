"""The WeCom API: every endpoint in one table, and the way a call goes through it."""

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from infra.sandbox import acquisition_api, contact_way_api, customer_api, group_api, mass_api, staff_api
from infra.sandbox.access import Limits, Tokens
from infra.sandbox.endpoint import Call, Endpoint, Upload
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World

PREFIX = "/cgi-bin/"
ENDPOINTS: dict[str, Endpoint] = {
    endpoint.path: endpoint
    for module in (acquisition_api, contact_way_api, customer_api, group_api, mass_api, staff_api)
    for endpoint in module.TABLE
}


class WecomApi:
    def __init__(self, world: World) -> None:
        self._world = world
        self.tokens = Tokens(world)
        self.limits = Limits(world)

    def answer(
        self, method: str, path: str, query: dict[str, str], content_type: str, raw: bytes, ip: str
    ) -> tuple[int, dict[str, Any]]:
        """HTTP status and answer: 200 with an `errcode`, but 404 for an endpoint that is not known."""
        name = path.removeprefix(PREFIX)
        try:
            if name == "gettoken":
                with self._world.lock:
                    return 200, self.tokens.issue(query, ip)
            endpoint = ENDPOINTS.get(name)
            if endpoint is None:
                return 404, {"errcode": 404, "errmsg": f"the sandbox has no {path}"}
            return 200, self._call(endpoint, method, query, content_type, raw, ip)
        except ApiError as error:
            return 200, error.answer()

    def _call(
        self, endpoint: Endpoint, method: str, query: dict[str, str], content_type: str, raw: bytes, ip: str
    ) -> dict[str, Any]:
        if method != endpoint.method:
            raise ApiError(43001 if endpoint.method == "GET" else 43002)
        with self._world.lock:
            app = self.tokens.app_of(query.get("access_token"))
            if endpoint.only_app and app != "app":
                raise ApiError(301002)
        upload = _upload(content_type, raw)
        body = dict(query) if upload is not None or endpoint.path.startswith("media/") else parsed(raw)
        args = endpoint.arguments(query, body, raw if upload is None else b"", self._world.config.strict)
        with self._world.lock:
            try:
                return endpoint.answer(Call(self._world, args, app, upload))
            except (
                TypeError,
                AttributeError,
            ) as error:  # something inside a list or an object is of a wrong kind
                raise ApiError(40058) from error


def parsed(raw: bytes) -> Any:
    """The JSON of a body; None when it is none."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _upload(content_type: str, raw: bytes) -> Upload | None:
    """The `media` part of a multipart body."""
    if not content_type.startswith("multipart/form-data"):
        return None
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw
    )
    for part in message.iter_parts():
        if part.get_param("name", header="content-disposition") == "media":
            data = part.get_payload(decode=True)
            return Upload(str(part.get_filename() or ""), data if isinstance(data, bytes) else b"")
    return None
