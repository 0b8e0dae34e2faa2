"""What is stored of live codes: the code as it was set, and the ticket of its scans."""

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

CONFIG, TICKET = "config", "ticket"


class ByCreation(GlobalSecondaryIndex["LiveCodeItem"]):
    class Meta:
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class LiveCodeItem(Base):
    """Part `config`: the code as the operator set it. Part `ticket`: what each scan counts and reads.

    The ticket is an item of its own because each scan writes it: 1 write unit however long the code is.
    Both carry the same `version`. `ref`: the operator's own name of a code that came from a file.
    `maker`: the member of staff who made it, if it was one. `scope`: the stores and departments that it was
    made for, of who is kept to some.
    """

    class Meta(BaseMeta):
        table_name = settings.table("live_codes")

    live_code_id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    version = NumberAttribute()
    active = BooleanAttribute()
    ticket = NumberAttribute(null=True)
    listing = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute(null=True)
    definition = JSONAttribute(null=True)
    staff_ids_ever = JSONAttribute(null=True)
    indexed = BooleanAttribute(null=True)
    ref = UnicodeAttribute(null=True)
    maker = UnicodeAttribute(null=True)
    scope = JSONAttribute(null=True)
    by_creation = ByCreation()
