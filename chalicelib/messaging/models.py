"""What is stored of welcomes that were not sent: each of them, until it is 7 days old."""

from datetime import timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

WAITING, HANDLED = "waiting", "handled"  # partitions of the index `listing`
KEPT = timedelta(days=7)


class ByTime(GlobalSecondaryIndex["MissedWelcomeItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)


class MissedWelcomeItem(Base):
    """`missed_id`: the digest of the add's welcome code. `handled_by`: a principal's name."""

    class Meta(BaseMeta):
        table_name = settings.table("missed_welcomes")

    missed_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute()
    at = UnicodeAttribute()
    external_userid = UnicodeAttribute()
    staff_id = UnicodeAttribute()
    reason = UnicodeAttribute()
    live_code_id = UnicodeAttribute(null=True)
    handled_at = UnicodeAttribute(null=True)
    handled_by = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()
    by_time = ByTime()
