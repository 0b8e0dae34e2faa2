"""Who reacts to what: one table. Each reaction is harmless when its line comes again."""

from collections.abc import Callable

from chalicelib.ads import service as ads
from chalicelib.platform import consumers
from chalicelib.platform.timeline import Line
from chalicelib.prospects import service as prospects
from chalicelib.sops import service as sops

REACTIONS: dict[str, list[Callable[[Line], None]]] = {
    "customer_added": [ads.on_added, sops.on_line, prospects.on_line],
    "follow_edited": [prospects.on_line],
    "event_recorded": [prospects.on_line],
    "customer_lost": [sops.on_line],
    "tags_changed": [sops.on_line],
    "order_paid": [ads.on_paid, sops.on_line],
    "order_refunded": [ads.on_refunded],
}


def react(line: Line) -> None:
    """Call what the table names for the line's type."""
    for reaction in REACTIONS.get(line.type, []):
        reaction(line)


handler = consumers.stream_each(react)
