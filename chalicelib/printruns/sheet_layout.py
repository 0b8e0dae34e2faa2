"""Where things lie on a sheet of cards; pure. All in millimetres, from the lower left, as PDF has it."""

from msgspec import Struct

from chalicelib.platform.errors import Issue, issue
from chalicelib.printruns import card_design
from chalicelib.printruns.types import Sheet

PAGES = {"A4": (210.0, 297.0), "SRA3": (320.0, 450.0)}
MARK, MARK_GAP, EDGE = 4.0, 1.0, 5.0  # a cut mark, its distance from the bleed; both, for the border
SMALLEST_QR = 15.0  # with its quiet zone: 41 modules of 0.37 mm, what phones still read with ease
QUIET = 4  # modules
TEXTS = ("title", "subtitle", "footer")
_LINES = 4


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
    if sheet.template_id is None and card_design.qr_side(sheet) < SMALLEST_QR:
        issues.append(issue("sheet.card_height_mm", "card_code_too_small", minimum_mm=SMALLEST_QR))
    for name in TEXTS:
        lines = (getattr(sheet, name) or "").split("\n")
        if len(lines) > _LINES:
            issues.append(issue(f"sheet.{name}", "max_lines", max_lines=_LINES))
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
