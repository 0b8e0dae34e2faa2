"""Coupon pools on the wire."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.platform.paging import Searching


class NewPool(Struct, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    expires_at: Annotated[str, Meta(max_length=40, description="ISO 8601 with its offset")] | None = None


class PoolPatch(Struct, kw_only=True):
    """A JSON merge patch (RFC 7396)."""

    name: Any | UnsetType = UNSET
    expires_at: Any | UnsetType = UNSET


class PoolsQuery(Searching, kw_only=True):
    sort: Literal["name", "-name", "created_at", "-created_at"] = "-created_at"


class Pool(Struct, frozen=True, kw_only=True):
    """`left`: codes that nobody has yet. `low`: under a twentieth of what was loaded, or under 100."""

    pool_id: str
    name: str
    version: int
    created_at: str
    expires_at: str | None
    loaded: int
    given: int
    left: int
    low: bool


class Upload(Struct, frozen=True, kw_only=True):
    """What became of an upload: `added` codes are new to the pool, `known` ones were there."""

    received: int
    added: int
    known: int


class FilledPool(Pool, frozen=True, kw_only=True):
    """The pool after an upload, and what became of that."""

    received: int
    added: int
    known: int


class PoolClaim(Struct, frozen=True, kw_only=True):
    """Who has a code of a pool since when; `code` is its end alone."""

    external_userid: str
    at: str
    code: str
