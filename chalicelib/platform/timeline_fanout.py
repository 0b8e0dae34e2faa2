"""The router: each new line of the timeline into the queue of every listener that asks for its type.

It judges nothing and works nothing, so no line can hold its shard; what fails is only a queue that
refuses. Then the batch comes again from the first line that was refused (Lambda asks again until the
stream forgets, after 24 h): the other queues get some lines twice, which their listeners stand.
"""

from collections.abc import Sequence

from chalicelib.platform import listeners, queues
from chalicelib.platform.timeline_line import Line


def route(lines: Sequence[tuple[Line, str]]) -> str | None:
    """Send lines, each with its sequence number. The number of the first that a queue refused, or None."""
    refused: list[int] = []
    for listener in listeners.known():
        places = [place for place, (line, _) in enumerate(lines) if line.type in listener.handlers]
        messages = [
            (listeners.to_message(line), line.subject if listener.ordered else None)
            for line, _ in (lines[place] for place in places)
        ]
        failed = queues.send_until_refused(listener.name, messages)
        if failed is not None:
            refused.append(places[failed])
    return lines[min(refused)][1] if refused else None
