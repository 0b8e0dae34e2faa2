"""The app as WSGI, in process: each request as API Gateway's event. For clients that speak HTTP."""

import base64
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from app import app


def wsgi(environ: Mapping[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    headers = {
        name[5:].replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    size = int(environ.get("CONTENT_LENGTH") or 0)
    path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
    query = parse_qs(environ.get("QUERY_STRING") or "", keep_blank_values=True)
    answer = app(
        {
            "path": path,
            "pathParameters": None,
            "headers": headers,
            "multiValueQueryStringParameters": query or None,
            "stageVariables": None,
            "body": base64.b64encode(environ["wsgi.input"].read(size)).decode(),
            "isBase64Encoded": True,
            "requestContext": {
                "httpMethod": environ["REQUEST_METHOD"],
                "resourcePath": "/{proxy+}",
                "path": path,
                "identity": {"sourceIp": "192.0.2.1"},
            },
        },
        None,
    )
    several = [
        (name, value) for name, values in (answer.get("multiValueHeaders") or {}).items() for value in values
    ]
    status = answer["statusCode"]
    start(f"{status} {HTTPStatus(status).phrase}", [*(answer.get("headers") or {}).items(), *several])
    body = answer["body"]
    return [base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()]
