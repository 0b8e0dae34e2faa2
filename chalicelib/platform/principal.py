"""Who acts: a key, a session or the system itself, with a role and a scope (auth.py: how they sign in)."""

from contextvars import ContextVar
from typing import Literal

from msgspec import Struct

from chalicelib.platform import permissions


class Scope(Struct, frozen=True):
    """The stores and departments that a principal is kept to, both where both are given; null: not kept.

    Departments are those that WeCom gave for a person when it was asked, without their sub-departments.
    """

    store_ids: tuple[str, ...] | None = None
    department_ids: tuple[str, ...] | None = None

    def holds(self, inner: "Scope") -> bool:
        """Whether all of `inner` lies in it: what was made for `inner` may be changed by who has this one."""
        return _holds(self.store_ids, inner.store_ids) and _holds(self.department_ids, inner.department_ids)


def _holds(outer: tuple[str, ...] | None, inner: tuple[str, ...] | None) -> bool:
    return outer is None or (inner is not None and set(inner) <= set(outer))


class Principal(Struct, frozen=True):
    """Who acts. `id`: an API key's, or a member of staff's; `name` is for people to read."""

    kind: Literal["key", "session", "system"]
    id: str
    name: str
    role: str
    scope: Scope = Scope()

    @property
    def is_scoped(self) -> bool:
        return self.scope != Scope()

    @property
    def sees_masked(self) -> bool:
        """Whether personal data is masked for them: `***` for names and ids of people outside of the corp."""
        return self.role == "auditor"

    @property
    def person(self) -> str | None:
        """The member of staff, if it is one: a session that a key began has the key's name."""
        return self.id if self.kind == "session" and self.id == self.name else None

    def may(self, permission: str) -> bool:
        if self.is_scoped and permission in permissions.CORP_WIDE:
            return False
        return permission in permissions.ROLES.get(self.role, frozenset())

    def permissions(self) -> list[str]:
        """Every permission that they have, in order."""
        return [name for name in sorted(permissions.ALL) if self.may(name)]


SYSTEM = Principal("system", "system", "Millrace", "admin")
NOBODY = Principal("system", "public", "a public door", "none", Scope((), ()))
acting: ContextVar[Principal] = ContextVar("acting", default=SYSTEM)  # for the audit; the door sets it
