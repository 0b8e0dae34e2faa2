"""What lists of SOPs and touches can be asked."""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.platform.lists import Paging, Searching
from chalicelib.platform.paging import Id
from chalicelib.platform.userids import fold_fields
from chalicelib.sops.types import Status, TouchStatus


class SopsQuery(Searching, kw_only=True):
    sort: Literal["created_at", "-created_at", "name", "-name"] = "-created_at"
    status: Status | None = None


class TouchesQuery(Paging, kw_only=True):
    """Who is kept to no scope names an SOP, a customer or a guide."""

    sop_id: Annotated[Id, Meta(description="Of this SOP")] | None = None
    external_userid: Annotated[Id, Meta(description="Of this customer")] | None = None
    staff_id: Annotated[Id, Meta(description="Sent by this guide")] | None = None
    status: TouchStatus | None = None
    step_id: Annotated[Id, Meta(description="Of this step")] | None = None
    reason: Annotated[Id, Meta(description="Skipped or failed because of this")] | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")
