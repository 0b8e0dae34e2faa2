"""Each minute: what has fallen due goes to the queue of its kind. See chalicelib.platform.ticker."""

from typing import Any

from chalicelib.platform import ticker


def handler(event: object, context: Any) -> dict[str, int]:
    """Lambda's entry, for a schedule: how many items were handed out."""
    return {"handed_out": ticker.tick(context.get_remaining_time_in_millis)}
