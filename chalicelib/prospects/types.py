"""Prospects on the wire."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.platform.paging import Id, Paging, Searching
from chalicelib.platform.userids import StaffId, fold, fold_fields
from chalicelib.staff.types import StaffWarning

_StaffIds = Annotated[list[StaffId], Meta(max_length=2000)]
_Text = Annotated[str, Meta(max_length=100)]
_Name = Annotated[str, Meta(min_length=1, max_length=100)]
_Consent = Annotated[
    str,
    Meta(min_length=4, max_length=500, description="How these people agreed to be contacted: kept with them"),
]
_Tag = Annotated[str, Meta(pattern=r"^[^/\x00-\x1f]{1,30}/[^/\x00-\x1f]{1,30}\Z", description="group/name")]
_Tags = Annotated[list[_Tag], Meta(max_length=20)]
_Pace = Annotated[int, Meta(ge=1, le=500, description="New people a guide is asked to add in a day")]
_Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z", description="ISO 3166, for numbers without +")]
_Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", description="HH:MM, Asia/Shanghai")]
Status = Literal["to_add", "asked", "refused", "unreachable"]
ImportStatus = Literal["uploading", "running", "finished", "failed"]
ImportSource = Literal["csv", "xlsx", "rows", "orders"]
ProspectStatus = Literal["to_add", "asked", "added", "refused", "unreachable", "expired"]


class Spread(Struct, kw_only=True, frozen=True):
    """Who gets the prospects. `weights`: with `weighted`, in place of `staff_ids`.

    `by_store`: the guides of the row's `store_id`; `by_column`: the row's `staff_id`. With both,
    `staff_ids` get the rows that name nobody we know.
    """

    rule: Literal["round_robin", "weighted", "by_store", "by_column"] = "round_robin"
    staff_ids: _StaffIds = []
    weights: Annotated[dict[StaffId, Annotated[int, Meta(ge=1, le=1000)]], Meta(max_length=2000)] = {}

    def __post_init__(self) -> None:
        fold_fields(self, "staff_ids")

    @property
    def weighted(self) -> dict[str, int]:
        """`weights` by userids as keys have them."""
        return {fold(staff_id): weight for staff_id, weight in self.weights.items()}


class Columns(Struct, kw_only=True, frozen=True):
    """The file's own names of its columns; without them the usual Chinese and English ones are known.

    `-`: there is no such column, whatever the file's are called.
    """

    phone: _Name | None = None
    name: _Name | None = None
    note: _Name | None = None
    store_id: _Name | None = None
    staff_id: _Name | None = None
    external_id: _Name | None = None


class NewImport(Struct, kw_only=True, frozen=True):
    name: _Name
    format: Annotated[Literal["csv", "xlsx"], Meta(description="A file is known by its content, too")] = "csv"
    columns: Columns = msgspec.field(default_factory=Columns)
    staff: Spread
    daily_pace: _Pace = 50
    tags: _Tags = []
    consent: _Consent
    country: _Country = "CN"


class Row(Struct, kw_only=True, frozen=True):
    phone: Annotated[str, Meta(max_length=100)]
    name: _Text = ""
    note: Annotated[str, Meta(max_length=200)] = ""
    store_id: Annotated[str, Meta(max_length=64)] = ""
    staff_id: Annotated[str, Meta(max_length=64)] = ""
    external_id: _Text = ""

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class NewRows(Struct, kw_only=True, frozen=True):
    rows: Annotated[list[Row], Meta(min_length=1, max_length=1000)]
    name: _Name = "API"
    staff: Spread
    daily_pace: _Pace = 50
    tags: _Tags = []
    consent: _Consent
    country: _Country = "CN"


class FromOrders(Struct, kw_only=True, frozen=True):
    """Buyers of paid orders who are no customers become prospects. `consent`: where they agreed to that."""

    staff: Spread
    daily_pace: _Pace = 50
    tags: _Tags = []
    consent: _Consent


class Settings(Struct, kw_only=True, frozen=True):
    """`daily_pace`: of each guide, over all imports. `lists_at`: when the day's lists go out.

    `expire_after`: days after which somebody who was asked and has not come is given up.
    """

    daily_pace: _Pace = 50
    lists_at: _Clock = "09:00"
    expire_after: Annotated[int, Meta(ge=1, le=365)] = 30
    country: _Country = "CN"
    from_orders: FromOrders | None = None


class Change(Struct, kw_only=True, frozen=True):
    status: Status


class Match(Struct, kw_only=True, frozen=True):
    """Whose number (or prospect, or code in a remark) a customer is."""

    external_userid: Annotated[str, Meta(min_length=1, max_length=64)]
    staff_id: StaffId | None = None
    phone: Annotated[str, Meta(max_length=64)] | None = None
    prospect_id: Annotated[str, Meta(max_length=64)] | None = None
    code: Annotated[str, Meta(max_length=64)] | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class ByPhone(Struct, kw_only=True, frozen=True):
    phone: Annotated[str, Meta(min_length=1, max_length=64)]
    country: _Country = "CN"


class Respread(Struct, kw_only=True, frozen=True):
    """Hand all open tasks of a guide (`-`: those nobody has) to others, in turn; none named: as imported."""

    from_staff_id: Annotated[str, Meta(min_length=1, max_length=64)]
    to_staff_ids: _StaffIds = []

    def __post_init__(self) -> None:
        fold_fields(self, "from_staff_id", "to_staff_ids")


class ExportFilter(Struct, kw_only=True, frozen=True):
    status: ProspectStatus | None = None
    staff_id: StaffId | None = None
    import_id: Annotated[str, Meta(max_length=64)] | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class ProspectsQuery(Paging, kw_only=True):
    status: ProspectStatus | None = None
    staff_id: Annotated[Id, Meta(description="Of one guide; `-`: of nobody")] | None = None
    import_id: Annotated[Id, Meta(description="Of one import")] | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class ImportsQuery(Searching, kw_only=True):
    sort: Literal["created_at", "-created_at", "name", "-name"] = "-created_at"
    status: ImportStatus | None = None
    source: ImportSource | None = None


class BrandSettings(Settings, kw_only=True, frozen=True):
    """in_use: whether there ever were prospects; until then nobody asks for any."""

    in_use: bool = False


class Prospect(Struct, kw_only=True, frozen=True):
    """`phone` is masked. `remark`: what the guide pastes, so that the arrival is known by it."""

    prospect_id: str
    status: ProspectStatus
    phone: str | None
    name: str
    note: str
    external_id: str
    staff_id: str | None
    store_id: str | None
    import_id: str | None
    code: str
    remark: str
    created_at: str | None
    changed_at: str | None
    asked_at: str | None
    added_at: str | None
    matched_by: str | None
    external_userid: str | None


class Task(Struct, kw_only=True, frozen=True):
    """A prospect for the eyes of their guide: `number` in full, as it is searched for."""

    prospect_id: str
    status: ProspectStatus
    code: str
    remark: str
    name: str
    note: str
    number: str


class ProspectEvent(Struct, kw_only=True, frozen=True):
    type: str
    at: str
    data: dict[str, Any]


class RevealedPhone(Struct, kw_only=True, frozen=True):
    prospect_id: str
    phone: str


class Erased(Struct, kw_only=True, frozen=True):
    prospect_id: str
    status: Literal["erased"] = "erased"


class Accepted(Struct, kw_only=True, frozen=True):
    status: Literal["accepted"] = "accepted"


class BuyerOrder(Struct, kw_only=True, frozen=True):
    """The order that named its buyer's number."""

    order_id: str
    status: str
    at: str
    unionid: str | None
    external_userid: str | None


