"""A segment as its doors have it."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.platform.paging import Paging, Searching

Kind = Literal["live", "frozen"]
RuleJson = Annotated[dict[str, Any], Meta(description="A rule: docs/segments.md")]


class NewSegment(Struct, frozen=True, kw_only=True):
    """live: who fits the rule at the time of asking. frozen: who fitted it when the segment was made."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    rule: RuleJson
    kind: Kind = "live"


class SegmentPatch(Struct, frozen=True, kw_only=True):
    """A JSON merge patch; the rule is replaced whole, and that of a frozen segment is not changed."""

    name: Any | UnsetType = UNSET
    rule: Any | UnsetType = UNSET


class SegmentOut(NewSegment, frozen=True, kw_only=True):
    """count, as_of: how many they are, and as of when; null before they were counted.

    can_change: whether the caller may change it; who is kept to stores only what was made for these.
    """

    segment_id: str
    count: int | None
    as_of: str | None
    version: int
    created_at: str
    updated_at: str
    can_change: bool


class SegmentsQuery(Searching, kw_only=True):
    kind: Kind | None = None
    sort: Literal["name", "-name", "-created_at", "-count"] = "-created_at"


class MembersQuery(Paging, kw_only=True):
    """Of a segment; by id."""


class Wanted(Struct, frozen=True, kw_only=True):
    rule: RuleJson


class StaffCount(Struct, frozen=True, kw_only=True):
    staff_id: str
    staff_name: str
    count: int


class LineCount(Struct, frozen=True, kw_only=True):
    """How many a part of the rule fits by itself; `path`: where it stands, e.g. `rule.all[1]`."""

    path: str
    count: int


class Sampled(Struct, frozen=True, kw_only=True):
    """`fits`: the paths of the rule's parts that this customer fits: why they are in."""

    external_userid: str
    name: str
    staff_ids: list[str]
    fits: list[str]


class Preview(Struct, frozen=True, kw_only=True):
    """reachable: of whom a bond stands. by_staff: of whom the bond with that guide stands, the most first."""

    count: int
    reachable: int
    as_of: str
    by_staff: list[StaffCount]
    lines: list[LineCount]
    sample: list[Sampled]


class ExportedAs(Struct, frozen=True, kw_only=True):
    format: Literal["csv", "xlsx"] = "xlsx"


class SegmentMade(Struct, frozen=True, kw_only=True):
    segment_id: str


class DeletedSegment(Struct, frozen=True, kw_only=True):
    segment_id: str
