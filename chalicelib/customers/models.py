"""A customer is one item, written under its version, and kept small: each KB is two write units."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.customers.rules import Customer, Follow, Source
from chalicelib.platform import clock, settings, storage
from chalicelib.platform.storage import Base, BaseMeta, Transaction


class ByUnionid(GlobalSecondaryIndex["CustomerItem"]):
    class Meta(BaseMeta):
        index_name = "unionid"
        projection = KeysOnlyProjection()

    unionid = UnicodeAttribute(hash_key=True)


class CustomerItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("customers")

    external_userid = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(null=True)
    avatar = UnicodeAttribute(null=True)
    unionid = UnicodeAttribute(null=True)
    source = JSONAttribute(null=True)
    follows = JSONAttribute()
    tags = JSONAttribute()
    version = NumberAttribute()

    by_unionid = ByUnionid()


def load(external_userid: str) -> Customer:
    """The customer as stored, read consistently; one of version 0 when there is none."""
    item = CustomerItem.find(external_userid)
    return Customer(external_userid) if item is None else _customer(item)


def load_several(external_userids: Sequence[str]) -> dict[str, Customer]:
    """Those of these customers that there are, by id; perhaps as they were a second ago."""
    return {item.external_userid: _customer(item) for item in CustomerItem.batch_get(external_userids)}


def add(tx: Transaction, customer: Customer) -> None:
    """Add `customer` to a transaction as the next version of itself: the item `customer`."""
    tx.put("customer", _item(customer), _unchanged(customer))


def save(customer: Customer) -> bool:
    """Write `customer` alone as the next version of itself. False when somebody else was first."""
    return storage.put_once(_item(customer), _unchanged(customer))


def find_by_unionid(unionid: str) -> str | None:
    for item in CustomerItem.by_unionid.query(unionid, limit=1):
        return str(item.external_userid)
    return None


def _customer(item: CustomerItem) -> Customer:
    return Customer(
        external_userid=item.external_userid,
        name=item.name or "",
        avatar=item.avatar or "",
        unionid=item.unionid,
        source=_source(item.source),
        follows={staff_id: _follow(value) for staff_id, value in item.follows.items()},
        tags=tuple(item.tags),
        version=int(item.version),
    )


def _unchanged(customer: Customer) -> Condition:
    if customer.version:
        return CustomerItem.version == customer.version
    return CustomerItem.external_userid.does_not_exist()


def _item(customer: Customer) -> CustomerItem:
    return CustomerItem(
        customer.external_userid,
        name=customer.name or None,
        avatar=customer.avatar or None,
        unionid=customer.unionid,
        source=_source_value(customer.source),
        follows={staff_id: _follow_value(follow) for staff_id, follow in customer.follows.items()},
        tags=list(customer.tags),
        version=customer.version + 1,
    )


def _follow(value: dict[str, Any]) -> Follow:
    return Follow(
        status=value["status"],
        changed_at=clock.parse(value["changed_at"]),
        added_at=clock.parse(value["added_at"]) if value.get("added_at") else None,
        source=_source(value.get("source")),
    )


def _follow_value(follow: Follow) -> dict[str, Any]:
    value: dict[str, Any] = {"status": follow.status, "changed_at": _seconds(follow.changed_at)}
    if follow.added_at:
        value["added_at"] = _seconds(follow.added_at)
    if follow.source:
        value["source"] = _source_value(follow.source)
    return value


def _source(value: dict[str, str] | None) -> Source | None:
    if not value:
        return None
    return Source(clock.parse(value["at"]), value["channel"], value["code"], value.get("origin", ""))


def _source_value(source: Source | None) -> dict[str, str] | None:
    if source is None:
        return None
    value = {"at": _seconds(source.at), "channel": source.channel, "code": source.live_code_id}
    return {**value, "origin": source.origin} if source.origin else value


def _seconds(at: datetime) -> str:
    """WeCom's times are whole seconds; so are these, to keep the item small."""
    return at.isoformat(timespec="seconds")
