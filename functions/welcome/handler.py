"""Welcome a new customer inside WeCom's 20 s: see chalicelib.messaging.service."""

from typing import Any

from chalicelib.messaging import service
from chalicelib.platform import consumers


def handler(event: dict[str, Any], context: Any) -> Any:
    """Lambda's entry. One message an event (infra/stack.yaml); at a repeat the first may have got through."""
    again = any(int(record["attributes"]["ApproximateReceiveCount"]) > 1 for record in event["Records"])
    return consumers.sqs(lambda message: service.welcome(message, again))(event, context)
