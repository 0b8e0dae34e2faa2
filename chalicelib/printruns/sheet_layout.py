"""Where things lie on a sheet of cards; pure. All in millimetres, from the lower left, as PDF has it."""

from msgspec import Struct

from chalicelib.platform.errors import Issue, issue
from chalicelib.printruns.types import Sheet

PAGES = {"A4": (210.0, 297.0), "SRA3": (320.0, 450.0)}
MARK, MARK_GAP, EDGE = 4.0, 1.0, 5.0  # a cut mark, its distance from the bleed; both, for the border
PAD = 4.0  # between a card's cut and anything on it
LABEL = 4.5  # the line of the number under the code
SMALLEST_QR = 15.0  # with its quiet zone: 41 modules of 0.37 mm, what phones still read with ease
QUIET = 4  # modules
TEXTS = ("title", "subtitle", "footer")
_SIZES = {"title": 15.0, "subtitle": 10.0, "footer": 7.0}  # points, shrunk until the text fits
_LINES = 4
_LINE_OF_TITLE = 7.5  # mm
_LANDSCAPE = 1.2  # a card this much wider than high has its texts beside the code


class Box(Struct, frozen=True):
    x: float
    y: float
    width: float
    height: float


class Grid(Struct, frozen=True):
    """Cards on a page: lower left corners in the order of their numbers, row by row from the top."""

    page: tuple[float, float]
    card: tuple[float, float]
    bleed: float
    corners: tuple[tuple[float, float], ...]
    trim: Box  # around all cards
    marks: tuple[tuple[float, float, float, float], ...]  # lines x1, y1, x2, y2


class Words(Struct, frozen=True):
    """One text: its lines, the box that they fill from the top, and the size in points to begin with."""

    lines: tuple[str, ...]
    box: Box
    size: float
    centred: bool
    at_bottom: bool = False


class Face(Struct, frozen=True):
    """A card: the code with its quiet zone, where its number stands, and the texts."""

    qr: Box
    label: Box
    texts: tuple[Words, ...]


def find_issues(sheet: Sheet) -> list[Issue]:
    """What does not fit."""
    wide, high = _fits(sheet)
    if wide < 1:
        return [issue("sheet.card_width_mm", "card_beyond_page")]
    if high < 1:
        return [issue("sheet.card_height_mm", "card_beyond_page")]
    issues: list[Issue] = []
    if sheet.per_page is not None and sheet.per_page > wide * high:
        issues.append(issue("sheet.per_page", "maximum", maximum=wide * high))
    if sheet.gutter_mm < 2 * sheet.bleed_mm:
        issues.append(issue("sheet.gutter_mm", "gutter_too_narrow"))
    if face(sheet).qr.width < SMALLEST_QR:
        issues.append(issue("sheet.card_height_mm", "card_code_too_small", minimum_mm=SMALLEST_QR))
    for name in TEXTS:
        lines = getattr(sheet, name).split("\n")
        if len(lines) > _LINES:
            issues.append(issue(f"sheet.{name}", "max_lines", max_lines=_LINES))
        if not all(line.isprintable() for line in lines):
            issues.append(issue(f"sheet.{name}", "unprintable"))
    return issues


def grid(sheet: Sheet) -> Grid:
    """Where the cards of a sheet without problems lie: in the middle of the page."""
    wide, high = _fits(sheet)
    width, height, gutter = sheet.card_width_mm, sheet.card_height_mm, sheet.gutter_mm
    per_page = sheet.per_page or wide * high
    wide, high = min(wide, per_page), min(high, -(-per_page // min(wide, per_page)))
    page = PAGES[sheet.page]
    all_width, all_height = wide * (width + gutter) - gutter, high * (height + gutter) - gutter
    left, low = (page[0] - all_width) / 2, (page[1] - all_height) / 2
    corners = [
        (left + column * (width + gutter), low + row * (height + gutter))
        for row in reversed(range(high))
        for column in range(wide)
    ]
    trim = Box(left, low, all_width, all_height)
    xs = {x + side for x, _ in corners for side in (0, width)}
    ys = {y + side for _, y in corners for side in (0, height)}
    marks = _marks(trim, sheet.bleed_mm, xs, ys) if sheet.cut_marks else ()
    return Grid(page, (width, height), sheet.bleed_mm, tuple(corners[:per_page]), trim, tuple(marks))


def face(sheet: Sheet) -> Face:
    """What lies where on a card, from its own lower left corner."""
    width, height = sheet.card_width_mm, sheet.card_height_mm
    if width >= _LANDSCAPE * height:
        return _beside(sheet, width, height)
    return _below(sheet, width, height)


def _beside(sheet: Sheet, width: float, height: float) -> Face:
    side = min(height - 2 * PAD - LABEL, width * 0.6 - PAD)
    qr = Box(width - PAD - side, (height - side + LABEL) / 2, side, side)
    label = Box(qr.x, qr.y - LABEL, side, LABEL)
    room, wide = height - 2 * PAD, width - side - 3 * PAD
    title = min(room * 0.4, _LINE_OF_TITLE * len(sheet.title.split("\n")))
    footer = room * 0.18
    subtitle = Box(PAD, PAD + footer, wide, room - title - footer)
    texts = (
        _words(sheet, "title", Box(PAD, height - PAD - title, wide, title), False),
        _words(sheet, "subtitle", subtitle, False),
        _words(sheet, "footer", Box(PAD, PAD, wide, footer), False),
    )
    return Face(qr, label, tuple(text for text in texts if text.lines))


def _below(sheet: Sheet, width: float, height: float) -> Face:
    side = min(width - 2 * PAD, (height - 2 * PAD - LABEL) * 0.62)
    qr = Box((width - side) / 2, height - PAD - side, side, side)
    label = Box(qr.x, qr.y - LABEL, side, LABEL)
    room = label.y - PAD
    texts = tuple(
        _words(sheet, name, Box(PAD, PAD + room * low, width - 2 * PAD, room * share), True)
        for name, low, share in (("title", 0.58, 0.36), ("subtitle", 0.2, 0.36), ("footer", 0.0, 0.18))
    )
    return Face(qr, label, tuple(text for text in texts if text.lines))


def _words(sheet: Sheet, name: str, box: Box, centred: bool) -> Words:
    text = getattr(sheet, name).strip()
    lines = tuple(line.strip() for line in text.split("\n")) if text else ()
    return Words(lines, box, _SIZES[name], centred, name == "footer")


def _fits(sheet: Sheet) -> tuple[int, int]:
    """Columns and rows that a page takes."""
    border = sheet.bleed_mm + EDGE
    page, gutter = PAGES[sheet.page], sheet.gutter_mm
    wide, high = (
        int((length - 2 * border + gutter + 1e-6) // (card + gutter))
        for length, card in zip(page, (sheet.card_width_mm, sheet.card_height_mm), strict=True)
    )
    return wide, high


def _marks(
    trim: Box, bleed: float, xs: set[float], ys: set[float]
) -> list[tuple[float, float, float, float]]:
    """Cut marks: outside of all cards, in line with each edge."""
    near, far = bleed + MARK_GAP, bleed + MARK_GAP + MARK
    top, right = trim.y + trim.height, trim.x + trim.width
    lines = []
    for x in sorted(xs):
        lines += [(x, trim.y - near, x, trim.y - far), (x, top + near, x, top + far)]
    for y in sorted(ys):
        lines += [(trim.x - near, y, trim.x - far, y), (right + near, y, right + far, y)]
    return lines
