"""Work of the queues, by kind: what falls due later, and what is sent at once.

A capability says in its `works.py` what work it has: `WORKS: list[Work]`. The ticker reads there which
queue a kind goes to, the consumers what to call.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any

from msgspec import Struct

from chalicelib.platform import declared

Message = Mapping[str, Any]


class Work(Struct, frozen=True, kw_only=True):
    """kind: in the message as `kind`. queue: its name in stack.yaml.

    handler: "module:function", called with the message's fields `takes`, and by name with those of `optional`
    that are there; without `takes`, with the whole message. timed: and with `milliseconds_left`, a function.
    order: of a FIFO queue, the field whose equals are kept in order.
    merge: makes (messages of this kind that fall due in one minute, the minute) fewer.
    """

    kind: str
    queue: str
    handler: str
    takes: tuple[str, ...] | None = None
    optional: tuple[str, ...] = ()
    order: str | None = None
    merge: Callable[[Iterable[Message], str], Iterator[Message]] | None = None
    timed: bool = False

    def group(self, message: Message) -> str | None:
        """The FIFO group of a message; None in a standard queue."""
        return str(message.get(self.order) or self.kind) if self.order else None


class Unknown(ValueError):
    """Work of a kind that this version does not know, or not in this queue."""


@cache
def known() -> Mapping[str, Work]:
    """Every kind of work there is."""
    kinds: dict[str, Work] = {}
    for work in chain.from_iterable(declared.find("works", "WORKS")):
        if kinds.setdefault(work.kind, work) is not work:
            raise ValueError(f"two capabilities declare work of kind {work.kind}")
    return kinds


def queues() -> list[str]:
    """The queues that work goes to."""
    return list(dict.fromkeys(work.queue for work in known().values()))


def load(queue: str) -> None:
    """Import what a queue's consumer needs, while it starts: Lambda gives it a whole processor then."""
    for work in known().values():
        if work.queue == queue:
            declared.resolve(work.handler)


def do(message: Message, milliseconds_left: Callable[[], int] | None = None) -> None:
    """Do a message's work. Unknown; KeyError when a field is missing."""
    work = known().get(message["kind"])
    if work is None:
        raise Unknown(f"no work of kind {message['kind']}")
    named = {name: message[name] for name in work.optional if name in message}
    if work.timed:
        named["milliseconds_left"] = milliseconds_left
    given = [message] if work.takes is None else [message[name] for name in work.takes]
    declared.resolve(work.handler)(*given, **named)
