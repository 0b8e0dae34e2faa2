"""A live code on the wire: types and limits of each field. What they must mean together is in checks."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

_Name = Annotated[str, Meta(min_length=1, max_length=100)]
_StaffId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}\Z", description="WeCom's userid")]
_Time = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z|^24:00\Z", description="HH:MM, local")]
_Weekday = Annotated[int, Meta(ge=1, le=7, description="1 is Monday")]
_Cap = Annotated[int, Meta(ge=0, le=1_000_000_000)] | None
_MAX_STAFF = 100
_Text = Annotated[str, Meta(max_length=4000)]
_When = Annotated[str, Meta(max_length=40, description="ISO 8601 with its offset")]


class Hours(Struct, kw_only=True):
    """On duty on these weekdays; `from` later than `to` runs over midnight."""

    weekdays: Annotated[list[_Weekday], Meta(min_length=1, max_length=7)]
    from_: _Time = msgspec.field(name="from")
    to: _Time


class Member(Struct, kw_only=True):
    """A cap of null: none. No hours: always on duty."""

    staff_id: _StaffId
    weight: Annotated[int, Meta(ge=1, le=1000)] = 1
    daily_cap: _Cap = None
    total_cap: _Cap = None
    hours: Annotated[list[Hours], Meta(max_length=50)] | None = None


class Assignment(Struct, kw_only=True):
    strategy: Literal["round_robin", "weighted", "random", "least_loaded"] = "round_robin"
    sticky: bool = True
    members: Annotated[list[Member], Meta(max_length=_MAX_STAFF)] = []
    fallback_staff_ids: Annotated[list[_StaffId], Meta(max_length=_MAX_STAFF)] = []
    reserve_for: Annotated[str, Meta(max_length=30, description="ISO 8601 duration, PT1M to P1D")] = "PT10M"


class Welcome(Struct, kw_only=True):
    """`text` may hold {customer_name} and {staff_name}; up to 9 attachments."""

    text: _Text = ""
    attachments: Annotated[list[dict[str, Any]], Meta(max_length=9)] = []


class Schedule(Struct, kw_only=True):
    """Outside of it a scan is told that the code is closed."""

    from_: _When | None = msgspec.field(name="from", default=None)
    until: _When | None = None


class NewLiveCode(Struct, kw_only=True):
    name: _Name
    kind: Literal["staff", "group", "nearest_store"] = "staff"
    channel: Annotated[str, Meta(min_length=1, max_length=64)] = "other"
    tags: Annotated[list[str], Meta(max_length=20, description="group/name each")] = []
    assignment: Assignment = msgspec.field(default_factory=Assignment)
    welcome: Welcome | None = None
    skip_verify: bool = True
    schedule: Schedule = msgspec.field(default_factory=Schedule)
    timezone: Annotated[str, Meta(min_length=1, max_length=64)] = "Asia/Shanghai"


class LiveCodePatch(Struct, kw_only=True):
    """A JSON merge patch (RFC 7396): what is named is changed, null gives the default, lists are replaced."""

    name: Any | UnsetType = UNSET
    channel: Any | UnsetType = UNSET
    tags: Any | UnsetType = UNSET
    assignment: Any | UnsetType = UNSET
    welcome: Any | UnsetType = UNSET
    skip_verify: Any | UnsetType = UNSET
    schedule: Any | UnsetType = UNSET
    timezone: Any | UnsetType = UNSET


class Location(Struct, kw_only=True):
    """Where the person is, or the store they chose."""

    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    store_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class ScanOut(Struct, kw_only=True):
    """What a scan gets."""

    assignment_id: str | None
    kind: Literal["staff", "group", "choose_store", "closed"]
    staff_id: str | None
    chat_id: str | None
    store_id: str | None
    qr_url: str | None
    expires_at: str | None
