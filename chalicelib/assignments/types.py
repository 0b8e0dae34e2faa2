"""What a scan gets, and an assignment as others see it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from chalicelib.platform.paging import Paging
from chalicelib.platform.userids import fold_fields

ScanKind = Literal["staff", "group", "choose_store", "closed"]
Status = Literal["reserved", "confirmed", "lapsed"]
RESERVED: Literal["reserved"] = "reserved"
CONFIRMED: Literal["confirmed"] = "confirmed"
LAPSED: Literal["lapsed"] = "lapsed"
GROUP = "group"  # `kind` in the `why` of a place in a group


class Scan(Struct, frozen=True):
    """What a scan gets. `cookie`: what brings this person back to the same guide (or group).

    distance_m: to the store, if the person said where they are. retry_after: seconds; there is no assignment
    because too many were asked for.
    """

    kind: ScanKind
    assignment_id: str | None = None
    staff_id: str | None = None
    chat_id: str | None = None
    store_id: str | None = None
    qr_url: str | None = None
    expires_at: datetime | None = None
    distance_m: int | None = None
    retry_after: int | None = None

    @property
    def cookie(self) -> str | None:
        who = self.staff_id or f"@{self.chat_id}"  # no staff_id begins so
        return f"{self.assignment_id}.{who}" if self.assignment_id else None


CLOSED = Scan("closed")


def admit_all() -> None:
    """Whoever asks may reserve."""


class Asked(Struct, frozen=True):
    """What a scan brings to the decision.

    origin: what its link told beside the code; kept with the assignment, and told by its line.
    preferred: whose customer they were. poster: whose own poster it was. why: what led here, kept in the
    assignment's `why`. admit: called before a reservation is written; it raises when there is to be none.
    """

    origin: Mapping[str, Any] = {}
    preferred: str | None = None
    poster: str | None = None
    why: Mapping[str, Any] = {}
    admit: Callable[[], None] = admit_all


PLAIN = Asked()


class Assignment(Struct, frozen=True):
    """One scan's reservation with one member: a guide, or a group chat.

    day: whose place it took. origin: what the scan's link told beside the code. slot: which of the member's
    contact ways it was shown. shard, total_shard: of its places' counters, 0 for the counter itself.
    account: the day of its place of the guide's account.
    """

    live_code_id: str
    member_id: str
    assignment_id: str
    status: Status
    at: str
    expires_at: str
    day: str
    why: Mapping[str, Any]
    external_userid: str | None = None
    confirmed_at: str | None = None
    origin: Mapping[str, Any] | None = None
    store_id: str | None = None
    slot: int | None = None
    shard: int = 0
    total_shard: int = 0
    account: str | None = None

    @property
    def is_group(self) -> bool:
        """Whether it is a place in a group."""
        return self.why.get("kind") == GROUP


class AssignmentsQuery(Paging, kw_only=True):
    """Of all that the scope has, those of a code, a guide, a status."""

    live_code_id: Annotated[str, Meta(min_length=1)] | None = None
    staff_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    status: Status | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class AssignmentOut(Struct, kw_only=True, frozen=True):
    """What one scan got. `why`: the decision as it was kept; `origin`: what the link told.

    external_userid, customer_name: `***` for an auditor. `text`, `text_en`: why, in a sentence.
    """

    assignment_id: str
    live_code_id: str
    staff_id: str | None
    chat_id: str | None
    store_id: str | None
    status: Status
    at: str
    expires_at: str
    confirmed_at: str | None
    external_userid: str | None
    origin: Mapping[str, Any] | None
    slot: int | None
    state: str | None
    why: Mapping[str, Any]
    staff_name: str | None
    chat_name: str | None
    store_name: str | None
    customer_name: str | None
    text: str
    text_en: str


class Event(Struct, kw_only=True, frozen=True):
    type: str
    at: str


class ExplainedAssignment(AssignmentOut, kw_only=True, frozen=True):
    channel: str | None
    history: list[Event]


GuideState = Literal["free", "off", "full", "ramp", "left", "unknown", "refused"]


class GuideStanding(Struct, kw_only=True, frozen=True):
    """One guide of a code at a moment: whether a scan could come to them, and what is against it.

    state: free; off duty; full by a cap of the code; at the day's limit of a new account (`ramp`); has left;
    unknown to WeCom; refused by it. A member is listed once, though they stand among the fallback staff too.
    """

    staff_id: str
    name: str
    part: Literal["member", "fallback"]
    state: GuideState
    weight: int
    taken_today: int
    daily_cap: int | None
    taken_ever: int | None
    total_cap: int | None
    is_chosen: bool


class WouldGet(Struct, kw_only=True, frozen=True):
    """Who would get a scan, and why. `loads`: places taken of each guide; `guides`: all of the code's, or of
    the store (`store_id`, of a nearest_store code) that somebody who is at the one asked for is led to.
    """

    live_code_id: str
    at: str
    kind: ScanKind
    staff_id: str | None
    listed_staff_ids: list[str] | None
    why: dict[str, Any]
    loads: dict[str, int]
    guides: list[GuideStanding]
    store_id: str | None
    store_name: str | None
    text: str
    text_en: str
