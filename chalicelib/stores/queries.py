"""What a list of stores is asked by."""

from typing import Literal

from chalicelib.platform.paging import Searching
from chalicelib.stores.types import City, Status


class StoresQuery(Searching, kw_only=True):
    """`q`: in name, id and city."""

    sort: Literal["name", "-name"] = "name"
    city: City | None = None
    status: Status | None = None
