"""Views as doors take and show them."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.platform.lists import Searching

Name = Annotated[str, Meta(min_length=1, max_length=60)]
Query = Annotated[
    str, Meta(max_length=2000, description="As in the list's address, e.g. `status=open&sort=name`")
]
ListName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z-]{0,40}(/[a-z-]{1,40})?\Z",
        description="Its path behind /api/, e.g. `live-codes`",
    ),
]


class NewView(Struct, kw_only=True, frozen=True):
    list: ListName
    name: Name
    query: Query
    shared: Annotated[bool, Meta(description="Seen by colleagues of the same scope, too")] = False


class ViewPatch(Struct, kw_only=True, frozen=True):
    name: Name | UnsetType = UNSET
    query: Query | UnsetType = UNSET
    shared: bool | UnsetType = UNSET


class View(Struct, kw_only=True, frozen=True):
    """`owner`: who made it, by name; `mine`: whether that is the caller. `can_change`: so may an admin."""

    view_id: str
    list: str
    name: str
    query: str
    shared: bool
    owner: str
    mine: bool
    can_change: bool
    created_at: str


class DeletedView(Struct, kw_only=True, frozen=True):
    view_id: str


class ViewsQuery(Searching, kw_only=True):
    list: ListName | None = None
