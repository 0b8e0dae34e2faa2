"""Group codes on the wire."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from chalicelib.groups.types import RoomOut

_ChatId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z", description="WeCom's chat_id")]


class Done(Struct, kw_only=True):
    """chat_id: the group that was opened; the code's line goes on in it."""

    chat_id: _ChatId | None = None


class TaskOut(Struct, kw_only=True):
    """What an owner was asked for: open_group (how: owner, or auto: WeCom opens it), or remove_member."""

    task_id: str
    kind: str
    status: str
    how: str
    created_at: str
    chat_id: str
    owner: str
    live_code_id: str | None
    name: str | None
    external_userid: str | None
    asked: int
    told_at: str | None
    done_at: str | None
    new_chat_id: str | None


class LineOut(Struct, kw_only=True):
    """The groups of a live code in the order in which they fill up. native: the printed code, if any."""

    live_code_id: str
    printing: str
    limit: int
    opened_by: str
    line: list[RoomOut]
    native: dict[str, Any] | None
