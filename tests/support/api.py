"""The API as its callers have it: JSON in and out, with the key of a role. In process, through Chalice."""

import json
from typing import Any

from chalice.test import Client

from chalicelib.platform import auth
from chalicelib.platform.auth import Scope


class Api:
    """`api.get("/api/stores")` → (status, JSON). `raw` gives the response as it is.

    A body of bytes or text goes as it is, anything else as JSON. Headers by name, `If_Match="…"`; problems are
    in English unless `Accept_Language` says otherwise.
    """

    def __init__(
        self, client: Client, role: str = "operator", scope: Scope | None = None, name: str = "test"
    ):
        self.client, self.key = client, auth.create_key(name, role, scope)

    def acting_as(self, role: str, scope: Scope | None = None) -> "Api":
        """The same client with another key."""
        return Api(self.client, role, scope)

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Accept-Language": "en",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.client.http.request(method, path, headers=sent, body=_bytes(body))

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        response = self.raw(method, path, body, **headers)
        return response.status_code, json.loads(response.body or b"null")

    def ids(self, path: str, name: str) -> list[str]:
        """That field of each item of a list."""
        status, page = self("GET", path)
        assert status == 200, page
        return [item[name] for item in page["items"]]

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return self("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return self("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> tuple[int, Any]:
        return self("DELETE", path, **headers)


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
