"""Group codes on the wire."""

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.contactways.types import PrintedWay
from chalicelib.groups.types import RoomOut

_ChatId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z", description="WeCom's chat_id")]


class Done(Struct, kw_only=True, frozen=True):
    """chat_id: the group that was opened; the code's line goes on in it."""

    chat_id: _ChatId | None = None


class LineOut(Struct, kw_only=True, frozen=True):
    """The groups of a live code in the order in which they fill up. native: the printed code, if any."""

    live_code_id: str
    printing: str
    limit: int
    opened_by: str
    line: list[RoomOut]
    native: PrintedWay | None
