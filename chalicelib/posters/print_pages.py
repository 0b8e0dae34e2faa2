"""What goes to a printer, drawn with ReportLab: pages with their boxes, codes as one path, cut marks.

For posters and for sheets of cards alike. All in points, from the page's lower left. ReportLab is in
layers/typesetting. What it would do by default and a print shop would not like is turned off here: a
mention of a font that is not embedded, and streams as text.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from reportlab import rl_config  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

MM = 72 / 25.4
NUMBERS = "Vera"  # the font of cards' numbers, embedded; it comes with ReportLab
_HAIRLINE = 0.25
_DARK = re.compile(rb"\x01+")

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
Line = tuple[float, float, float, float]
"""x, y, x2, y2."""

rl_config.useA85 = 0
pdfmetrics.registerFont(TTFont(NUMBERS, "Vera.ttf"))


def document(out: Any, title: str, page: tuple[float, float], trim: Box, bleed: Box) -> Any:
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
    canvas.setTitle(title)
    canvas.setCreator("Millrace")
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


def draw_marks(canvas: Any, lines: Iterable[Line]) -> None:
    """Where to cut: black hairlines."""
    canvas.setLineWidth(_HAIRLINE)
    canvas.lines(list(lines))
