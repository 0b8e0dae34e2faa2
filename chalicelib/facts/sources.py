"""Where facts come from: each capability declares in its `facts.py` what it knows of customers.

`FACTS: list[Source]`. Facts asks them by name, as listeners and works are found: this package imports none.
"""

from collections.abc import Mapping
from functools import cache
from itertools import chain
from typing import Any

from msgspec import Struct

from chalicelib.facts.types import DatedFact
from chalicelib.platform import declared


class Row(Struct, frozen=True, kw_only=True):
    """All that one thing (an order, a group, a link) says of a customer's times.

    key: of the thing, e.g. `order#M1`. version: text that grows with each change of it; the greatest stands.
    """

    external_userid: str
    key: str
    version: str
    entries: tuple[DatedFact, ...]


class Source(Struct, frozen=True, kw_only=True):
    """rows: event type → "module:function", which gives the rows that a line changes.

    touches: further event types after which `known` may say something else.
    known: "module:function", which gives fields of Facts, read consistently; None: never a customer.
    """

    rows: Mapping[str, str] = {}
    touches: tuple[str, ...] = ()
    known: str | None = None


@cache
def all_sources() -> tuple[Source, ...]:
    return tuple(chain.from_iterable(declared.find("facts", "FACTS")))


def event_types() -> list[str]:
    """Of all lines that may change a customer's facts."""
    return sorted({type_ for source in all_sources() for type_ in (*source.rows, *source.touches)})


def rows_of(line: Any) -> list[Row]:
    """What a line of the timeline changes, of every source that reads its type."""
    handlers = [source.rows[line.type] for source in all_sources() if line.type in source.rows]
    return [row for handler in handlers for row in declared.resolve(handler)(line)]


def known_of(external_userid: str) -> Mapping[str, Any] | None:
    """What the sources say of the customer as they are now; None for who never was one."""
    known: dict[str, Any] = {}
    for source in all_sources():
        if source.known is not None:
            values = declared.resolve(source.known)(external_userid)
            if values is None:
                return None
            known |= values
    return known
