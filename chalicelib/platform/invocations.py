"""Another function, invoked and waited for."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.platform import settings
from chalicelib.platform.errors import Conflict, Invalid, Issue, Upstream


def ask(function: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Its answer. What it says of the caller's input is said on; the rest is Upstream."""
    reply = settings.client("lambda").invoke(FunctionName=function, Payload=json.dumps(request).encode())
    answer = json.loads(reply["Payload"].read())
    if reply.get("FunctionError"):
        raise Upstream("an invoked function failed")
    if error := answer.get("error"):
        if error["status"] == Invalid.status:
            raise Invalid(*msgspec.convert(error.get("errors", []), list[Issue]))
        kind = Conflict if error["status"] == Conflict.status else Upstream
        raise kind(error["detail"], code=error.get("code"), **error.get("params", {}))
    return dict(answer)
