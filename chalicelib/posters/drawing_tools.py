"""What both sorts of pages draw with: fonts, lines of text as masks, round shapes, gradients, codes.

Pillow and qrcode live in layers/imaging, the fonts in layers/fonts; only functions/poster imports this.
"""

from functools import lru_cache
from importlib.resources import files

from PIL import Image, ImageColor, ImageDraw, ImageFont

from chalicelib.posters import qr as codes
from chalicelib.posters import rules
from chalicelib.posters.rules import Frame, Square
from chalicelib.posters.types import Background, Disc, Face, Qr, Rect, Template, Text
from chalicelib.posters.typeset import Line, place

_FONT_FILES: dict[Face, str] = {"sans": "NotoSansSC-Regular.otf", "serif": "NotoSerifSC-Regular.otf"}
_SMOOTH = 4  # round shapes are drawn this much larger and averaged down
_NO_GLYPH = "\U0010ffff"

Colour = tuple[int, ...]


@lru_cache(maxsize=128)
def font(face: Face, size: float) -> ImageFont.FreeTypeFont:
    path = files("pylopdf_fonts_zh_cn") / _FONT_FILES[face]
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=8192)
def _advance(face: Face, character: str) -> float:
    """A character's width in em, the same at every size, so that lines break alike at every width."""
    return font(face, 1000).getlength(character) / 1000


@lru_cache(maxsize=8192)
def _has_glyph(face: Face, character: str) -> bool:
    drawn = font(face, 24)
    return character.isspace() or bytes(drawn.getmask(character)) != bytes(drawn.getmask(_NO_GLYPH))


def drawable(text: str) -> str:
    """The text without characters that a font lacks (emoji in names): they would print as hollow boxes."""
    return "".join(c for c in text if _has_glyph("sans", c) and _has_glyph("serif", c)).strip()


@lru_cache(maxsize=256)
def lines(layer: Text, words: str) -> list[Line]:
    return place(layer, words, lambda character: _advance(layer.face, character))


def rgb(colour: str) -> Colour:
    return ImageColor.getrgb(colour)[:3]


def written(layer: Text, words: str, page: Frame) -> tuple[Image.Image, tuple[int, int]]:
    """The words as a mask, and where on the page its upper left corner goes."""
    margin = layer.size / 2  # strokes may stand out of the box a little
    left, top = round(page.x(layer.x - margin)), round(page.x(layer.y - margin))
    width, height = layer.width + 2 * margin, layer.height + 2 * margin
    mask = Image.new("L", (round(width * page.scale), round(height * page.scale)))
    draw = ImageDraw.Draw(mask)
    for line in lines(layer, words):
        em = line.size * page.scale
        face = font(layer.face, em)
        for character, x in zip(line.text, line.xs, strict=True):
            at = (page.x(x) - left, page.x(line.baseline) - top)
            draw.text(at, character, 255, face, "ls", stroke_width=layer.weight * em)
    return mask, (left, top)


def ground(background: Background, page: Frame) -> Image.Image:
    """A page of the background's colour or gradient."""
    top, bottom = rgb(background.colour), rgb(background.to or background.colour)
    if top == bottom:
        return Image.new("RGB", (page.width, page.height), top)
    share = Image.linear_gradient("L").resize((1, page.height), Image.Resampling.BILINEAR)
    column = Image.composite(
        Image.new("RGB", (1, page.height), bottom), Image.new("RGB", (1, page.height), top), share
    )
    return column.resize((page.width, page.height), Image.Resampling.NEAREST)


def rounded(width: int, height: int, radius: int) -> Image.Image:
    """A mask of a rectangle with round corners."""
    mask = Image.new("L", (width, height), 255)
    radius = min(radius, width // 2, height // 2)
    if radius:
        disc = Image.new("L", (2 * radius * _SMOOTH, 2 * radius * _SMOOTH))
        ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), 255)
        disc = disc.reduce(_SMOOTH)
        for x, left in ((0, 0), (width - radius, radius)):
            for y, top in ((0, 0), (height - radius, radius)):
                mask.paste(disc.crop((left, top, left + radius, top + radius)), (x, y))
    return mask


def draw_shape(picture: Image.Image, shape: Rect | Disc, page: Frame) -> None:
    if isinstance(shape, Disc):
        side = 2 * shape.radius
        shape = Rect(shape.x - shape.radius, shape.y - shape.radius, side, side, shape.fill, shape.radius)
    width, height = max(1, round(shape.width * page.scale)), max(1, round(shape.height * page.scale))
    mask = rounded(width, height, round(shape.radius * page.scale))
    picture.paste(rgb(shape.fill), (round(page.x(shape.x)), round(page.x(shape.y))), mask)


def code_rows(url: str, qr: Qr) -> list[bytes]:
    """The code's modules without its quiet zone: level M, or H with a hole in the middle for the logo."""
    if qr.logo is None:
        return codes.matrix(url, "M")
    rows = codes.matrix(url, "H")
    return rules.without_middle(rows, rules.logo_modules(len(rows), qr.logo_side))


def placed(template: Template, qr: Qr, rows: list[bytes], page: Frame) -> Square:
    return rules.place_qr(template, len(rows), page.width, qr, page)


def draw_code(picture: Image.Image, rows: list[bytes], square: Square, dark: int, light: int) -> None:
    """The modules, one byte each, enlarged, onto a picture of one byte a pixel."""
    count = len(rows)
    indexes = b"".join(rows).translate(bytes([light, dark]) + bytes(254))
    small = Image.frombytes("L", (count, count), indexes)
    side = count * square.module
    picture.paste(small.resize((side, side), Image.Resampling.NEAREST), (square.x, square.y))
