"""A scan on the wire."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Location(Struct, kw_only=True, frozen=True):
    """Where the person is, or the store they chose."""

    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    datum: Literal["gcj02", "wgs84"] = "gcj02"
    store_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class ScanOut(Struct, kw_only=True, frozen=True):
    """What a scan gets."""

    assignment_id: str | None
    kind: Literal["staff", "group", "choose_store", "closed"]
    staff_id: str | None
    chat_id: str | None
    store_id: str | None
    qr_url: str | None
    expires_at: str | None


class ScanQuery(Struct, kw_only=True):
    """Whatever a link says, a person who scans is served: nothing here can be wrong."""

    via: Annotated[str, Meta(description="Where the link stands, e.g. website: kept with the assignment")] = (
        ""
    )
    ad: Annotated[str, Meta(description="The click of an ad whose page leads here")] = ""
    g: Annotated[str, Meta(description="Whose own poster it is: a guide or a store, signed")] = ""
    store_id: Annotated[str, Meta(description="The store that was chosen (nearest_store)")] = ""
    city: Annotated[str, Meta(description="Choose among its stores")] = ""
    q: Annotated[str, Meta(description="Choose among stores with this in their name")] = ""
    page: Annotated[str, Meta(description="Of the stores to choose from")] = ""
    choose: Annotated[str, Meta(description="Choose a store although one has a guide already")] = ""
