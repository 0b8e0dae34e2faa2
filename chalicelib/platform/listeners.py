"""Listeners of the timeline: each has a queue, a function and a dead-letter queue of its own name.

A capability says in its `listeners.py` what it listens to: `LISTENERS: list[Listener]`.
functions/route copies each line into the queue of every listener that asks for its type, and the
listener's function hands it to the handler that stands here.
"""

from collections.abc import Mapping
from functools import cache
from itertools import chain
from typing import Any

from msgspec import Struct

from chalicelib.platform import clock, declared
from chalicelib.platform.timeline_line import Line


class Listener(Struct, frozen=True, kw_only=True):
    """handlers: event type → "module:function", called with the line; harmless when it comes again.

    ordered: the lines of one subject come in their order (a FIFO queue); only where order changes the result.
    """

    name: str
    handlers: Mapping[str, str]
    ordered: bool = False


@cache
def known() -> tuple[Listener, ...]:
    """Every listener there is."""
    return tuple(chain.from_iterable(declared.find("listeners", "LISTENERS")))


def to_message(line: Line) -> dict[str, Any]:
    """The line as a queue carries it, whole."""
    return {
        "subject": line.subject,
        "type": line.type,
        "at": clock.iso(line.at),
        "key": line.key,
        "data": line.data,
    }


def from_message(message: Mapping[str, Any]) -> Line:
    """The line that `to_message` wrote."""
    return Line(
        message["subject"], message["type"], clock.parse(message["at"]), message["key"], message["data"]
    )
