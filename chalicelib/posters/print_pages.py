"""What goes to a printer, drawn with ReportLab: pages with their boxes, codes as one path, cut marks.

For posters and for sheets of cards alike. All in points, from the page's lower left. ReportLab is in
layers/typesetting. What it would do by default and a print shop would not like is turned off here: a
mention of a font that is not embedded, and streams as text.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from reportlab import rl_config  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from chalicelib.platform import settings

MM = 72 / 25.4
NUMBERS = "Vera"  # the font of cards' numbers, embedded; it comes with ReportLab
_HAIRLINE = 0.25
_CHINA = timezone(timedelta(hours=8))
_DARK = re.compile(rb"\x01+")

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
Line = tuple[float, float, float, float]
"""x, y, x2, y2."""

rl_config.useA85 = 0
pdfmetrics.registerFont(TTFont(NUMBERS, "Vera.ttf"))


class About(Struct, frozen=True):
    """What a PDF says of itself. made_at: of its content, so that the same content is the same bytes."""

    title: str
    author: str
    made_at: datetime


def brand() -> str:
    """Whose prints these are: the brand's name, or its host."""
    return settings.env("BRAND_NAME", urlsplit(settings.env("PUBLIC_BASE_URL", "https://millrace")).hostname)


def document(out: Any, about: About, page: tuple[float, float], trim: Box, bleed: Box) -> Any:
    """A PDF to draw on, page by page (`showPage`), and to `save` into the file `out`.

    The same drawing gives the same bytes.
    """
    canvas = Canvas(
        out,
        page,
        pageCompression=1,
        invariant=1,
        initialFontName=NUMBERS,
        trimBox=trim,
        bleedBox=bleed,
    )
    canvas.setTitle(about.title)
    canvas.setSubject(about.title)
    canvas.setAuthor(about.author)
    canvas.setCreator(about.author)
    canvas.setProducer("Millrace")
    made_at = f"D:{about.made_at.astimezone(_CHINA):%Y%m%d%H%M%S}+08'00'"
    canvas.setDateFormatter(lambda *_: made_at)
    return canvas


def draw_code(canvas: Any, rows: Sequence[bytes], x: float, top: float, module: float, colour: str) -> None:
    """A code's dark modules (1 in `rows`) as one path: what runs on in a row is one rectangle, and no
    viewer shows seams between rows."""
    canvas.saveState()
    canvas.translate(x, top)
    canvas.scale(module, -module)
    canvas.setFillColor(colour)
    path = canvas.beginPath()
    for y, row in enumerate(rows):
        for dark in _DARK.finditer(row):
            path.rect(dark.start(), y, dark.end() - dark.start(), 1)
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.restoreState()


def measure_number(label: str) -> float:
    """A card's number's width in em."""
    return float(pdfmetrics.stringWidth(label, NUMBERS, 1))


def draw_marks(canvas: Any, lines: Iterable[Line]) -> None:
    """Where to cut: black hairlines."""
    canvas.setLineWidth(_HAIRLINE)
    canvas.lines(list(lines))
