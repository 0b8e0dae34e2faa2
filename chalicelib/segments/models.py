"""What is stored of segments, and who is in the frozen ones."""

from collections.abc import Sequence

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import settings
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import Base, BaseMeta

LISTED = "segment"
CHUNK = 1000  # members of an item: some 40 KB


class ByCreation(GlobalSecondaryIndex["SegmentItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class SegmentItem(Base):
    """size: how many customers, as of `as_of`. scope: of who made it; null: everybody's.

    generation: of the members' file (lake/members.py), null before they were looked at. said: whether
    everybody who came in or went out with it has a line of it.
    """

    class Meta(BaseMeta):
        table_name = settings.table("segments")

    segment_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute()
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    version = NumberAttribute()
    name = UnicodeAttribute()
    kind = UnicodeAttribute()
    rule = JSONAttribute()
    scope = JSONAttribute(null=True)
    size = NumberAttribute(null=True)
    as_of = UnicodeAttribute(null=True)
    generation = UnicodeAttribute(null=True)
    said = BooleanAttribute(null=True)
    by_creation = ByCreation()


class MembersItem(Base):
    """Up to CHUNK members of a frozen segment, sorted; `first` is the least of them."""

    class Meta(BaseMeta):
        table_name = settings.table("segment_members")

    segment_id = UnicodeAttribute(hash_key=True)
    first = UnicodeAttribute(range_key=True)
    external_userids = JSONAttribute()


def get(segment_id: str) -> SegmentItem:
    """NotFound."""
    item: SegmentItem | None = SegmentItem.find(segment_id)
    if item is None:
        raise NotFound(code="no_segment", segment_id=segment_id)
    return item


def save_members(segment_id: str, external_userids: Sequence[str]) -> None:
    """Write who is in a frozen segment, sorted. Twice is once."""
    with MembersItem.batch_write() as batch:
        for start in range(0, len(external_userids), CHUNK):
            chunk = list(external_userids[start : start + CHUNK])
            batch.save(MembersItem(segment_id, chunk[0], external_userids=chunk))


def delete_members(segment_id: str) -> None:
    keys = [row.first for row in MembersItem.query(segment_id, attributes_to_get=["segment_id", "first"])]
    with MembersItem.batch_write() as batch:
        for first in keys:
            batch.delete(MembersItem(segment_id, first))


def is_member(segment_id: str, external_userid: str) -> bool:
    """Whether they are in the frozen segment: one Query."""
    rows = MembersItem.query(
        segment_id,
        MembersItem.first <= external_userid,
        scan_index_forward=False,
        limit=1,
        consistent_read=True,
    )
    return any(external_userid in row.external_userids for row in rows)
