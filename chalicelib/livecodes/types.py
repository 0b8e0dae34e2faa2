"""A live code on the wire: types and limits of each field. What they must mean together is in checks."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.platform.paging import Searching
from chalicelib.platform.plain_text import tag_names
from chalicelib.platform.userids import StaffId, fold_fields

_Name = Annotated[str, Meta(min_length=1, max_length=100)]
_Time = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z|^24:00\Z", description="HH:MM, local")]
_Weekday = Annotated[int, Meta(ge=1, le=7, description="1 is Monday")]
_ChatId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z", description="WeCom's chat_id")]
_StoreId = Annotated[str, Meta(min_length=1, max_length=64)]
_Cap = Annotated[int, Meta(ge=0, le=1_000_000_000)] | None
_RoomNumber = Annotated[int, Meta(ge=1, le=1_000_000, description="1 while it is not given")]
_MAX_STAFF = 100
_Text = Annotated[str, Meta(max_length=4000)]
_When = Annotated[str, Meta(max_length=40, description="ISO 8601 with its offset")]


class Hours(Struct, kw_only=True, frozen=True):
    """On duty on these weekdays; `from` later than `to` runs over midnight."""

    weekdays: Annotated[list[_Weekday], Meta(min_length=1, max_length=7)]
    from_: _Time = msgspec.field(name="from")
    to: _Time


class Member(Struct, kw_only=True, frozen=True):
    """A cap of null: none. No hours: always on duty."""

    staff_id: StaffId
    weight: Annotated[int, Meta(ge=1, le=1000)] = 1
    daily_cap: _Cap = None
    total_cap: _Cap = None
    hours: Annotated[list[Hours], Meta(max_length=50)] | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class Assignment(Struct, kw_only=True, frozen=True):
    strategy: Literal["round_robin", "weighted", "random", "least_loaded"] = "round_robin"
    sticky: bool = True
    members: Annotated[list[Member], Meta(max_length=_MAX_STAFF)] = []
    fallback_staff_ids: Annotated[list[StaffId], Meta(max_length=_MAX_STAFF)] = []
    reserve_for: Annotated[str, Meta(max_length=30, description="ISO 8601 duration, PT1M to P1D")] = "PT10M"

    def __post_init__(self) -> None:
        fold_fields(self, "fallback_staff_ids")


_Attachments = Annotated[list[dict[str, Any]], Meta(max_length=9)]


class TimedWelcome(Hours, kw_only=True, frozen=True):
    """The welcome for adds at these times, instead of the code's general one."""

    text: _Text = ""
    attachments: _Attachments = []


class Welcome(Struct, kw_only=True, frozen=True):
    """`text` may hold {customer_name}, {staff_name} and {coupon_code} (the gift); up to 9 attachments.

    by_time: the first whose hours cover the add is taken; else `text` and `attachments`.
    """

    text: _Text = ""
    attachments: _Attachments = []
    by_time: Annotated[list[TimedWelcome], Meta(max_length=20)] | UnsetType = UNSET


class Schedule(Struct, kw_only=True, frozen=True):
    """Outside of it a scan is told that the code is closed. `hours`: on at these times of the week only,
    left out while they are not given.
    """

    from_: _When | None = msgspec.field(name="from", default=None)
    until: _When | None = None
    hours: Annotated[list[Hours], Meta(max_length=50)] | UnsetType = UNSET


class Groups(Struct, kw_only=True, frozen=True):
    """Kind group: filled in this order, each to `limit` people; from 200 on WeCom lets nobody in by QR.

    auto_create: when the last one is nearly full, WeCom opens the next (named room_base_name and a
    rising number); else, and below WeCom's own limit, its owner is asked to.
    """

    chat_ids: Annotated[list[_ChatId], Meta(min_length=1, max_length=500)]
    limit: Annotated[int, Meta(ge=1, le=200)] = 200
    auto_create: bool = True
    room_base_name: Annotated[str, Meta(max_length=40)] = ""
    room_base_id: _RoomNumber | UnsetType = UNSET


class Stores(Struct, kw_only=True, frozen=True):
    """Kind nearest_store: the nearest open store within `radius_m`, out of `store_ids` (null: all).

    gives: a guide of the store, or its group. daily_cap: of each guide, in this code.
    """

    store_ids: Annotated[list[_StoreId], Meta(min_length=1, max_length=5000)] | None = None
    radius_m: Annotated[int, Meta(ge=100, le=1_000_000, description="metres")] = 50_000
    gives: Literal["staff", "group"] = "staff"
    daily_cap: _Cap = None


