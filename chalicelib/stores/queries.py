"""What a list of stores is asked by."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chalicelib.platform.paging import Searching
from chalicelib.stores.types import City, Status

_Name = Annotated[str, Meta(min_length=1, max_length=100)]


class StoresQuery(Searching, kw_only=True):
    """`q`: in name, id and city."""

    sort: Literal["name", "-name"] = "name"
    city: City | None = None
    status: Status | None = None
    guides: Annotated[Literal["some", "none"], Meta(description="Whether it has any guides")] | None = None


class ImportQuery(Struct, kw_only=True):
    """Columns that are called otherwise than usual, by their names in the file; `-`: there is none."""

    store_id: _Name | None = None
    name: _Name | None = None
    latitude: _Name | None = None
    longitude: _Name | None = None
    datum: _Name | None = None
    city: _Name | None = None
    address: _Name | None = None
    staff_ids: _Name | None = None
    chat_ids: _Name | None = None
    hours: _Name | None = None
    status: _Name | None = None
    dry_run: Annotated[bool, Meta(description="Say what would be imported, and write nothing")] = False

    @property
    def named(self) -> dict[str, str | None]:
        return {name: getattr(self, name) for name in self.__struct_fields__ if name != "dry_run"}
