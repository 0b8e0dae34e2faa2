"""What an export is asked for."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class NewExport(Struct, kw_only=True, frozen=True):
    list: Annotated[
        str, Meta(min_length=1, max_length=300, description="Its path behind /api/, e.g. `live-codes`")
    ]
    format: Literal["csv", "xlsx"]
    query: Annotated[
        str, Meta(max_length=4000, description="As in its address, e.g. `status=open&sort=name`")
    ] = ""
