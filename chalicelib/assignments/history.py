"""Lists of assignments, newest first: a code's, a guide's, a scope's, all.

| asked for | read |
|---|---|
| a code | the partitions of its members of any time; `listing`, if they can't all be named |
| a guide | the partitions of the codes that ever gave them somebody (`staff_places`, index `guide`) |
| a scope | those of its guides, of who ever was a guide of its stores, and of its stores' groups |
| all | the months' shards (index `newest`, keys alone), then the items |

No index but `newest` and `listing` is written by a scan: a guide's codes stand in a counter's key.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from msgspec import Struct

from chalicelib.assignments import records
from chalicelib.assignments.models import LISTINGS, member_key
from chalicelib.assignments.naming import Names, names_of
from chalicelib.assignments.types import Assignment, AssignmentOut, AssignmentsQuery
from chalicelib.assignments.why import explain
from chalicelib.contactways import service as contactways
from chalicelib.groups import service as groups
from chalicelib.livecodes import scope as code_scopes
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.scope import CodeScope
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, lists
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import Principal
from chalicelib.platform.userids import fold, fold_all
from chalicelib.stores import service as stores

MASK = "***"
_AT_ONCE = 16  # partitions that are read side by side
_Partition = str  # `<kind>:<key>`, kind one of _READERS
_Read = Callable[[str, int, str | None], Iterable[Assignment]]
_READERS: dict[str, _Read] = {"member": records.of_member, "listing": records.of_listing}


class Sight(Struct, frozen=True):
    """Which assignments a principal sees, and whether people's ids are masked. codes: None: no scope."""

    codes: CodeScope | None
    by_department: bool
    masked: bool

    def sees(self, held: Assignment) -> bool:
        """By the store of its time; of one without, or for a scope of departments, by the guide or group."""
        scope = self.codes
        if scope is None:
            return True
        if held.store_id is not None and held.store_id not in scope.store_ids:
            return False
        if held.store_id is not None and not self.by_department:
            return True
        if held.is_group:
            return held.member_id in scope.chat_ids
        return fold(held.member_id) in scope.staff_ids

    def show(self, held: Assignment, names: Names) -> AssignmentOut:
        slot = None if held.is_group else held.slot or 0
        external_userid, customer_name = held.external_userid, names.customers.get(held.external_userid or "")
        if self.masked:
            external_userid, customer_name = external_userid and MASK, customer_name and MASK
        name_of = names.chat if held.is_group else names.member
        text, text_en = explain(held.why, held.member_id, name_of, held.status, names.store)
        return AssignmentOut(
            assignment_id=held.assignment_id,
            live_code_id=held.live_code_id,
            staff_id=None if held.is_group else held.member_id,
            chat_id=held.member_id if held.is_group else None,
            store_id=held.store_id,
            status=held.status,
            at=held.at,
            expires_at=held.expires_at,
            confirmed_at=held.confirmed_at,
            external_userid=external_userid,
            origin=held.origin,
            slot=slot,
            state=None if slot is None else contactways.state_of(held.live_code_id, held.member_id, slot),
            why=held.why,
            staff_name=None if held.is_group else names.member(held.member_id),
            chat_name=names.chat(held.member_id) if held.is_group else None,
            store_name=held.store_id and names.store(held.store_id),
            customer_name=customer_name,
            text=text,
            text_en=text_en,
        )


def sight_of(principal: Principal) -> Sight:
    by_department = principal.scope.department_ids is not None
    return Sight(code_scopes.of(principal), by_department, principal.role == "auditor")


