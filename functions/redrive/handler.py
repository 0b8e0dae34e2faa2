"""Dead letters, looked at and sent again. Invoked by api; see chalicelib.platform.deadletters."""

from typing import Any

from chalicelib.platform import deadletters


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A `deadletters.Request` → `{"answer"}` or `{"error"}`."""
    return deadletters.answer(event, context.get_remaining_time_in_millis)
