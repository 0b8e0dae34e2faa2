"""Sheets of cards as a PDF, of up to 10,000 cards: a thousand pages, which ReportLab holds in 40 MB.

What is the same on all cards is drawn once (card_face.py) and shown on each.
"""

import io
from collections.abc import Iterable
from typing import Any

from chalicelib.posters import print_pages, qr, rules
from chalicelib.posters.print_pages import MM, About
from chalicelib.printruns.card_face import CardFace, Load, Slot, Spot
from chalicelib.printruns.sheet_layout import Box, grid
from chalicelib.printruns.types import Sheet

_CARD, _MARKS = "card", "marks"


def document(
    sheet: Sheet, face: CardFace, cards: Iterable[tuple[str, str]], about: About, load: Load
) -> bytes:
    """The PDF of cards: (number, link)."""
    where = grid(sheet)
    page = where.page[0] * MM, where.page[1] * MM
    out = io.BytesIO()
    canvas = print_pages.document(out, about, page, _points(where.trim, 0), _points(where.trim, where.bleed))
    canvas.beginForm(_MARKS, 0, 0, *page)
    print_pages.draw_marks(canvas, [(x * MM, y * MM, x2 * MM, y2 * MM) for x, y, x2, y2 in where.marks])
    canvas.endForm()
    canvas.beginForm(_CARD, *_points(Box(0, 0, *where.card), where.bleed))
    face.draw(canvas, load)
    canvas.endForm()
    slots, spots = face.slots, face.spots
    for number, (label, url) in enumerate(cards):
        place = number % len(where.corners)
        if place == 0:
            if number:
                canvas.showPage()
            canvas.doForm(_MARKS)
        canvas.saveState()
        canvas.translate(*(length * MM for length in where.corners[place]))
        canvas.doForm(_CARD)
        _draw_number(canvas, slots, label)
        _draw_code(canvas, spots, url)
        canvas.restoreState()
    canvas.save()
    return out.getvalue()


def _draw_number(canvas: Any, slots: list[Slot], label: str) -> None:
    for slot in slots:
        canvas.setFont(print_pages.NUMBERS, slot.size)
        canvas.setFillColor(slot.colour)
        canvas.drawString(slot.x, slot.y, label)


def _draw_code(canvas: Any, spots: list[Spot], url: str) -> None:
    """The codes of a link. The best mask takes five times as long to find; any can be read."""
    kinds = {spot.logo_side: code_rows(url, spot.logo_side) for spot in spots}
    for spot in spots:
        rows = kinds[spot.logo_side]
        print_pages.draw_code(canvas, rows, spot.x, spot.top, spot.module, spot.colour)


def code_rows(url: str, logo_side: float) -> list[bytes]:
    """Level M bears 15 % of damage, with usual addresses its version stays at 4 or below; a code with a logo
    (logo_side over 0) is of level H, its middle left free."""
    if not logo_side:
        return qr.matrix(url, "M", qr.QUICK_MASK)
    rows = qr.matrix(url, "H", qr.QUICK_MASK)
    return rules.without_middle(rows, rules.logo_modules(len(rows), logo_side))


def _points(box: Box, more: float) -> print_pages.Box:
    """The box with `more` mm around it."""
    right, top = box.x + box.width + more, box.y + box.height + more
    return (box.x - more) * MM, (box.y - more) * MM, right * MM, top * MM
