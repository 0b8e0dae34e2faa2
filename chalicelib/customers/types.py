"""Customers as doors show them."""

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from chalicelib.platform.lists import Searching
from chalicelib.platform.paging import Id
from chalicelib.platform.userids import fold_fields


class FollowOut(Struct, frozen=True, kw_only=True):
    """`status`: half (not added back yet), active, lost. `added_at`: None when the add never reached us.

    remark: what the guide calls them (备注); `***` for an auditor.
    """

    staff_id: str
    staff_name: str
    added_at: str | None
    status: Literal["half", "active", "lost"]
    remark: str


class CustomerRow(Struct, frozen=True, kw_only=True):
    """`channel`, `live_code_id`: where the customer first came from.

    `external_userid`, `unionid`, `name`: `***` for an auditor, who sees no `avatar` (a picture's address).
    """

    external_userid: str
    unionid: str | None
    name: str
    avatar: str | None
    channel: str | None
    live_code_id: str | None
    follows: list[FollowOut]
    tags: list[str]


class CustomerOut(CustomerRow, frozen=True, kw_only=True):
    rfm: dict[str, Any]
    score: int
    groups: list[str]


class TimelineLine(Struct, frozen=True, kw_only=True):
    """`data`: what the type says of it."""

    type: str
    at: str
    data: dict[str, Any]


class CustomerPatch(Struct, frozen=True, kw_only=True):
    remark: Annotated[str, Meta(max_length=20, description="What the guide calls them, at WeCom too")]
    staff_id: (
        Annotated[Id, Meta(description="Whose remark; default: one's own, else the newest bond's")] | None
    ) = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class CustomersQuery(Searching, kw_only=True):
    """What narrows a long list is read on for: a page may be short, and its cursor goes on from there."""

    staff_id: Annotated[Id, Meta(description="Whose bond with this guide stands")] | None = None
    store_id: Annotated[Id, Meta(description="Whose bond with a guide of this store stands")] | None = None
    tag: Annotated[Id, Meta(description="Who has it: `group/name`")] | None = None
    channel: Annotated[Id, Meta(description="Where they first came from")] | None = None
    live_code_id: Annotated[Id, Meta(description="The code they first came by")] | None = None
    added_from: Annotated[date, Meta(description="First day of their newest add (Asia/Shanghai)")] | None = (
        None
    )
    added_to: Annotated[date, Meta(description="Last day of it, included")] | None = None
    sort: Annotated[Literal["-added_at"], Meta(description="The newest add first")] = "-added_at"

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")
