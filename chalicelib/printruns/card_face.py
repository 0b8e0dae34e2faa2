"""A card's template as PDF: what is the same on all cards, drawn once; and where code and number go on each.

Texts are outlines (转曲), as print shops ask for: no machine can lack or replace a font. Only the number is
text, in an embedded font, so that a card can be searched for.
"""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from PIL import Image, ImageOps
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]

from chalicelib.posters import fonts, print_pages, shaping, typeset
from chalicelib.posters.drawing_tools import ground
from chalicelib.posters.print_pages import MM
from chalicelib.posters.rules import DPI, Frame, Request, is_shown, logo_modules
from chalicelib.posters.shaping import Cluster
from chalicelib.posters.types import Avatar, Disc, Face, Picture, Qr, Rect, Template, Text
from chalicelib.posters.typeset import Line

Load = Callable[[str], Image.Image]  # an uploaded picture by its id
_NUMBER = "\ue000"  # stands for the card's number while texts are laid out
_NON_ZERO = 1  # PDF's rule of what is inside of an outline, as fonts have it
_PIXEL = 72 / DPI  # points
_JPEG_QUALITY = 93
_LOGO_PAD = 0.5  # modules of light around a logo
_NOBODY = Request("", "", None)


class Slot(Struct, frozen=True):
    """Where a card's number is written: its left end on the baseline, in points."""

    x: float
    y: float
    size: float
    colour: str


class Spot(Struct, frozen=True):
    """Where a card's code is drawn: its upper left module's corner and a module's side, in points."""

    x: float
    top: float
    module: float
    colour: str
    logo_side: float


