"""What is stored of stores."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta


class ById(GlobalSecondaryIndex["StoreItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    store_id = UnicodeAttribute(range_key=True)


class StoreItem(Base):
    """Degrees as the operator gave them. `version` guards a change against another one at the same time."""

    class Meta(BaseMeta):
        table_name = settings.table("stores")

    store_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute()
    version = NumberAttribute()
    name = UnicodeAttribute()
    city = UnicodeAttribute()
    address = UnicodeAttribute()
    latitude = NumberAttribute()
    longitude = NumberAttribute()
    staff_ids = JSONAttribute()
    chat_ids = JSONAttribute()
    hours = JSONAttribute(null=True)
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    by_id = ById()
