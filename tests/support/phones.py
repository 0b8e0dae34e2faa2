"""Phones that scan: the app's public doors, asked from an address of one's own."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from app import app

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MACHINE = {"Accept": "application/json"}


class Seen(Struct, frozen=True):
    """What one gets."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def cookie(self) -> str:
        return self.headers["Set-Cookie"].split(";")[0]


def ask(
    path: str,
    headers: dict[str, str] = MACHINE,
    *,
    address: str = "203.0.113.7",
    method: str = "GET",
    body: Any = None,
) -> Seen:
    """One request as API Gateway hands it on; `address` is the connection's own."""
    parts = urlsplit(path)
    raw = b"" if body is None else json.dumps(body).encode()
    answer = app(
        {
            "path": parts.path,
            "pathParameters": None,
            "headers": {**headers, "Content-Type": "application/json"},
            "multiValueQueryStringParameters": parse_qs(parts.query, keep_blank_values=True) or None,
            "stageVariables": None,
            "body": base64.b64encode(raw).decode(),
            "isBase64Encoded": True,
            "requestContext": {
                "httpMethod": method,
                "resourcePath": "/{proxy+}",
                "path": parts.path,
                "identity": {"sourceIp": address},
            },
        },
        None,
    )
    several = {name: values[0] for name, values in (answer.get("multiValueHeaders") or {}).items()}
    given = answer["body"]
    data = base64.b64decode(given) if answer.get("isBase64Encoded") else given.encode()
    return Seen(answer["statusCode"], {**(answer.get("headers") or {}), **several}, data)
