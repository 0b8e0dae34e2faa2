"""Who hears of alarms: the item `alarms` of the table of settings."""

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta


class SettingItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("settings")

    name = UnicodeAttribute(hash_key=True)
    value = JSONAttribute()
