"""Who can be lost, counted: in the function `lake`, where the engine is."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from chalicelib.lake.engine import Lake


class Bases(Struct, frozen=True, kw_only=True):
    """counts: (guide or channel, bonds or customers)."""

    counts: list[tuple[str | None, int]]


def count(lake: Lake, of: Literal["staff", "channel"], guides: Sequence[str] | None) -> Bases:
    """Standing bonds by guide, or customers who have one by channel, of these guides; None: of all."""
    theirs = "list_has_any(staff_ids, $1)" if guides is not None else "len(staff_ids) > 0"
    key = "unnest(staff_ids)" if of == "staff" else "channel"
    values = [] if guides is None else [list(guides)]
    rows = lake.ask(f"SELECT {key} AS who, count(*) FROM facts WHERE {theirs} GROUP BY 1", *values)
    seen = None if guides is None or of == "channel" else set(guides)
    return Bases(counts=[(who, int(n)) for who, n in rows if seen is None or who in seen])
