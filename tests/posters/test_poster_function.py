"""The poster function from its event to its pixels: other readers, quiet zone, contrast, no hollow boxes."""

import base64
import io
from functools import cache
from typing import Any

import cv2
import msgspec
import numpy
import pytest
from PIL import Image, ImageColor

from chalicelib.platform.errors import Issue
from chalicelib.posters import drawing_tools, palette_page, qr, rules
from chalicelib.posters.built_in_templates import DEFAULT, TEMPLATES
from functions.poster import handler as poster

URL = "https://go.example.com/s/AbCd2345"
LONG_URL = "https://a1b2c3d4e5.execute-api.cn-northwest-1.amazonaws.com.cn/prod/s/AbCd2345"
ALL = pytest.mark.parametrize("template", TEMPLATES)
LONG = {
    "title": "【冬季会员日】全场满￥300减50，新客再享「首单立减」！限时三天",
    "subtitle": "添加顾问微信，领取会员专属礼券（每人限领一次），另有新品试用、生日礼与积分翻倍等你来拿",
    "staff_name": "欧阳Alexandra的一个很长很长的昵称",
}


def draw(**event: Any) -> Image.Image:
    answer = poster.handler({"url": URL, **event}, None)
    assert "error" not in answer, answer
    return Image.open(io.BytesIO(base64.b64decode(answer["png_base64"]))).convert("RGB")


def read(picture: Image.Image) -> set[str]:
    """What OpenCV's two readers find."""
    pixels = numpy.asarray(picture)
    return {reader.detectAndDecode(pixels)[0] for reader in (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco())}


@ALL
@pytest.mark.parametrize("extra", [{}, {"staff_name": "李晓华"}, LONG], ids=["plain", "staff", "long"])
def test_any_reader_reads_it_at_full_and_at_quarter_size(template: str, extra: dict[str, str]) -> None:
    picture = draw(template=template, **extra)
    assert picture.size == (TEMPLATES[template].width, TEMPLATES[template].height)
    assert read(picture) == {URL}
    quarter = picture.resize((picture.width // 4, picture.height // 4), Image.Resampling.LANCZOS)
    assert URL in read(quarter)


@ALL
@pytest.mark.parametrize("width", [rules.MIN_WIDTH, 641, 1500])
def test_every_width_is_obeyed_and_readable(template: str, width: int) -> None:
    picture = draw(template=template, width=width, url=LONG_URL, staff_name="李晓华")
    assert picture.width == width
    assert LONG_URL in read(picture)


def test_the_greatest_poster_fits_a_lambda_answer() -> None:
    answer = poster.handler({"url": LONG_URL, "width": rules.MAX_WIDTH, **LONG}, None)
    assert len(answer["png_base64"]) < 5_500_000


@ALL
@pytest.mark.parametrize("staff", ["李晓华", ""])
def test_the_quiet_zone_is_one_light_colour(template: str, staff: str) -> None:
    picture = draw(
        template=template, staff_name=staff, **{"title": LONG["title"], "subtitle": LONG["subtitle"]}
    )
    modules = qr.modules(len(URL))
    layer = TEMPLATES[template].qr
    square = rules.place_qr(TEMPLATES[template], modules, picture.width)
    side, quiet = modules * square.module, rules.QUIET_MODULES * square.module
    zone = picture.crop(
        (square.x - quiet, square.y - quiet, square.x + side + quiet, square.y + side + quiet)
    )
    zone.paste(ImageColor.getrgb(layer.light), (quiet, quiet, quiet + side, quiet + side))
    assert [colour for _, colour in zone.getcolors() or []] == [ImageColor.getrgb(layer.light)]


def luminance(colour: tuple[float, ...]) -> float:
    """WCAG 2's relative luminance."""
    parts = [part / 255 for part in colour]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@cache
def page(template: str, has_staff: bool) -> palette_page.Page:
    request = rules.Request("", template, None, staff_name="李" * has_staff)
    return palette_page.page_of(TEMPLATES[template], request, rules.frame(TEMPLATES[template]))


@ALL
@pytest.mark.parametrize("has_staff", [True, False])
def test_ink_stands_out_from_its_ground(template: str, has_staff: bool) -> None:
    drawn = page(template, has_staff)
    assert len(drawn.colours) <= 256
    steps = palette_page.SHADES
    for text in drawn.texts:
        first, ink = drawn.colours[drawn.ramps[text]], drawn.colours[drawn.ramps[text] + steps - 1]
        ground = tuple(
            (steps * f - i) / (steps - 1) for f, i in zip(first, ink, strict=True)
        )  # a step before
        dark, light = sorted([luminance(ground), luminance(ink)])
        assert (light + 0.05) / (dark + 0.05) >= 4.5, text.value


@ALL
def test_the_template_keeps_its_flat_colours_exactly(template: str) -> None:
    wanted = {ImageColor.getrgb(shape.fill) for shape in TEMPLATES[template].shapes}
    assert wanted <= set(page(template, True).colours)


def test_emoji_are_left_out_and_that_is_said() -> None:
    plain = draw(title="会员日", staff_name="李晓华")
    assert draw(title="会员日🎉", staff_name="🌸李晓华\u200d").tobytes() == plain.tobytes()
    assert draw(title="会员曰", staff_name="李晓华").tobytes() != plain.tobytes()
    answer = poster.handler({"url": URL, "title": "会员日🎉", "staff_name": "👩‍👩‍👧李晓华❤️🇨🇳👍🏽"}, None)
    assert answer["left_out"] == {"title": "🎉", "staff_name": "👩👩👧❤🇨🇳👍🏽"}
    assert poster.handler({"url": URL, "title": "会员日"}, None)["left_out"] == {}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("བཀྲ་ཤིས", "「བ」(U+0F56)"),
        ("ꆈꌠ", "「ꆈ」(U+A188)"),
        ("李\x00", "(U+0000)"),
        ("李\U0010ffff", "(U+10FFFF)"),
        ("🌸🌸", "🌸🌸"),
    ],
    ids=["tibetan", "yi", "nul", "no_character", "emoji_alone"],
)
def test_a_name_that_no_font_can_draw_is_refused_with_its_characters(name: str, told: str) -> None:
    error = poster.handler({"url": URL, "staff_name": name}, None)["error"]
    assert (error["status"], [one["field"] for one in error["errors"]]) == (422, ["staff_name"])
    (problem,) = msgspec.convert(error["errors"], list[Issue])
    assert told in problem.message("zh") and told in problem.message("en")


