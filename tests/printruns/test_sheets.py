"""Where cards lie on a sheet."""

from itertools import combinations, pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.posters import rules
from chalicelib.posters.built_in_templates import TEMPLATES
from chalicelib.printruns import card_design, sheet_layout
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


def test_a_sheet_says_all_that_its_card_does() -> None:
    plain = card_design.with_template(sheet(), None)
    assert (plain.title, plain.subtitle) == ("微信扫一扫", "添加您的专属顾问")
    assert card_design.with_template(sheet(title="", subtitle="嗨"), None).title == ""
    parcel = card_design.with_template(sheet(subtitle="嗨"), TEMPLATES["parcel"])
    assert (parcel.title, parcel.subtitle) == ("开箱有礼", "嗨")
    assert (parcel.card_width_mm, parcel.card_height_mm) == pytest.approx((105, 148), abs=0.05)  # A6


@given(st.floats(25, 310), st.floats(25, 440), st.booleans())
def test_what_is_on_a_card_stays_on_it_and_off_the_code(width: float, height: float, long: bool) -> None:
    wanted = sheet(
        card_width_mm=width,
        card_height_mm=height,
        page="SRA3",
        title="全场" * 60 if long else "a",
        footer="a\nb",
        subtitle="c\nd",
    )
    assume(not sheet_layout.find_issues(wanted))
    design = card_design.design(wanted)
    assert {found.code for found in rules.find_issues(design)} <= {"no_such_placeholder"}  # {footer}
    (qr,) = design.qrs
    assert qr.size >= 15
    for layer in design.layers:
        left, top, right, bottom = rules.box_of(layer)
        assert left >= 0 and top >= 0 and right > left and bottom > top
        assert right <= width + 1e-6 and bottom <= height + 1e-6
    number, *texts = design.texts
    assert (number.x, number.width) == (qr.x, qr.size)  # one white field, without a step
    for text, below in pairwise(texts):
        assert text.y + text.height <= below.y + 1e-6
    for text in texts:
        beside = text.x + text.width <= qr.x
        assert beside or text.y >= number.y + number.height - 1e-6


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"card_width_mm": 220}, "card_width_mm"),
        ({"card_height_mm": 300}, "card_height_mm"),
        ({"per_page": 11}, "per_page"),
        ({"bleed_mm": 3}, "gutter_mm"),
        ({"card_width_mm": 30, "card_height_mm": 25}, "card_height_mm"),
        ({"subtitle": "a\nb\nc\nd\ne"}, "subtitle"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_does_not_fit_is_named(given: dict[str, Any], field: str) -> None:
    assert [issue.field for issue in sheet_layout.find_issues(sheet(**given))] == [f"sheet.{field}"]
