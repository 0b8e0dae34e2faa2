"""What is stored of staff: what WeCom tells, kept so that a welcome need not ask."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta


class StaffItem(Base):
    """`status` is WeCom's: 1 active, 2 disabled, 4 not activated, 5 left."""

    class Meta(BaseMeta):
        table_name = settings.table("staff")

    staff_id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    status = NumberAttribute()
    seen_at = UnicodeAttribute()
