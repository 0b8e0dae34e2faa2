"""A store on the wire, and as the map has it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

STORE_ID = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z"
_StoreId = Annotated[str, Meta(pattern=STORE_ID)]
_Time = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z|^24:00\Z", description="HH:MM, local")]
_Weekdays = Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(min_length=1, max_length=7)]
_Text = Annotated[str, Meta(max_length=200)]
_Ids = Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=100)]


class StoreHours(Struct, kw_only=True):
    """Open on these weekdays (1 is Monday) between these times; `from` later than `to` runs over midnight."""

    weekdays: _Weekdays = msgspec.field(default_factory=lambda: [1, 2, 3, 4, 5, 6, 7])
    from_: _Time = msgspec.field(name="from")
    to: _Time


_Datum = Annotated[Literal["gcj02", "wgs84"], Meta(description="what the position is given in")]


class NewStore(Struct, kw_only=True):
    """`latitude` and `longitude` in degrees, kept to the centimetre. No hours: always open.

    datum: gcj02 is what Chinese maps and WeChat tell, wgs84 what GPS does. status closed: shut for the
    time being, whatever its hours.
    """

    store_id: _StoreId
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    city: Annotated[str, Meta(max_length=50)] = ""
    address: _Text = ""
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    datum: _Datum = "gcj02"
    staff_ids: _Ids = []
    chat_ids: _Ids = []
    hours: StoreHours | None = None
    status: Literal["open", "closed"] = "open"

    def __post_init__(self) -> None:
        # 7 places are 1 cm; the store takes 38 digits, and a float may have 300.
        self.latitude, self.longitude = round(self.latitude, 7), round(self.longitude, 7)


class StoreOut(NewStore, kw_only=True):
    created_at: str | None
    updated_at: str | None


class WrongLine(Struct, kw_only=True):
    """`line` 1 is the header."""

    line: int
    field: str
    message: str


class Imported(Struct, kw_only=True):
    imported: int
    errors: list[WrongLine]


class Deleted(Struct, kw_only=True):
    store_id: str
    status: Literal["deleted"]


class StorePatch(Struct, kw_only=True):
    """A JSON merge patch (RFC 7396): what is named is changed, null gives the default, lists are replaced."""

    name: Any | UnsetType = UNSET
    city: Any | UnsetType = UNSET
    address: Any | UnsetType = UNSET
    latitude: Any | UnsetType = UNSET
    longitude: Any | UnsetType = UNSET
    datum: Any | UnsetType = UNSET
    staff_ids: Any | UnsetType = UNSET
    chat_ids: Any | UnsetType = UNSET
    hours: Any | UnsetType = UNSET
    status: Any | UnsetType = UNSET


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
