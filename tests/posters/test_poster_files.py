"""What a printer and a phone get: real sizes, sharp codes, and a gate that lets nothing unreadable through."""

import io
from collections.abc import Iterator

import msgspec
import pypdfium2
import pytest
import urllib3
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image, ImageDraw, ImageFilter

from chalicelib.platform.errors import Invalid
from chalicelib.posters import outside_pictures, qr_read_check, qr_rules, rendering, rules
from chalicelib.posters.built_in_templates import CLASSIC, TEMPLATES
from chalicelib.posters.rules import Request, Unreadable
from chalicelib.posters.types import Avatar, Background, Picture, Qr, Rect, Template, Text

URL = "https://go.example.com/s/AbCd2345"
PHOTO, LOGO = "as_" + "a" * 32, "as_" + "b" * 32
PAGE = Template(
    name="A5",
    width=148,
    height=210,
    unit="mm",
    bleed_mm=3,
    background=Background("#0F6A51", "#084234"),
    title="扫码添加专属顾问",
    layers=(
        Text("{title}", 10, 20, 128, 40, 16, "#FFFFFF", 8, 2, face="serif"),
        Qr(39, 80, 70, "#0A2E25"),
        Text("{store_name}", 10, 170, 128, 16, 9, "#FFFFFF", 5),
    ),
)
PHONE = Template(
    name="photo",
    width=1080,
    height=1920,
    background=Background(asset_id=PHOTO),
    layers=(
        Rect(90, 900, 900, 950, "#FFFFFF", 40),
        Text("{title}", 100, 100, 880, 300, 90, "#FFFFFF", 50, 3),
        Text("{store_name} · {staff_name}", 340, 1640, 600, 80, 44, "#222222", 24, align="left"),
        Avatar(140, 1600, 160),
        Qr(290, 950, 500, logo=LOGO),
        Picture(LOGO, 60, 60, 100, 100, "contain"),
    ),
)


@pytest.fixture(autouse=True)
def pictures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    photo = Image.effect_noise((600, 900), 60).convert("RGB")
    logo = Image.new("RGBA", (200, 200))
    ImageDraw.Draw(logo).ellipse((0, 0, 199, 199), (200, 30, 30, 255))
    stock = {PHOTO: photo, LOGO: logo}
    monkeypatch.setattr(outside_pictures, "load", stock.__getitem__)
    yield
    outside_pictures.load_avatar.cache_clear()


