"""Print runs on the wire."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from chalicelib.printruns.rules import MAX_COUNT

Format = Literal["csv", "pdf", "zip"]
_Id = Annotated[str, Meta(min_length=1, max_length=64)]
_Colour = Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}\Z")]
_Text = Annotated[str, Meta(max_length=120, description="Up to 4 lines")]


class Sheet(Struct, kw_only=True):
    """How cards lie on a sheet. Lengths in mm; per_page null: as many as fit. Only for PDF."""

    page: Literal["A4", "SRA3"] = "A4"
    card_width_mm: Annotated[float, Meta(ge=25, le=310)] = 90
    card_height_mm: Annotated[float, Meta(ge=25, le=440)] = 54
    per_page: Annotated[int, Meta(ge=1, le=200)] | None = None
    gutter_mm: Annotated[float, Meta(ge=0, le=30)] = 0
    bleed_mm: Annotated[float, Meta(ge=0, le=10)] = 0
    cut_marks: bool = True
    title: _Text = "微信扫一扫"
    subtitle: _Text = "添加您的专属顾问"
    footer: _Text = ""
    background: _Colour = "#FFFFFF"


class NewPrintRun(Struct, kw_only=True):
    """use: many (anybody may scan a card, any number of times) or single (one person a card).

    prefix: what the printed numbers begin with; one is made up when it is left out. A pdf of more than
    10,000 cards is a ZIP of PDFs of 10,000 each.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    count: Annotated[int, Meta(ge=1, le=MAX_COUNT)]
    format: Format
    use: Literal["many", "single"] = "many"
    prefix: Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,8}\Z")] | None = None
    sheet: Sheet = msgspec.field(default_factory=Sheet)
    expires_at: Annotated[str, Meta(max_length=40, description="ISO 8601 with its offset")] | None = None


class NewFile(Struct, kw_only=True):
    """sheet null: the run's own."""

    format: Format
    sheet: Sheet | None = None


class Order(Struct, kw_only=True):
    """The mall's order that a card travels with. rebind: also when the card is bound to another."""

    order_id: _Id
    mall: _Id | None = None
    batch: _Id | None = None
    rebind: bool = False


class Binding(Order, kw_only=True):
    """code: the card's link, its token, or the number printed beside it."""

    code: Annotated[str, Meta(min_length=1, max_length=500)]


class Bindings(Struct, kw_only=True):
    items: Annotated[list[Binding], Meta(min_length=1, max_length=1000)]


class Unbinding(Struct, kw_only=True):
    """order_id: unbind only if it is bound to this one; null: whatever it is bound to."""

    order_id: _Id | None = None
