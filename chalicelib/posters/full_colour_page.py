"""Pages in full colour, for templates with pictures, avatars, logos: layers drawn in their order.

What comes before the first layer that differs from poster to poster is drawn once per template and size.
"""

from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct
from PIL import Image, ImageOps

from chalicelib.posters import drawing_tools
from chalicelib.posters.drawing_tools import rgb
from chalicelib.posters.rules import Frame, Request, Square, filled, is_shown, logo_modules
from chalicelib.posters.types import Avatar, Disc, Layer, Picture, Qr, Rect, Template, Text

Load = Callable[[str], Image.Image]  # an uploaded picture by its id
_LOGO_PAD = 0.5  # modules of light around a logo, within its hole
_SANS_INITIAL = 0.48  # of the disc, the letter's size


class Code(Struct, frozen=True):
    """A code on the page: its layer, its modules (a logo's hole cut out), where they lie."""

    qr: Qr
    rows: tuple[bytes, ...]
    square: Square


class Paint(Struct, frozen=True):
    """What a poster is made of. ink: whether the codes' modules are drawn (in a PDF they are lines)."""

    template: Template
    request: Request
    frame: Frame
    load: Load
    avatar: Image.Image | None = None
    ink: bool = True


def draw(paint: Paint) -> tuple[Image.Image, list[Code]]:
    """The poster in RGB, and its codes."""
    shown = tuple(layer for layer in paint.template.layers if is_shown(layer.shown, paint.request))
    fixed = next((n for n, layer in enumerate(shown) if _differs(layer)), len(shown))
    poster = _base(paint.template, shown[:fixed], paint.frame, paint.load).copy()
    codes = []
    for layer in shown[fixed:]:
        if isinstance(layer, Qr):
            codes.append(_draw_qr(poster, layer, paint))
        else:
            _draw(poster, layer, paint)
    return poster, codes


def codes(paint: Paint) -> list[Code]:
    """The poster's codes, without drawing it."""
    shown = (layer for layer in paint.template.qrs if is_shown(layer.shown, paint.request))
    return [_code(qr, paint) for qr in shown]


def _differs(layer: Layer) -> bool:
    return isinstance(layer, (Qr, Avatar)) or (isinstance(layer, Text) and "{" in layer.value)


@lru_cache(maxsize=2)  # 60 MB each at the greatest size
def _base(template: Template, layers: tuple[Layer, ...], frame: Frame, load: Load) -> Image.Image:
    page = drawing_tools.ground(template.background, frame)
    if asset_id := template.background.asset_id:
        page.paste(*_pasted(ImageOps.fit(load(asset_id), page.size, Image.Resampling.LANCZOS), (0, 0)))
    nobody = Request("", template.name, None)
    for layer in layers:
        _draw(page, layer, Paint(template, nobody, frame, load))
    return page


def _draw(page: Image.Image, layer: Layer, paint: Paint) -> None:
    frame = paint.frame
    match layer:
        case Rect() | Disc():
            drawing_tools.draw_shape(page, layer, frame)
        case Text():
            words = filled(layer.value, paint.template, paint.request)
            layer = drawing_tools.no_larger_than_title(layer, paint.template, paint.request)
            mask, at = drawing_tools.written(layer, words, frame)
            page.paste(rgb(layer.colour), at, mask)
        case Picture():
            _draw_picture(page, layer, frame, paint.load)
        case Avatar():
            _draw_avatar(page, layer, paint)


def _pasted(
    picture: Image.Image, at: tuple[int, int]
) -> tuple[Image.Image, tuple[int, int], Image.Image | None]:
    return picture, at, picture.getchannel("A") if picture.mode == "RGBA" else None


def _draw_picture(page: Image.Image, layer: Picture, frame: Frame, load: Load) -> None:
    size = max(1, round(layer.width * frame.scale)), max(1, round(layer.height * frame.scale))
    at = round(frame.x(layer.x)), round(frame.x(layer.y))
    whole = load(layer.asset_id)
    if layer.fit == "cover":
        made = ImageOps.fit(whole, size, Image.Resampling.LANCZOS)
    else:
        made = ImageOps.contain(whole, size, Image.Resampling.LANCZOS)
        at = at[0] + (size[0] - made.width) // 2, at[1] + (size[1] - made.height) // 2
    mask = drawing_tools.rounded(made.width, made.height, round(layer.radius * frame.scale))
    if made.mode == "RGBA":
        mask.paste(made.getchannel("A"), (0, 0), mask)
    page.paste(made.convert("RGB"), at, mask)


def _draw_avatar(page: Image.Image, layer: Avatar, paint: Paint) -> None:
    frame, radius = paint.frame, layer.size / 2
    disc = Disc(layer.x + radius, layer.y + radius, radius, layer.fill)
    drawing_tools.draw_shape(page, disc, frame)
    if paint.avatar is not None:
        side = max(1, round(layer.size * frame.scale))
        face = ImageOps.fit(paint.avatar.convert("RGB"), (side, side), Image.Resampling.LANCZOS)
        page.paste(
            face, (round(frame.x(layer.x)), round(frame.x(layer.y))), drawing_tools.rounded(side, side, side)
        )
        return
    box = layer.size
    letter = Text("{initial}", layer.x, layer.y, box, box, box * _SANS_INITIAL, layer.colour, leading=1)
    _draw(page, letter, paint)


def _code(qr: Qr, paint: Paint) -> Code:
    rows = drawing_tools.code_rows(paint.request.url, qr)
    return Code(qr, tuple(rows), drawing_tools.placed(paint.template, qr, rows, paint.frame))


def _draw_qr(page: Image.Image, qr: Qr, paint: Paint) -> Code:
    code, frame = _code(qr, paint), paint.frame
    rows, square = list(code.rows), code.square
    left, top, side = round(frame.x(qr.x)), round(frame.x(qr.y)), round(qr.size * frame.scale)
    page.paste(rgb(qr.light), (left, top, left + side, top + side))
    whole = len(rows) * square.module
    box = (square.x, square.y, square.x + whole, square.y + whole)
    page.paste(rgb(qr.light), box)
    if paint.ink:
        mask = Image.new("L", (whole, whole))
        drawing_tools.draw_code(mask, rows, Square(0, 0, square.module), 255, 0)
        page.paste(rgb(qr.dark), box, mask)
    if qr.logo is not None:
        _draw_logo(page, code, paint.load(qr.logo))
    return code


def _draw_logo(page: Image.Image, code: Code, logo: Image.Image) -> None:
    """The logo in its hole, with a little light around it."""
    module = code.square.module
    hole = logo_modules(len(code.rows), code.qr.logo_side)
    inner = max(1, round((hole - 2 * _LOGO_PAD) * module))
    made = ImageOps.contain(logo, (inner, inner), Image.Resampling.LANCZOS)
    middle = len(code.rows) * module / 2
    at = round(code.square.x + middle - made.width / 2), round(code.square.y + middle - made.height / 2)
    page.paste(*_pasted(made, at))
