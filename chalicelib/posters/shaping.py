"""Text as glyphs: which font, which direction, which forms. HarfBuzz does the work, a run at a time.

A run is a stretch of one font and one direction. Arabic, Uyghur and Hebrew run from right to left (the
Unicode Bidirectional Algorithm, python-bidi), letters join, marks stand where the font wants them. The
result is a line in clusters, from left to right, each of which typeset.py may move as a whole.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

import uharfbuzz  # type: ignore[import-untyped]
from msgspec import Struct

from chalicelib.posters import fonts
from chalicelib.posters.fonts import Font
from chalicelib.posters.types import Face

_HAN = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_RIGHT_TO_LEFT = frozenset(("R", "AL"))
_ODD_LEVEL = 1
_LANGUAGE = "zh-Hans"  # of a Han character's regional forms those of China


class Glyph(Struct, frozen=True):
    """x, y: from its cluster's left end on the baseline, in em."""

    font: Font
    number: int
    x: float
    y: float


class Cluster(Struct, frozen=True):
    """What is drawn and moved as a whole: a character with its marks, a ligature. Lengths in em.

    joined: what stands beside it belongs to it (Arabic letters); no space comes between.
    """

    text: str
    advance: float
    glyphs: tuple[Glyph, ...] = ()
    joined: bool = False


@lru_cache(maxsize=4096)
def shape(face: Face, text: str) -> tuple[Cluster, ...]:
    """A line's clusters from left to right. A character that no font has is the face's hollow box."""
    clusters: list[Cluster] = []
    for run, level in _directed(text):
        parts = [_shape_run(font, part, level) for font, part in _split_by_font(face, run)]
        for part in reversed(parts) if level % 2 else parts:
            clusters += part
    return tuple(clusters)


def _directed(text: str) -> list[tuple[str, int]]:
    """Runs of one direction from left to right, each in the order of reading, with its level."""
    if not any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return [(text, 0)]
    from bidi import algorithm  # type: ignore[import-untyped]

    # A line of which anything is Chinese or Latin is read from the left, whatever it begins with.
    base = 0 if any(unicodedata.bidirectional(character) == "L" for character in text) else 1
    storage = algorithm.get_empty_storage()
    storage["base_level"], storage["base_dir"] = base, "LR"[base]
    algorithm.get_embedding_levels(text, storage)
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    runs = [
        ("".join(one["ch"] for one in group), level)
        for level, group in groupby(storage["chars"], lambda one: int(one["level"]))
    ]
    return _reordered(runs)


def _reordered(runs: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Rule L2: from the highest level to the lowest odd one, reverse what is at that level or higher."""
    for level in range(max(level for _, level in runs), _ODD_LEVEL - 1, -1):
        ordered: list[tuple[str, int]] = []
        for is_high, group in groupby(runs, lambda run, level=level: run[1] >= level):  # type: ignore[misc]
            same = list(group)
            ordered += reversed(same) if is_high else same
        runs = ordered
    return runs


def _split_by_font(face: Face, text: str) -> Iterator[tuple[Font, str]]:
    """Stretches of one font. Marks, spaces and signs stay in the font before them if that has them."""
    primary = fonts.chain(face)[0]
    stretch, font, is_han = "", primary, False
    for character in text:
        own = _pick(face, character, font if stretch else None)
        han = bool(_HAN.match(character)) if character.isalnum() else is_han
        if stretch and (own is not font or han != is_han):
            yield font, stretch
            stretch = ""
        font, is_han = own, han
        stretch += character
    if stretch:
        yield font, stretch


def _pick(face: Face, character: str, before: Font | None) -> Font:
    primary = fonts.chain(face)[0]
    depends = before is not None and before is not primary and not character.isalnum()
    if depends and before is not None and (before.has(character) or fonts.is_joiner(character)):
        return before
    return fonts.find(face, character) or primary


def _shape_run(font: Font, text: str, level: int) -> list[Cluster]:
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction, buffer.language = ("rtl" if level % 2 else "ltr"), _LANGUAGE
    uharfbuzz.shape(font.shaper, buffer)
    shaped = list(zip(buffer.glyph_infos, buffer.glyph_positions, strict=True))
    starts = sorted({info.cluster for info, _ in shaped})
    ends = dict(zip(starts, [*starts[1:], len(text)], strict=True))
    clusters = []
    for start, group in groupby(shaped, lambda pair: int(pair[0].cluster)):
        glyphs, x = [], 0.0
        for info, position in group:
            at = (x + position.x_offset) / font.em, position.y_offset / font.em
            glyphs.append(Glyph(font, info.codepoint, *at))
            x += position.x_advance
        clusters.append(Cluster(text[start : ends[start]], x / font.em, tuple(glyphs), font.joins))
    return clusters
