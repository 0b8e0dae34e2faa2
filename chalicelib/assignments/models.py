"""What is stored of assignments: reservations, and the counters of the places that they take."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

TOTAL = "total"
LISTINGS = 8  # shards of `listing`


class ByCode(GlobalSecondaryIndex["AssignmentItem"]):
    class Meta:
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    assignment_id = UnicodeAttribute(range_key=True)


class Newest(GlobalSecondaryIndex["AssignmentItem"]):
    """Keys alone, so that it costs a scan one write unit, and its confirmation or lapse none."""

    class Meta(BaseMeta):
        index_name = "newest"
        projection = KeysOnlyProjection()

    month_shard = UnicodeAttribute(hash_key=True)
    assignment_id = UnicodeAttribute(range_key=True)


class AssignmentItem(Base):
    """One scan's reservation with one member (a guide, or a group chat). `day`: whose place it took.

    month_shard: `2026-11#<shard of 8>`. listing: only of codes whose members can't be listed (nearest_store,
    group): `<live_code_id>#<shard of 8>`. origin: what the scan's link told beside the code (a print run and
    a card's number). store_id: whose guide it is. slot: which of the member's contact ways it was shown.
    seat, total_seat: the shard its places came from, none for the counter itself. account: the day its place
    of the guide's account is of.
    """

    class Meta(BaseMeta):
        table_name = settings.table("assignments")

    member = UnicodeAttribute(hash_key=True)
    assignment_id = UnicodeAttribute(range_key=True)
    status = UnicodeAttribute()
    at = UnicodeAttribute()
    expires_at = UnicodeAttribute()
    day = UnicodeAttribute()
    why = JSONAttribute()
    external_userid = UnicodeAttribute(null=True)
    confirmed_at = UnicodeAttribute(null=True)
    listing = UnicodeAttribute(null=True)
    month_shard = UnicodeAttribute(null=True)
    origin = JSONAttribute(null=True)
    store_id = UnicodeAttribute(null=True)
    slot = NumberAttribute(null=True)
    seat = NumberAttribute(null=True)
    total_seat = NumberAttribute(null=True)
    account = UnicodeAttribute(null=True)
    by_code = ByCode()
    newest = Newest()


class ByGuide(GlobalSecondaryIndex["PlaceItem"]):
    """The codes that ever gave a guide somebody: written at the first, since the keys never change."""

    class Meta(BaseMeta):
        index_name = "guide"
        projection = KeysOnlyProjection()

    staff_id = UnicodeAttribute(hash_key=True)
    member = UnicodeAttribute(range_key=True)


class PlaceItem(Base):
    """Places of a member that are taken, on a day or in all (`total`): reserved and confirmed ones.

    See caps: under the member's key `taken` has the quotas of its `shards` in it, whose items have the
    key `<member>#<1…>`, and under which `cap` (-1: none) they got their `quota`.
    Of `total` only: staff_id, the guide, in small letters; slot0 … slot4, `<until>#<assignment_id>`, who
    holds that contact way of the member.
    """

    class Meta(BaseMeta):
        table_name = settings.table("staff_places")

    member = UnicodeAttribute(hash_key=True)
    period = UnicodeAttribute(range_key=True)
    taken = NumberAttribute()
    staff_id = UnicodeAttribute(null=True)
    shards = NumberAttribute(null=True)
    quota = NumberAttribute(null=True)
    cap = NumberAttribute(null=True)
    slot0 = UnicodeAttribute(null=True)
    slot1 = UnicodeAttribute(null=True)
    slot2 = UnicodeAttribute(null=True)
    slot3 = UnicodeAttribute(null=True)
    slot4 = UnicodeAttribute(null=True)
    by_guide = ByGuide()


def account_key(staff_id: str) -> str:
    """The partition of a guide's account, over all codes; no live code's id is like it."""
    return f"staff#{staff_id}"


def member_key(live_code_id: str, staff_id: str) -> str:
    """The partition of one member in one code."""
    return f"{live_code_id}#{staff_id}"
