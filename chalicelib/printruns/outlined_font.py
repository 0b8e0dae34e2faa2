"""The Chinese font as outlines (转曲), as print shops ask for: no machine can lack or replace a font.

fontTools reads them out of Noto Sans SC (CFF; ReportLab takes no such font). fontTools lives in
layers/typesetting, the font in layers/fonts; only functions/printrun imports this.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Any

from fontTools.pens.basePen import BasePen  # type: ignore[import-untyped]
from fontTools.pens.transformPen import TransformPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from chalicelib.platform.errors import Invalid, issue


class Font:
    """Widths and outlines of its characters. Lengths in em, where nothing else is said."""

    def __init__(self) -> None:
        font = TTFont(str(files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf"), lazy=True)
        self._names, self._glyphs = font.getBestCmap(), font.getGlyphSet()
        self._em = font["head"].unitsPerEm

    def check(self, text: str) -> None:
        """Invalid names the characters that the font lacks."""
        if missing := sorted(c for c in set(text) if ord(c) not in self._names):
            raise Invalid(issue("sheet", "no_glyph", characters=" ".join(missing)))

    def width(self, text: str) -> float:
        return float(sum(self._glyph(character).width for character in text) / self._em)

    def draw(self, path: Any, text: str, size: float, x: float, y: float) -> None:
        """Add a line's outlines to a path of ReportLab. x, y: where its baseline begins; size: of the em."""
        pen, scale = _PathPen(self._glyphs, path), size / self._em
        for character in text:
            glyph = self._glyph(character)
            glyph.draw(TransformPen(pen, (scale, 0, 0, scale, x, y)))
            x += glyph.width * scale

    def _glyph(self, character: str) -> Any:
        return self._glyphs[self._names[ord(character)]]


@lru_cache(maxsize=1)
def load_font() -> Font:
    """The process's one font: 0.2 s to open."""
    return Font()


class _PathPen(BasePen):  # type: ignore[misc]
    def __init__(self, glyphs: Any, path: Any):
        super().__init__(glyphs)
        self._moveTo = lambda at: path.moveTo(*at)
        self._lineTo = lambda at: path.lineTo(*at)
        self._curveToOne = lambda *points: path.curveTo(*(part for at in points for part in at))
        self._closePath = path.close
