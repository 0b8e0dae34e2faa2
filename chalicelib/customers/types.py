"""Customers as doors show them."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from chalicelib.platform.lists import Paging
from chalicelib.platform.paging import Id
from chalicelib.platform.userids import fold_fields


class FollowOut(Struct, frozen=True, kw_only=True):
    """`status`: half (not added back yet), active, lost. `added_at`: None when the add never reached us."""

    staff_id: str
    added_at: str | None
    status: Literal["half", "active", "lost"]


class CustomerRow(Struct, frozen=True, kw_only=True):
    """`channel`, `live_code_id`: where the customer first came from.

    `external_userid`, `unionid`, `name`: `***` for an auditor.
    """

    external_userid: str
    unionid: str | None
    name: str
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


class CustomersQuery(Paging, kw_only=True):
    staff_id: Annotated[Id, Meta(description="Whose bond with this guide stands")] | None = None
    store_id: Annotated[Id, Meta(description="Whose bond with a guide of this store stands")] | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")
