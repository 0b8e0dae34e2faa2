"""A scan on the wire."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Location(Struct, kw_only=True):
    """Where the person is, or the store they chose."""

    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None
    datum: Literal["gcj02", "wgs84"] = "gcj02"
    store_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class ScanOut(Struct, kw_only=True):
    """What a scan gets."""

    assignment_id: str | None
    kind: Literal["staff", "group", "choose_store", "closed"]
    staff_id: str | None
    chat_id: str | None
    store_id: str | None
    qr_url: str | None
    expires_at: str | None
