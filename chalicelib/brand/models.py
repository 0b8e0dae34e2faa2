"""What is stored of the brand: one row of the corp's settings."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

BRAND = "brand"


class BrandItem(Base):
    """`value`: name, colors, and the file names of logo and avatar."""

    class Meta(BaseMeta):
        table_name = settings.table("settings")

    name = UnicodeAttribute(hash_key=True)
    value = JSONAttribute()
    version = NumberAttribute()
