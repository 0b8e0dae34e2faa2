"""Corp-wide settings of messages: the default welcome. The table has one item for each setting."""

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

WELCOME = "welcome"


class SettingItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("settings")

    name = UnicodeAttribute(hash_key=True)
    value = JSONAttribute()


def load(name: str) -> dict[str, Any] | None:
    item = SettingItem.find(name)
    return dict(item.value) if item else None


def save(name: str, value: dict[str, Any]) -> None:
    SettingItem(name, value=value).save()
