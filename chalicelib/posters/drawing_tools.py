"""What both sorts of pages draw with: lines of text as masks, round shapes, gradients, codes.

Pillow and qrcode live in layers/imaging, uharfbuzz in layers/typesetting, the fonts in layers/fonts; only
functions/poster and functions/printrun import this.
"""

from functools import lru_cache, partial

import uharfbuzz  # type: ignore[import-untyped]
from msgspec.structs import replace
from PIL import Image, ImageColor, ImageDraw

from chalicelib.posters import fonts, rules
from chalicelib.posters import qr as codes
from chalicelib.posters.rules import Frame, Request, Square
from chalicelib.posters.shaping import shape
from chalicelib.posters.types import Background, Disc, Qr, Rect, Template, Text
from chalicelib.posters.typeset import Line, place

_SMOOTH = 4  # round shapes are drawn this much larger and averaged down

Colour = tuple[int, ...]


@lru_cache(maxsize=256)
def lines(layer: Text, words: str) -> list[Line]:
    return place(layer, words, partial(shape, layer.face))


def no_larger_than_title(layer: Text, template: Template, request: Request) -> Text:
    """A subtitle's layer at most as large as the title is drawn: a long title is shrunk."""
    if "{subtitle}" not in layer.value:
        return layer
    placed = [
        lines(text, words)[0].size
        for text in template.texts
        if "{title}" in text.value
        and rules.is_shown(text.shown, request)
        and (words := rules.filled(text.value, template, request)).strip()
    ]
    size = min([layer.size, *placed])
    return replace(layer, size=size, min_size=min(layer.min_size, size)) if size < layer.size else layer


def rgb(colour: str) -> Colour:
    return ImageColor.getrgb(colour)[:3]


def written(layer: Text, words: str, page: Frame) -> tuple[Image.Image, tuple[int, int]]:
    """The words as a mask, and where on the page its upper left corner goes."""
    margin = layer.size / 2  # strokes may stand out of the box a little
    left, top = round(page.x(layer.x - margin)), round(page.x(layer.y - margin))
    width, height = layer.width + 2 * margin, layer.height + 2 * margin
    size = max(1, round(width * page.scale)), max(1, round(height * page.scale))
    raster = uharfbuzz.RasterDraw()
    raster.extents = uharfbuzz.RasterExtents(x_origin=0, y_origin=-size[1], width=size[0], height=size[1])
    for line in lines(layer, words):
        em, y = line.size * page.scale, top - page.x(line.baseline)
        for cluster, x in zip(line.clusters, line.xs, strict=True):
            for glyph in cluster.glyphs:
                scale = em / glyph.font.em
                at = page.x(x) - left + glyph.x * em, y + glyph.y * em
                raster.transform = (scale, 0, 0, scale, *at)
                raster.draw_glyph(fonts.emboldened(glyph.font, layer.weight), glyph.number)
    drawn = raster.render()
    mask = Image.frombytes("L", size, bytes(drawn.buffer), "raw", "L", drawn.extents.stride, -1)
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