def test_one_poster_leaves_nothing_on_the_next() -> None:
    first = draw(staff_name="李晓华")
    draw(**LONG)
    assert draw(staff_name="李晓华").tobytes() == first.tobytes()


def test_bad_input_is_answered_by_field() -> None:
    answer = poster.handler({"url": "x", "template": "nope", "width": 5}, None)
    assert answer["error"]["status"] == 422
    assert [error["field"] for error in answer["error"]["errors"]] == ["url", "template", "width"]
    fine = poster.handler({"url": "https://a.cn/" + "a" * 280, "width": 240}, None)
    assert [error["field"] for error in fine["error"]["errors"]] == ["width"]


def test_a_poster_that_does_not_decode_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = drawing_tools.code_rows

    def torn(url: str, layer: Any) -> list[bytes]:
        rows = honest(url, layer)
        return [bytes(len(row)) if 8 < number < 20 else row for number, row in enumerate(rows)]

    monkeypatch.setattr(drawing_tools, "code_rows", torn)
    answer = poster.handler({"url": URL}, None)
    assert "png_base64" not in answer
    assert answer["error"]["title"] == rules.Unreadable.title


def test_a_poster_with_another_codes_address_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = drawing_tools.code_rows
    monkeypatch.setattr(drawing_tools, "code_rows", lambda url, layer: honest(url[:-1] + "X", layer))
    assert "error" in poster.handler({"url": URL}, None)


def test_the_default_template_is_used_when_none_is_named() -> None:
    assert draw(template=None).tobytes() == draw(template=DEFAULT).tobytes()


@ALL
def test_a_title_of_three_lines_is_whole_and_larger_than_the_subtitle(template: str) -> None:
    request = rules.Request(
        URL, template, None, title="满 300 减 50\n静安寺店开业大酬宾\n仅限三天", subtitle=LONG["subtitle"]
    )
    sizes = {}
    for layer in TEMPLATES[template].texts:
        if "{" in layer.value:
            lines = drawing_tools.lines(layer, rules.filled(layer.value, TEMPLATES[template], request))
            sizes[layer.value] = min((line.size for line in lines), default=0.0)
            if layer.value == "{title}":
                assert "\n".join(line.text for line in lines) == request.title
    assert sizes["{title}"] > 1.4 * sizes["{subtitle}"] > 0
