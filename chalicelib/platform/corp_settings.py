"""Settings of the whole corp: one item each, set as a whole, with a version."""

from collections.abc import Callable
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.platform import audit, settings, storage
from chalicelib.platform.storage import Base, BaseMeta, Transaction
from chalicelib.platform.versions import ANY_VERSION, IfMatch

Value = dict[str, Any]


class SettingItem(Base):
    """`version`: none of one that was set before there were versions."""

    class Meta(BaseMeta):
        table_name = settings.table("settings")

    name = UnicodeAttribute(hash_key=True)
    value = JSONAttribute()
    version = NumberAttribute(null=True)


def read(name: str) -> tuple[Value | None, int]:
    """What is set, and its version; None and 0 while nobody has."""
    item = SettingItem.find(name)
    return (dict(item.value), int(item.version or 0)) if item else (None, 0)


@storage.retrying("others keep changing this setting")
def save(
    name: str,
    value: Value,
    if_match: IfMatch = ANY_VERSION,
    *,
    shown: Callable[[Value | None], Any] = lambda value: value,
    action: str = "settings.change",
) -> int:
    """Set the whole of it: its version. Stale, with the present one as `shown`; so is the audit's before."""
    before, version = read(name)
    if_match.check(version, lambda: shown(before))
    if value == before:
        return version
    same = SettingItem.version == version if version else SettingItem.version.does_not_exist()
    tx = Transaction()
    tx.put(f"setting {name}", SettingItem(name, value=value, version=version + 1), same)
    audit.add(tx, action, name, shown(before), shown(value))
    tx.commit()
    return version + 1


def begin(name: str, value: Value) -> None:
    """Set it, unless it is."""
    storage.put_once(SettingItem(name, value=value, version=1), SettingItem.name.does_not_exist())
