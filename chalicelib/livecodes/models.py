"""What is stored of live codes: the code and its ticket, reservations, places taken, contact ways."""

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

CONFIG, TICKET, TOTAL = "config", "ticket", "total"
RESERVED, CONFIRMED, LAPSED = "reserved", "confirmed", "lapsed"
MAKING, READY = "making", "ready"
LISTINGS = 8  # shards of `listing`


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
    by_creation = ByCreation()


class ByCode(GlobalSecondaryIndex["AssignmentItem"]):
    class Meta:
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    assignment_id = UnicodeAttribute(range_key=True)


class AssignmentItem(Base):
    """One scan's reservation with one member (a guide, or a group chat). `day`: whose place it took.

    listing: only of codes whose members can't be listed (nearest_store): `<live_code_id>#<shard of 8>`.
    origin: what the scan's link told beside the code (a print run and a card's number). store_id: whose
    guide it is. slot: which of the member's contact ways it was shown. seat, total_seat: the shard its
    places came from, none for the counter itself. account: the day its place of the guide's account is of.
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
    origin = JSONAttribute(null=True)
    store_id = UnicodeAttribute(null=True)
    slot = NumberAttribute(null=True)
    seat = NumberAttribute(null=True)
    total_seat = NumberAttribute(null=True)
    account = UnicodeAttribute(null=True)
    by_code = ByCode()


class PlaceItem(Base):
    """Places of a member that are taken, on a day or in all (`total`): reserved and confirmed ones.

    See places: under the member's key `taken` has the quotas of its `shards` in it, whose items have the
    key `<member>#<1…>`, and under which `cap` (-1: none) they got their `quota`.
    slot0 … slot4, of `total` only: `<until>#<assignment_id>`, who holds that contact way of the member.
    """

    class Meta(BaseMeta):
        table_name = settings.table("staff_places")

    member = UnicodeAttribute(hash_key=True)
    period = UnicodeAttribute(range_key=True)
    taken = NumberAttribute()
    shards = NumberAttribute(null=True)
    quota = NumberAttribute(null=True)
    cap = NumberAttribute(null=True)
    slot0 = UnicodeAttribute(null=True)
    slot1 = UnicodeAttribute(null=True)
    slot2 = UnicodeAttribute(null=True)
    slot3 = UnicodeAttribute(null=True)
    slot4 = UnicodeAttribute(null=True)


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


def account_key(staff_id: str) -> str:
    """The partition of a guide's account, over all codes and spellings; no live code's id is like it."""
    return f"staff#{staff_id.lower()}"


def member_key(live_code_id: str, staff_id: str) -> str:
    """The partition of one member in one code."""
    return f"{live_code_id}#{staff_id}"
