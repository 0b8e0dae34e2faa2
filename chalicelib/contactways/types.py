"""Contact ways on the wire."""

from msgspec import Struct


class WaysInUse(Struct, kw_only=True, frozen=True):
    """Contact ways and join ways; `by_kind`: staff (a guide's), native (a code's own), group (join ways)."""

    in_use: int
    limit: int
    left: int
    by_kind: dict[str, int]


class PrintedWay(Struct, kw_only=True, frozen=True):
    """A native group code's own join way, and the groups into which it leads."""

    qr_url: str
    chat_ids: list[str]
