"""Which stores, guides and groups a principal's scope holds, as they are at this request."""

from collections.abc import Collection

from chalicelib.departments import service as departments
from chalicelib.platform.principal import Principal
from chalicelib.platform.userids import fold, fold_all
from chalicelib.stores.models import LISTED, StoreItem

_READ = ["store_id", "staff_ids", "chat_ids"]


def is_in_scope(principal: Principal, store_id: str, staff_ids: Collection[str]) -> bool:
    """A scope of stores holds its stores; one of departments, the stores where their people are guides."""
    scope = principal.scope
    if scope.store_ids is not None and store_id not in scope.store_ids:
        return False
    if scope.department_ids is None:
        return True
    return not departments.members_of(scope.department_ids).isdisjoint(fold_all(staff_ids))


def stores_in_scope(principal: Principal) -> frozenset[str] | None:
    """The ids of the scope's stores; None: all."""
    if not principal.is_scoped:
        return None
    return frozenset(row.store_id for row in _rows_in_scope(principal))


def guides_in_scope(principal: Principal) -> frozenset[str] | None:
    """Whose customers, touches and tasks a principal sees; None: everybody's.

    A guide's own; those of the scope's stores; the people of its departments; of both, where both are given.
    """
    if principal.role == "guide":
        return frozenset({fold(principal.id)})
    scope = principal.scope
    if not principal.is_scoped:
        return None
    if scope.store_ids is None:
        return departments.members_of(scope.department_ids or ())
    rows = StoreItem.batch_get(list(set(scope.store_ids)), attributes_to_get=_READ) if scope.store_ids else ()
    guides = frozenset(staff_id for row in rows for staff_id in fold_all(row.staff_ids))
    return guides if scope.department_ids is None else guides & departments.members_of(scope.department_ids)


def groups_in_scope(principal: Principal) -> frozenset[str] | None:
    """The chat_ids that the scope's stores name; None: all groups. Those of its guides are not among them."""
    if not principal.is_scoped:
        return None
    return frozenset(chat_id for row in _rows_in_scope(principal) for chat_id in row.chat_ids)


def _rows_in_scope(principal: Principal) -> list[StoreItem]:
    """The scope's stores, their guides and groups alone read."""
    scope = principal.scope
    if scope.store_ids is None:
        rows = list(StoreItem.by_id.query(LISTED, attributes_to_get=_READ))
    elif scope.store_ids:
        rows = list(StoreItem.batch_get(list(set(scope.store_ids)), attributes_to_get=_READ))
    else:
        rows = []
    if scope.department_ids is None:
        return rows
    people = departments.members_of(scope.department_ids)
    return [row for row in rows if not people.isdisjoint(fold_all(row.staff_ids))]
