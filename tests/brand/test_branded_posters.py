"""The brand on posters and cards: its colours in place of the built-in ones, its logo in the code."""

import io

import pytest
from msgspec import UNSET
from PIL import Image

from chalicelib.brand.rules import DEFAULT_COLOURS, Look, contrast
from chalicelib.posters import outside_pictures, rendering
from chalicelib.posters.built_in_templates import TEMPLATES, branded
from chalicelib.posters.rules import Request
from chalicelib.printruns import card_design
from chalicelib.printruns.types import Sheet

URL = "https://go.example.com/s/AbCd2345?g=gMacMacAGuidesOwnIdxxxxxx"
LOGO = "as_" + "0" * 32
LOOKS = [
    Look(colours=pair) for pair in (("#0b6bcb", "#e8f1fb"), ("#b3123b", "#fde8ee"), ("#7a4b00", "#fff1d6"))
]


@pytest.fixture
def logo(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(outside_pictures, "load", lambda _: Image.new("RGB", (256, 256), "#b3123b"))
    return LOGO


def test_without_a_brand_the_built_in_ones_stay_as_they_are() -> None:
    for template in TEMPLATES.values():
        assert branded(template, Look(), None) is template


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.colours[0])
@pytest.mark.parametrize("name", TEMPLATES)
def test_every_poster_in_every_look_is_read_with_its_logo(name: str, look: Look, logo: str) -> None:
    """The gate raises Unreadable when it is not."""
    template = branded(TEMPLATES[name], look, logo)
    request = Request(URL, name, None, staff_name="李晓华", store_name="静安寺店", code_name="会员码")
    made = Image.open(io.BytesIO(rendering.render(request, template))).convert("RGB")
    first = tuple(int(look.colours[0][at : at + 2], 16) for at in (1, 3, 5))
    assert first in {colour for _, colour in made.getcolors(made.width * made.height)}
    for text in template.texts:
        if name == "classic" and text.value in ("{title}", "{subtitle}"):
            assert contrast(text.colour, look.colours[0]) >= 4.5


def test_a_card_without_a_design_has_the_brands_colour_and_logo_unless_it_says_otherwise() -> None:
    look = LOOKS[0]
    card = card_design.design(card_design.in_look(Sheet(), look, LOGO))
    assert (card.background.colour, card.qr.logo) == ("#0b6bcb", LOGO)
    own = card_design.in_look(Sheet(background="#FFFFFF", logo=None), look, LOGO)
    assert (own.background, own.logo) == ("#FFFFFF", None)
    plain = card_design.in_look(Sheet(), Look(), None)
    assert (plain.background, plain.logo) == ("#FFFFFF", None)
    assert Sheet().background is UNSET and Look().colours == DEFAULT_COLOURS
