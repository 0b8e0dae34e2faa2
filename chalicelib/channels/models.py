"""What is stored of channels: each of them, and of each name whose it is."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

LISTED = "channel"


class ByCreation(GlobalSecondaryIndex["ChannelItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class ChannelItem(Base):
    """`name#<name>` instead of an id: whose name that is (`owner`), so that no two have the same."""

    class Meta(BaseMeta):
        table_name = settings.table("channels")

    channel_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    definition = JSONAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    by_creation = ByCreation()


def key_of_name(name: str) -> str:
    return f"name#{name}"
