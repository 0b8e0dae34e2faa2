"""API keys and roles. A key is shown once; the table holds its SHA-256."""

import hashlib
import secrets
import time

from msgspec import Struct
from pynamodb.attributes import UnicodeAttribute

from chalicelib.platform import settings, storage
from chalicelib.platform.errors import Forbidden, Unauthorized
from chalicelib.platform.storage import Base, BaseMeta

# What a role may do; `money`: settle, pay, see what people earned.
SCOPES: dict[str, frozenset[str]] = {
    "admin": frozenset({"read", "write", "money", "admin"}),
    "operator": frozenset({"read", "write"}),
    "finance": frozenset({"read", "money"}),
    "auditor": frozenset({"read"}),
}
_KEEP_SECONDS = 60
_known: dict[str, tuple[float, "Caller"]] = {}


class ApiKeyItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("api_keys")

    key_hash = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
    role = UnicodeAttribute()
    status = UnicodeAttribute(default="active")


class Caller(Struct, frozen=True):
    """Who calls: the key's name (for the audit), its hash and its role."""

    name: str
    key_hash: str
    role: str


def create_key(name: str, role: str) -> str:
    """Make a key and return it, the only time it can be seen."""
    key = "mr_" + secrets.token_urlsafe(32)
    ApiKeyItem(hashed(key), name=name, role=role).save()
    return key


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def authorize(header: str | None, scope: str) -> Caller:
    """The caller of an `Authorization: Bearer KEY` header. Unauthorized, or Forbidden without the scope.

    A key is looked up by its hash, so no comparison of secrets takes place; a revoked one is known
    for at most a minute more.
    """
    kind, _, key = (header or "").partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        raise Unauthorized("send an API key: Authorization: Bearer KEY")
    caller = _find(hashed(key.strip()))
    if scope not in SCOPES.get(caller.role, frozenset()):
        raise Forbidden(f"the role {caller.role} may not do this")
    return caller


def _find(key_hash: str) -> Caller:
    kept = _known.get(key_hash)
    if kept and time.monotonic() - kept[0] < _KEEP_SECONDS:
        return kept[1]
    item = ApiKeyItem.find(key_hash)
    if item is None or item.status != "active":
        _known.pop(key_hash, None)
        raise Unauthorized("this API key is not known")
    caller = Caller(item.name, key_hash, item.role)
    _known[key_hash] = (time.monotonic(), caller)
    return caller


def revoke(key_hash: str) -> bool:
    """Make a key useless. False if there is none."""
    _known.pop(key_hash, None)
    return storage.update_if(
        ApiKeyItem(key_hash),
        [ApiKeyItem.status.set("revoked")],
        ApiKeyItem.key_hash.exists(),
    )
