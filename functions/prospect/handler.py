"""Phone import and all that follows from it: see chalicelib.prospects.worker for the kinds of work."""

from typing import Any

from chalicelib.platform import consumers
from chalicelib.prospects import worker


def handler(event: dict[str, Any], context: Any) -> Any:
    """Lambda's entry. An import works until its invocation's time is nearly over."""
    left = context.get_remaining_time_in_millis
    return consumers.sqs(lambda message: worker.work(message, left))(event, context)
