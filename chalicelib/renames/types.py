"""What a capability moves when a userid changes."""

from msgspec import Struct


class Rename(Struct, frozen=True, kw_only=True):
    """move: "module:function", called with the old and the new userid. It does a part that is small enough
    for a minute, and says whether there may be more. It may be called again and again, also in the middle.
    """

    name: str
    move: str
