"""Alarms, from their topic to those who look after the stack: see chalicelib.alarms.service."""

from typing import Any

from chalicelib.alarms import service


def handler(event: dict[str, Any], context: Any) -> None:
    """SNS's records. An exception has Lambda try again."""
    for record in event["Records"]:
        service.order_notices(record["Sns"]["Message"])
