"""The part of the Chinese font that a run's cards need, to be put into its PDF.

fontTools cuts the outlines of the characters used out of Noto Sans SC (8 MB, CFF) in 0.4 s; what is
left has a few KB. Characters keep the font's own numbers (CIDs), which the PDF's texts then name.
fontTools lives in layers/typesetting, the font in layers/fonts; only functions/printrun imports this.
"""

import io
from dataclasses import dataclass
from importlib.resources import files

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from chalicelib.platform.errors import Invalid

NAME = "NotoSansSC-Regular"


@dataclass(frozen=True)
class Font:
    """cids, widths: by character. cff: the outlines. All lengths in thousandths of an em."""

    cff: bytes
    cids: dict[str, int]
    widths: dict[str, int]
    ascent: int
    descent: int
    cap_height: int
    box: tuple[int, int, int, int]

    def width(self, text: str) -> float:
        """In em."""
        return sum(self.widths[character] for character in text) / 1000

    def hex(self, text: str) -> str:
        """As a PDF string."""
        return "<" + "".join(f"{self.cids[character]:04x}" for character in text) + ">"


def cut(characters: str) -> Font:
    """The font of these characters. Invalid names those that it lacks."""
    options = subset.Options(layout_features=[], name_IDs=[], hinting=False, notdef_outline=True)
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "STAT"]
    whole = TTFont(str(files("pylopdf_fonts_zh_cn") / f"{NAME}.otf"), lazy=True)
    wanted = sorted(set(characters))
    if missing := [c for c in wanted if ord(c) not in whole.getBestCmap()]:
        raise Invalid(("sheet", "the font has no " + " ".join(missing)))
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(wanted))
    cutter.subset(whole)
    saved = io.BytesIO()
    whole.save(saved)
    small = TTFont(saved)
    names, metrics = small.getBestCmap(), small["hmtx"].metrics
    head = small["head"]
    return Font(
        cff=small.reader["CFF "],
        cids={c: int(names[ord(c)].removeprefix("cid")) for c in wanted},
        widths={c: metrics[names[ord(c)]][0] for c in wanted},
        ascent=small["hhea"].ascent,
        descent=small["hhea"].descent,
        cap_height=small["OS/2"].sCapHeight,
        box=(head.xMin, head.yMin, head.xMax, head.yMax),
    )
