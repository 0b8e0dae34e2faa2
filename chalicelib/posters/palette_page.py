"""Pages of few colours, kept as palette indexes all the way: those of the built-in templates.

One byte a pixel is enough, and PNG packs it several times faster than RGB. The page without a
poster's own words is drawn once per template and width; per poster there remain its words and the code.
"""

from functools import lru_cache

from PIL import Image

from chalicelib.posters import drawing_tools
from chalicelib.posters.drawing_tools import Colour, rgb
from chalicelib.posters.rules import Frame, Request, filled, is_shown
from chalicelib.posters.types import Disc, Rect, Template, Text

SHADES = 16  # steps from ground to ink that a text's edges get
_PAGE_COLOURS = 112  # a gradient and smooth edges; of 256, the rest is for the shades of eight texts
_FAINTEST = 8  # of 255: a text's edge below this stays ground
_STEPS = [max(0, (value - _FAINTEST) * SHADES // (256 - _FAINTEST)) for value in range(256)]
_INKED = [255 * (value >= _FAINTEST) for value in range(256)]


class Page:
    """A template at one width: all that is the same on each of its posters, as palette indexes."""

    def __init__(
        self, template: Template, page: Frame, texts: tuple[Text, ...], shapes: tuple[Rect | Disc, ...]
    ):
        self.frame, self.texts = page, texts
        picture = drawing_tools.ground(template.background, page)
        for shape in shapes:
            drawing_tools.draw_shape(picture, shape, page)
        indexed = picture.quantize(_PAGE_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        parts = indexed.getpalette() or []
        self.colours: list[Colour] = [tuple(parts[n : n + 3]) for n in range(0, len(parts), 3)]
        self.picture = Image.frombytes("L", indexed.size, indexed.tobytes())
        self.dark, self.light = self._colour(template.qr.dark), self._colour(template.qr.light)
        self.ramps = {text: self._ramp(text) for text in texts}
        for text in texts:
            if "{" not in text.value:
                self.write(self.picture, text, text.value)
        self.palette = [part for colour in self.colours for part in colour]
        self.greys = [round(0.299 * r + 0.587 * g + 0.114 * b) for r, g, b in self.colours]
        self.greys += [0] * (256 - len(self.greys))

    def _colour(self, colour: str) -> int:
        if rgb(colour) not in self.colours:
            self.colours.append(rgb(colour))
        return self.colours.index(rgb(colour))

    def _ramp(self, text: Text) -> int:
        """Adds the shades between the ground in the middle of the text's box and its ink, if they are new."""
        x, y = int(self.frame.x(text.x + text.width / 2)), int(self.frame.x(text.y + text.height / 2))
        under = self.colours[self.picture.crop((x, y, x + 1, y + 1)).tobytes()[0]]
        ink = rgb(text.colour)
        shades = [
            tuple(round(g + (i - g) * step / SHADES) for g, i in zip(under, ink, strict=True))
            for step in range(1, SHADES + 1)
        ]
        for start in range(len(self.colours) - SHADES + 1):
            if self.colours[start : start + SHADES] == shades:
                return start
        self.colours += shades
        return len(self.colours) - SHADES

    def write(self, picture: Image.Image, text: Text, words: str) -> None:
        """Writes words into the text's box, in its shades."""
        mask, at = drawing_tools.written(text, words, self.frame)
        shades = mask.point([self.ramps[text] + step for step in _STEPS])
        picture.paste(shades, at, mask.point(_INKED))


@lru_cache(maxsize=4)  # 30 MB each at the greatest width
def _kept(template: Template, page: Frame, texts: tuple[Text, ...], shapes: tuple[Rect | Disc, ...]) -> Page:
    return Page(template, page, texts, shapes)


def page_of(template: Template, request: Request, frame: Frame) -> Page:
    """The template's page, with the layers that this request's poster has."""
    texts = tuple(text for text in template.texts if is_shown(text.shown, request))
    shapes = tuple(shape for shape in template.shapes if is_shown(shape.shown, request))
    return _kept(template, frame, texts, shapes)


def draw(template: Template, request: Request, frame: Frame, rows: list[bytes] | None) -> Image.Image:
    """A poster of palette indexes, with its palette. rows: the code's modules; None leaves its ground."""
    page = page_of(template, request, frame)
    poster = page.picture.copy()
    for text in page.texts:
        if "{" in text.value:
            page.write(poster, text, filled(text.value, template, request))
    if rows is not None:
        square = drawing_tools.placed(template, template.qr, rows, frame)
        drawing_tools.draw_code(poster, rows, square, page.dark, page.light)
    poster.putpalette(page.palette)
    return poster
