"""Questions over everybody's facts, for whoever invokes and waits; longer work by the queue."""

from typing import Any

from chalicelib.lake import asking
from chalicelib.platform import consumers

_consume = consumers.works("lake")


def handler(event: Any, context: object) -> dict[str, Any]:
    """Lambda's entry, for SQS's records and for an invocation. A bug fails the invocation."""
    if isinstance(event, dict) and "Records" in event:
        return dict(_consume(event, context))
    return asking.answer(event)
