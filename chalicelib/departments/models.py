"""What is stored of departments, in the table `staff`, whose rows they are kept in step with."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta


class ById(GlobalSecondaryIndex["DepartmentItem"]):
    class Meta:
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    staff_id = UnicodeAttribute(range_key=True)


class DepartmentItem(Base):
    """`#department#<WeCom's id>`: who is directly in it, of those whom WeCom was asked for."""

    class Meta(BaseMeta):
        table_name = settings.table("staff")

    staff_id = UnicodeAttribute(hash_key=True)
    members = UnicodeSetAttribute(null=True)
    by_id = ById()  # never queried here: what the connection keeps of a table is by the model that came first


class TreeItem(Base):
    """`#departments`: of each department the one above it, and its name, as WeCom had them last."""

    class Meta(BaseMeta):
        table_name = settings.table("staff")

    staff_id = UnicodeAttribute(hash_key=True)
    parents = JSONAttribute()
    names = JSONAttribute(null=True)
    version = NumberAttribute()
    by_id = ById()  # never queried here, as above
