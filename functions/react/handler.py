"""Who reacts to what: one table. Each reaction is harmless when its line comes again."""

from collections.abc import Callable

from chalicelib.platform import consumers
from chalicelib.platform.timeline import Line
from chalicelib.sops import service as sops

REACTIONS: dict[str, list[Callable[[Line], None]]] = {
    "customer_added": [sops.on_line],
    "customer_lost": [sops.on_line],
    "tags_changed": [sops.on_line],
    "order_paid": [sops.on_line],
}


def react(line: Line) -> None:
    """Call what the table names for the line's type."""
    for reaction in REACTIONS.get(line.type, []):
        reaction(line)


handler = consumers.stream_each(react)
