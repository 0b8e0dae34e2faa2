"""What every built-in template must keep to, from its geometry alone."""

from itertools import combinations

import pytest

from chalicelib.posters.built_in_templates import DEFAULT, TEMPLATES
from chalicelib.posters.rules import QUIET_MODULES, Request, is_shown
from chalicelib.posters.types import Template, Text

ALL = pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
SMALLEST_CODE = 25  # modules of version 2; a link is longer than version 1 holds
MARGIN = 0.06  # of the width, for text


def test_the_default_is_one_of_them() -> None:
    assert DEFAULT in TEMPLATES
    assert all(name == template.name for name, template in TEMPLATES.items())


@ALL
def test_a_store_s_poster_says_whose_it_is(template: Template) -> None:
    assert [text.shown for text in template.texts if "{store_name}" in text.value] == ["store"]


@ALL
def test_text_keeps_the_margins(template: Template) -> None:
    margin = template.width * MARGIN
    for text in template.texts:
        assert text.x >= margin
        assert text.x + text.width <= template.width - margin
        assert margin / 2 <= text.y
        assert text.y + text.height <= template.height - margin / 2


@ALL
def test_boxes_hold_their_lines_even_at_the_smallest_size(template: Template) -> None:
    for text in template.texts:
        assert text.height >= text.max_lines * text.leading * (text.min_size or text.size) - 0.01


@ALL
@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("staff", [True, False])
def test_texts_do_not_overlap(template: Template, staff: bool, store: bool) -> None:
    shown = [
        text
        for text in template.texts
        if is_shown(text.shown, Request("", "", None, staff_name="李" * staff, store_name="店" * store))
    ]
    for one, other in combinations(shown, 2):
        apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
        apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
        assert apart_x or apart_y, (one.value, other.value)


@ALL
def test_the_quiet_zone_is_free_of_text(template: Template) -> None:
    quiet = QUIET_MODULES * template.qr.size / SMALLEST_CODE
    left, top = template.qr.x - quiet, template.qr.y - quiet
    right, bottom = template.qr.x + template.qr.size + quiet, template.qr.y + template.qr.size + quiet
    assert left >= 0
    assert top >= 0
    assert right <= template.width
    assert bottom <= template.height

    def ink(text: Text) -> tuple[float, float]:
        if text.max_lines > 1:
            return text.y, text.y + text.height
        middle = text.y + text.height / 2
        return middle - text.size / 2, middle + text.size / 2

    for text in template.texts:
        first, last = ink(text)
        assert text.x + text.width <= left or right <= text.x or last <= top or bottom <= first, text.value
