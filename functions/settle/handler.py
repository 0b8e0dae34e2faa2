"""Settlement: what falls due on the queue, and once a day by schedule."""

from typing import Any

from chalicelib.distribution import service as distribution
from chalicelib.payouts import settlement
from chalicelib.platform import clock, consumers


def work(message: dict[str, Any]) -> None:
    kind = message["kind"]
    if kind == "mature":
        distribution.mature(message["order_id"], clock.now())
    elif kind == "settle":
        settlement.run_page(message["settlement_id"], message.get("cursor"), message.get("done", 0))
    elif kind == "sweep":
        settlement.sweep_page(message["settlement_id"], message.get("cursor"), message.get("done", 0))
    else:
        raise ValueError(f"no such work: {kind}")


_of_queue = consumers.sqs(work)


def handler(event: dict[str, Any], context: Any) -> Any:
    if "Records" in event:
        return _of_queue(event, context)
    settlement.daily(clock.now())
    return None
