"""Print runs on the wire."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.platform.paging import Paging, Searching
from chalicelib.printruns.rules import MAX_COUNT

Format = Literal["csv", "pdf", "zip"]
Use = Literal["many", "single"]
MAX_BINDINGS = 1000  # in one call
_Id = Annotated[str, Meta(min_length=1, max_length=64)]
_Colour = Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}\Z")]
_AssetId = Annotated[str, Meta(pattern=r"^as_[0-9a-f]{32}\Z")]
_Text = Annotated[str, Meta(max_length=120, description="Up to 4 lines")]


class Sheet(Struct, frozen=True, kw_only=True):
    """How cards lie on a sheet, and what is on them; for PDF. Lengths in mm; per_page null: as many as fit.

    template_id: a poster template; it then gives the card's size and bleed, its pictures and all else, and
    title and subtitle where they are left out. Without one: picture covers the card, logo is in the code's
    middle (both of POST /api/poster-assets; the brand's where it is left out, null: none), texts are black or
    white by the background (white where it is left out; with a brand's own colours, its first).
    """

    page: Literal["A4", "SRA3"] = "A4"
    card_width_mm: Annotated[float, Meta(ge=25, le=310)] = 90
    card_height_mm: Annotated[float, Meta(ge=25, le=440)] = 54
    per_page: Annotated[int, Meta(ge=1, le=200)] | None = None
    gutter_mm: Annotated[float, Meta(ge=0, le=30)] = 0
    bleed_mm: Annotated[float, Meta(ge=0, le=10)] = 0
    cut_marks: bool = True
    title: _Text | None = None
    subtitle: _Text | None = None
    footer: _Text = ""
    background: _Colour | UnsetType = UNSET
    template_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    picture: _AssetId | None = None
    logo: _AssetId | UnsetType | None = UNSET


class NewPrintRun(Struct, kw_only=True):
    """use: many (anybody may scan a card, any number of times) or single (one person a card).

    prefix: what the printed numbers begin with; one is made up when it is left out. A pdf of more than
    10,000 cards is a ZIP of PDFs of 10,000 each.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    count: Annotated[int, Meta(ge=1, le=MAX_COUNT)]
    format: Format
    use: Use = "many"
    prefix: Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,8}\Z")] | None = None
    sheet: Sheet = Sheet()
    expires_at: Annotated[str, Meta(max_length=40, description="ISO 8601 with its offset")] | None = None


class CardPreview(Struct, kw_only=True):
    """width: pixels of the picture."""

    sheet: Sheet = Sheet()
    width: Annotated[int, Meta(ge=240, le=1600)] = 800


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
    items: Annotated[list[Binding], Meta(min_length=1, max_length=MAX_BINDINGS)]


class Unbinding(Struct, kw_only=True):
    """order_id: unbind only if it is bound to this one; null: whatever it is bound to."""

    order_id: _Id | None = None


class RunsQuery(Searching, kw_only=True):
    live_code_id: Annotated[str, Meta(min_length=1, description="Only this live code's")] | None = None
    sort: Literal["name", "-name", "created_at", "-created_at"] = "-created_at"


class FiguresQuery(Struct, kw_only=True):
    by: Literal["total", "day", "thousand"] = "total"
    format: Annotated[Literal["json", "csv"], Meta(description="csv: a file for a spreadsheet")] = "json"


class CardsQuery(Paging, kw_only=True):
    """Either an order's cards, or a run's."""

    order_id: Annotated[str, Meta(min_length=1, description="The mall's order")] | None = None
    print_run_id: Annotated[str, Meta(min_length=1, description="All cards, by their numbers")] | None = None


class PrintRun(Struct, frozen=True, kw_only=True):
    print_run_id: str
    live_code_id: str
    name: str
    prefix: str
    count: int
    first_card: str
    last_card: str
    use: Use
    sheet: Sheet
    status: Literal["open", "closed", "expired"]
    created_at: str
    expires_at: str | None
    closed_at: str | None
    stats_url: str


class CardName(Struct, frozen=True, kw_only=True):
    """`card`: what is printed beside the code, `W26-000123`."""

    print_run_id: str
    number: int
    card: str


class CardOrder(CardName, frozen=True, kw_only=True):
    """A card and the order that it is bound to; null: to none."""

    order_id: str | None = None
    mall: str | None = None
    batch: str | None = None
    bound_at: str | None = None


class CardDetails(CardOrder, frozen=True, kw_only=True):
    """`used`: whether somebody holds it; null in a run whose cards anybody may scan."""

    url: str
    used: bool | None


class BoundCard(CardName, frozen=True, kw_only=True):
    status: Literal["bound", "unchanged"]
    order_id: str


class Refusal(Struct, frozen=True, kw_only=True):
    status: int
    title: str
    detail: str


class BindResult(Struct, frozen=True, kw_only=True):
    """What became of one of many bindings: `error` says why it was refused. line: of a file."""

    code: str
    line: int | None = None
    status: Literal["bound", "unchanged", "refused"]
    error: Refusal | None = None
    print_run_id: str | None = None
    number: int | None = None
    card: str | None = None
    order_id: str | None = None


class Unbound(Struct, frozen=True, kw_only=True):
    status: Literal["unbound", "unchanged"]


class FiguresRow(Struct, frozen=True, kw_only=True):
    """Of a day, of the cards `from` … `to`, or of the run. `cards`: how many different ones were scanned."""

    day: str | UnsetType = UNSET
    from_: int | UnsetType = msgspec.field(default=UNSET, name="from")
    to: int | UnsetType = UNSET
    scans: int
    cards: int
    adds: int
