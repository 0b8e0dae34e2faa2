"""Time passing for words to guides: what is sent to the queue `notify` is worked, what falls due is handed out."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.platform import clock, ticker, works

Sent = list[tuple[str, dict[str, Any], str | None]]


def work(sent: Sent, queue: str = "notify") -> None:
    """What waits in a queue, and what comes of it there."""
    while mine := [message for message in sent if message[0] == queue]:
        sent.remove(mine[0])
        works.do(mine[0][1])


def pass_minutes(sent: Sent, at: Callable[[datetime], None], minutes: int) -> None:
    work(sent)
    for _ in range(minutes):
        at(clock.now() + timedelta(minutes=1))
        ticker.tick(lambda: 60_000)
        work(sent)
