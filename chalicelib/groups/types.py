"""Groups on the wire."""

from typing import Annotated

from msgspec import Meta, Struct

NORMAL, OWNER_LEFT, INHERITING, INHERITED, DISMISSED = (
    "normal",
    "owner_left",
    "inheriting",
    "inherited",
    "dismissed",
)
STATUSES = (NORMAL, OWNER_LEFT, INHERITING, INHERITED)  # by WeCom's number
OPEN, DONE = "open", "done"

_StaffId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}\Z", description="WeCom's userid")]


class GroupOut(Struct, kw_only=True):
    """A group as the mirror has it. people: all members, staff among them. reserved: scans not joined yet."""

    chat_id: str
    name: str | None
    owner: str | None
    status: str
    people: int
    staff: int
    reserved: int
    live_code_ids: list[str]
    created_at: str | None
    changed_at: str | None
    seen_at: str | None


class RoomOut(GroupOut, kw_only=True):
    """places_left: of this code's limit."""

    places_left: int


class MemberOut(Struct, kw_only=True):
    """staff: one of ours. left_at: null while they are in the group. state: of the code they came by."""

    member_id: str
    staff: bool
    joined_at: str | None
    scene: str
    state: str | None
    invitor: str | None
    left_at: str | None


class TaskOut(Struct, kw_only=True, frozen=True):
    """What an owner was asked for: open_group (how: owner, or auto: WeCom opens it), or remove_member.

    external_userid: `***` for an auditor.
    """

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


class LetIn(Struct, kw_only=True):
    external_userid: str


class Sync(Struct, kw_only=True):
    """Whose groups to read; null: those of all staff who serve customers."""

    owners: Annotated[list[_StaffId], Meta(min_length=1, max_length=1000)] | None = None


class Unwanted(Struct, kw_only=True):
    reason: Annotated[str, Meta(max_length=200)] = ""


class UnwantedOut(Struct, kw_only=True):
    external_userid: str
    reason: str
    at: str
