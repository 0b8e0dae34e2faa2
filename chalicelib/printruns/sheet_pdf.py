"""Sheets of cards as a PDF, of up to 10,000 cards: a thousand pages, which ReportLab holds in 40 MB.

What is the same on all cards is drawn once and shown on each. Texts are outlines; only the number under
each code is text, in an embedded font, so that a card can be searched for.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chalicelib.posters import print_pages
from chalicelib.posters.print_pages import MM
from chalicelib.posters.typeset import balanced, shortened
from chalicelib.printruns.outlined_font import Font
from chalicelib.printruns.sheet_layout import QUIET, Box, Face, Words, face, grid
from chalicelib.printruns.types import Sheet

_INK, _PAPER = "#000000", "#FFFFFF"
_SMALLEST = 5.0  # points: a text that does not fit at this size loses its end
_STEPS = 8  # of a text's size on the way down to that
_LEADING = 1.35
_LABEL_SIZE = 8.0
_DARK = 0.55  # of a background's light: under it texts are white
_NON_ZERO = 1  # PDF's rule of what is inside of an outline, as CFF has it
_CARD, _MARKS = "card", "marks"

Matrix = Sequence[bytes]  # rows of modules, 1 dark


def document(sheet: Sheet, cards: Iterable[tuple[str, Matrix]], font: Font, title: str) -> bytes:
    """The PDF of cards: (number, the code's modules). Invalid for a character that the font lacks."""
    where, of_card = grid(sheet), face(sheet)
    font.check("".join(line for words in of_card.texts for line in words.lines))
    page = where.page[0] * MM, where.page[1] * MM
    out = io.BytesIO()
    canvas = print_pages.document(out, title, page, _points(where.trim, 0), _points(where.trim, where.bleed))
    canvas.beginForm(_MARKS, 0, 0, *page)
    print_pages.draw_marks(canvas, [(x * MM, y * MM, x2 * MM, y2 * MM) for x, y, x2, y2 in where.marks])
    canvas.endForm()
    canvas.beginForm(_CARD, *_points(Box(0, 0, *where.card), where.bleed))
    _draw_face(canvas, sheet, of_card, where.card, where.bleed, font)
    canvas.endForm()
    for number, (label, modules) in enumerate(cards):
        place = number % len(where.corners)
        if place == 0:
            if number:
                canvas.showPage()
            canvas.doForm(_MARKS)
        _draw_card(canvas, of_card, where.corners[place], label, modules)
    canvas.save()
    return out.getvalue()


def _draw_card(canvas: Any, of_card: Face, corner: tuple[float, float], label: str, modules: Matrix) -> None:
    qr, place = of_card.qr, of_card.label
    canvas.saveState()
    canvas.translate(corner[0] * MM, corner[1] * MM)
    canvas.doForm(_CARD)
    size = min(_LABEL_SIZE, place.width * MM / canvas.stringWidth(label, print_pages.NUMBERS, 1))
    canvas.setFont(print_pages.NUMBERS, size)
    canvas.setFillColor(_INK)
    canvas.drawCentredString((place.x + place.width / 2) * MM, (place.y + place.height * 0.3) * MM, label)
    module = qr.width * MM / (len(modules) + 2 * QUIET)
    inset = QUIET * module
    print_pages.draw_code(canvas, modules, qr.x * MM + inset, (qr.y + qr.height) * MM - inset, module, _INK)
    canvas.restoreState()


def _draw_face(
    canvas: Any, sheet: Sheet, of_card: Face, card: tuple[float, float], bleed: float, font: Font
) -> None:
    """What is the same on all cards."""
    ground = sheet.background
    red, green, blue = (int(ground[at : at + 2], 16) / 255 for at in (1, 3, 5))
    canvas.setFillColor(ground)
    _fill(canvas, Box(-bleed, -bleed, card[0] + 2 * bleed, card[1] + 2 * bleed))
    canvas.setFillColor(_PAPER)
    _fill(canvas, of_card.qr)
    _fill(canvas, of_card.label)
    canvas.setFillColor(_INK if 0.299 * red + 0.587 * green + 0.114 * blue > _DARK else _PAPER)
    for words in of_card.texts:
        path = canvas.beginPath()
        for line, size, x, y in _lines(font, words):
            font.draw(path, line, size, x, y)
        canvas.drawPath(path, stroke=0, fill=1, fillMode=_NON_ZERO)


def _lines(font: Font, words: Words) -> Iterator[tuple[str, float, float, float]]:
    """Lines of text as large as the box lets them be, broken as on posters: each with its size and place."""
    width, height = words.box.width * MM, words.box.height * MM
    for step in range(_STEPS + 1):
        size = words.size - (words.size - _SMALLEST) * step / _STEPS
        lines = [one for line in words.lines for one in balanced(line, width / size, font.width) or [""]]
        room = max(1, int(height / (_LEADING * size) + 1e-6))
        if len(lines) <= room:
            break
    else:
        lines = shortened(lines, room, width / size, font.width)
    top = words.box.y * MM + (size * _LEADING * len(lines) if words.at_bottom else height)
    for n, line in enumerate(lines, 1):
        x = words.box.x * MM + ((width - font.width(line) * size) / 2 if words.centred else 0)
        yield line, size, x, top - n * size * _LEADING + size * (_LEADING - 1)


def _fill(canvas: Any, box: Box) -> None:
    canvas.rect(box.x * MM, box.y * MM, box.width * MM, box.height * MM, stroke=0, fill=1)


def _points(box: Box, more: float) -> print_pages.Box:
    """The box with `more` mm around it."""
    right, top = box.x + box.width + more, box.y + box.height + more
    return (box.x - more) * MM, (box.y - more) * MM, right * MM, top * MM
