"""What is stored of WeCom's contact ways and join ways."""

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

MAKING, READY = "making", "ready"


class WaysOfCode(GlobalSecondaryIndex["ContactWayItem"]):
    class Meta:
        index_name = "live_code"
        projection = KeysOnlyProjection()

    live_code_id = UnicodeAttribute(hash_key=True)
    state = UnicodeAttribute(range_key=True)


class WayOfConfig(GlobalSecondaryIndex["ContactWayItem"]):
    class Meta:
        index_name = "config"
        projection = KeysOnlyProjection()

    config_id = UnicodeAttribute(hash_key=True)


class ContactWayItem(Base):
    """WeCom's contact way of one member in one code. `lease`: until when its maker is waited for.

    telling: who is telling WeCom at present and until when; asked: how often a change was announced. A
    code's native way has an empty staff_id, and: listed, whom WeCom was told at told_at;
    left_out {staff_id: {reason, at}}. Under `#<kind>#<shard>` stands only `ways`: how many there are.
    """

    class Meta(BaseMeta):
        table_name = settings.table("contact_ways")

    state = UnicodeAttribute(hash_key=True)
    live_code_id = UnicodeAttribute()
    staff_id = UnicodeAttribute()
    status = UnicodeAttribute()
    lease = UnicodeAttribute()
    since = UnicodeAttribute()
    config_id = UnicodeAttribute(null=True)
    qr_url = UnicodeAttribute(null=True)
    skip_verify = BooleanAttribute(null=True)
    remark = UnicodeAttribute(null=True)
    listed = JSONAttribute(null=True)
    told_at = UnicodeAttribute(null=True)
    left_out = JSONAttribute(null=True)
    telling = UnicodeAttribute(null=True)
    asked = NumberAttribute(null=True)
    ways = NumberAttribute(null=True)
    by_live_code = WaysOfCode()
    by_config = WayOfConfig()


class JoinWaysOfCode(GlobalSecondaryIndex["JoinWayItem"]):
    class Meta(BaseMeta):
        index_name = "live_code"
        projection = KeysOnlyProjection()

    live_code_id = UnicodeAttribute(hash_key=True)
    state = UnicodeAttribute(range_key=True)


class JoinWayItem(Base):
    """WeCom's join way of one group in one code; chat_id is empty in a code's native way.

    lease: until when its maker is waited for. told: the fields as WeCom has them, once all are known.
    """

    class Meta(BaseMeta):
        table_name = settings.table("join_ways")

    state = UnicodeAttribute(hash_key=True)
    live_code_id = UnicodeAttribute()
    chat_id = UnicodeAttribute()
    status = UnicodeAttribute()
    lease = UnicodeAttribute()
    config_id = UnicodeAttribute(null=True)
    qr_url = UnicodeAttribute(null=True)
    told = JSONAttribute(null=True)
    by_live_code = JoinWaysOfCode()
