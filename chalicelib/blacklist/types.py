"""The blacklist on the wire."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.platform.paging import Id, Paging


class BlacklistQuery(Paging, kw_only=True):
    q: (
        Annotated[str, Meta(max_length=100, description="Part of a name, its pinyin, an id or a reason")]
        | None
    ) = None
    sort: Literal["at", "-at"] = "-at"
    by: (
        Annotated[Id, Meta(description="Who put them on it: a member of staff, or an API key's id")] | None
    ) = None


class BlacklistReason(Struct, kw_only=True, frozen=True):
    reason: Annotated[str, Meta(max_length=200)] = ""


class BlacklistRow(Struct, kw_only=True, frozen=True):
    """Somebody on it. external_userid, name, reason: `***` for an auditor, since they are about a person.

    name: null for who is in a group only, and no customer. by, by_name: who put them on it, a member of staff
    or an API key; null where that is not known.
    """

    external_userid: str
    name: str | None
    reason: str
    at: str
    by: str | None
    by_name: str | None


class TakenOff(Struct, kw_only=True, frozen=True):
    external_userid: str
