"""Names of all whom assignments speak of: guides, groups, stores, customers; each kind in one read."""

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from chalicelib.assignments.types import Assignment
from chalicelib.assignments.why import FEW, LEFT_OUT
from chalicelib.customers import service as customers
from chalicelib.groups import service as groups
from chalicelib.staff import service as staff
from chalicelib.staff import spelling
from chalicelib.stores import service as stores


class Names(Struct, frozen=True):
    staff: Mapping[str, str]
    chats: Mapping[str, str]
    stores: Mapping[str, str]
    customers: Mapping[str, str]

    def member(self, staff_id: str) -> str:
        return self.staff.get(staff_id) or staff_id

    def chat(self, chat_id: str) -> str:
        return self.chats.get(chat_id) or chat_id

    def store(self, store_id: str) -> str:
        return self.stores.get(store_id) or store_id


def names_of(assignments: Collection[Assignment]) -> Names:
    staff_ids = {staff_id for held in assignments for staff_id in _staff_in(held)}
    chat_ids = sorted({held.member_id for held in assignments if held.is_group})
    store_ids = {store_id for held in assignments for store_id in _stores_in(held)}
    people = {held.external_userid for held in assignments if held.external_userid}
    return Names(
        names_of_staff(staff_ids),
        {group.chat_id: group.name for group in groups.describe(chat_ids) if group.name},
        {one.store_id: one.name for one in stores.find_many(store_ids).values()} if store_ids else {},
        {key: one.name for key, one in customers.several(people).items() if one.name} if people else {},
    )


def names_of_staff(staff_ids: Collection[str]) -> Mapping[str, str]:
    """Of each: the id as WeCom spells it while no name is known."""
    known = staff.names(staff_ids) if staff_ids else {}
    nameless = [one for one in staff_ids if one not in known]
    return {**known, **spelling.spell_all(nameless)} if nameless else known


def _staff_in(held: Assignment) -> Iterator[str]:
    if not held.is_group:
        yield held.member_id
    for key, *_ in LEFT_OUT:
        yield from (held.why.get(key) or ())[:FEW]
    if owner := (held.why.get("poster") or {}).get("staff_id"):
        yield owner


def _stores_in(held: Assignment) -> Iterator[str]:
    yield from filter(None, (held.store_id, held.why.get("store_id")))
    yield from (store["store_id"] for store in (held.why.get("skipped") or ())[:FEW])
    if owner := (held.why.get("poster") or {}).get("store_id"):
        yield owner
