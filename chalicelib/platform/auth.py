"""Who acts: a `Principal`. API keys: one is shown once; the table holds its SHA-256."""

import hashlib
import secrets
import time
from contextvars import ContextVar
from typing import Literal

from msgspec import Struct
from pynamodb.attributes import UnicodeAttribute

from chalicelib.platform import permissions, settings, storage
from chalicelib.platform.errors import Forbidden, Unauthorized
from chalicelib.platform.storage import Base, BaseMeta

_KEEP_SECONDS = 60
_known: dict[str, tuple[float, "Principal"]] = {}


class ApiKeyItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("api_keys")

    key_hash = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    role = UnicodeAttribute()
    status = UnicodeAttribute(default="active")


class Scope(Struct, frozen=True):
    """The stores and departments that a principal is kept to; None: not kept to any."""

    store_ids: tuple[str, ...] | None = None
    department_ids: tuple[str, ...] | None = None


class Principal(Struct, frozen=True):
    """Who acts. `id`: a key's hash, a session's member of staff; `name` is for people to read."""

    kind: Literal["key", "session", "system"]
    id: str
    name: str
    role: str
    scope: Scope = Scope()

    def may(self, permission: str) -> bool:
        return permission in permissions.ROLES.get(self.role, frozenset())


SYSTEM = Principal("system", "system", "Millrace", "admin")
NOBODY = Principal("system", "public", "a public door", "none", Scope((), ()))
acting: ContextVar[Principal] = ContextVar("acting", default=SYSTEM)  # for the audit; the door sets it


def create_key(name: str, role: str) -> str:
    """Make a key and return it, the only time it can be seen."""
    key = "mr_" + secrets.token_urlsafe(32)
    ApiKeyItem(hashed(key), name=name, role=role).save()
    return key


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def authorize(header: str | None, permission: str) -> Principal:
    """Whose `Authorization: Bearer KEY` this is. Unauthorized, or Forbidden without the permission.

    A key is looked up by its hash, so no comparison of secrets takes place; a revoked one is known
    for at most a minute more.
    """
    kind, _, key = (header or "").partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        raise Unauthorized("send an API key: Authorization: Bearer KEY")
    principal = _find(hashed(key.strip()))
    if not principal.may(permission):
        raise Forbidden(f"the role {principal.role} may not do this")
    return principal


def _find(key_hash: str) -> Principal:
    kept = _known.get(key_hash)
    if kept and time.monotonic() - kept[0] < _KEEP_SECONDS:
        return kept[1]
    item = ApiKeyItem.find(key_hash)
    if item is None or item.status != "active":
        _known.pop(key_hash, None)
        raise Unauthorized("this API key is not known")
    principal = Principal("key", key_hash, item.name, item.role)
    _known[key_hash] = (time.monotonic(), principal)
    return principal


def revoke(key_hash: str) -> bool:
    """Make a key useless. False if there is none."""
    _known.pop(key_hash, None)
    return storage.update_if(
        ApiKeyItem(key_hash),
        [ApiKeyItem.status.set("revoked")],
        ApiKeyItem.key_hash.exists(),
    )
