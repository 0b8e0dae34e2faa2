"""Which live codes a principal sees, and whom and what they may put into one.

A code is seen when any of its staff, fallback too, is a guide of the scope, or it leads to a store or a
store's group of the scope; a nearest_store code of all stores is seen by each. It is changed by those
alone whose scope holds all that it leads to, or the scope that it was made for: what they add must be of
their own scope as well. A code that somebody else gave people or stores of others is made for nobody any
more, since these are others' customers.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from chalicelib.platform.errors import Issue, issue
from chalicelib.platform.principal import Principal, Scope
from chalicelib.platform.userids import fold


class CodeScope(Struct, frozen=True):
    staff_ids: frozenset[str]
    store_ids: frozenset[str]
    chat_ids: frozenset[str]

    def sees(self, definition: Mapping[str, Any]) -> bool:
        if any(staff_id in self.staff_ids for _, staff_id in staff_of(definition)):
            return True
        if definition["kind"] == "group":
            return not self.chat_ids.isdisjoint(_chat_ids(definition))
        if definition["kind"] == "nearest_store":
            store_ids = _store_ids(definition)
            return bool(self.store_ids) if store_ids is None else not self.store_ids.isdisjoint(store_ids)
        return False

    def holds(self, definition: Mapping[str, Any]) -> bool:
        """Whether all that a code leads to is of the scope, so that nobody else's is changed with it."""
        if any(staff_id not in self.staff_ids for _, staff_id in staff_of(definition)):
            return False
        if definition["kind"] == "group":
            return self.chat_ids.issuperset(_chat_ids(definition))
        if definition["kind"] == "nearest_store":
            store_ids = _store_ids(definition)
            return store_ids is not None and self.store_ids.issuperset(store_ids)
        return True

    def problems(self, definition: Mapping[str, Any], before: Mapping[str, Any] | None) -> Iterator[Issue]:
        """What a definition has that is outside of the scope and was not there before."""
        known = {staff_id for _, staff_id in staff_of(before)} if before else set()
        for field, staff_id in staff_of(definition):
            if staff_id not in self.staff_ids | known:
                yield issue(field, "outside_of_scope")
        chat_ids = self.chat_ids.union(_chat_ids(before) if before else ())
        for index, chat_id in enumerate(_chat_ids(definition)):
            if chat_id not in chat_ids:
                yield issue(f"groups.chat_ids[{index}]", "outside_of_scope")
        if definition["kind"] == "nearest_store":
            yield from self._store_problems(definition, before)

    def _store_problems(
        self, definition: Mapping[str, Any], before: Mapping[str, Any] | None
    ) -> Iterator[Issue]:
        known = _store_ids(before) if before and before["kind"] == "nearest_store" else ()
        if known is None:  # all stores, and what is fewer is none that it did not have
            return
        store_ids = _store_ids(definition)
        if store_ids is None:
            yield issue("stores.store_ids", "outside_of_scope")
            return
        for index, store_id in enumerate(store_ids):
            if store_id not in self.store_ids.union(known):
                yield issue(f"stores.store_ids[{index}]", "outside_of_scope")


def of(principal: Principal) -> CodeScope | None:
    """What the principal is kept to as of now; None: to nothing. Two requests."""
    if not principal.is_scoped and principal.role != "guide":
        return None
    from chalicelib.stores import service as stores  # for who is kept to a scope, not for all who read codes

    return CodeScope(
        stores.guides_in_scope(principal) or frozenset(),
        stores.stores_in_scope(principal) or frozenset(),
        stores.groups_in_scope(principal) or frozenset(),
    )


def is_made_for(made_for: Scope | None, principal: Principal) -> bool:
    """Whether a code was made for no more than the principal's scope."""
    return made_for is not None and principal.scope.holds(made_for)


def stays(made_for: Scope | None, definition: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether a changed code is still made for that scope alone: it got nobody who is outside of it."""
    if made_for is None:
        return True
    held = of(Principal("system", "maker", "maker", "store_manager", made_for))
    return held is None or not any(held.problems(definition, before))


def staff_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, staff_id) of each member and fallback."""
    assignment = definition["assignment"]
    for index, member in enumerate(assignment["members"]):
        yield f"assignment.members[{index}].staff_id", fold(member["staff_id"])
    for index, staff_id in enumerate(assignment["fallback_staff_ids"]):
        yield f"assignment.fallback_staff_ids[{index}]", fold(staff_id)


def _chat_ids(definition: Mapping[str, Any]) -> Iterable[str]:
    groups: Mapping[str, list[str]] = definition.get("groups") or {}
    return groups.get("chat_ids", ())


def _store_ids(definition: Mapping[str, Any]) -> Iterable[str] | None:
    """Of a nearest_store code; None: all stores."""
    return (definition.get("stores") or {}).get("store_ids")
