"""One poster from its request to its file, decoded before it is handed out."""

import io

from msgspec import Struct
from PIL import Image

from chalicelib.platform import clock
from chalicelib.platform.errors import Issue
from chalicelib.posters import (
    full_colour_page,
    outside_pictures,
    palette_page,
    printable,
    qr,
    qr_read_check,
    qr_rules,
    rules,
)
from chalicelib.posters.built_in_templates import TEMPLATES
from chalicelib.posters.full_colour_page import Code, Paint
from chalicelib.posters.rules import Frame, Request
from chalicelib.posters.types import Template

_Z_RLE = 3  # zlib's run-length strategy: all that flat pictures need, and half the time for a photograph
TYPES = {"png": "image/png", "jpg": "image/jpeg", "pdf": "application/pdf"}
WORST = "国" * rules.MAX_TEXT
_SAMPLE_TAIL = "Q7"  # makes a link's characters unlike one another


class Poster(Struct, frozen=True):
    """A poster in pixels, with a palette or in RGB, and its codes."""

    picture: Image.Image
    codes: list[Code]
    grey: Image.Image


def render(request: Request, template: Template) -> bytes:
    """The poster as its `format`'s file. `request.url` is what its codes hold; of its words every character
    can be drawn (printable.py).

    Invalid("width") when the code would be too fine, Unreadable when the poster does not decode to its url.
    """
    if request.format == "pdf":
        return _pdf(request, template)
    poster = drawn(request, template, rules.frame(template, request.width))
    qr_read_check.check(poster.grey, request.url, poster.codes, template)
    return _encoded(poster.picture, request)


def drawn(request: Request, template: Template, frame: Frame) -> Poster:
    """The poster, not yet read. Invalid("width")."""
    if _is_flat(template):
        (code,) = full_colour_page.codes(Paint(template, request, frame, outside_pictures.load))
        picture = palette_page.draw(template, request, frame, list(code.rows))
        greys = palette_page.page_of(template, request, frame).greys
        return Poster(picture, [code], _plain(picture).point(greys))
    picture, codes = full_colour_page.draw(_paint(request, template, frame))
    return Poster(picture, codes, picture.convert("L"))


def find_template_issues(template: Template, length: int) -> list[Issue]:
    """Why codes of links of `length` bytes can't be read on the template: none when they can.

    Its worst poster is drawn: every text as long as may be, and every layer shown that can be.
    """
    if issues := printable.find_template_issues(template):
        return issues
    modules, logo = qr.modules(length, "M"), qr.modules(length, "H")
    if issues := qr_rules.find_issues(template, length, modules, logo):
        return issues
    outside_pictures.check_all(template.asset_ids)
    url = sample_url(length)
    frame = rules.print_frame(template) if template.unit == "mm" else rules.frame(template)
    words = dict.fromkeys(rules.WORDS, WORST)
    issues = []
    for names in (words, {**words, "staff_name": "", "store_name": ""}):
        request = Request(url, template.name, None, **names)  # type: ignore[arg-type]
        poster = drawn(request, template, frame)
        issues += qr_read_check.find_template_issues(poster.grey, poster.codes, template, request)
        if issues or not any(layer.shown != "always" for layer in template.layers):
            break
    return issues


def sample_url(length: int) -> str:
    """A link of that many bytes whose code is as any other's."""
    start = "https://go.example.com/s/"
    return (start + "AbCd2345?x=" + "kT4-" + _SAMPLE_TAIL * length)[: max(length, len(start))]


def _pdf(request: Request, template: Template) -> bytes:
    """The page without its modules goes to the printer; with them, it is read first."""
    from chalicelib.posters import pdf  # ReportLab takes 0.2 s that no PNG need wait for

    frame = rules.print_frame(template)
    poster = drawn(request, template, frame)
    qr_read_check.check(poster.grey, request.url, poster.codes, template)
    if _is_flat(template):
        bare = palette_page.draw(template, request, frame, None)
    else:
        bare, _ = full_colour_page.draw(_paint(request, template, frame, ink=False))
    words = (request.code_name, request.staff_name or request.store_name, template.name)
    about = pdf.About(" · ".join(filter(None, words)), pdf.brand(), clock.now())
    return pdf.document(bare, poster.codes, template, about)


def _paint(request: Request, template: Template, frame: Frame, ink: bool = True) -> Paint:
    avatar = outside_pictures.load_avatar(request.avatar_url) if request.avatar_url else None
    return Paint(template, request, frame, outside_pictures.load, avatar, ink)


def _is_flat(template: Template) -> bool:
    return TEMPLATES.get(template.name) == template


def _plain(picture: Image.Image) -> Image.Image:
    """The palette's indexes as grey values."""
    return Image.frombytes("L", picture.size, picture.tobytes())


def _encoded(picture: Image.Image, request: Request) -> bytes:
    made = io.BytesIO()
    if request.format == "jpg":
        picture.convert("RGB").save(made, "JPEG", quality=request.quality, subsampling=0)
    else:
        picture.save(made, "PNG", compress_type=_Z_RLE)
    return made.getvalue()
