"""What is stored of staff: what WeCom tells, kept so that a welcome need not ask; limits of accounts."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

LISTED = "staff"


class ById(GlobalSecondaryIndex["StaffItem"]):
    class Meta:
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    staff_id = UnicodeAttribute(range_key=True)


class StaffItem(Base):
    """`status` is WeCom's: 1 active, 2 disabled, 4 not activated, 5 left. No name: WeCom was never asked.

    started_at: the account's first day, while it ages; daily_cap: its own, over all codes. problem: why WeCom
    gives them no customers, beside what the status says (problems.py); told: the one that somebody was told
    of. renamed_to: WeCom knows them by another userid now; the row stays, so that history has their name.
    """

    class Meta(BaseMeta):
        table_name = settings.table("staff")

    staff_id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(null=True)
    status = NumberAttribute()
    seen_at = UnicodeAttribute()
    listing = UnicodeAttribute(null=True)
    started_at = UnicodeAttribute(null=True)
    daily_cap = NumberAttribute(null=True)
    departments = UnicodeSetAttribute(null=True)
    problem = UnicodeAttribute(null=True)
    told = UnicodeAttribute(null=True)
    renamed_to = UnicodeAttribute(null=True)
    by_id = ById()


class LimitsItem(Base):
    """`#limits#<shard>`: {staff_id: [started_at, daily_cap, gone]} of those with a limit; `#ramp`: the table;
    `#renamed`: {a userid of before: the one of now}.

    gone: has left, or is disabled.
    """

    class Meta(BaseMeta):
        table_name = settings.table("staff")

    staff_id = UnicodeAttribute(hash_key=True)
    version = NumberAttribute()
    limits = JSONAttribute()
    by_id = ById()  # never queried here: what the connection keeps of a table is by the model that came first


class SpellingItem(Base):
    """`#spelling#<userid in small letters>`: the userid as WeCom spells it."""

    class Meta(BaseMeta):
        table_name = settings.table("staff")

    staff_id = UnicodeAttribute(hash_key=True)
    userid = UnicodeAttribute()
    by_id = ById()  # never queried here, as above