class ImportMade(Struct, kw_only=True, frozen=True):
    import_id: str
    upload_url: str
    upload_headers: dict[str, str]
    warnings: list[StaffWarning] | UnsetType = UNSET


class RowError(Struct, kw_only=True, frozen=True):
    row: int
    field: str
    code: str
    message: str


class ImportRowError(Struct, kw_only=True, frozen=True):
    """`line` 1 is the header; of rows by API it is the row's number. `value`: what stood there, masked."""

    line: int
    field: str
    code: str
    message: str
    value: str


class RowsTaken(Struct, kw_only=True, frozen=True):
    import_id: str
    rows: int
    new: int
    duplicates: int
    do_not_contact: int
    bad: int
    errors: list[RowError]
    warnings: list[StaffWarning] | UnsetType = UNSET


class Import(Struct, kw_only=True, frozen=True):
    import_id: str
    name: str
    source: ImportSource
    status: ImportStatus
    job_id: str | None
    error: str | None
    created_at: str
    finished_at: str | None


class StatusCounts(Struct, kw_only=True, frozen=True):
    to_add: int = 0
    asked: int = 0
    added: int = 0
    refused: int = 0
    unreachable: int = 0
    expired: int = 0


class GuideCounts(StatusCounts, kw_only=True, frozen=True):
    staff_id: str


class DayCounts(Struct, kw_only=True, frozen=True):
    """How many got into each status that day."""

    day: str
    asked: int = 0
    added: int = 0
    refused: int = 0
    unreachable: int = 0
    expired: int = 0


class ImportFigures(Import, kw_only=True, frozen=True):
    """`rows` read so far: `new` + `duplicates` + `do_not_contact` + `bad`. `add_rate_bps`: added of new.

    Within a scope its guides alone are counted; what is not counted by guide is then null.
    """

    consent: str
    daily_pace: int
    tags: list[str]
    staff: Spread
    rows: int | None
    new: int
    duplicates: int | None
    do_not_contact: int | None
    bad: int | None
    statuses: StatusCounts
    by_staff: list[GuideCounts]
    warnings: list[StaffWarning] | UnsetType = UNSET
    by_day: list[DayCounts]
    add_rate_bps: int
    mean_seconds_to_add: int | None
