"""What a list of staff is asked by."""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.platform.paging import Searching


class StaffQuery(Searching, kw_only=True):
    """`q`: in name and id."""

    sort: Literal["name", "-name"] = "name"
    status: Annotated[int, Meta(ge=1, le=5, description="WeCom's, as in the rows")] | None = None
    store_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
