"""People and keys on the wire."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from chalicelib.platform.auth import Role
from chalicelib.platform.paging import Id, Paging, Searching
from chalicelib.platform.userids import StaffId, fold_fields

_Ids = Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=100)]
Status = Literal["active", "revoked"]


class ScopeIn(Struct, kw_only=True):
    """What one is kept to: these stores, these departments (WeCom's ids), both where both are given."""

    store_ids: _Ids | None = None
    department_ids: _Ids | None = None


class Named(Struct, frozen=True):
    """Something by its id and its name; the id again where it has none."""

    id: str
    name: str


class ScopeNames(Struct, kw_only=True, frozen=True):
    """A scope as people read it; null: not kept to any."""

    stores: list[Named] | None
    departments: list[Named] | None


class NewUser(Struct, kw_only=True):
    staff_id: StaffId
    role: Role
    scope: ScopeIn | None = None
    status: Status = "active"

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class UserPatch(Struct, kw_only=True):
    """A JSON merge patch."""

    role: Role | None = None
    scope: ScopeIn | None = None
    status: Status | None = None


class User(Struct, kw_only=True, frozen=True):
    """name: WeCom's. gone: has left the corp, or is disabled; signs in no more, whatever the status."""

    staff_id: str
    name: str
    role: str
    scope: ScopeIn
    scope_names: ScopeNames
    status: Status
    gone: bool
    created_at: str


class NewApiKey(Struct, kw_only=True):
    """expires_at: null for never."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    role: Role
    scope: ScopeIn | None = None
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


class ApiKey(Struct, kw_only=True, frozen=True):
    """status: `expired` for one that was active until then. created_at: null for the first of a stack."""

    api_key_id: str
    name: str
    role: str
    scope: ScopeIn
    scope_names: ScopeNames
    status: Literal["active", "revoked", "expired"]
    created_at: str | None
    expires_at: str | None


class MadeApiKey(Struct, kw_only=True, frozen=True):
    """The key is shown here and never again."""

    api_key_id: str
    name: str
    role: str
    scope: ScopeIn
    expires_at: str | None
    key: str


class RevokedKey(Struct, kw_only=True, frozen=True):
    api_key_id: str
    status: Literal["revoked"] = "revoked"


class Me(Struct, kw_only=True, frozen=True):
    """csrf_token: what a write by this session carries as X-CSRF-Token; null for a key.

    staff_id: of a person who signed in by WeCom. permissions: all that the caller may do, by name. console:
    false of a guide to whom no role was given, whose pages are the sidebar and the list of the day.
    """

    user: str
    name: str
    staff_id: str | None
    kind: Literal["key", "session"]
    role: str
    scope: ScopeIn
    scope_names: ScopeNames
    permissions: list[str]
    console: bool
    csrf_token: str | None


class SignIn(Struct, kw_only=True):
    key: Annotated[str, Meta(min_length=1, max_length=200)]


class UsersQuery(Searching, kw_only=True):
    """`q`: in name and id."""

    sort: Literal["name", "-name", "created_at", "-created_at"] = "name"
    role: Role | None = None
    status: Status | None = None


class KeysQuery(Searching, kw_only=True):
    sort: Literal["name", "-name", "created_at", "-created_at"] = "name"
    role: Role | None = None
    status: Status | None = None


class SessionsQuery(Paging, kw_only=True):
    staff_id: Annotated[StaffId | None, Meta(description="Whose: another's is for admins")] = None


class AuditQuery(Paging, kw_only=True):
    actor: Annotated[Id | None, Meta(description="An API key's id, or a member of staff's")] = None
    object: Annotated[Id | None, Meta(description="The id of the thing that was changed")] = None
    action: Annotated[
        Annotated[str, Meta(max_length=60)] | None,
        Meta(description="`stores.change`, all of `stores`, or `*.export` of anything"),
    ] = None
    first: Annotated[datetime, Meta(tz=True, description="A year back without it")] | None = msgspec.field(
        name="from", default=None
    )
    last: Annotated[datetime, Meta(tz=True, description="Now without it")] | None = msgspec.field(
        name="to", default=None
    )
