"""A poster template, on the wire and in the house alike, and the bodies of the posters' doors.

Lengths are in the template's unit, from the upper left corner of the trimmed page: pixels for a phone,
millimetres for print. Layers are drawn in their order.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.platform.paging import Page, Searching
from chalicelib.platform.userids import fold_fields

MAX_POSTERS = 5000  # in one batch
_Colour = Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}\Z", description="#RRGGBB")]
_Place = Annotated[float, Meta(ge=-10_000, le=10_000)]
_Length = Annotated[float, Meta(gt=0, le=10_000)]
_Radius = Annotated[float, Meta(ge=0, le=10_000)]
_AssetId = Annotated[str, Meta(pattern=r"^as_[0-9a-f]{32}\Z", description="POST /api/poster-assets gave it")]
_Words = Annotated[str, Meta(max_length=200)]
_LiveCodeId = Annotated[str, Meta(min_length=1, max_length=64)]
_Id = Annotated[str, Meta(min_length=1, max_length=64)]
_Url = Annotated[str, Meta(max_length=500)]

Face = Literal["sans", "serif"]
Shown = Literal["always", "staff", "no_staff", "store", "no_store"]


class _Layer(Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """`shown`: only on posters with (without) a guide's or a store's name."""


class Rect(_Layer, frozen=True, tag="rect"):
    """A filled rectangle; `radius` rounds its corners."""

    x: _Place
    y: _Place
    width: _Length
    height: _Length
    fill: _Colour
    radius: _Radius = 0
    shown: Shown = "always"


class Disc(_Layer, frozen=True, tag="disc"):
    """A filled circle around (x, y)."""

    x: _Place
    y: _Place
    radius: _Length
    fill: _Colour
    shown: Shown = "always"


class Text(_Layer, frozen=True, tag="text"):
    """Text in a box, as large as fits between `size` and `min_size`, then cut with an ellipsis.

    `value` may hold {title}, {subtitle}, {staff_name}, {initial}, {store_name}, {code_name} and
    {run_number}. `weight` thickens the strokes, `tracking` spaces the characters, `gap` stands between
    Chinese and Latin, all in em; `leading` is the line's height in em. `squeeze`: full-width
    punctuation loses its blank half at a line's ends.
    """

    value: Annotated[str, Meta(min_length=1, max_length=500)]
    x: _Place
    y: _Place
    width: _Length
    height: _Length
    size: _Length
    colour: _Colour
    min_size: _Radius = 0
    max_lines: Annotated[int, Meta(ge=1, le=20)] = 1
    face: Face = "sans"
    align: Literal["left", "center", "right"] = "center"
    valign: Literal["top", "middle", "bottom"] = "middle"
    leading: Annotated[float, Meta(ge=1, le=3)] = 1.4
    weight: Annotated[float, Meta(ge=0, le=0.1)] = 0
    tracking: Annotated[float, Meta(ge=-0.1, le=1)] = 0
    gap: Annotated[float, Meta(ge=0, le=0.5)] = 0.125
    squeeze: bool = True
    shown: Shown = "always"


class Qr(_Layer, frozen=True, tag="qr"):
    """A square of `light` with the code in it, `quiet` light modules within the square around the code.

    align: left puts it flush with the square's left and bottom edges, where whole pixels leave some over.
    logo: in the middle, `logo_side` of the code's side; the code then bears 30 % of damage instead of 15.
    """

    x: _Place
    y: _Place
    size: _Length
    dark: _Colour = "#000000"
    light: _Colour = "#FFFFFF"
    align: Literal["left", "center"] = "center"
    quiet: Annotated[int, Meta(ge=0, le=10)] = 4
    logo: _AssetId | None = None
    logo_side: Annotated[float, Meta(ge=0.1, le=0.6)] = 0.22
    shown: Shown = "always"


class Picture(_Layer, frozen=True, tag="picture"):
    """An uploaded picture that covers its box, or is contained in it; `radius` rounds the box's corners."""

    asset_id: _AssetId
    x: _Place
    y: _Place
    width: _Length
    height: _Length
    fit: Literal["cover", "contain"] = "cover"
    radius: _Radius = 0
    shown: Shown = "always"


class Avatar(_Layer, frozen=True, tag="avatar"):
    """The guide's picture in a circle; without one, the name's first character on a disc."""

    x: _Place
    y: _Place
    size: _Length
    fill: _Colour = "#0F6A51"
    colour: _Colour = "#FFFFFF"
    shown: Shown = "staff"


Layer = Rect | Disc | Text | Qr | Picture | Avatar


class Background(Struct, frozen=True, forbid_unknown_fields=True):
    """One colour, a gradient from it at the top `to` another at the bottom, or a picture that covers all."""

    colour: _Colour = "#FFFFFF"
    to: _Colour | None = None
    asset_id: _AssetId | None = None