def request(**fields: object) -> Request:
    return replace(Request(URL, "t", None, staff_name="李晓华", store_name="静安寺店"), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("template", [PAGE, CLASSIC, PHONE], ids=["mm", "flat", "photo"])
def test_a_pdf_has_its_real_size_and_a_code_of_lines(template: Template) -> None:
    data = rendering.render(request(format="pdf"), template)
    page = pypdfium2.PdfDocument(data)[0]
    mm = 72 / 25.4
    left, bottom, right, top = page.get_trimbox()
    wanted = (148, 210) if template is PAGE else (template.width * 25.4 / 300, template.height * 25.4 / 300)
    assert ((right - left) / mm, (top - bottom) / mm) == pytest.approx(wanted, abs=0.09)
    bleed, media = page.get_bleedbox(), page.get_mediabox()
    assert (left - bleed[0]) / mm == pytest.approx(template.bleed_mm, abs=0.01)
    assert (bleed[0] - media[0]) / mm == pytest.approx(8 if template.bleed_mm else 0, abs=0.01)
    for scale in (1.5, 4):
        assert zxingcpp.read_barcode(page.render(scale=scale).to_pil().convert("L")).text == URL
    # Lines stay sharp however large: between two modules there is one pixel of grey at most.
    close = page.render(scale=20, crop=_code_box(template, page)).to_pil().convert("L")
    greys = [value for _, value in close.getcolors(256) or [] if 60 < value < 200]
    assert len(greys) < 140
    mixed = sum(count for count, value in close.getcolors(256) or [] if 60 < value < 200)
    assert mixed < 0.02 * close.width * close.height


def _code_box(template: Template, page: pypdfium2.PdfPage) -> tuple[float, float, float, float]:
    """What to cut off on each side (left, bottom, right, top), so that a corner of the code remains."""
    frame = rules.print_frame(template)
    poster = rendering.drawn(request(), template, frame)
    square, point = poster.codes[0].square, 72 / 300
    slug = 8 * 72 / 25.4 if template.bleed_mm else 0
    width, height = page.get_size()
    left, top = slug + square.x * point, slug + square.y * point
    side = 7 * square.module * point
    return left, height - top - side, width - left - side, top


def test_crop_marks_stand_outside_the_bleed() -> None:
    page = pypdfium2.PdfDocument(rendering.render(request(format="pdf"), PAGE))[0]
    drawn = page.render(scale=300 / 72).to_pil().convert("L")
    mm = 300 / 25.4
    row = drawn.crop((0, round(11 * mm) - 2, round(7.9 * mm), round(11 * mm) + 3))
    assert min(row.tobytes()) < 128  # a mark on the trim's upper edge
    assert min(drawn.crop((0, round(100 * mm), round(7.9 * mm), round(101 * mm))).tobytes()) == 255
    inside = drawn.crop((round(8.5 * mm), round(11 * mm) - 2, round(10.5 * mm), round(11 * mm) + 3))
    assert max(inside.tobytes()) < 128  # the bleed: background, no mark's white surroundings


def test_a_photo_a_logo_and_an_avatar_come_as_jpeg_and_png() -> None:
    png = Image.open(io.BytesIO(rendering.render(request(), PHONE)))
    assert (png.format, png.size, png.mode) == ("PNG", (1080, 1920), "RGB")
    small, large = (rendering.render(request(format="jpg", quality=q), PHONE) for q in (45, 92))
    assert len(small) < len(large)
    assert zxingcpp.read_barcode(Image.open(io.BytesIO(small)).convert("L")).ec_level == "H"
    assert png.getpixel((540, 1200)) == (200, 30, 30)  # the logo
    assert png.getpixel((150, 1680)) == (15, 106, 81)  # the avatar's disc, with its letter


class Wire:
    """Answers as WeCom's picture host might."""

    def __init__(self, status: int, body: bytes):
        self.status, self.body, self.asked = status, body, 0

    def request(self, method: str, url: str, **options: object) -> "Wire":
        self.asked += 1
        assert options["redirect"] is False
        if self.status == 0:
            raise urllib3.exceptions.ReadTimeoutError(None, url, "slow")  # type: ignore[arg-type]
        return self

    def read(self, size: int) -> bytes:
        return self.body[:size]

    def release_conn(self) -> None:
        pass


def test_an_avatar_is_fetched_from_wecoms_hosts_alone_and_else_a_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    face = io.BytesIO()
    Image.new("RGB", (132, 132), "#2040C0").save(face, "JPEG")
    url = "https://wework.qpic.cn/wwpic/1/0"
    for number, (wire, blue) in enumerate(
        [
            (Wire(200, face.getvalue()), True),
            (Wire(404, face.getvalue()), False),
            (Wire(200, face.getvalue() + bytes(1_000_000)), False),
            (Wire(200, b"<html>"), False),
            (Wire(0, b""), False),
        ]
    ):
        monkeypatch.setattr(outside_pictures, "_http", lambda wire=wire: wire)
        made = rendering.render(request(avatar_url=f"{url}?{number}"), PHONE)
        red, _, shown = Image.open(io.BytesIO(made)).convert("RGB").getpixel((220, 1610))
        assert (shown > 150 and red < 60) == blue
        assert wire.asked == 1
    for elsewhere in (
        "http://wework.qpic.cn/1",
        "https://wework.qpic.cn:8080/1",
        "https://wework.qpic.cn.evil.cn/1",
        "https://a@wework.qpic.cn/1",
        "https://169.254.169.254/latest",
        "https://wework.qpic.cn\\@evil.cn/",
    ):
        with pytest.raises(Invalid):
            rules.parse_request({"url": URL, "avatar_url": elsewhere}, TEMPLATES, "classic")


@pytest.mark.parametrize("harm", ["blurred", "faint", "torn", "too small"])
def test_the_gate_stops_what_a_phone_might_not_read(harm: str) -> None:
    poster = rendering.drawn(request(), CLASSIC, rules.frame(CLASSIC))
    qr_read_check.check(poster.grey, URL, poster.codes, CLASSIC)
    grey = poster.grey
    square = poster.codes[0].square
    if harm == "blurred":
        grey = grey.filter(ImageFilter.GaussianBlur(square.module))
    elif harm == "faint":
        grey = grey.point(lambda value: 250 + value // 64)
    elif harm == "torn":
        grey.paste(255, (square.x, square.y, square.x + 9 * square.module, square.y + 9 * square.module))
    else:
        fine = Qr(500, 900, 80, quiet=4)
        template = msgspec.structs.replace(CLASSIC, layers=(*CLASSIC.layers[:-1], fine))
        with pytest.raises(Unreadable, match="25 %"):
            rendering.render(request(), template)
        return
    with pytest.raises(Unreadable):
        qr_read_check.check(grey, URL, poster.codes, CLASSIC)


@given(st.integers(20, 60), st.sampled_from(["#000000", "#0A2E25", "#7A1010", "#1030A0"]), st.integers(0, 9))
@settings(max_examples=12)
def test_what_is_let_in_at_a_templates_making_is_read_on_every_poster(
    length: int, dark: str, number: int
) -> None:
    """A template that passes for the longest link passes for each link up to that length."""
    least = 8 * (41 + 8)  # the least box that holds 2 px a module at a quarter, for 60 bytes
    template = Template(
        name="t",
        width=480,
        height=640,
        background=Background("#E8D8C0"),
        layers=(Qr(44, 120, least, dark), Text("{title}", 20, 10, 440, 90, 40, "#222222", 20, 2)),
    )
    assert rendering.find_template_issues(template, 60) == []
    url = (f"https://a.cn/s/Ab{number}" + "dE3xZ9" * 20)[:length]
    made = rendering.render(request(url=url, title="全场" * number), template)
    assert zxingcpp.read_barcode(Image.open(io.BytesIO(made)).convert("L")).text == url


def test_contrast_is_wcags() -> None:
    assert qr_rules.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert qr_rules.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_file_names_are_safe_short_and_each_once() -> None:
    wanted = [
        ("a/b", "c"),
        ("A\\b", "c"),
        ("", ""),
        ("..", "\n"),
        ("店" * 99,),
        ('<x>:"|?*',),
        ("con\u202e",),
    ]
    names = rules.file_names(wanted, "png")
    assert names[:4] == ["a b-c.png", "A b-c (2).png", "海报.png", "海报 (2).png"]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(len(name.encode()) < 255 and not set('\\/:*?"<>|\n\u202e') & set(name) for name in names)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_built_in_poster_takes_a_guide_and_a_store_at_once(template: Template) -> None:
    """The most texts there can be: their shades must fit the picture's palette."""
    told = {"template": template.name, "width": 540}
    plain = Image.open(io.BytesIO(rendering.render(request(**told, store_name=""), template)))
    named = Image.open(io.BytesIO(rendering.render(request(**told), template)))
    assert plain.convert("RGB").tobytes() != named.convert("RGB").tobytes()
