"""Each loss, once: by guide and time, and in the month's list."""

from collections.abc import Iterator
from datetime import datetime

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import clock, lists, settings
from chalicelib.platform.storage import Base, BaseMeta

SHARDS = 1  # of a month: 1,000 losses a second are enough


class ByMonth(GlobalSecondaryIndex["LossItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    month_shard = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class LossItem(Base):
    """`place`: `<time>#<external_userid>#<staff_id>`. `after`: types.After without the SOP's name."""

    class Meta(BaseMeta):
        table_name = settings.table("losses")

    staff_id = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)
    month_shard = UnicodeAttribute()
    at = UnicodeAttribute()
    external_userid = UnicodeAttribute()
    by = UnicodeAttribute()
    channel = UnicodeAttribute(null=True)
    added_at = UnicodeAttribute(null=True)
    last = BooleanAttribute()
    orders = NumberAttribute()
    paid_fen = NumberAttribute()
    after = JSONAttribute(null=True)
    by_month = ByMonth()


def place(at: datetime, external_userid: str, staff_id: str) -> str:
    return f"{clock.iso(at)}#{external_userid}#{staff_id}"


def of_guide(partition: str, before: str | None, limit: int | None, since: str) -> Iterator[LossItem]:
    """A guide's losses from a place on, newest first."""
    within = lists.between(LossItem.place, since, before)
    yield from LossItem.query(partition, within, scan_index_forward=False, limit=limit)


def of_month(partition: str, before: str | None, limit: int | None, since: str) -> Iterator[LossItem]:
    """A month's losses from a place on, newest first."""
    within = lists.between(LossItem.place, since, before)
    yield from LossItem.by_month.query(partition, within, scan_index_forward=False, limit=limit)
