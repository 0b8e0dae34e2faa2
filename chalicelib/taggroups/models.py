"""What is stored of WeCom's tag groups: all of them, in one partition, as they were read last."""

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

LISTED = "group"


class TagGroupItem(Base):
    """`read_at`: when WeCom was asked. `gone`: it is no longer there; kept, so that a late answer of before
    does not bring it back. `version`: counts what changed in it.
    """

    class Meta(BaseMeta):
        table_name = settings.table("tag_groups")

    listing = UnicodeAttribute(hash_key=True)
    tag_group_id = UnicodeAttribute(range_key=True)
    definition = JSONAttribute()
    read_at = UnicodeAttribute()
    gone = BooleanAttribute()
    version = NumberAttribute()
