"""What is stored of group codes: the groups that were added to a code's line, join ways, who came once."""

from pynamodb.attributes import JSONAttribute, ListAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta


class LineItem(Base):
    """Groups that fill up after the operator's own: opened by WeCom, or by an owner who was asked."""

    class Meta(BaseMeta):
        table_name = settings.table("group_lines")

    live_code_id = UnicodeAttribute(hash_key=True)
    added: ListAttribute[str] = ListAttribute(null=True)


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


class PersonItem(Base):
    """Somebody who came into a group of a code by that code: counted once. Key: `<live_code_id>#<person>`."""

    class Meta(BaseMeta):
        table_name = settings.table("group_people")

    person = UnicodeAttribute(hash_key=True)
    chat_id = UnicodeAttribute()
    at = UnicodeAttribute()
    assignment_id = UnicodeAttribute(null=True)
