"""Dead letters, looked at and sent again. Invoked by api; see chalicelib.platform.deadletters."""

from typing import Any

import msgspec

from chalicelib.platform import deadletters
from chalicelib.platform.errors import DomainError


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"ask": "list"}` or `{"ask": "redrive", "queue"}` → `{"answer"}` or `{"error"}`."""
    try:
        if event["ask"] == "list":
            return {"answer": msgspec.to_builtins(deadletters.listing())}
        left = context.get_remaining_time_in_millis
        return {"answer": deadletters.redrive(event["queue"], left)}
    except DomainError as error:
        return {"error": {"status": error.status, "detail": str(error)}}
