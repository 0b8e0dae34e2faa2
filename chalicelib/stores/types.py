"""A store on the wire, and as the map has it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.platform.userids import StaffId, fold_fields
from chalicelib.staff.types import StaffWarning

STORE_ID = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z"
_StoreId = Annotated[str, Meta(pattern=STORE_ID)]
_Time = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z|^24:00\Z", description="HH:MM, local")]
_Weekdays = Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(min_length=1, max_length=7)]
_Name = Annotated[str, Meta(min_length=1, max_length=100)]
City = Annotated[str, Meta(max_length=50)]
_Address = Annotated[str, Meta(max_length=200)]
_Latitude = Annotated[float, Meta(ge=-90, le=90)]
_Longitude = Annotated[float, Meta(ge=-180, le=180)]
_Datum = Annotated[Literal["gcj02", "wgs84"], Meta(description="what the position is given in")]
_Ids = Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=100)]
_StaffIds = Annotated[list[StaffId], Meta(max_length=100)]
Status = Literal["open", "closed"]


class StoreHours(Struct, kw_only=True, frozen=True):
    """Open on these weekdays (1 is Monday) between these times; `from` later than `to` runs over midnight."""

    weekdays: _Weekdays = msgspec.field(default_factory=lambda: [1, 2, 3, 4, 5, 6, 7])
    from_: _Time = msgspec.field(name="from")
    to: _Time


class NewStore(Struct, kw_only=True, frozen=True):
    """`latitude` and `longitude` in degrees, kept to the centimetre. No hours: always open.

    datum: gcj02 is what Chinese maps and WeChat tell, wgs84 what GPS does. status closed: shut for the
    time being, whatever its hours.
    """

    store_id: _StoreId
    name: _Name
    city: City = ""
    address: _Address = ""
    latitude: _Latitude
    longitude: _Longitude
    datum: _Datum = "gcj02"
    staff_ids: _StaffIds = []
    chat_ids: _Ids = []
    hours: StoreHours | None = None
    status: Status = "open"

    def __post_init__(self) -> None:
        # 7 places are 1 cm; the store takes 38 digits, and a float may have 300.
        for name in ("latitude", "longitude"):
            msgspec.structs.force_setattr(self, name, round(getattr(self, name), 7))
        fold_fields(self, "staff_ids")


class StoreOut(NewStore, kw_only=True, frozen=True):
    """A store as it is kept. warnings: guides whom WeCom does not know, or gives no customers."""

    staff_ids: list[str] = []  # as stored: of before userids were checked, too
    version: int
    created_at: str
    updated_at: str
    warnings: list[StaffWarning] | UnsetType = UNSET


class WrongLine(Struct, kw_only=True, frozen=True):
    """`line` 1 is the header; message: in the language of `Accept-Language`."""

    line: int
    field: str
    code: str
    params: dict[str, Any]
    message: str


class ImportWarning(StaffWarning, kw_only=True, frozen=True):
    """`field` is `<store_id>.staff_ids`; `line`, where that store stands in the table."""

    line: int


class Imported(Struct, kw_only=True, frozen=True):
    """warnings: guides whom WeCom does not know, or gives no customers: their stores are imported."""

    imported: int
    errors: list[WrongLine]
    warnings: list[ImportWarning] | UnsetType = UNSET


class StorePoint(Struct, kw_only=True, frozen=True):
    """A store on the map, in WGS-84. `nearest_m`: how far away the next store of the scope is; null: alone.

    open: whether customers find it open now. guides, groups: whether it has any.
    """

    store_id: str
    name: str
    city: str
    latitude: float
    longitude: float
    guides: bool
    groups: bool
    closed: bool
    open: bool
    nearest_m: int | None


class StoresMap(Struct, kw_only=True, frozen=True):
    items: list[StorePoint]
    total: int


class Deleted(Struct, kw_only=True, frozen=True):
    store_id: str
    status: Literal["deleted"] = "deleted"


class HoursPatch(Struct, kw_only=True):
    weekdays: _Weekdays | UnsetType | None = UNSET
    from_: _Time | UnsetType = msgspec.field(name="from", default=UNSET)
    to: _Time | UnsetType = UNSET


class StorePatch(Struct, kw_only=True):
    """A JSON merge patch (RFC 7396): what is named is changed, null gives the default, lists are replaced."""

    name: _Name | UnsetType = UNSET
    city: City | UnsetType | None = UNSET
    address: _Address | UnsetType | None = UNSET
    latitude: _Latitude | UnsetType = UNSET
    longitude: _Longitude | UnsetType = UNSET
    datum: _Datum | UnsetType | None = UNSET
    staff_ids: _StaffIds | UnsetType | None = UNSET
    chat_ids: _Ids | UnsetType | None = UNSET
    hours: HoursPatch | UnsetType | None = UNSET
    status: Status | UnsetType | None = UNSET


class Opening(Struct, frozen=True):
    """`weekdays`: a bit each, Monday's is 1. Minutes of the day; end not after start: over midnight."""

    weekdays: int
    start: int
    end: int


class Place(Struct, frozen=True):
    """A store as the map has it: WGS-84; no opening: always open; staff, groups: whether it has any."""

    store_id: str
    latitude: float
    longitude: float
    name: str
    city: str
    staff: bool
    groups: bool
    shut: bool = False
    opening: Opening | None = None
