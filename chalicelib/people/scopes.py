"""A scope as people read it: the names of its stores and departments."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from chalicelib.departments import service as departments
from chalicelib.people.types import Named, ScopeIn, ScopeNames
from chalicelib.platform.auth import Scope
from chalicelib.stores import service as stores


def scope_out(scope: Scope) -> ScopeIn:
    return msgspec.convert(msgspec.to_builtins(scope), ScopeIn)


def names(scopes: Iterable[Scope]) -> Callable[[Scope], ScopeNames]:
    """What names any of these scopes: all that they hold is read at once."""
    scopes = list(scopes)
    store_ids = {one for scope in scopes for one in scope.store_ids or ()}
    department_ids = {one for scope in scopes for one in scope.department_ids or ()}
    of_stores = {one: store.name for one, store in stores.find_many(store_ids).items()} if store_ids else {}
    of_departments = departments.names() if department_ids else {}

    def named(scope: Scope) -> ScopeNames:
        return ScopeNames(
            stores=_named(scope.store_ids, of_stores),
            departments=_named(scope.department_ids, of_departments),
        )

    return named


def _named(ids: Sequence[str] | None, known: dict[str, str]) -> list[Named] | None:
    return None if ids is None else [Named(one, known.get(one, one)) for one in ids]
