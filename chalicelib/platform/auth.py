"""Who acts: a `Principal`, found by an API key or by the session that a key or a person began.

| table | key | |
|---|---|---|
| `api_keys` | the key's SHA-256 | it is shown once, and is nowhere |
| `users` | a member of staff's userid in small letters, as WeCom compares them | whom an admin gave a role |
| `sessions` | the SHA-256 of the cookie's token | whose it is: a key or a person; since when, where; TTL |

Key, person and session are read at each request, so that what is revoked is refused at once, and a
changed role or scope holds from the next request on.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import clock, settings
from chalicelib.platform.errors import Forbidden, Unauthorized
from chalicelib.platform.principal import NOBODY as NOBODY
from chalicelib.platform.principal import SYSTEM as SYSTEM
from chalicelib.platform.principal import Principal as Principal
from chalicelib.platform.principal import Scope as Scope
from chalicelib.platform.principal import acting as acting
from chalicelib.platform.storage import Base, BaseMeta
from chalicelib.platform.userids import fold

Role = Literal["admin", "operator", "store_manager", "guide", "finance", "auditor"]
ACTIVE, REVOKED = "active", "revoked"
NO_ROLE = "none"  # of the row of one who has no role, and is gone from the corp
SESSION_COOKIE = "mr_session"
SESSION_TIME = timedelta(hours=12)


class Session(Struct, frozen=True):
    """staff_id: of the person who began it; None where a key did. csrf_token: what its writes carry."""

    principal: Principal
    staff_id: str | None
    csrf_token: str

    def has_csrf_token(self, given: str) -> bool:
        return hmac.compare_digest(self.csrf_token.encode(), given.encode("utf-8", "replace"))


class KeysByStatus(GlobalSecondaryIndex["ApiKeyItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    status = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)


class ApiKeyItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("api_keys")

    key_hash = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    role = UnicodeAttribute()
    scope = JSONAttribute(null=True)
    status = UnicodeAttribute(default=ACTIVE)
    created_at = UnicodeAttribute(null=True)
    expires_at = UnicodeAttribute(null=True)
    by_status = KeysByStatus()


class UsersByStatus(GlobalSecondaryIndex["UserItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    status = UnicodeAttribute(hash_key=True)
    user = UnicodeAttribute(range_key=True)


class UserItem(Base):
    """`staff_id` as WeCom spells it, `user` the same in small letters. gone: from the corp, or disabled.

    renamed_to: the row of the person, who has another userid by now: sessions go on.
    """

    class Meta(BaseMeta):
        table_name = settings.table("users")

    user = UnicodeAttribute(hash_key=True)
    staff_id = UnicodeAttribute()
    role = UnicodeAttribute()
    scope = JSONAttribute(null=True)
    status = UnicodeAttribute(default=ACTIVE)
    gone = BooleanAttribute(null=True)
    renamed_to = UnicodeAttribute(null=True)
    version = NumberAttribute()
    created_at = UnicodeAttribute()
    by_status = UsersByStatus()


class SessionsByHolder(GlobalSecondaryIndex["SessionItem"]):
    class Meta(BaseMeta):
        index_name = "holder"
        projection = AllProjection()

    holder = UnicodeAttribute(hash_key=True)
    began_at = UnicodeAttribute(range_key=True)


class SessionItem(Base):
    """`holder`: an API key's hash, or a member of staff's userid.

    began_at: null for one from before sessions were listed. device: as people.devices has it.
    """

    class Meta(BaseMeta):
        table_name = settings.table("sessions")

    session = UnicodeAttribute(hash_key=True)
    holder_kind = UnicodeAttribute()  # key, user
    holder = UnicodeAttribute()
    expires_at = NumberAttribute()
    began_at = UnicodeAttribute(null=True)
    device = UnicodeAttribute(null=True)
    by_holder = SessionsByHolder()


def create_key(name: str, role: str, scope: Scope | None = None, expires_at: datetime | None = None) -> str:
    """Make a key and return it, the only time it can be seen."""
    key = new_key()
    key_item(key, name, role, scope, expires_at).save()
    return key


def new_key() -> str:
    return "mr_" + secrets.token_urlsafe(32)


def key_item(
    key: str, name: str, role: str, scope: Scope | None = None, expires_at: datetime | None = None
) -> ApiKeyItem:
    """The row of a key that is not stored yet."""
    return ApiKeyItem(
        hashed(key),
        name=name,
        role=role,
        scope=msgspec.to_builtins(scope) if scope else None,
        created_at=clock.iso(clock.now()),
        expires_at=clock.iso(expires_at) if expires_at else None,
    )


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def scope_of(stored: Mapping[str, list[str] | None] | None) -> Scope:
    return msgspec.convert(stored or {}, Scope)


def authorize(
    headers: Mapping[str, str], cookies: Mapping[str, str], permission: str, writes: bool
) -> Principal:
    """Who calls, by key or by session; with both the key counts. Unauthorized, Forbidden.

    Keys and sessions are looked up by their hash, so no comparison of secrets takes place.
    """
    header = headers.get("authorization")
    session = None if header is not None else find_session(cookies)
    principal = session.principal if session is not None else principal_of_key(_bearer(header))
    if not principal.may(permission):
        raise Forbidden(code="role_may_not", role=principal.role)
    if session is not None and writes and not session.has_csrf_token(headers.get("x-csrf-token") or ""):
        raise Forbidden(code="needs_csrf")
    return principal


def _bearer(header: str | None) -> str:
    kind, _, key = (header or "").partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        raise Unauthorized(code="needs_key")
    return key.strip()


def principal_of_key(key: str) -> Principal:
    """Whose key it is. Unauthorized when it is not known, revoked or expired."""
    principal = _key_holder(hashed(key), "key")
    if principal is None:
        raise Unauthorized(code="unknown_key")
    return principal


def begin_session(holder_kind: Literal["key", "user"], holder: str, device: str = "other/other") -> str:
    """A new session of a key or a person: the token for its cookie."""
    token, now = secrets.token_urlsafe(32), clock.now()
    SessionItem(
        hashed(token),
        holder_kind=holder_kind,
        holder=holder,
        expires_at=int((now + SESSION_TIME).timestamp()),
        began_at=clock.iso(now),
        device=device,
    ).save()
    return token


def session_id(cookies: Mapping[str, str]) -> str | None:
    """The id of a cookie's session, whatever became of it. The cookie can't be worked out from it."""
    token = cookies.get(SESSION_COOKIE)
    return hashed(token) if token else None


def find_session(cookies: Mapping[str, str]) -> Session | None:
    """The session of a cookie; None when it is not ours, over, or its key or person is revoked."""
    token = cookies.get(SESSION_COOKIE)
    item = SessionItem.find(hashed(token)) if token else None
    if token is None or item is None or item.expires_at <= clock.now().timestamp():
        return None
    by_key = item.holder_kind == "key"
    principal = _key_holder(item.holder, "session") if by_key else find_person(item.holder)
    if principal is None:
        return None
    return Session(principal, None if by_key else principal.id, hashed(f"csrf.{token}"))


def end_session(cookies: Mapping[str, str]) -> None:
    if token := cookies.get(SESSION_COOKIE):
        SessionItem(hashed(token)).delete()


def session_cookie(token: str) -> str:
    """The Set-Cookie of a session that began; with an empty token, of one that has ended."""
    base = urlsplit(settings.env("PUBLIC_BASE_URL"))
    seconds = int(SESSION_TIME.total_seconds()) if token else 0
    path = base.path.rstrip("/") or "/"
    secure = "; Secure" if base.scheme == "https" else ""
    return f"{SESSION_COOKIE}={token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def find_person(staff_id: str) -> Principal | None:
    """A member of staff who signed in: a guide, unless an admin gave another role. None: revoked, or gone."""
    user = fold(staff_id)
    item = UserItem.find(user)
    if item is None:
        return Principal("session", user, user, "guide")
    if item.renamed_to is not None:
        return find_person(item.renamed_to)
    if item.status != ACTIVE or item.gone:
        return None
    return Principal("session", user, user, item.role, scope_of(item.scope))


def has_role(staff_id: str) -> bool:
    """Whether an admin gave the person a role, and it holds."""
    item = UserItem.find(fold(staff_id))
    if item is not None and item.renamed_to is not None:
        return has_role(item.renamed_to)
    return item is not None and item.status == ACTIVE and not item.gone


def with_roles(roles: Collection[str]) -> list[str]:
    """The members of staff who have one of these roles for the whole corp, and are there."""
    rows = [row for row in UserItem.by_status.query(ACTIVE) if row.role in roles and not row.gone]
    return [str(row.user) for row in rows if scope_of(row.scope) == Scope()]


def kept_to_scope(role: str) -> list[tuple[str, Scope]]:
    """The members of staff who have this role for a part of the corp, and are there."""
    rows = [row for row in UserItem.by_status.query(ACTIVE) if row.role == role and not row.gone]
    return [(str(row.user), scope) for row in rows if (scope := scope_of(row.scope)) != Scope()]


def admins() -> list[str]:
    """The members of staff who are admins, and are there."""
    rows = UserItem.by_status.query(ACTIVE)
    return [str(row.user) for row in rows if row.role == "admin" and not row.gone]


def is_expired(item: ApiKeyItem) -> bool:
    return item.expires_at is not None and clock.parse(item.expires_at) <= clock.now()


def _key_holder(key_hash: str, kind: Literal["key", "session"]) -> Principal | None:
    item = ApiKeyItem.find(key_hash)
    if item is None or item.status != ACTIVE or is_expired(item):
        return None
    return Principal(kind, key_hash, item.name, item.role, scope_of(item.scope))
