"""A customer is one item, written under its version, and kept small: each KB is two write units.

Lists stand beside it. A bond that stands is a row of `follows`, by guide and time; the customer itself is
in the index `listing` by its newest add. Both are written in the transaction of the customer. A customer
that was stored before there were lists has no `place`: its next write, or the migration, lists it whole.

The migration and a loss at once:

| migration | loss |
|---|---|
| reads version 3: the bond with ann stands | |
| | transaction under version 3: version 4, ann lost, no row |
| transaction under version 3 fails | |
| reads version 4: no bond; enters the customer alone | |
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.customers import rules
from chalicelib.customers.rules import Customer, Follow, Source
from chalicelib.platform import clock, ids, lists, settings, storage
from chalicelib.platform.lists import SHARDS
from chalicelib.platform.storage import Base, BaseMeta, Transaction


class ByUnionid(GlobalSecondaryIndex["CustomerItem"]):
    class Meta(BaseMeta):
        index_name = "unionid"
        projection = KeysOnlyProjection()

    unionid = UnicodeAttribute(hash_key=True)


class Listing(GlobalSecondaryIndex["CustomerItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = KeysOnlyProjection()

    listing = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


class CustomerItem(Base):
    """`place`: its newest add, `<time>#<external_userid>`; `listing`: one of PARTITIONS."""

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
    listing = UnicodeAttribute(null=True)
    place = UnicodeAttribute(null=True)

    by_unionid = ByUnionid()
    by_place = Listing()


class FollowItem(Base):
    """A bond that stands. `place`: when it was made, `<time>#<external_userid>`."""

    class Meta(BaseMeta):
        table_name = settings.table("follows")

    staff_id = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)


PARTITIONS = tuple(f"customer#{shard}" for shard in range(SHARDS))  # each takes 1,000 writes a second


def load(external_userid: str) -> Customer:
    """The customer as stored, read consistently; one of version 0 when there is none."""
    item = CustomerItem.find(external_userid)
    return Customer(external_userid) if item is None else _customer(item)


def load_several(external_userids: Sequence[str], consistent: bool = False) -> dict[str, Customer]:
    """Those of these customers that there are, by id; unless consistent, perhaps as a second ago."""
    items = CustomerItem.batch_get(external_userids, consistent_read=consistent)
    return {item.external_userid: _customer(item) for item in items}


def places_of_guide(
    staff_id: str, before: str | None, limit: int | None, since: str | None = None
) -> Iterator[str]:
    """Places of a guide's bonds that stand, newest first."""
    condition = lists.between(FollowItem.place, since, before)
    for item in FollowItem.query(staff_id, condition, scan_index_forward=False, limit=limit):
        yield item.place


def places(partition: str, before: str | None, limit: int, since: str | None = None) -> Iterator[str]:
    """Places of one of PARTITIONS, newest first."""
    condition = lists.between(CustomerItem.place, since, before)
    for item in CustomerItem.by_place.query(partition, condition, scan_index_forward=False, limit=limit):
        yield item.place


def add(tx: Transaction, customer: Customer) -> None:
    """Add `customer` to a transaction as the next version of itself: the item `customer`, and its rows."""
    tx.put("customer", _item(customer), _unchanged(customer))
    _add_rows(tx, customer)


def save(customer: Customer) -> Customer:
    """Write `customer` alone as the next version of itself. ConditionFailed when somebody else was first."""
    tx = Transaction()
    add(tx, customer)
    tx.commit()
    listed = customer.guides_places if customer.place else {}
    return replace(customer, version=customer.version + 1, listed=listed)


@storage.retrying("others keep changing this customer")
def enter_in_lists(item: CustomerItem) -> None:
    """Put a customer that was stored before there were lists into them; twice is once. ConditionFailed."""
    customer = load(item.external_userid)
    if customer.listed or customer.place is None:
        return
    tx = Transaction()
    entry = [CustomerItem.listing.set(_listing(customer)), CustomerItem.place.set(customer.place)]
    tx.update("customer", CustomerItem(customer.external_userid), entry, _unchanged(customer))
    _add_rows(tx, customer)
    tx.commit()


def _add_rows(tx: Transaction, customer: Customer) -> None:
    """Have the transaction make the rows in `follows` what the customer's bonds are."""
    for staff_id, place in customer.listed.items():
        if customer.guides_places.get(staff_id) != place:
            tx.delete(f"follow {staff_id} {place}", FollowItem(staff_id, place))
    for staff_id, place in customer.guides_places.items():
        if customer.listed.get(staff_id) != place:
            tx.put(f"follow {staff_id}", FollowItem(staff_id, place))


def find_by_unionid(unionid: str) -> str | None:
    for item in CustomerItem.by_unionid.query(unionid, limit=1):
        return str(item.external_userid)
    return None


def _unchanged(customer: Customer) -> Condition:
    if customer.version:
        return CustomerItem.version == customer.version
    return CustomerItem.external_userid.does_not_exist()


def _customer(item: CustomerItem) -> Customer:
    stored = {staff_id: _follow(value) for staff_id, value in item.follows.items()}
    customer = Customer(
        external_userid=item.external_userid,
        name=item.name or "",
        avatar=item.avatar or "",
        unionid=item.unionid,
        source=_source(item.source),
        follows=stored,
        tags=tuple(item.tags),
        version=int(item.version),
    )
    # Rows of lists stand under the ids as they were stored: the next write moves those of before.
    listed = customer.guides_places if item.place is not None else {}
    return replace(customer, follows=rules.with_folded_ids(stored), listed=listed)


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
        listing=_listing(customer) if customer.place else None,
        place=customer.place,
    )


def _listing(customer: Customer) -> str:
    return PARTITIONS[ids.shard(customer.external_userid, SHARDS)]


def _follow(value: dict[str, Any]) -> Follow:
    return Follow(
        status=value["status"],
        changed_at=clock.parse(value["changed_at"]),
        added_at=clock.parse(value["added_at"]) if value.get("added_at") else None,
        source=_source(value.get("source")),
        remark=value.get("remark", ""),
        imported=value.get("imported", False),
    )


def _follow_value(follow: Follow) -> dict[str, Any]:
    value: dict[str, Any] = {"status": follow.status, "changed_at": _seconds(follow.changed_at)}
    if follow.added_at:
        value["added_at"] = _seconds(follow.added_at)
    if follow.source:
        value["source"] = _source_value(follow.source)
    if follow.remark:
        value["remark"] = follow.remark
    if follow.imported:
        value["imported"] = True
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
