"""What is stored of a pool: itself, its lanes' heads, who has claimed; and apart, each lane's codes."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

POOL = "pool"


class ByCreation(GlobalSecondaryIndex["CouponItem"]):
    class Meta:
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class ByClaim(GlobalSecondaryIndex["CouponItem"]):
    """A pool's claims in time: no other item under a pool's id has an `at`."""

    class Meta:
        index_name = "claims"
        projection = AllProjection()

    pool = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)


class CouponItem(Base):
    """Under a pool's id, part `pool`: its name and `version` (none: 1); `head#<lane>`: codes loaded into
    the lane, and given out; `claim#<person>`: the code that the person has.

    Under `<pool_id>#<lane>`, part `block#<index>`: the lane's codes from that index on, never changed;
    `seen#<set>`: digests of the codes that are in it.
    """

    class Meta(BaseMeta):
        table_name = settings.table("coupons")

    pool = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    listing = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    expires_at = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    loaded = NumberAttribute(null=True)
    given = NumberAttribute(null=True)
    code = UnicodeAttribute(null=True)
    at = UnicodeAttribute(null=True)
    codes = JSONAttribute(null=True)
    digests = UnicodeSetAttribute(null=True)
    by_creation = ByCreation()
    by_claim = ByClaim()


def head(lane: int) -> str:
    return f"head#{lane}"


def claim(person: str) -> str:
    return f"claim#{person}"


def block(index: int) -> str:
    return f"block#{index:09}"


def seen(number: int) -> str:
    return f"seen#{number:02}"


def lane_key(pool_id: str, lane: int) -> str:
    return f"{pool_id}#{lane}"
