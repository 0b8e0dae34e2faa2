"""Groups on the wire."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.platform.paging import Paging, Searching
from chalicelib.platform.userids import StaffId, fold_fields

NORMAL, OWNER_LEFT, INHERITING, INHERITED, DISMISSED = (
    "normal",
    "owner_left",
    "inheriting",
    "inherited",
    "dismissed",
)
STATUSES = (NORMAL, OWNER_LEFT, INHERITING, INHERITED)  # by WeCom's number
OPEN, DONE = "open", "done"
Status = Literal["normal", "owner_left", "inheriting", "inherited", "dismissed"]


class GroupOut(Struct, kw_only=True, frozen=True):
    """A group as the mirror has it; of one that was never seen, its id and nulls.

    people: all members, staff among them. reserved: scans not joined yet.
    """

    chat_id: str
    name: str | None
    owner: str | None
    status: str | None
    people: int | None
    staff: int | None
    reserved: int | None
    live_code_ids: list[str]
    created_at: str | None
    changed_at: str | None
    seen_at: str | None


class RoomOut(GroupOut, kw_only=True, frozen=True):
    """places_left: of this code's limit."""

    places_left: int


class GroupsQuery(Searching, kw_only=True):
    """`q`: in name and id."""

    sort: Literal["name", "-name", "created_at", "-created_at"] = "name"
    status: Status | None = None
    owner: StaffId | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "owner")


class MemberOut(Struct, kw_only=True, frozen=True):
    """staff: one of ours. left_at: null while they are in the group. state: of the code they came by.

    member_id: of a customer `***` for an auditor.
    """

    member_id: str
    staff: bool
    joined_at: str
    scene: str
    state: str | None
    invitor: str | None
    left_at: str | None


class MembersQuery(Paging, kw_only=True):
    sort: Literal["joined_at", "-joined_at"] = "-joined_at"
    present: Annotated[bool, Meta(description="Who is in the group now; false: who has left")] | None = None
    staff: bool | None = None


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


class TasksQuery(Paging, kw_only=True):
    status: Literal["open", "done"] = "open"
    owner: StaffId | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "owner")


class Sync(Struct, kw_only=True, frozen=True):
    """Whose groups to read; null: those of all staff who serve customers."""

    owners: Annotated[list[StaffId], Meta(min_length=1, max_length=1000)] | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "owners")
