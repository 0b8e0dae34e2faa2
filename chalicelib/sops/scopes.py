"""Whose customers an SOP is for, and who may see and change it.

An SOP keeps the scope of whoever made it: a store's manager makes one for the store's customers. It is
changed by those whose own scope holds all of it. One for all customers is seen by every manager as well,
since it writes to theirs.
"""

from chalicelib.platform.principal import Principal, Scope
from chalicelib.sops.models import SopItem


def scope_of(item: SopItem) -> Scope:
    """Its stores and departments; null where it is not kept to any."""
    stored = item.scope or {}
    stores, departments = stored.get("store_ids"), stored.get("department_ids")
    return Scope(
        None if stores is None else tuple(stores), None if departments is None else tuple(departments)
    )


def stored(scope: Scope) -> dict[str, list[str] | None] | None:
    """A scope as an item keeps it."""
    if scope == Scope():
        return None
    return {
        name: None if ids is None else list(ids)
        for name, ids in (("store_ids", scope.store_ids), ("department_ids", scope.department_ids))
    }


def is_seen(item: SopItem, principal: Principal) -> bool:
    return item.scope is None or may_change(item, principal)


def may_change(item: SopItem, principal: Principal) -> bool:
    return principal.scope.holds(scope_of(item))


def is_for(item: SopItem, staff_id: str) -> bool:
    """Whether customers of this guide may come into it, as its stores and departments are now."""
    if item.scope is None:
        return True
    # Only here: what knows stores costs the cold start of welcome, push and enrol, for one SOP in many.
    from chalicelib.stores import service as stores

    maker = Principal("system", item.sop_id, item.sop_id, "store_manager", scope_of(item))
    guides = stores.guides_in_scope(maker)
    return guides is None or staff_id in guides
