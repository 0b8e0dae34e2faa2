"""Another function, invoked and waited for: what is asked of it, and what it answers."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from chalicelib.platform import settings
from chalicelib.platform.errors import Conflict, DomainError, Invalid, Issue, NotFound, Upstream

_PASSED_ON = {kind.status: kind for kind in (NotFound, Conflict)}


def ask(function: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Its answer. What it says of the caller's input is said on; the rest is Upstream."""
    reply = settings.client("lambda").invoke(FunctionName=function, Payload=json.dumps(request).encode())
    given = json.loads(reply["Payload"].read())
    if reply.get("FunctionError"):
        raise Upstream(code="function_failed")
    if error := given.get("error"):
        if error["status"] == Invalid.status:
            raise Invalid(*msgspec.convert(error.get("errors", []), list[Issue]))
        kind = _PASSED_ON.get(error["status"], Upstream)
        raise kind(error["detail"], code=error.get("code"), **error.get("params", {}))
    return dict(given)


def answer(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the work gives, or `{"error": {"status","title","detail","code"?,"params"?,"errors"?}}`."""
    try:
        return work()
    except DomainError as error:
        problem: dict[str, Any] = {"status": error.status, "title": error.title, "detail": str(error)}
        if error.message_code:
            problem |= {"code": error.message_code, "params": error.params}
        if isinstance(error, Invalid):
            problem["errors"] = msgspec.to_builtins(error.issues)
        return {"error": problem}