class Gift(Struct, kw_only=True, frozen=True):
    """One coupon code of the pool for each new customer, in the welcome's {coupon_code}.

    empty_text: stands there when the pool has no code left.
    """

    pool_id: Annotated[str, Meta(min_length=1, max_length=64)]
    empty_text: Annotated[str, Meta(max_length=100)] = ""


class NewLiveCode(Struct, kw_only=True, frozen=True):
    """`printing`: what posters hold. dynamic: our link, each scan decides. native: WeCom's own QR code.

    A group or nearest_store code takes `assignment` for when no group has room, no store a free guide.
    """

    name: _Name
    kind: Literal["staff", "group", "nearest_store"] = "staff"
    channel: Annotated[str, Meta(min_length=1, max_length=64)] = "other"
    tags: Annotated[list[str], Meta(max_length=20, description="group/name each")] = []
    assignment: Assignment = msgspec.field(default_factory=Assignment)
    printing: Literal["dynamic", "native"] = "dynamic"
    groups: Groups | None = None
    stores: Stores | None = None
    welcome: Welcome | None = None
    gift: Gift | None = None
    skip_verify: bool = True
    schedule: Schedule = msgspec.field(default_factory=Schedule)
    timezone: Annotated[str, Meta(min_length=1, max_length=64)] = "Asia/Shanghai"

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "tags", tag_names(self.tags))


class CodeWarning(Struct, kw_only=True, frozen=True):
    """What may leave a customer waiting, though it may be meant so."""

    field: str
    code: str
    message: str


class LeftOut(Struct, kw_only=True, frozen=True):
    """code: as in warnings; reason: in the language of `Accept-Language`."""

    staff_id: str
    code: str
    reason: str


class NativeOut(Struct, kw_only=True, frozen=True):
    """WeCom's own code: whom it lists, whom it had to leave out."""

    qr_url: str | None
    listed_staff_ids: list[str]
    told_at: str | None
    left_out: list[LeftOut]


class LiveCodeOut(NewLiveCode, kw_only=True, frozen=True):
    """`native`: of a code that WeCom made, once it has; in the answer about one code.

    can_change: whether the scope of who asks holds all that it leads to.
    """

    live_code_id: str
    code: str
    url: str
    version: int
    archived: bool
    created_at: str
    updated_at: str
    warnings: list[CodeWarning]
    can_change: bool
    native: NativeOut | UnsetType | None = UNSET


class LiveCodesQuery(Searching, kw_only=True):
    """`q`: in name, id, tags. staff_id: codes that have this guide as member or fallback."""

    sort: Literal["-created_at", "created_at", "name", "-name"] = "-created_at"
    status: Literal["active", "archived"] = "active"
    kind: Literal["staff", "group", "nearest_store"] | None = None
    channel: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    staff_id: StaffId | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class FileCode(NewLiveCode, kw_only=True, frozen=True):
    """A code in a file: a known one by its live_code_id, a new one by a `ref` of the operator's own."""

    live_code_id: Annotated[str, Meta(pattern=r"^lc_[2-9A-HJ-NP-Za-km-z]{8}\Z")] | None = None
    ref: Annotated[str, Meta(pattern=r"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z")] | None = None


class FileIn(Struct, kw_only=True, frozen=True):
    """Codes to apply. dry_run: only say what would change. archive_missing: archive what is not in it."""

    yaml: Annotated[str, Meta(max_length=2_000_000)]
    dry_run: bool = True
    archive_missing: bool = False


class FieldChange(Struct, kw_only=True, frozen=True):
    field: str
    from_: Any = msgspec.field(name="from")
    to: Any


class CodeChange(Struct, kw_only=True, frozen=True):
    """`diff`: of a changed code, field by field; `text`: as a unified diff of its YAML.

    warnings: of a code that is new or changed.
    """

    live_code_id: str
    ref: str | None
    action: Literal["create", "change", "archive", "same"]
    diff: list[FieldChange]
    text: str
    warnings: list[CodeWarning]


class FileOut(Struct, kw_only=True, frozen=True):
    changes: list[CodeChange]
    applied: bool


class LiveCodePatch(Struct, kw_only=True, frozen=True):
    """A JSON merge patch (RFC 7396): what is named is changed, null gives the default, lists are replaced."""

    name: Any | UnsetType = UNSET
    kind: Any | UnsetType = UNSET
    channel: Any | UnsetType = UNSET
    tags: Any | UnsetType = UNSET
    assignment: Any | UnsetType = UNSET
    printing: Any | UnsetType = UNSET
    groups: Any | UnsetType = UNSET
    stores: Any | UnsetType = UNSET
    gift: Any | UnsetType = UNSET
    welcome: Any | UnsetType = UNSET
    skip_verify: Any | UnsetType = UNSET
    schedule: Any | UnsetType = UNSET
    timezone: Any | UnsetType = UNSET
