"""What a customer's tags are changed by."""

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.platform.paging import Id
from chalicelib.platform.userids import fold_fields

_Names = Annotated[
    list[str], Meta(max_length=20, description="group/name each; what WeCom lacks is made there")
]


class TagsPatch(Struct, frozen=True, kw_only=True):
    add: _Names = []
    remove: _Names = []
    staff_id: Annotated[Id, Meta(description="On whose bond; default: one's own, else the newest")] | None = (
        None
    )

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class CustomerTags(Struct, frozen=True, kw_only=True):
    tags: list[str]
