"""Posters: one for whoever invokes and waits (posters/asked.py), many by the queue (posters/batchwork.py)."""

from typing import Any

from chalicelib.platform import consumers
from chalicelib.posters import batch_work, function_requests

_consume = consumers.sqs(batch_work.work)


def handler(event: Any, context: object) -> dict[str, Any]:
    """Lambda's entry, for SQS's records and for an invocation. A bug fails the invocation."""
    if isinstance(event, dict) and "Records" in event:
        return dict(_consume(event, context))
    return function_requests.answer(event)
