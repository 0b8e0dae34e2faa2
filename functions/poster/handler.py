"""Posters: one for whoever invokes and waits (posters/function_requests.py), a batch's by the queue."""

from typing import Any

from chalicelib.platform import consumers
from chalicelib.posters import function_requests

_consume = consumers.works("poster")


def handler(event: Any, context: object) -> dict[str, Any]:
    """Lambda's entry, for SQS's records and for an invocation. A bug fails the invocation."""
    if isinstance(event, dict) and "Records" in event:
        return dict(_consume(event, context))
    return function_requests.answer(event)