class Template(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A poster's design. `unit` px: for phones. mm: for print at 300 dpi, with `bleed_mm` beyond the trim.

    title, subtitle: what stands there when a poster brings none of its own.
    """

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    width: _Length
    height: _Length
    unit: Literal["px", "mm"] = "px"
    bleed_mm: Annotated[float, Meta(ge=0, le=10)] = 0
    background: Background = Background()
    layers: Annotated[tuple[Layer, ...], Meta(min_length=1, max_length=60)]
    title: _Words = ""
    subtitle: _Words = ""

    @property
    def texts(self) -> tuple[Text, ...]:
        return tuple(layer for layer in self.layers if isinstance(layer, Text))

    @property
    def shapes(self) -> tuple[Rect | Disc, ...]:
        return tuple(layer for layer in self.layers if isinstance(layer, (Rect, Disc)))

    @property
    def qrs(self) -> tuple[Qr, ...]:
        return tuple(layer for layer in self.layers if isinstance(layer, Qr))

    @property
    def qr(self) -> Qr:
        return self.qrs[0]

    @property
    def asset_ids(self) -> dict[str, str]:
        """Uploaded pictures, by the field that names them."""
        by_field = {"background.asset_id": self.background.asset_id}
        for number, layer in enumerate(self.layers):
            if isinstance(layer, Picture):
                by_field[f"layers[{number}].asset_id"] = layer.asset_id
            elif isinstance(layer, Qr):
                by_field[f"layers[{number}].logo"] = layer.logo
        return {field: asset_id for field, asset_id in by_field.items() if asset_id}


class Sample(Struct, kw_only=True, forbid_unknown_fields=True):
    """The words of a preview. What is not given is made up."""

    title: _Words = ""
    subtitle: _Words = ""
    staff_name: _Words = "李晓华"
    store_name: _Words = "静安寺店"
    code_name: _Words = "会员码"
    run_number: _Words = "A000-0001234"
    url: _Url | None = None
    width: Annotated[int, Meta(ge=240, le=4096)] | None = None


class Preview(Struct, kw_only=True, forbid_unknown_fields=True):
    template: Template
    sample: Sample = msgspec.field(default_factory=Sample)


class PreviewStored(Struct, kw_only=True, forbid_unknown_fields=True):
    sample: Sample = msgspec.field(default_factory=Sample)


class PosterTemplatePatch(Struct, kw_only=True):
    """A JSON merge patch (RFC 7396): what is named is changed, null gives the default, lists are replaced."""

    name: Any | UnsetType = UNSET
    width: Any | UnsetType = UNSET
    height: Any | UnsetType = UNSET
    unit: Any | UnsetType = UNSET
    bleed_mm: Any | UnsetType = UNSET
    background: Any | UnsetType = UNSET
    layers: Any | UnsetType = UNSET
    title: Any | UnsetType = UNSET
    subtitle: Any | UnsetType = UNSET


class NewPosterBatch(Struct, kw_only=True, forbid_unknown_fields=True):
    """One poster for each code, or of one code for each guide, or for each store.

    avatars: address of a guide's picture at WeCom by staff_id.
    """

    template: Annotated[str, Meta(max_length=64)] = "classic"
    format: Literal["png", "jpg", "pdf"] = "png"
    width: Annotated[int, Meta(ge=240, le=4096)] | None = None
    title: _Words = ""
    subtitle: _Words = ""
    live_code_ids: Annotated[list[_LiveCodeId], Meta(min_length=1, max_length=MAX_POSTERS)] | None = None
    live_code_id: _LiveCodeId | None = None
    staff_ids: Annotated[list[_Id], Meta(min_length=1, max_length=MAX_POSTERS)] | Literal["all"] | None = None
    store_ids: Annotated[list[_Id], Meta(min_length=1, max_length=MAX_POSTERS)] | Literal["all"] | None = None
    avatars: Annotated[dict[_Id, _Url], Meta(max_length=MAX_POSTERS)] = {}

    def __post_init__(self) -> None:
        fold_fields(self, "staff_ids")


class PosterQuery(Struct, kw_only=True):
    template: Annotated[str, Meta(description="The poster's template")] = ""
    staff_id: Annotated[str, Meta(description="Whose name stands on it, and whom its code prefers")] = ""
    store_id: Annotated[str, Meta(description="Likewise a store (nearest_store), instead of a guide")] = ""
    title: Annotated[str, Meta(description="Instead of the template's")] = ""
    subtitle: Annotated[str, Meta(description="Instead of the template's")] = ""
    avatar_url: Annotated[str, Meta(description="The guide's picture, at WeCom's hosts")] = ""

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class PictureQuery(PosterQuery, kw_only=True):
    width: Annotated[int, Meta(ge=240, le=4096, description="Pixels")] | UnsetType = UNSET


class JpegQuery(PictureQuery, kw_only=True):
    quality: Annotated[int, Meta(ge=40, le=95)] | UnsetType = UNSET


class TemplatesQuery(Searching, kw_only=True):
    sort: Literal["name", "-name", "created_at", "-created_at"] = "-created_at"


class StoredTemplate(Template, frozen=True, kw_only=True):
    """A template with its id; a built-in one has neither times nor a version, since it never changes.

    can_change: whether who asks may change it: it was made within their scope.
    """

    template_id: str
    built_in: bool
    can_change: bool
    created_at: str | UnsetType = UNSET
    updated_at: str | UnsetType = UNSET
    version: int | UnsetType = UNSET


class TemplatePage(Page[StoredTemplate], kw_only=True):
    """`built_in`: ids of the templates that are always there."""

    built_in: list[str]


class DeletedTemplate(Struct, frozen=True, kw_only=True):
    template_id: str
    status: Literal["deleted"] = "deleted"


class PosterFile(Struct, frozen=True, kw_only=True):
    """A poster: its bytes, or the `url` of a file that no answer holds.

    left_out: emoji that were not printed, by the field that had them.
    """

    content_type: str
    left_out: dict[str, str] = {}
    body: bytes = b""
    url: str | None = None


class Asset(Struct, frozen=True, kw_only=True):
    """A picture that templates may use."""

    asset_id: str
    width: int
    height: int
    bytes: int


class BrandFile(Asset, frozen=True, kw_only=True):
    """The same as a picture of the brand: `file`, its name where pages find it."""

    file: str
