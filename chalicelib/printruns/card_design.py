"""The card that a sheet describes, as a template of the posters' kind; pure. Or the template that it names.

Lengths in mm, from the card's upper left corner.
"""

import math

from msgspec import UNSET
from msgspec.structs import replace

from chalicelib.brand.rules import DEFAULT_COLOURS, Look
from chalicelib.posters import qr_rules
from chalicelib.posters.line_breaking import LINES_KEPT
from chalicelib.posters.rules import DPI, MM_PER_INCH
from chalicelib.posters.types import Background, Layer, Qr, Rect, Template, Text
from chalicelib.printruns.types import Sheet

PAD = 4.0  # between a card's cut and anything on it
LABEL = 4.5  # the line of the number under the code
TITLE, SUBTITLE = "微信扫一扫", "添加您的专属顾问"  # of a card that has no words of its own
_INK, _PAPER = "#000000", "#FFFFFF"
_POINT = MM_PER_INCH / 72
_TITLE, _SUBTITLE, _FOOTER, _NUMBER = (points * _POINT for points in (15.0, 10.0, 7.0, 8.0))
_SMALLEST = 5 * _POINT  # a text that does not fit at this size loses its end
_LEADING = 1.35
_LINES = 4
_LANDSCAPE = 1.2  # a card this much wider than high has its texts beside the code
_TITLE_SHARE = 0.55  # of the room for texts, at most
_FOOTER_SHARE = 0.18
_RADIUS, _FRAME = 1.5, 1.2  # of the light field around code and number; how far it reaches beyond them
_GAP = 2.0  # between that and texts below it
_DARK = 0.35  # of a ground's luminance: on a darker one texts are white


def design(sheet: Sheet) -> Template:
    """The card of a sheet that names no template."""
    width, height = sheet.card_width_mm, sheet.card_height_mm
    place = _beside if width >= _LANDSCAPE * height else _below
    return Template(
        name="card",
        unit="mm",
        width=width,
        height=height,
        bleed_mm=sheet.bleed_mm,
        background=Background(sheet.background or _PAPER, asset_id=sheet.picture),
        title=sheet.title or "",
        subtitle=sheet.subtitle or "",
        layers=place(sheet, width, height),
    )


def with_template(sheet: Sheet, template: Template | None) -> Sheet:
    """The sheet with all that its template says, or else with the words that a card has."""
    given: dict[str, object] = {name: getattr(sheet, name) for name in sheet.__struct_fields__}
    if template is None:
        given["title"] = TITLE if sheet.title is None else sheet.title
        given["subtitle"] = SUBTITLE if sheet.subtitle is None else sheet.subtitle
        return Sheet(**given)  # type: ignore[arg-type]
    scale = millimetres(template)
    given["title"] = template.title if sheet.title is None else sheet.title
    given["subtitle"] = template.subtitle if sheet.subtitle is None else sheet.subtitle
    given["card_width_mm"], given["card_height_mm"] = template.width * scale, template.height * scale
    given["bleed_mm"] = template.bleed_mm
    return Sheet(**given)  # type: ignore[arg-type]


def millimetres(template: Template) -> float:
    """Of a template's unit; one in pixels is at 300 dpi."""
    return 1.0 if template.unit == "mm" else MM_PER_INCH / DPI


def with_words(card: Template, sheet: Sheet) -> Template:
    """A card of the sheet's own design whose footer, which no poster has, stands in it as it is."""
    layers = [
        replace(layer, value=sheet.footer) if isinstance(layer, Text) and layer.value == "{footer}" else layer
        for layer in card.layers
    ]
    return replace(card, layers=tuple(layers))


def in_look(sheet: Sheet, look: Look, logo: str | None) -> Sheet:
    """A sheet of its own design, with the brand's colour and logo (a picture's id) where it names none."""
    given: dict[str, object] = {name: getattr(sheet, name) for name in sheet.__struct_fields__}
    if sheet.background is UNSET:
        given["background"] = _PAPER if look.colours == DEFAULT_COLOURS else look.colours[0]
    if sheet.logo is UNSET:
        given["logo"] = logo
    return Sheet(**given)  # type: ignore[arg-type]


def qr_side(sheet: Sheet) -> float:
    """The code's square on a card of the sheet's own design."""
    return next(layer.size for layer in design(sheet).layers if isinstance(layer, Qr))


def _beside(sheet: Sheet, width: float, height: float) -> tuple[Layer, ...]:
    side = min(height - 2 * PAD - LABEL, width * 0.6 - PAD)
    x, y = width - PAD - side, (height - side - LABEL) / 2
    room = width - side - 3 * PAD
    return (*_code(sheet, x, y, side), *_texts(sheet, PAD, PAD, room, height - 2 * PAD, "left"))


def _below(sheet: Sheet, width: float, height: float) -> tuple[Layer, ...]:
    side = min(width - 2 * PAD, (height - 2 * PAD - LABEL) * 0.62)
    x, top = (width - side) / 2, PAD + side + LABEL + _GAP
    room = height - PAD - top
    return (*_code(sheet, x, PAD, side), *_texts(sheet, PAD, top, width - 2 * PAD, room, "center"))


def _code(sheet: Sheet, x: float, y: float, side: float) -> tuple[Layer, ...]:
    """The code and its number, on one light field."""
    return (
        Rect(x - _FRAME, y - _FRAME, side + 2 * _FRAME, side + LABEL + 2 * _FRAME, _PAPER, _RADIUS),
        Qr(x, y, side, _INK, _PAPER, logo=sheet.logo or None),
        Text("{run_number}", x, y + side, side, LABEL, _NUMBER, _INK, _SMALLEST / 2, leading=1.2),
    )


def _texts(sheet: Sheet, x: float, y: float, width: float, height: float, align: str) -> list[Layer]:
    """Title, subtitle and footer below one another; the title takes what it needs at its full size."""
    ink = _INK if qr_rules.luminance(sheet.background or _PAPER) > _DARK else _PAPER
    footer = height * _FOOTER_SHARE if sheet.footer else 0.0
    title = 0.0
    if sheet.title:
        wanted = _count_lines(sheet.title, width / _TITLE) * _TITLE * _LEADING
        title = min(wanted, height * _TITLE_SHARE)
    wanted_by_name = (
        ("title", y, title, _TITLE, "top", 0.012),
        ("subtitle", y + title, height - title - footer, _SUBTITLE, "top", 0),
        ("footer", y + height - footer, footer, _FOOTER, "bottom", 0),
    )
    return [
        Text(
            f"{{{name}}}",
            x,
            top,
            width,
            tall,
            size,
            ink,
            min(_SMALLEST, tall / _LEADING),
            _LINES,
            align=align,  # type: ignore[arg-type]
            valign=valign,  # type: ignore[arg-type]
            leading=_LEADING,
            weight=weight,
        )
        for name, top, tall, size, valign, weight in wanted_by_name
        if getattr(sheet, name) and tall > 0
    ]


def _count_lines(text: str, width: float) -> int:
    """About how many lines of `width` em the text takes."""
    widths = [sum(1 if ord(c) > 0x2E7F else 0.55 for c in line) for line in text.split("\n")]
    if len(widths) > 1 and max(widths) * LINES_KEPT <= width:
        return len(widths)
    return sum(max(1, math.ceil(wide / width)) for wide in widths)
