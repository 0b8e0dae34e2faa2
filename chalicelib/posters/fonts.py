"""The fonts, and which of them draws a character: the face's own, else the first behind it that has it.

uharfbuzz (layers/typesetting) opens them from layers/fonts, by memory map: 0.1 ms each. Behind the two
Chinese faces stand Noto Sans CJK (rare Han characters, Korean, Japanese), Noto Sans of twenty other scripts,
and whatever fonts the brand has put into layers/fonts/python/brand_fonts.
"""

import unicodedata
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import uharfbuzz  # type: ignore[import-untyped]
from msgspec import Struct

from chalicelib.posters.types import Face

_FACES: dict[Face, str] = {"sans": "NotoSansSC-Regular.otf", "serif": "NotoSerifSC-Regular.otf"}
_CHINESE, _CJK, _SCRIPTS, _BRAND = (
    "pylopdf_fonts_zh_cn",
    "noto_cjk_sans_jp_regular",
    "manimgx_fonts",
    "brand_fonts",
)
_UNUSED = ("NotoSans-Italic", "NotoEmoji")
# Emoji are pictures in colours that a page of ink has not; they are left out, and that is said.
_JOINERS = frozenset("\u200d\u20e3\ufe0e\ufe0f")
_FLAGS, _TONES, _TAGS = range(0x1F1E6, 0x1F200), range(0x1F3FB, 0x1F400), range(0xE0020, 0xE0080)
_INVISIBLE = frozenset("\u00ad\u034f\u061c\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")


class Font(Struct, frozen=True, eq=False):
    """`is_fallback`: of another script than the page's Chinese and Latin; its letters may join."""

    file: str
    face: uharfbuzz.Face
    shaper: uharfbuzz.Font
    em: int
    characters: uharfbuzz.Set
    joins: bool = False

    def has(self, character: str) -> bool:
        return ord(character) in self.characters


@lru_cache(maxsize=2)
def chain(face: Face) -> tuple[Font, ...]:
    """The face's font and those behind it, in their order."""
    chinese = _open(Path(str(files(_CHINESE))) / _FACES[face])
    cjk = _open(Path(str(files(_CJK))) / "NotoSansCJKjp-Regular.otf")
    scripts = [path for path in _list(_SCRIPTS) if not path.name.startswith(_UNUSED)]
    latin = [path for path in scripts if path.name.startswith("NotoSans[")]
    others = [path for path in scripts if path not in latin] + _list(_BRAND)
    return (chinese, cjk, *map(_open, latin), *(_open(path, joins=True) for path in others))


@lru_cache(maxsize=8192)
def find(face: Face, character: str) -> Font | None:
    """The font that draws a character of a face; None when there is none."""
    return next((font for font in chain(face) if font.has(character)), None)


def is_missing(character: str) -> bool:
    """Whether no font draws it, though it is to be seen."""
    if character.isspace() or character in _INVISIBLE or character in _JOINERS:
        return False
    return unicodedata.category(character) == "Cc" or find("sans", character) is None


def is_emoji(character: str) -> bool:
    from uniseg.emoji import emoji, extended_pictographic  # type: ignore[import-untyped]

    code = ord(character)
    if code in _FLAGS or code in _TONES or code in _TAGS:
        return True
    return bool(extended_pictographic(character) or (code > 0x2000 and emoji(character)))


def is_joiner(character: str) -> bool:
    """Whether it only binds or varies an emoji."""
    return character in _JOINERS


@lru_cache(maxsize=16)
def emboldened(font: Font, weight: float) -> uharfbuzz.Font:
    """The font with strokes thicker by `weight` em on each side, its widths as they were."""
    if not weight:
        return font.shaper
    bold = uharfbuzz.Font(font.face)
    bold.synthetic_bold = (2 * weight, 2 * weight, True)
    return bold


@lru_cache(maxsize=64)
def _open(path: Path, joins: bool = False) -> Font:
    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)))
    return Font(path.name, face, uharfbuzz.Font(face), face.upem, face.unicodes, joins)


def _list(package: str) -> list[Path]:
    try:
        found = [Path(str(path)) for path in files(package).iterdir()]
    except ModuleNotFoundError:
        return []
    return sorted(path for path in found if path.suffix in (".ttf", ".otf"))
