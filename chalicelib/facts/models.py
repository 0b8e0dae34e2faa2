"""What is stored: a customer's flat record, and rows of what they did; how they are written: service.py."""

from collections.abc import Sequence
from typing import Any

import msgspec
from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.facts.sources import Row
from chalicelib.facts.types import DatedFact, Facts
from chalicelib.platform import ids, settings, storage
from chalicelib.platform.storage import Base, BaseMeta


class FactsItem(Base):
    """`version` grows with each write. dated: a digest of the dated facts that the record was made with."""

    class Meta(BaseMeta):
        table_name = settings.table("facts")

    external_userid = UnicodeAttribute(hash_key=True)
    record = JSONAttribute()
    version = NumberAttribute()
    dated = UnicodeAttribute()


class DatedFactsItem(Base):
    """A Row: all that one order, group or link says of the customer."""

    class Meta(BaseMeta):
        table_name = settings.table("dated_facts")

    external_userid = UnicodeAttribute(hash_key=True)
    thing = UnicodeAttribute(range_key=True)
    version = UnicodeAttribute()
    entries = JSONAttribute()


def load(external_userid: str) -> FactsItem | None:
    """The record, read consistently; its facts: `facts_of`."""
    return FactsItem.find(external_userid)


def facts_of(item: FactsItem) -> Facts:
    return msgspec.convert(item.record, Facts)


def save(facts: Facts, dated: Sequence[DatedFact], before: FactsItem | None) -> int:
    """The version of the record that says this: `before`, or the next. ConditionFailed: another is there."""
    version = int(before.version) if before else 0
    item = FactsItem(facts.external_userid, record=_lean(facts), version=version + 1, dated=_digest(dated))
    if before and (before.record, before.dated) == (item.record, item.dated):
        return version
    same = FactsItem.version == version if before else FactsItem.external_userid.does_not_exist()
    if not storage.put_once(item, same, lambda stored: stored.record == item.record):
        raise storage.ConditionFailed({"facts"})
    return version + 1


def save_row(row: Row) -> None:
    """Write the row, unless a newer version of it is there."""
    entries = msgspec.to_builtins(row.entries)
    item = DatedFactsItem(row.external_userid, row.key, version=row.version, entries=entries)
    older = DatedFactsItem.external_userid.does_not_exist() | (DatedFactsItem.version <= row.version)
    storage.put_once(item, older, lambda stored: bool(stored.version >= row.version))


def dated_facts(external_userid: str) -> list[DatedFact]:
    """All that they did, read consistently."""
    rows = DatedFactsItem.query(external_userid, consistent_read=True)
    return [fact for row in rows for fact in msgspec.convert(row.entries, list[DatedFact])]


def _digest(dated: Sequence[DatedFact]) -> str:
    return ids.derived(*sorted(msgspec.json.encode(fact).decode() for fact in dated))


def _lean(facts: Facts) -> dict[str, Any]:
    """As JSON values, without what has its default: a record is most often under one write unit."""
    values = msgspec.to_builtins(facts)
    defaults = msgspec.to_builtins(Facts(external_userid=""))
    return {name: value for name, value in values.items() if value != defaults[name]}
