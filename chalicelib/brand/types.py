"""The brand kit on the wire."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from chalicelib.brand.rules import DEFAULT_COLOURS

_Colour = Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}\Z", description="#RRGGBB")]
_Colours = Annotated[
    list[_Colour],
    Meta(
        min_length=2,
        max_length=2,
        description="Of buttons, links and codes; and of the fields that these stand on",
    ),
]
_Url = Annotated[str, Meta(min_length=1, max_length=500, description="POST /api/brand/pictures gave it")]


class Brand(Struct, frozen=True, kw_only=True):
    """What customers see on pages, posters and cards."""

    name: Annotated[str, Meta(max_length=40)] = ""
    logo_url: _Url | None = None
    colors: _Colours = msgspec.field(default_factory=lambda: [*DEFAULT_COLOURS])
    avatar_url: _Url | None = None


class BrandPicture(Struct, frozen=True, kw_only=True):
    """A picture of the brand: `url` is good for logo_url and avatar_url, `asset_id` for templates."""

    url: str
    asset_id: str
    width: int
    height: int
    bytes: int
