"""Users and API keys: made, changed, revoked, listed. At least one admin stays, whatever is done."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

import msgspec

from chalicelib.departments import service as departments
from chalicelib.people import scopes
from chalicelib.people.types import (
    ApiKey,
    KeysQuery,
    MadeApiKey,
    NewApiKey,
    NewUser,
    ScopeIn,
    ScopeNames,
    User,
    UsersQuery,
)
from chalicelib.platform import audit, auth, clock, lists, log, storage, validation
from chalicelib.platform.auth import ACTIVE, NO_ROLE, REVOKED, ApiKeyItem, Role, Scope, UserItem
from chalicelib.platform.errors import Conflict, Invalid, NotFound, Upstream, issue
from chalicelib.platform.lists import Page
from chalicelib.platform.patch import merged
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.userids import fold
from chalicelib.platform.versions import IfMatch
from chalicelib.staff import service as staff
from chalicelib.wecom.errors import Treatment, WeComError

ScopeNamer = Callable[[Scope], ScopeNames]
_ACTIVE_AT_WECOM = 1

_SORTS = {
    "name": lambda row: row.name,
    "created_at": lambda row: row.created_at,
}


def create_key(wanted: NewApiKey) -> MadeApiKey:
    """A new API key. Invalid."""
    scope = _scope(wanted.role, wanted.scope)
    if wanted.expires_at is not None and wanted.expires_at <= clock.now():
        raise Invalid(issue("expires_at", "past"))
    key = auth.new_key()
    item = auth.key_item(key, wanted.name, wanted.role, scope, wanted.expires_at)
    tx = Transaction()
    tx.put("key", item, ApiKeyItem.key_hash.does_not_exist())
    shown = _shown_key(item, scopes.names([scope]))
    audit.add(tx, "keys.create", str(item.key_hash), None, _audited(shown))
    tx.commit()
    return MadeApiKey(
        api_key_id=shown.api_key_id,
        name=shown.name,
        role=shown.role,
        scope=shown.scope,
        expires_at=shown.expires_at,
        key=key,
    )


@storage.retrying("others keep changing this key")
def revoke_key(api_key_id: str) -> None:
    """Make a key, and the sessions that it began, useless; twice is once. NotFound, Conflict."""
    item: ApiKeyItem | None = ApiKeyItem.find(api_key_id)
    if item is None:
        raise NotFound(code="unknown_key_id", api_key_id=api_key_id)
    if item.status == REVOKED:
        return
    tx = Transaction()
    revoked = [ApiKeyItem.status.set(REVOKED)]
    tx.update("key", ApiKeyItem(api_key_id), revoked, ApiKeyItem.status == item.status)
    if item.role == "admin" and not auth.is_expired(item):
        _keep_an_admin(tx, but=api_key_id)
    before, after = {"status": item.status}, {"status": REVOKED}
    audit.add(tx, "keys.revoke", api_key_id, before, after, label=item.name)
    tx.commit()


def keys(query: KeysQuery) -> Page[ApiKey]:
    items = list(_all_of(ApiKeyItem))
    named = scopes.names(auth.scope_of(item.scope) for item in items)
    rows = [_shown_key(item, named) for item in items]
    return _listed(rows, query, lambda row: row.api_key_id, lambda row: [row.name])


def create_user(wanted: NewUser) -> User:
    """Give a member of staff a role. Conflict when they have one; Invalid."""
    scope = _scope(wanted.role, wanted.scope)
    there: UserItem | None = UserItem.find(wanted.staff_id)
    if there is not None and there.status != NO_ROLE:
        raise Conflict(code="user_exists", staff_id=wanted.staff_id)
    _ask_wecom(wanted.staff_id, wanted.role)
    item = UserItem(
        wanted.staff_id,
        staff_id=wanted.staff_id,
        role=wanted.role,
        scope=msgspec.to_builtins(scope),
        status=wanted.status,
        gone=there.gone if there else None,
        version=int(there.version) + 1 if there else 1,
        created_at=clock.iso(clock.now()),
    )
    tx = Transaction()
    same = UserItem.version == there.version if there else UserItem.user.does_not_exist()
    tx.put("user", item, same)
    user = _shown_user(item, staff.name(str(item.user)), scopes.names([scope]))
    audit.add(tx, "users.create", wanted.staff_id, None, _audited(user), label=user.name)
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict(code="user_exists", staff_id=wanted.staff_id) from error
    return user


def user(staff_id: str) -> tuple[User, int]:
    """The person, and the version. NotFound."""
    item = _find_user(staff_id)
    named = scopes.names([auth.scope_of(item.scope)])
    return _shown_user(item, staff.name(str(item.user)), named), int(item.version)


def _find_user(staff_id: str) -> UserItem:
    item: UserItem | None = UserItem.find(fold(staff_id))
    if item is None or item.status == NO_ROLE:
        raise NotFound(code="unknown_user", staff_id=staff_id)
    return item


@storage.retrying("others keep changing this user")
def change_user(staff_id: str, patch: Any, if_match: IfMatch) -> tuple[User, int]:
    """Apply a JSON merge patch: the person, and the version. NotFound, Conflict, Invalid, Stale."""
    item = _find_user(staff_id)
    if_match.check(int(item.version), lambda: user(staff_id)[0])
    name = staff.name(str(item.user))
    now = {name: getattr(item, name) for name in ("staff_id", "role", "scope", "status")}
    wanted: NewUser = validation.convert(merged(now, patch), NewUser)
    if wanted.staff_id != str(item.user):
        raise Invalid(issue("staff_id", "unchangeable"))
    scope = _scope(wanted.role, wanted.scope)
    named = scopes.names([auth.scope_of(item.scope), scope])
    before = _shown_user(item, name, named)
    if item.role != wanted.role:
        _ask_wecom(str(item.user), wanted.role)
    made = UserItem(
        item.user,
        staff_id=str(item.user),
        role=wanted.role,
        scope=msgspec.to_builtins(scope),
        status=wanted.status,
        gone=item.gone,
        version=int(item.version) + 1,
        created_at=item.created_at,
    )
    after = _shown_user(made, name, named)
    if after == before:
        return before, int(item.version)
    tx = Transaction()
    tx.put("user", made, UserItem.version == item.version)
    if _is_admin(item) and not _is_admin(made):
        _keep_an_admin(tx, but=str(item.user))
    audit.add(tx, "users.change", before.staff_id, _audited(before), _audited(after), label=name)
    tx.commit()
    return after, int(made.version)


def users(query: UsersQuery) -> Page[User]:
    items = list(_all_of(UserItem))
    names = staff.ask_names(str(item.user) for item in items)
    named = scopes.names(auth.scope_of(item.scope) for item in items)
    rows = [_shown_user(item, names.get(str(item.user), str(item.user)), named) for item in items]
    return _listed(rows, query, lambda row: row.staff_id, lambda row: [row.name, row.staff_id])


def _scope(role: Role, wanted: ScopeIn | None) -> Scope:
    """Invalid. Whoever is kept to departments is kept to those below them too: which, WeCom says."""
    scope = msgspec.convert(msgspec.to_builtins(wanted or ScopeIn()), Scope)
    if role == "admin" and scope != Scope():
        raise Invalid(issue("scope", "admin_scope"))
    if scope.department_ids:
        departments.read_tree()
    return scope


def _may_sign_in(staff_id: str) -> bool:
    """Whether WeCom was asked for the member, and has them: nobody else can sign in."""
    return staff.status(staff_id) == _ACTIVE_AT_WECOM


def _ask_wecom(staff_id: str, role: Role) -> None:
    """Whoever becomes an admin is a member of the corp. Invalid; let pass while WeCom does not answer."""
    if role != "admin":
        return
    try:
        staff.learn(staff_id)
    except WeComError as error:
        if error.treatment is Treatment.DATA:
            raise Invalid(issue("staff_id", "unknown_staff", staff_id=staff_id)) from error
    except Upstream as error:
        log.failure("member not asked for", error, staff_id=staff_id)


def _keep_an_admin(tx: Transaction, but: str) -> None:
    """Have the transaction check that another admin is active as it commits. Conflict when there is none.

    The check is on that very row, so that of two admins who revoke each other one fails.
    """
    for item in ApiKeyItem.by_status.query(ACTIVE):
        if item.role == "admin" and item.key_hash != but and item.expires_at is None:
            still = (ApiKeyItem.status == ACTIVE) & (ApiKeyItem.role == "admin")
            tx.check("another admin", ApiKeyItem(item.key_hash), still)
            return
    for user in UserItem.by_status.query(ACTIVE):
        if user.role == "admin" and user.user != but and not user.gone and _may_sign_in(str(user.user)):
            still = (UserItem.status == ACTIVE) & (UserItem.role == "admin") & UserItem.gone.does_not_exist()
            tx.check("another admin", UserItem(user.user), still)
            return
    raise Conflict(code="last_admin")


def _is_admin(item: UserItem) -> bool:
    return item.role == "admin" and item.status == ACTIVE


def _all_of(kind: type[ApiKeyItem] | type[UserItem]) -> Iterable[Any]:
    for status in (ACTIVE, REVOKED):
        yield from lists.partition(partial(kind.by_status.query, status))


def _listed(rows: list[Any], query: Any, key: Any, texts: Any) -> Page[Any]:
    kept = [row for row in rows if query.role in (None, row.role) and query.status in (None, row.status)]
    return lists.whole(kept, query, key=key, sorts=_SORTS, sort=query.sort, texts=texts)


def _shown_key(item: ApiKeyItem, named: ScopeNamer) -> ApiKey:
    expired = item.status == ACTIVE and auth.is_expired(item)
    return ApiKey(
        api_key_id=str(item.key_hash),
        name=item.name,
        role=item.role,
        scope=scopes.scope_out(auth.scope_of(item.scope)),
        scope_names=named(auth.scope_of(item.scope)),
        status="expired" if expired else cast(Any, item.status),
        created_at=item.created_at,
        expires_at=item.expires_at,
    )


def _audited(shown: User | ApiKey) -> dict[str, Any]:
    """Without what is not changed here: a person's name is WeCom's."""
    fields: dict[str, Any] = msgspec.to_builtins(shown)
    others = {"scope_names", "gone"} | ({"name"} if isinstance(shown, User) else set())
    return {name: value for name, value in fields.items() if name not in others}


def _shown_user(item: UserItem, name: str, named: ScopeNamer) -> User:
    return User(
        staff_id=str(item.user),
        name=name,
        role=item.role,
        scope=scopes.scope_out(auth.scope_of(item.scope)),
        scope_names=named(auth.scope_of(item.scope)),
        status=cast(Any, item.status),
        gone=bool(item.gone),
        created_at=item.created_at,
    )