class CardFace:
    """A template laid out for a run. `words`: what stands for its placeholders; `label`: its first number.

    scale: mm of the template's unit. modules: of the side of a code, by whether it has a logo.
    """

    def __init__(
        self,
        template: Template,
        words: Mapping[str, str],
        label: str,
        scale: float,
        modules: Mapping[bool, int],
    ):
        self.template, self.scale, self.modules = template, scale * MM, modules
        self.words = {**words, "run_number": _NUMBER}
        self.label_width = print_pages.measure_number(label)
        self.layers = [layer for layer in template.layers if is_shown(layer.shown, _NOBODY)]
        self.lines = {
            number: self._place(layer, layer)
            for number, layer in enumerate(self.layers)
            if isinstance(layer, Text)
        }
        for name, larger in (("subtitle", "title"), ("footer", "subtitle")):
            self._shrink(name, self._size(larger))

    @property
    def slots(self) -> list[Slot]:
        """The number's places."""
        return [
            Slot(x * self.scale, self._y(line.baseline), line.size * self.scale, self._text(number).colour)
            for number, lines in self.lines.items()
            for line in lines
            for cluster, x in zip(line.clusters, line.xs, strict=True)
            if cluster.text == _NUMBER
        ]

    @property
    def spots(self) -> list[Spot]:
        """The code's places."""
        return [self._spot(layer) for layer in self.layers if isinstance(layer, Qr)]

    def draw(self, canvas: Any, load: Load) -> None:
        """All but code and number, from the card's lower left corner."""
        self._draw_ground(canvas, load)
        for number, layer in enumerate(self.layers):
            match layer:
                case Rect():
                    canvas.setFillColor(layer.fill)
                    radius = min(layer.radius, layer.width / 2, layer.height / 2)
                    canvas.roundRect(*self._box(layer), radius * self.scale, stroke=0, fill=1)
                case Disc():
                    canvas.setFillColor(layer.fill)
                    canvas.circle(
                        layer.x * self.scale, self._y(layer.y), layer.radius * self.scale, stroke=0, fill=1
                    )
                case Avatar():  # a card has no guide, so it is the disc alone, as on a poster of nobody
                    canvas.setFillColor(layer.fill)
                    radius = layer.size / 2
                    middle = (layer.x + radius) * self.scale, self._y(layer.y + radius)
                    canvas.circle(*middle, radius * self.scale, stroke=0, fill=1)
                case Text():
                    self._draw_text(canvas, layer, self.lines[number])
                case Picture():
                    self._draw_picture(canvas, layer, load)
                case Qr():
                    canvas.setFillColor(layer.light)
                    canvas.rect(*self._box(layer), stroke=0, fill=1)
                    if layer.logo:
                        self._draw_logo(canvas, layer, load(layer.logo))

    def _place(self, layer: Text, sized: Text) -> list[Line]:
        words = re.sub(r"\{(\w+)\}", lambda match: self.words.get(match[1], ""), layer.value)
        return typeset.place(sized, words, partial(self._shape, layer.face))

    def _shape(self, face: Face, text: str) -> tuple[Cluster, ...]:
        before, number, after = text.partition(_NUMBER)
        if not number:
            return shaping.shape(face, text)
        slot = Cluster(_NUMBER, self.label_width)
        return (*shaping.shape(face, before), slot, *self._shape(face, after))

    def _size(self, name: str) -> float | None:
        """At which a placeholder's text is drawn."""
        sizes = [lines[0].size for number, lines in self.lines.items() if lines and self._is_of(number, name)]
        return min(sizes, default=None)

    def _shrink(self, name: str, size: float | None) -> None:
        """No subtitle is larger than its title, however long that is."""
        for number in self.lines:
            text = self._text(number)
            if size is not None and self._is_of(number, name) and size < text.size:
                smaller = replace(text, size=size, min_size=min(text.min_size, size))
                self.lines[number] = self._place(text, smaller)

    def _is_of(self, number: int, name: str) -> bool:
        return f"{{{name}}}" in self._text(number).value

    def _text(self, number: int) -> Text:
        layer = self.layers[number]
        assert isinstance(layer, Text)
        return layer

    def _y(self, y: float) -> float:
        return (self.template.height - y) * self.scale

    def _box(self, layer: Rect | Qr | Picture) -> tuple[float, float, float, float]:
        """Left, bottom, width, height in points."""
        width, height = (layer.size, layer.size) if isinstance(layer, Qr) else (layer.width, layer.height)
        return layer.x * self.scale, self._y(layer.y + height), width * self.scale, height * self.scale

    def _spot(self, qr: Qr) -> Spot:
        count = self.modules[qr.logo is not None]
        module = qr.size / (count + 2 * qr.quiet) * self.scale
        inset = qr.quiet * module
        return Spot(
            qr.x * self.scale + inset,
            self._y(qr.y) - inset,
            module,
            qr.dark,
            qr.logo_side if qr.logo else 0.0,
        )

    def _draw_ground(self, canvas: Any, load: Load) -> None:
        background, bleed = self.template.background, self.template.bleed_mm * MM
        width, height = (
            self.template.width * self.scale + 2 * bleed,
            self.template.height * self.scale + 2 * bleed,
        )
        box = -bleed, -bleed, width, height
        if background.asset_id:
            self._draw_image(canvas, _covering(load(background.asset_id), width, height), *box)
        elif background.to:
            canvas.drawImage(ImageReader(ground(background, Frame(1, 2, round(height / _PIXEL)))), *box)
        else:
            canvas.setFillColor(background.colour)
            canvas.rect(*box, stroke=0, fill=1)

    def _draw_text(self, canvas: Any, layer: Text, lines: list[Line]) -> None:
        path = canvas.beginPath()
        for line in lines:
            size, y = line.size * self.scale, self._y(line.baseline)
            for cluster, x in zip(line.clusters, line.xs, strict=True):
                for glyph in cluster.glyphs:
                    at = x * self.scale + glyph.x * size, y + glyph.y * size
                    pen = _PathPen(path, size / glyph.font.em, *at)
                    fonts.emboldened(glyph.font, layer.weight).draw_glyph_with_pen(glyph.number, pen)
        canvas.setFillColor(layer.colour)
        canvas.drawPath(path, stroke=0, fill=1, fillMode=_NON_ZERO)

    def _draw_picture(self, canvas: Any, layer: Picture, load: Load) -> None:
        x, y, width, height = self._box(layer)
        picture = load(layer.asset_id)
        canvas.saveState()
        if layer.fit == "cover":
            picture = _covering(picture, width, height)
        else:
            share = min(width / picture.width, height / picture.height)
            inner = picture.width * share, picture.height * share
            x, y = x + (width - inner[0]) / 2, y + (height - inner[1]) / 2
            width, height = inner
        clip = canvas.beginPath()
        clip.roundRect(x, y, width, height, min(layer.radius * self.scale, width / 2, height / 2))
        canvas.clipPath(clip, stroke=0, fill=0)
        self._draw_image(canvas, picture, x, y, width, height)
        canvas.restoreState()

    def _draw_logo(self, canvas: Any, qr: Qr, logo: Image.Image) -> None:
        """In the middle of the code, whose modules leave it free."""
        spot, count = self._spot(qr), self.modules[True]
        side = (logo_modules(count, qr.logo_side) - 2 * _LOGO_PAD) * spot.module
        share = min(side / logo.width, side / logo.height)
        width, height = logo.width * share, logo.height * share
        middle = count * spot.module / 2
        self._draw_image(
            canvas, logo, spot.x + middle - width / 2, spot.top - middle - height / 2, width, height
        )

    @staticmethod
    def _draw_image(
        canvas: Any, picture: Image.Image, x: float, y: float, width: float, height: float
    ) -> None:
        """At 300 dpi at most; a photograph as a JPEG."""
        most = max(1, round(width / _PIXEL)), max(1, round(height / _PIXEL))
        if picture.width > most[0] or picture.height > most[1]:
            picture = picture.resize(most, Image.Resampling.LANCZOS)
        if picture.mode == "RGBA":
            canvas.drawImage(ImageReader(picture), x, y, width, height, mask="auto")
            return
        jpeg = io.BytesIO()
        picture.convert("RGB").save(jpeg, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        jpeg.seek(0)
        canvas.drawImage(ImageReader(jpeg), x, y, width, height)


def _covering(picture: Image.Image, width: float, height: float) -> Image.Image:
    """The middle of a picture in the proportions of a box."""
    share = max(width / picture.width, height / picture.height)
    size = max(1, round(width / share)), max(1, round(height / share))
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


class _PathPen:
    """Draws a glyph's outlines into a path of ReportLab."""

    def __init__(self, path: Any, scale: float, x: float, y: float):
        self._path, self._scale, self._x, self._y = path, scale, x, y
        self._at = (0.0, 0.0)

    def moveTo(self, at: tuple[float, float]) -> None:
        self._at = at
        self._path.moveTo(*self._points(at))

    def lineTo(self, at: tuple[float, float]) -> None:
        self._at = at
        self._path.lineTo(*self._points(at))

    def curveTo(self, *points: tuple[float, float]) -> None:
        self._at = points[-1]
        self._path.curveTo(*self._points(*points))

    def qCurveTo(self, control: tuple[float, float], at: tuple[float, float]) -> None:
        """TrueType's curves have one control point, PDF's two."""
        first, second = (
            tuple(end + (middle - end) * 2 / 3 for end, middle in zip(ends, control, strict=True))
            for ends in (self._at, at)
        )
        self.curveTo(first, second, at)  # type: ignore[arg-type]

    def closePath(self) -> None:
        self._path.close()

    def _points(self, *points: tuple[float, float]) -> Iterator[float]:
        for x, y in points:
            yield self._x + x * self._scale
            yield self._y + y * self._scale