def list_assignments(query: AssignmentsQuery, principal: Principal) -> Page[AssignmentOut]:
    """What scans got and what became of it. NotFound for a code; Invalid for another list's cursor."""
    sight = sight_of(principal)

    def keeps(held: Assignment) -> bool:
        return query.status in (None, held.status) and sight.sees(held)

    if query.live_code_id is not None:
        partitions = _of_code(livecodes.get(query.live_code_id, principal), query.staff_id)
    elif query.staff_id is not None:
        partitions = _of_guides([query.staff_id])
    elif sight.codes is not None:
        former = () if sight.by_department else stores.guides_ever(sight.codes.store_ids)
        guides = sight.codes.staff_ids.union(fold_all(former))
        partitions = chain(_of_guides(guides), _of_groups(sight.codes.chat_ids))
    else:
        return _show_all(_newest(query, keeps), sight)
    return _show_all(_merged(list(dict.fromkeys(partitions)), query, keeps), sight)


def _show_all(page: Page[Assignment], sight: Sight) -> Page[AssignmentOut]:
    names = names_of(page.items)
    return page.map(lambda held: sight.show(held, names))


def _of_code(code: LiveCode, staff_id: str | None) -> Iterator[_Partition]:
    for member_id in code.staff_ids_ever:
        if staff_id in (None, fold(member_id)):
            yield f"member:{member_key(code.live_code_id, member_id)}"
    if code.indexed and staff_id:
        yield f"member:{member_key(code.live_code_id, staff_id)}"
    elif code.indexed:
        yield from (f"listing:{code.live_code_id}#{shard}" for shard in range(LISTINGS))


def _of_guides(staff_ids: Iterable[str]) -> Iterator[_Partition]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for members in pool.map(records.members_of_guide, staff_ids):
            yield from (f"member:{member}" for member in members)


def _of_groups(chat_ids: Iterable[str]) -> Iterator[_Partition]:
    """Of the codes that lead, or led, into these groups."""
    for group in groups.describe(sorted(chat_ids)):
        for live_code_id in group.live_code_ids:
            yield f"member:{member_key(live_code_id, group.chat_id)}"


def _merged(
    partitions: list[_Partition], query: AssignmentsQuery, keeps: Callable[[Assignment], bool]
) -> Page[Assignment]:
    seen: set[str] = set()

    def keep(held: Assignment) -> bool:
        """Once: a guide whom the code names, and who is a store's too, stands in both."""
        is_new = held.assignment_id not in seen
        seen.add(held.assignment_id)
        return is_new and keeps(held)

    with ThreadPoolExecutor(_AT_ONCE) as pool:

        def read(partition: _Partition, before: str | None, limit: int) -> Iterator[Assignment]:
            kind, _, key = partition.partition(":")
            rows = pool.submit(lambda: list(_READERS[kind](key, limit, _id_in(before))))
            return (held for held in rows.result())  # asked for when the merge takes the first one

        return lists.merged([partitions], read, query, lambda held: _place(held.at, held.assignment_id), keep)


def _newest(query: AssignmentsQuery, keeps: Callable[[Assignment], bool]) -> Page[Assignment]:
    """Of all codes, back to the month in which the first one was made."""
    first = livecodes.find_first_creation()
    now = clock.now()
    begin = clock.parse(first) if first else now
    back = (now.year - begin.year) * 12 + now.month - begin.month + 1
    months = lists.months(now, back, query.cursor)
    keys = lists.merged(months, _read_month, query, lambda key: key.place)
    items = [held for held in records.find_many(keys.items) if keeps(held)]
    total = keys.total - len(keys.items) + len(items)
    return Page(items, total, keys.next_cursor, keys.total_is)


class _Key(Struct, frozen=True):
    member: str
    assignment_id: str
    place: str


def _read_month(month_shard: str, before: str | None, limit: int) -> Iterator[_Key]:
    for member, assignment_id in records.of_month(month_shard, limit, _id_in(before)):
        yield _Key(member, assignment_id, _place(month_shard, assignment_id))


def _place(at: str, assignment_id: str) -> str:
    """`2026-11#<assignment_id>`: sorts as the ids do, and tells the month whose shards it stands in."""
    return f"{at[:7]}#{assignment_id}"


def _id_in(place: str | None) -> str | None:
    return place.rpartition("#")[2] if place else None
