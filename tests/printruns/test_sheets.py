"""Where cards lie on a sheet."""

from itertools import combinations
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.printruns import sheet_layout
from chalicelib.printruns.types import Sheet


def sheet(**given: Any) -> Sheet:
    return msgspec.convert(given, Sheet)


def test_business_cards_on_a4_are_ten_in_the_middle() -> None:
    grid = sheet_layout.grid(sheet())
    assert len(grid.corners) == 10
    assert grid.corners[0] == (15, 13.5 + 4 * 54) and grid.corners[-1] == (105, 13.5)
    assert (grid.trim.x, grid.trim.y, grid.trim.width, grid.trim.height) == (15, 13.5, 180, 270)
    assert len(grid.marks) == 2 * (3 + 6)  # shared edges have one mark


def test_sra3_with_bleed_and_gutter() -> None:
    grid = sheet_layout.grid(sheet(page="SRA3", bleed_mm=3, gutter_mm=6))
    assert len(grid.corners) == 3 * 7
    assert len(grid.marks) == 2 * (2 * 3 + 2 * 7)


sizes = st.fixed_dictionaries(
    {
        "page": st.sampled_from(["A4", "SRA3"]),
        "card_width_mm": st.floats(25, 180),
        "card_height_mm": st.floats(30, 260),
        "gutter_mm": st.floats(0, 10),  # beside twice the bleed
        "bleed_mm": st.floats(0, 10),
        "per_page": st.none() | st.integers(1, 4),
        "cut_marks": st.booleans(),
    }
)


@given(sizes)
def test_cards_lie_on_the_page_apart_and_marks_outside_of_them(given: dict[str, Any]) -> None:
    wanted = sheet(**given | {"gutter_mm": given["gutter_mm"] + 2 * given["bleed_mm"]})
    assume(not sheet_layout.find_issues(wanted))
    grid = sheet_layout.grid(wanted)
    (width, height), bleed = grid.card, grid.bleed
    assert 1 <= len(grid.corners) <= (given["per_page"] or 1000)
    for x, y in grid.corners:
        assert x - bleed >= 4.99 and x + width + bleed <= grid.page[0] - 4.99
        assert y - bleed >= 4.99 and y + height + bleed <= grid.page[1] - 4.99
        for x1, y1, x2, y2 in grid.marks:
            outside = max(x1, x2) <= x - bleed or min(x1, x2) >= x + width + bleed
            assert outside or max(y1, y2) <= y - bleed or min(y1, y2) >= y + height + bleed
    for (ax, ay), (bx, by) in combinations(grid.corners, 2):
        assert abs(ax - bx) >= width + 2 * bleed - 1e-6 or abs(ay - by) >= height + 2 * bleed - 1e-6


@given(st.floats(25, 310), st.floats(25, 440))
def test_what_is_on_a_card_stays_on_it_and_off_the_code(width: float, height: float) -> None:
    wanted = sheet(card_width_mm=width, card_height_mm=height, page="SRA3", footer="a\nb", subtitle="c\nd")
    assume(not sheet_layout.find_issues(wanted))
    face = sheet_layout.face(wanted)
    assert face.qr.width == face.qr.height >= 15
    assert (face.label.x, face.label.width) == (face.qr.x, face.qr.width)  # one white field, without a step
    boxes = [face.qr, face.label, *(text.box for text in face.texts)]
    for box in boxes:
        assert box.x >= 0 and box.y >= 0 and box.width > 0 and box.height > 0
        assert box.x + box.width <= width + 1e-6 and box.y + box.height <= height + 1e-6
    for text in face.texts:
        beside = text.box.x + text.box.width <= face.qr.x
        assert beside or text.box.y + text.box.height <= face.label.y + 1e-6


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"card_width_mm": 220}, "card_width_mm"),
        ({"card_height_mm": 300}, "card_height_mm"),
        ({"per_page": 11}, "per_page"),
        ({"bleed_mm": 3}, "gutter_mm"),
        ({"card_width_mm": 30, "card_height_mm": 25}, "card_height_mm"),
        ({"subtitle": "a\nb\nc\nd\ne"}, "subtitle"),
        ({"title": "a\tb"}, "title"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_does_not_fit_is_named(given: dict[str, Any], field: str) -> None:
    assert [issue.field for issue in sheet_layout.find_issues(sheet(**given))] == [f"sheet.{field}"]


def test_a_first_card_of_each_kind() -> None:
    beside, below = sheet_layout.face(sheet()), sheet_layout.face(sheet(card_width_mm=54, card_height_mm=90))
    assert beside.qr.x > beside.texts[0].box.x + beside.texts[0].box.width
    assert below.qr.y > below.label.y > below.texts[0].box.y
    assert [text.lines for text in beside.texts] == [("微信扫一扫",), ("添加您的专属顾问",)]
