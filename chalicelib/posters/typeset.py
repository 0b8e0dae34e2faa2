"""Chinese typesetting, pure: breaking text into lines, fitting it into a box, placing each character.

The rules are W3C's Requirements for Chinese Text Layout, §3.1: no line begins with closing
punctuation and none ends with an opening bracket (避头尾); full-width punctuation loses its blank
half beside other punctuation and at a line's ends (标点挤压); a dash —— and an ellipsis …… stay whole;
between Chinese and Latin stands a little space. Latin words and numbers stay whole unless one is wider
than the line.
"""

import math
import re
from collections.abc import Callable

from msgspec import Struct

from chalicelib.posters.types import Text

_BLANK_AFTER = frozenset("，。！？、：；）］｝」』】》〉〕〗")
_BLANK_BEFORE = frozenset("（［｛「『【《〈〔〖")
NOT_FIRST = _BLANK_AFTER | frozenset("”’…—～·％‰℃、,.!?:;)]}%")
NOT_LAST = _BLANK_BEFORE | frozenset("“‘￥＄([{$")
ELLIPSIS = "…"
_EM_ASCENT = 0.88  # of the CJK em box, in both Noto families
_SHRINK_STEPS = 8
_SIDES = {"left": 0.0, "center": 0.5, "right": 1.0}  # of the room beside a line, what stands on its left
_TOKEN = re.compile(r"\s+|[!-~\u00a1-\u052f]+|——+|……+|.", re.DOTALL)
_LATIN = re.compile(r"[0-9A-Za-z%$&#@+=\u00c0-\u052f]")
_HAN = re.compile(r"[\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

Advance = Callable[[str], float]
"""A character's width in em."""
Measure = Callable[[str], float]
"""A line's width in em."""


class Line(Struct, frozen=True):
    """One line ready to draw, in design units: font size, baseline, and each character's left end."""

    text: str
    size: float
    baseline: float
    xs: tuple[float, ...]


def offsets(
    text: str, advance: Advance, tracking: float = 0, gap: float = 0, squeeze: bool = True
) -> list[float]:
    """Where each character of a line begins, and where the last one ends, in em from the line's left edge.

    gap: between Chinese and Latin. squeeze: punctuation's blank halves at the line's ends hang out of it.
    """
    places = [-0.5 if squeeze and text[:1] in _BLANK_BEFORE else 0.0]
    for character, after in zip(text, [*text[1:], ""], strict=True):
        step = advance(character) + (tracking if after else 0)
        squeezed = after in _BLANK_AFTER | _BLANK_BEFORE if after else squeeze
        if gap and after and _meet(character, after):
            step += gap
        if (character in _BLANK_AFTER and squeezed) or (
            character in _BLANK_BEFORE and after in _BLANK_BEFORE
        ):
            step -= 0.5
        places.append(places[-1] + step)
    return places


def _meet(left: str, right: str) -> bool:
    """Whether Chinese and Latin stand side by side."""
    return bool((_HAN.match(left) and _LATIN.match(right)) or (_LATIN.match(left) and _HAN.match(right)))


def units(text: str) -> list[str]:
    """The pieces between which a line may break; trailing space belongs to the piece before it."""
    pieces: list[str] = []
    for token in _TOKEN.findall(text):
        if pieces and (token.isspace() or token[0] in NOT_FIRST or pieces[-1].rstrip()[-1:] in NOT_LAST):
            pieces[-1] += token
        else:
            pieces.append(token)
    return pieces


def _cut(piece: str, width: float, measure: Measure) -> int:
    """How many characters of a piece that is wider than the line go on it: at least one."""
    fits = 1
    while fits < len(piece) and measure(piece[: fits + 1]) <= width:
        fits += 1
    for at in range(fits, 0, -1):
        if piece[at : at + 1] not in NOT_FIRST and piece[at - 1] not in NOT_LAST:
            return at
    return fits  # nothing but punctuation


def wrap(text: str, width: float, measure: Measure) -> list[str]:
    """Breaks text into lines of at most `width` em, each as full as can be."""
    lines: list[str] = []
    line = ""
    for piece in units(text.strip()):
        if measure((line + piece).rstrip()) <= width:
            line += piece
            continue
        if line:
            lines.append(line.rstrip())
        while len(piece.rstrip()) > 1 and measure(piece.rstrip()) > width:
            at = _cut(piece, width, measure)
            lines.append(piece[:at].rstrip())
            piece = piece[at:].lstrip()
        line = piece
    return [*lines, line.rstrip()] if line else lines


def balanced(text: str, width: float, measure: Measure) -> list[str]:
    """As `wrap`, with no more lines, but of about one length: no lone character on the last."""
    lines = wrap(text, width, measure)
    # No narrower than the widest piece that fits whole: it would be torn.
    whole = [long for unit in units(text.strip()) if (long := measure(unit.rstrip())) <= width]
    low, high = max([measure(text) / max(len(lines), 1), *whole]), width
    while len(lines) > 1 and high - low > 0.25:
        middle = (low + high) / 2
        narrower = wrap(text, middle, measure)
        if len(narrower) == len(lines) and all(measure(line) <= middle for line in narrower):
            high, lines = middle, narrower
        else:
            low = middle
    return lines


def shortened(lines: list[str], count: int, width: float, measure: Measure) -> list[str]:
    """The first `count` lines, the last ending in an ellipsis that fits and follows no punctuation."""
    last = lines[count - 1]
    unfit = NOT_FIRST | NOT_LAST | {" "}
    while last and (last[-1] in unfit or measure(last + ELLIPSIS) > width):
        last = last[:-1]
    return [*lines[: count - 1], last + ELLIPSIS]


def fit(layer: Text, words: str, measure: Measure) -> tuple[list[str], float]:
    """The lines and the largest size at which they fit the layer's box; else cut at its smallest size."""
    smallest = layer.min_size or layer.size
    step = (layer.size - smallest) / _SHRINK_STEPS
    length = measure(words)
    for size in [layer.size - step * n for n in range(_SHRINK_STEPS + 1 if step else 1)]:
        if length * size > layer.width * layer.max_lines:
            continue
        lines = balanced(words, layer.width / size, measure)
        if len(lines) <= _room(layer, size):
            return lines, size
    width, room = layer.width / smallest, max(1, _room(layer, smallest))
    lines = wrap(words, width, measure)
    return (lines if len(lines) <= room else shortened(lines, room, width, measure)), smallest


def _room(layer: Text, size: float) -> int:
    """How many lines of a size the layer takes."""
    return min(layer.max_lines, math.floor((layer.height + 0.01) / (layer.leading * size)))


def place(layer: Text, words: str, advance: Advance) -> list[Line]:
    """Where each character of the words goes in the layer's box. Nothing for no words."""

    def measure(text: str) -> float:
        return offsets(text, advance, layer.tracking, layer.gap, layer.squeeze)[-1]

    if not words.strip():
        return []
    lines, size = fit(layer, words.strip(), measure)
    leading = layer.leading * size
    spare = layer.height - leading * len(lines)
    top = layer.y + {"top": 0.0, "middle": spare / 2, "bottom": spare}[layer.valign]
    placed = []
    for number, line in enumerate(lines):
        places = offsets(line, advance, layer.tracking, layer.gap, layer.squeeze)
        left = layer.x + (layer.width - places[-1] * size) * _SIDES[layer.align]
        baseline = top + leading * number + (leading - size) / 2 + _EM_ASCENT * size
        placed.append(Line(line, size, baseline, tuple(left + at * size for at in places[:-1])))
    return placed
