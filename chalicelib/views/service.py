"""Saved views: written by their owner, read by them and by those whom they are shared with."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET
from pynamodb.expressions.condition import Condition

from chalicelib.platform import audit, clock, ids, list_files, lists, storage
from chalicelib.platform.errors import Conflict, Forbidden, Invalid, NotFound, issue
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import Principal, Scope
from chalicelib.platform.storage import Transaction
from chalicelib.views import rules
from chalicelib.views.models import SHARED, ViewItem, own_shelf
from chalicelib.views.types import NewView, View, ViewPatch, ViewsQuery

_MOST = 200  # on one person's shelf
_MASKED = frozenset({"query"})  # what was searched for may be a name


def page(query: ViewsQuery, principal: Principal) -> Page[View]:
    """Views of a list (or all), by name: one's own, and those that are shared with the principal."""
    rows = [_view(item, principal) for item in _seen(principal) if query.list in (None, item.list)]
    return lists.whole(
        rows,
        query,
        key=lambda view: view.view_id,
        sorts={"name": lambda view: view.name},
        sort="name",
        texts=lambda view: (view.name,),
    )


def create(new: NewView, principal: Principal) -> View:
    """Invalid, Forbidden, Conflict."""
    permission = _permission_of(new.list)
    if permission is None or not principal.may(permission):
        raise Invalid(issue("list", "no_list_of_views"))
    _check_share(principal, new.shared)
    if sum(1 for item in _seen(principal) if item.owner == principal.id) >= _MOST:
        raise Conflict(code="too_many_views", limit=_MOST)
    now = clock.now()
    item = ViewItem(
        SHARED if new.shared else own_shelf(principal.id),
        ids.ulid(now),
        list=new.list,
        permission=permission,
        name=new.name,
        query_string=new.query.removeprefix("?"),
        owner=principal.id,
        owner_name=principal.name,
        scope=msgspec.to_builtins(principal.scope),
        created_at=clock.iso(now),
    )
    tx = Transaction()
    tx.put("view", item, ViewItem.view_id.does_not_exist())
    made = _view(item, principal)
    audit.add(tx, "views.create", made.view_id, None, _audited(made), _MASKED)
    tx.commit()
    return made


@storage.retrying("others keep changing this view")
def change(view_id: str, patch: ViewPatch, principal: Principal) -> View:
    """NotFound, Forbidden (of a colleague's)."""
    item = _own(view_id, principal)
    before = _view(item, principal)
    shared = before.shared if patch.shared is UNSET else patch.shared
    _check_share(principal, shared and not before.shared)
    changed = ViewItem(
        SHARED if shared else own_shelf(item.owner),
        item.view_id,
        list=item.list,
        permission=item.permission,
        name=item.name if patch.name is UNSET else patch.name,
        query_string=item.query_string if patch.query is UNSET else patch.query.removeprefix("?"),
        owner=item.owner,
        owner_name=item.owner_name,
        scope=item.scope,
        created_at=item.created_at,
    )
    after = _view(changed, principal)
    tx = Transaction()
    if changed.shelf == item.shelf:
        tx.put("view", changed, _as_read(item))
    else:
        tx.put("view", changed, ViewItem.view_id.does_not_exist())
        tx.delete("view before", item, _as_read(item))
    audit.add(tx, "views.change", view_id, _audited(before), _audited(after), _MASKED)
    tx.commit()
    return after


def delete(view_id: str, principal: Principal) -> None:
    """NotFound, Forbidden (of a colleague's)."""
    item = _own(view_id, principal)
    tx = Transaction()
    tx.delete("view", item)
    audit.add(tx, "views.delete", view_id, _audited(_view(item, principal)), None, _MASKED)
    tx.commit()


def _as_read(item: ViewItem) -> Condition:
    """That it is still there, as it was read."""
    is_unchanged: Condition = (ViewItem.name == item.name) & (ViewItem.query_string == item.query_string)
    return is_unchanged


def _seen(principal: Principal) -> Iterator[ViewItem]:
    for item in ViewItem.query(own_shelf(principal.id), limit=lists.MAX_WHOLE):
        yield item
    for item in ViewItem.query(SHARED, limit=lists.MAX_WHOLE):
        if _is_seen(item, principal):
            yield item


def _is_seen(item: ViewItem, principal: Principal) -> bool:
    if not principal.may(item.permission):
        return False
    scope = msgspec.convert(item.scope, Scope)
    return item.owner == principal.id or rules.is_shared_with(principal, scope)


def _permission_of(list_name: str) -> str | None:
    """What reading the list takes; None for what is no list."""
    try:
        found = list_files.find(f"/api/{list_name}")
    except NotFound:
        return None
    return found[0].permission if found else None


def _own(view_id: str, principal: Principal) -> ViewItem:
    item: ViewItem | None = ViewItem.find(own_shelf(principal.id), view_id) or ViewItem.find(SHARED, view_id)
    if item is None or not _is_seen(item, principal):
        raise NotFound(code="no_thing")
    if not _may_change(item, principal):
        raise Forbidden(code="not_your_view")
    return item


def _may_change(item: ViewItem, principal: Principal) -> bool:
    return item.owner == principal.id or (principal.role == "admin" and not principal.is_scoped)


def _check_share(principal: Principal, shares: bool) -> None:
    if shares and not principal.may("views.share"):
        raise Forbidden(code="may_not_share")


def _view(item: ViewItem, principal: Principal) -> View:
    return View(
        view_id=item.view_id,
        list=item.list,
        name=item.name,
        query=item.query_string,
        shared=item.shelf == SHARED,
        owner=item.owner_name,
        mine=item.owner == principal.id,
        can_change=_may_change(item, principal),
        created_at=item.created_at,
    )


def _audited(view: View) -> dict[str, object]:
    return {name: getattr(view, name) for name in ("list", "name", "query", "shared")}
