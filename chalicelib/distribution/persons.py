"""Who is one person: the ids that distributors are known by, over all plans.

An external_userid, a unionid and an openid are marks of one person, each an item `identity#<kind>:<value>`
that names them; of an openid the value is a keyed hash. What customers know of an id counts as well: the
unionid of the customer with that external_userid, and the other way round. The item `person#<person_id>`
has whom they are as a distributor. One person is one distributor in a plan.

What was two persons may turn out to be one, when a customer's unionid becomes known: `refresh` then merges
them, at each settlement. Their distributors stay, and are one person for tax and for their own purchases.

| create, by external_userid | create, by the unionid of that customer |
|---|---|
| finds no mark | finds no mark |
| transaction: distributor, person, both marks | |
| | its condition (no such mark) fails: finds the person, and the plan in it: 409 |
"""

from collections.abc import Collection, Iterable

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.customers import service as customers
from chalicelib.distribution import models
from chalicelib.distribution.models import DistributorItem
from chalicelib.distribution.types import Distributor
from chalicelib.platform import clock, storage
from chalicelib.platform.storage import Transaction


class Person(Struct, frozen=True):
    """members: (plan_id, distributor_id). absorbed: person_ids that were found to be this one.

    version: 0 while it is not stored, of a distributor from before there were persons.
    """

    person_id: str
    members: tuple[tuple[str, str], ...] = ()
    absorbed: tuple[str, ...] = ()
    version: int = 0

    @property
    def distributor_ids(self) -> list[str]:
        return [distributor_id for _, distributor_id in self.members]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset((self.person_id, *self.absorbed))


def marks_of(external_userid: str | None, unionid: str | None) -> frozenset[str]:
    """The marks of somebody known by these ids, with what customers know of them."""
    if external_userid and not unionid:
        customer = customers.get(external_userid)
        unionid = customer.unionid if customer else None
    elif unionid and not external_userid:
        external_userid = customers.find_by_unionid(unionid)
    return plain_marks(external_userid, unionid)


def plain_marks(external_userid: str | None, unionid: str | None) -> frozenset[str]:
    """The marks of these ids alone."""
    ids = (("external_userid", external_userid), ("unionid", unionid))
    return frozenset(mark(kind, value) for kind, value in ids if value)


def mark(kind: str, value: str) -> str:
    return f"identity#{kind}:{value}"


def kind_of(mark: str) -> str:
    """`external_userid`, `unionid` or `openid`."""
    return mark.removeprefix("identity#").partition(":")[0]


def find(marks: Collection[str]) -> dict[str, Person]:
    """Whose marks these are; nobody's are left out. Read consistently."""
    return find_with(marks, ())[0]


def find_with(
    marks: Collection[str], person_ids: Collection[str]
) -> tuple[dict[str, Person], dict[str, Person]]:
    """Whose marks these are, and the persons of these ids; in one request if no mark is anybody's."""
    items = _read([*marks, *map(_key, person_ids)])
    owners = {
        name: items[name].person_id or models.person_id_of(items[name].is_same_as)
        for name in marks
        if name in items
    }
    known = _ends({*owners.values(), *person_ids}, items, {*map(_key, person_ids)})
    return {name: known[one] for name, one in owners.items()}, {one: known[one] for one in person_ids}


def _ends(
    person_ids: Collection[str], items: dict[str, DistributorItem], asked: Collection[str]
) -> dict[str, Person]:
    """The persons of these ids as they are now: merged ones by the one that they are.

    items: those that were read, of which the keys `asked` were asked for.
    """
    ends: dict[str, Person] = {}
    done, leads, rest = set(asked), {one: one for one in person_ids}, set(person_ids)
    while rest:
        if unknown := {*map(_key, (leads[one] for one in rest))} - done:
            items |= _read(unknown)
            done |= unknown
        for one in sorted(rest):
            item = items.get(_key(leads[one]))
            if item is not None and item.merged_into:
                leads[one] = item.merged_into
            else:
                ends[one] = _person_of(leads[one], item)
        rest -= ends.keys()
    return ends


def _key(person_id: str) -> str:
    return f"person#{person_id}"


def _read(keys: Collection[str]) -> dict[str, DistributorItem]:
    if not keys:
        return {}
    return {row.distributor_id: row for row in DistributorItem.batch_get(sorted(keys), consistent_read=True)}


def of_distributor(who: Distributor) -> Person:
    """The person that a distributor is."""
    return find_with((), [who.person_id])[1][who.person_id]


def add(tx: Transaction, persons: Collection[Person], who: Distributor, marks: Iterable[str]) -> Person:
    """Add to a transaction that all these are one person, with that distributor and these new marks.

    The commit fails on `person`, or on `identity`, when one of them is another by now: find again.
    """
    ordered = sorted(persons, key=lambda person: (not person.version, person.person_id))
    first = ordered[0] if ordered else Person(who.person_id)
    others = ordered[1:]
    member = (who.plan_id, who.distributor_id)
    members = [*first.members, *(one for other in others for one in other.members), member]
    merged = replace(
        first,
        members=tuple(dict.fromkeys(members)),
        absorbed=tuple(dict.fromkeys([*first.absorbed, *(i for other in others for i in sorted(other.ids))])),
    )
    _put(tx, merged)
    for other in others:
        _put(tx, other, merged_into=merged.person_id)
    now = clock.iso(clock.now())
    for name in sorted(marks):
        item = DistributorItem(name, created_at=now, person_id=merged.person_id)
        tx.put("identity", item, DistributorItem.distributor_id.does_not_exist())
    return replace(merged, version=merged.version + 1)


def check(tx: Transaction, person: Person) -> None:
    """Add to a transaction that this person has not changed, as the item `person`."""
    tx.check("person", DistributorItem(_key(person.person_id)), DistributorItem.version == person.version)


def remove_mark(tx: Transaction, name: str) -> None:
    tx.delete("identity", DistributorItem(name))


@storage.retrying("others keep changing who this person is")
def refresh(who: Distributor, more: Collection[str] = ()) -> Person:
    """The person that a distributor is, with what was learned of their ids since; `more`: further marks."""
    marks = marks_of(who.external_userid, who.unionid) | frozenset(more)
    found = find(marks)
    own = of_distributor(who)
    persons = {person.person_id: person for person in (own, *found.values())}
    if own.version and len(persons) == 1 and found.keys() >= marks:
        return own
    tx = Transaction()
    merged = add(tx, list(persons.values()), who, marks - found.keys())
    tx.commit()
    return merged


def _person_of(person_id: str, item: DistributorItem | None) -> Person:
    if item is not None:
        members = tuple((plan_id, distributor_id) for plan_id, distributor_id in item.members or ())
        return Person(person_id, members, tuple(item.absorbed or ()), int(item.version or 0))
    began = DistributorItem.find(f"d_{person_id.removeprefix('p_')}")
    return Person(person_id, ((began.plan_id, began.distributor_id),) if began else ())


def _put(tx: Transaction, person: Person, merged_into: str | None = None) -> None:
    item = DistributorItem(
        _key(person.person_id),
        created_at=clock.iso(clock.now()),
        members=[list(member) for member in person.members],
        absorbed=list(person.absorbed),
        merged_into=merged_into,
        version=person.version + 1,
    )
    same = DistributorItem.version == person.version
    tx.put("person", item, same if person.version else DistributorItem.distributor_id.does_not_exist())
