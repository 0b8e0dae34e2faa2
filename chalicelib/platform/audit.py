"""The audit: who changed what from what to what, written in the transaction of the change itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import clock, ids, principal, settings
from chalicelib.platform.storage import Base, BaseMeta, Transaction

MASK = "***"
_MAX_VALUE = 2_000  # bytes of JSON of a value that is kept; of a longer one, how long it is
_MAX_CHANGES = 100
_MAX_LABEL = 100  # characters
# Personal data, secrets and what people write to each other: that it changed is kept, not what it is.
MASKED = frozenset(
    {
        "apiv3_key",
        "attachments",
        "comment",
        "content",
        "credentials",
        "customer_name",
        "external_userid",
        "key",
        "mobile",
        "note",
        "number",
        "openid",
        "phone",
        "phones",
        "private_key",
        "real_name",
        "remark",
        "secret",
        "text",
        "token",
        "unionid",
        "welcome",
    }
)


class ByObject(GlobalSecondaryIndex["AuditItem"]):
    class Meta(BaseMeta):
        index_name = "object"
        projection = AllProjection()

    object = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)


class ByActor(GlobalSecondaryIndex["AuditItem"]):
    class Meta(BaseMeta):
        index_name = "actor"
        projection = AllProjection()

    actor = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)


class AuditItem(Base):
    """`entry_id` is a ulid, so entries sort by time. label: the object's name then, where it may be read."""

    class Meta(BaseMeta):
        table_name = settings.table("audit")

    month = UnicodeAttribute(hash_key=True)
    entry_id = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    actor_kind = UnicodeAttribute()
    actor = UnicodeAttribute()
    action = UnicodeAttribute()
    object = UnicodeAttribute()
    label = UnicodeAttribute(null=True)
    changes = JSONAttribute()
    by_object = ByObject()
    by_actor = ByActor()


class Change(Struct, frozen=True):
    """`from` and `to`: null where the field is not there, `***` where it must not be read."""

    field: str
    before: Any = msgspec.field(name="from")
    after: Any = msgspec.field(name="to")


def add(
    tx: Transaction,
    action: str,
    object_id: str,
    before: Any,
    after: Any,
    masked: frozenset[str] = frozenset(),
    label: str | None = None,
) -> None:
    """Put an entry into the transaction of a change. before, after: Structs or mappings; None: not there.

    masked: fields to mask beside MASKED, e.g. the `name` of a customer. label: what the object is called,
    where no field `name` says it.
    """
    old, new, hidden = _builtins(before), _builtins(after), MASKED | masked
    changes = differences(old, new, hidden)
    now, actor = clock.now(), principal.acting.get()
    name = label or (new.get("name", old.get("name")) if "name" not in hidden else None)
    item = AuditItem(
        month_of(now),
        ids.ulid(now),
        at=clock.iso(now),
        actor_kind=actor.kind,
        actor=actor.id,
        action=action,
        object=object_id,
        label=name[:_MAX_LABEL] if isinstance(name, str) and name else None,
        changes=[msgspec.to_builtins(change) for change in changes[:_MAX_CHANGES]],
    )
    tx.put(f"audit#{object_id}", item)


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], masked: frozenset[str], prefix: str = ""
) -> list[Change]:
    """Field by field, `hours.monday` for one inside of another; lists are compared as a whole."""
    changes: list[Change] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name in masked:
            changes.append(Change(prefix + name, _hidden(old), _hidden(new)))
        elif isinstance(old, Mapping) and isinstance(new, Mapping):
            changes += differences(old, new, masked, f"{prefix}{name}.")
        else:
            changes.append(Change(prefix + name, _readable(old, masked), _readable(new, masked)))
    return changes


def masked(data: Mapping[str, Any]) -> dict[str, Any]:
    """What happened, for who must not read what is personal in it."""
    return dict(_masked(data, MASKED))


def month_of(at: datetime) -> str:
    return clock.iso(at)[:7]


def _builtins(value: Any) -> Mapping[str, Any]:
    return {} if value is None else msgspec.to_builtins(value)


def _hidden(value: Any) -> str | None:
    return None if value is None else MASK


def _readable(value: Any, masked: frozenset[str]) -> Any:
    value = _masked(value, masked)
    size = len(msgspec.json.encode(value))
    return value if size <= _MAX_VALUE else f"({size} bytes)"


def _masked(value: Any, masked: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _hidden(inner) if name in masked else _masked(inner, masked)
            for name, inner in value.items()
        }
    return [_masked(inner, masked) for inner in value] if isinstance(value, (list, tuple)) else value
