"""Settlement: what falls due on the queue, and once a day by schedule. Works: distribution, payouts."""

from typing import Any

from chalicelib.payouts import settlement
from chalicelib.platform import clock, consumers

_of_queue = consumers.works("settle")


def handler(event: dict[str, Any], context: Any) -> Any:
    if "Records" in event:
        return _of_queue(event, context)
    settlement.daily(clock.now())
    return None
