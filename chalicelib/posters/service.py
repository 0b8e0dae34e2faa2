"""Draws a poster, and hands it out only after a decoder has read it.

The picture is kept as palette indexes all the way: a page has few colours, so one byte a pixel is
enough, and PNG packs it several times faster than RGB. The page without this poster's own words is
drawn once per template and width; per poster there remain its words, the QR code (one byte a
module, enlarged), the check and the file. Pillow and qrcode live in layers/imaging, the fonts in
layers/fonts; only functions/poster imports this module.
"""

import io
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

import qrcode  # type: ignore[import-untyped]
import zxingcpp  # type: ignore[import-not-found]
from PIL import Image, ImageColor, ImageDraw, ImageFont

from chalicelib.posters.rules import (
    Disc,
    Face,
    Rect,
    Request,
    Template,
    Text,
    Unreadable,
    filled,
    is_shown,
    place_qr,
)
from chalicelib.posters.templates import TEMPLATES
from chalicelib.posters.typeset import Line, place

_FONT_FILES: dict[Face, str] = {"sans": "NotoSansSC-Regular.otf", "serif": "NotoSerifSC-Regular.otf"}
_SMOOTH = 4  # round shapes are drawn this much larger and averaged down
_SHADES = 16  # steps from ground to ink that a text's edges get
_PAGE_COLOURS = 128  # a gradient and smooth edges; exact for a flat template
_FAINTEST = 8  # of 255: a text's edge below this stays ground
_STEPS = [max(0, (value - _FAINTEST) * _SHADES // (256 - _FAINTEST)) for value in range(256)]
_INKED = [255 * (value >= _FAINTEST) for value in range(256)]
_NO_GLYPH = "\U0010ffff"
_Z_RLE = 3  # zlib's run-length strategy: flat pictures need no more

_Colour = tuple[int, ...]


@lru_cache(maxsize=128)
def _font(face: Face, size: float) -> ImageFont.FreeTypeFont:
    path = files("pylopdf_fonts_zh_cn") / _FONT_FILES[face]
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=8192)
def _advance(face: Face, character: str) -> float:
    """A character's width in em, the same at every size, so that lines break alike at every width."""
    return _font(face, 1000).getlength(character) / 1000


@lru_cache(maxsize=8192)
def _has_glyph(face: Face, character: str) -> bool:
    font = _font(face, 24)
    return character.isspace() or bytes(font.getmask(character)) != bytes(font.getmask(_NO_GLYPH))


def _drawable(text: str) -> str:
    """The text without characters that a font lacks (emoji in names): they would print as hollow boxes."""
    return "".join(c for c in text if _has_glyph("sans", c) and _has_glyph("serif", c)).strip()


@lru_cache(maxsize=256)
def _lines(layer: Text, words: str) -> list[Line]:
    return place(layer, words, lambda character: _advance(layer.face, character))


def _rgb(colour: str) -> _Colour:
    return ImageColor.getrgb(colour)[:3]


class _Page:
    """A template at one width: all that is the same on each of its posters, as palette indexes."""

    def __init__(self, template: Template, width: int, has_staff: bool):
        self.scale = width / template.width
        self.texts = [text for text in template.texts if is_shown(text.shown, has_staff)]
        picture = _background(template, width, round(template.height * self.scale))
        for shape in template.shapes:
            if is_shown(shape.shown, has_staff):
                _draw_shape(picture, shape, self.scale)
        indexed = picture.quantize(_PAGE_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        parts = indexed.getpalette() or []
        self.colours: list[_Colour] = [tuple(parts[n : n + 3]) for n in range(0, len(parts), 3)]
        self.picture = Image.frombytes("L", indexed.size, indexed.tobytes())
        self.dark, self.light = self._colour(template.qr.dark), self._colour(template.qr.light)
        self.ramps = {text: self._ramp(text) for text in self.texts}
        for text in self.texts:
            if "{" not in text.value:
                self.write(self.picture, text, text.value)
        self.palette = [part for colour in self.colours for part in colour]
        self.greys = [round(0.299 * r + 0.587 * g + 0.114 * b) for r, g, b in self.colours]
        self.greys += [0] * (256 - len(self.greys))

    def _colour(self, colour: str) -> int:
        if _rgb(colour) not in self.colours:
            self.colours.append(_rgb(colour))
        return self.colours.index(_rgb(colour))

    def _ramp(self, text: Text) -> int:
        """Adds the shades between the ground in the middle of the text's box and its ink, if they are new."""
        x, y = int((text.x + text.width / 2) * self.scale), int((text.y + text.height / 2) * self.scale)
        ground = self.colours[self.picture.crop((x, y, x + 1, y + 1)).tobytes()[0]]
        ink = _rgb(text.colour)
        shades = [
            tuple(round(g + (i - g) * step / _SHADES) for g, i in zip(ground, ink, strict=True))
            for step in range(1, _SHADES + 1)
        ]
        for start in range(len(self.colours) - _SHADES + 1):
            if self.colours[start : start + _SHADES] == shades:
                return start
        self.colours += shades
        return len(self.colours) - _SHADES

    def write(self, picture: Image.Image, text: Text, words: str) -> None:
        """Writes words into the text's box, in its shades."""
        margin = text.size / 2  # strokes may stand out of the box a little
        left, top = round((text.x - margin) * self.scale), round((text.y - margin) * self.scale)
        width, height = text.width + 2 * margin, text.height + 2 * margin
        mask = Image.new("L", (round(width * self.scale), round(height * self.scale)))
        draw = ImageDraw.Draw(mask)
        for line in _lines(text, words):
            em = line.size * self.scale
            font = _font(text.face, em)
            for character, x in zip(line.text, line.xs, strict=True):
                at = (x * self.scale - left, line.baseline * self.scale - top)
                draw.text(at, character, 255, font, "ls", stroke_width=text.weight * em)
        shades = mask.point([self.ramps[text] + step for step in _STEPS])
        picture.paste(shades, (left, top), mask.point(_INKED))


@lru_cache(maxsize=4)  # 30 MB each at the greatest width
def _page(template: Template, width: int, has_staff: bool) -> _Page:
    return _Page(template, width, has_staff)


def _background(template: Template, width: int, height: int) -> Image.Image:
    top, bottom = _rgb(template.background[0]), _rgb(template.background[-1])
    share = Image.linear_gradient("L").resize((1, height), Image.Resampling.BILINEAR)
    column = Image.composite(Image.new("RGB", (1, height), bottom), Image.new("RGB", (1, height), top), share)
    return column.resize((width, height), Image.Resampling.NEAREST)


def _draw_shape(picture: Image.Image, shape: Rect | Disc, scale: float) -> None:
    if isinstance(shape, Disc):
        side = 2 * shape.radius
        shape = Rect(shape.x - shape.radius, shape.y - shape.radius, side, side, shape.fill, shape.radius)
    width, height = max(1, round(shape.width * scale)), max(1, round(shape.height * scale))
    mask = Image.new("L", (width, height), 255)
    radius = min(round(shape.radius * scale), width // 2, height // 2)
    if radius:
        disc = Image.new("L", (2 * radius * _SMOOTH, 2 * radius * _SMOOTH))
        ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), 255)
        disc = disc.reduce(_SMOOTH)
        for x, left in ((0, 0), (width - radius, radius)):
            for y, top in ((0, 0), (height - radius, radius)):
                mask.paste(disc.crop((left, top, left + radius, top + radius)), (x, y))
    picture.paste(_rgb(shape.fill), (round(shape.x * scale), round(shape.y * scale)), mask)


def _modules(url: str) -> list[list[bool]]:
    """The QR code's modules without its quiet zone; a seventh of it may be damaged (level M)."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
    code.add_data(url)
    code.make()
    rows: list[list[bool]] = code.get_matrix()
    return rows


def _draw_qr(picture: Image.Image, page: _Page, template: Template, url: str) -> None:
    rows = _modules(url)
    square = place_qr(template, len(rows), picture.width)
    side = len(rows) * square.module
    indexes = bytes(page.dark if dark else page.light for row in rows for dark in row)
    small = Image.frombytes("L", (len(rows), len(rows)), indexes)
    picture.paste(small.resize((side, side), Image.Resampling.NEAREST), (square.x, square.y))


def decoded(grey: Image.Image) -> str | None:
    """What a QR reader, which shares no code with the writer, finds in the whole picture."""
    found = zxingcpp.read_barcode(
        grey, formats=zxingcpp.BarcodeFormat.QRCode, try_rotate=False, try_downscale=False
    )
    return str(found.text) if found else None


def render(request: Request) -> bytes:
    """The poster as a PNG.

    Invalid("width") when the code would be too fine, Unreadable when the poster does not decode to its url.
    """
    request = replace(
        request,
        title=_drawable(request.title),
        subtitle=_drawable(request.subtitle),
        staff_name=_drawable(request.staff_name),
    )
    template = TEMPLATES[request.template]
    page = _page(template, request.width or template.width, bool(request.staff_name))
    poster = page.picture.copy()
    for text in page.texts:
        if "{" in text.value:
            page.write(poster, text, filled(text.value, template, request))
    _draw_qr(poster, page, template, request.url)
    if decoded(poster.point(page.greys)) != request.url:
        raise Unreadable("the finished poster did not decode to its address")
    poster.putpalette(page.palette)
    png = io.BytesIO()
    poster.save(png, "PNG", compress_type=_Z_RLE)
    return png.getvalue()
