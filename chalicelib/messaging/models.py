"""Corp-wide settings of messages: the default welcome. The table has one item for each setting."""

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.platform import audit, settings
from chalicelib.platform.storage import Base, BaseMeta, Transaction

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
    tx = Transaction()
    tx.put("setting", SettingItem(name, value=value))
    audit.add(tx, "settings.change", name, load(name), value)
    tx.commit()
