"""Typesetting, pure: text into lines that fit a box, and where each of their clusters goes.

Where a line may break is in line_breaking.py, what a text looks like in shaping.py. Of W3C's Requirements
for Chinese Text Layout, §3.1: full-width punctuation loses its blank half beside other punctuation
and at a line's ends (标点挤压), and between Chinese and Latin stands a little space. A line feed in the
text begins a new line.
"""

import math
import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from chalicelib.posters.line_breaking import (
    BLANK_AFTER,
    BLANK_BEFORE,
    LINES_KEPT,
    NOT_FIRST,
    NOT_LAST,
    graphemes,
    phrases,
    units,
)
from chalicelib.posters.shaping import Cluster
from chalicelib.posters.types import Text

ELLIPSIS = "…"
_EM_ASCENT = 0.88  # of the CJK em box, in both Noto families
_SHRINK_STEPS = 8
_SIDES = {"left": 0.0, "center": 0.5, "right": 1.0}  # of the room beside a line, what stands on its left
_LATIN = re.compile(r"[0-9A-Za-z%$&#@+=\u00c0-\u052f]")
_HAN = re.compile(r"[\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

Shape = Callable[[str], Sequence[Cluster]]
"""A line's clusters from left to right."""
Measure = Callable[[str], float]
"""A line's width in em."""
Break = Callable[[str], Sequence[str]]
"""A text's pieces, between which a line may break."""


class Line(Struct, frozen=True):
    """One line ready to draw, in design units: font size, baseline, and each cluster's left end."""

    text: str
    size: float
    baseline: float
    clusters: tuple[Cluster, ...]
    xs: tuple[float, ...]


def offsets(
    clusters: Sequence[Cluster], tracking: float = 0, gap: float = 0, squeeze: bool = True
) -> list[float]:
    """Where each cluster of a line begins, and where the last one ends, in em from the line's left edge.

    gap: between Chinese and Latin. squeeze: punctuation's blank halves at the line's ends hang out of it.
    """
    hangs = bool(squeeze and clusters and clusters[0].text in BLANK_BEFORE)
    places = [-0.5 if hangs else 0.0]
    for number, cluster in enumerate(clusters):
        after = clusters[number + 1] if number + 1 < len(clusters) else None
        step = cluster.advance
        if after and not (cluster.joined or after.joined):
            step += tracking + (gap if gap and _meet(cluster.text, after.text) else 0)
        squeezed = after.text in BLANK_AFTER | BLANK_BEFORE if after else squeeze
        if (cluster.text in BLANK_AFTER and squeezed) or (
            cluster.text in BLANK_BEFORE and after and after.text in BLANK_BEFORE
        ):
            step -= 0.5
        places.append(places[-1] + step)
    return places


def _meet(left: str, right: str) -> bool:
    """Whether Chinese and Latin stand side by side."""
    return bool((_HAN.match(left) and _LATIN.match(right)) or (_LATIN.match(left) and _HAN.match(right)))


def _cut(characters: Sequence[str], width: float, measure: Measure) -> int:
    """How many characters of a piece that is wider than the line go on it: at least one."""
    fits = 1
    while fits < len(characters) and measure("".join(characters[: fits + 1])) <= width:
        fits += 1
    for at in range(fits, 0, -1):
        if characters[at : at + 1] and characters[at] not in NOT_FIRST and characters[at - 1] not in NOT_LAST:
            return at
    return fits  # nothing but punctuation


def wrap(text: str, width: float, measure: Measure, pieces_of: Break = phrases) -> list[str]:
    """Breaks text into lines of at most `width` em, each as full as can be.

    pieces_of: where it breaks, if a piece is no wider than the line; else by `units`, else anywhere.
    """
    lines: list[str] = []
    for paragraph in text.strip().split("\n"):
        lines += _wrap_paragraph(paragraph.strip(), width, measure, pieces_of)
    return lines


def _wrap_paragraph(text: str, width: float, measure: Measure, pieces_of: Break) -> list[str]:
    if not text or measure(text) <= width:
        return [text]
    lines: list[str] = []
    line = ""
    for piece in _narrowed(pieces_of(text), width, measure):
        if not line or measure((line + piece).rstrip()) <= width:
            line += piece
        else:
            lines.append(line.rstrip())
            line = piece.lstrip()
    return [*lines, line.rstrip()] if line.rstrip() else lines


def _narrowed(pieces: Sequence[str], width: float, measure: Measure) -> list[str]:
    """The pieces, those that are wider than the line cut: by `units`, then by characters."""
    narrowed: list[str] = []
    for piece in pieces:
        for unit in [piece] if measure(piece.rstrip()) <= width else units(piece):
            left = unit
            while measure(left.rstrip()) > width and len(characters := graphemes(left.rstrip())) > 1:
                at = _cut(characters, width, measure)
                narrowed.append("".join(characters[:at]))
                left = left[len(narrowed[-1]) :]
            narrowed.append(left)
    return [piece for piece in narrowed if piece]


def balanced(text: str, width: float, measure: Measure, pieces_of: Break = phrases) -> list[str]:
    """As `wrap`, with no more lines, but of about one length: no lone character on the last."""
    lines: list[str] = []
    for paragraph in text.strip().split("\n"):
        lines += _balance_paragraph(paragraph.strip(), width, measure, pieces_of)
    return lines


def _balance_paragraph(text: str, width: float, measure: Measure, pieces_of: Break) -> list[str]:
    lines = _wrap_paragraph(text, width, measure, pieces_of)
    if len(lines) < 2:
        return lines
    # No narrower than the widest piece that fits whole: it would be torn.
    whole = [long for piece in pieces_of(text) if (long := measure(piece.rstrip())) <= width]
    low, high = max([measure(text) / len(lines), *whole]), width
    while high - low > 0.25:
        middle = (low + high) / 2
        narrower = _wrap_paragraph(text, middle, measure, pieces_of)
        if len(narrower) == len(lines) and all(measure(line) <= middle for line in narrower):
            high, lines = middle, narrower
        else:
            low = middle
    return lines


def shortened(lines: list[str], count: int, width: float, measure: Measure) -> list[str]:
    """The first `count` lines, the last ending in an ellipsis that fits and follows no punctuation."""
    last = graphemes(lines[count - 1])
    unfit = NOT_FIRST | NOT_LAST | {" "}
    while last and (last[-1] in unfit or measure("".join(last) + ELLIPSIS) > width):
        last.pop()
    return [*lines[: count - 1], "".join(last) + ELLIPSIS]


def fit(layer: Text, words: str, measure: Measure) -> tuple[list[str], float]:
    """The lines and the largest size at which they fit the layer's box.

    Lines that somebody made are kept, if a somewhat smaller size is enough for that. At its smallest size
    they break within words before they are cut.
    """
    smallest = layer.min_size or layer.size
    step = (layer.size - smallest) / _SHRINK_STEPS
    paragraphs = words.split("\n")
    least = max(measure(line) for line in paragraphs)
    sizes = [layer.size - step * n for n in range(_SHRINK_STEPS + 1 if step else 1)]
    for size in sizes if len(paragraphs) > 1 else ():
        fits = least * size <= layer.width and len(paragraphs) <= _room(layer, size)
        if fits and size >= LINES_KEPT * layer.size:
            return [line.strip() for line in paragraphs], size
    for size in sizes:
        if least * size > layer.width * layer.max_lines:
            continue
        lines = balanced(words, layer.width / size, measure)
        if len(lines) <= _room(layer, size):
            return lines, size
    width, room = layer.width / smallest, max(1, _room(layer, smallest))
    lines = balanced(words, width, measure, units)
    if len(lines) > room:
        lines = shortened(wrap(words, width, measure, units), room, width, measure)
    return lines, smallest


def _room(layer: Text, size: float) -> int:
    """How many lines of a size the layer takes."""
    return min(layer.max_lines, math.floor((layer.height + 0.01) / (layer.leading * size)))


def place(layer: Text, words: str, shape: Shape) -> list[Line]:
    """Where each cluster of the words goes in the layer's box. Nothing for no words."""

    def measure(text: str) -> float:
        return offsets(shape(text), layer.tracking, layer.gap, layer.squeeze)[-1]

    if not words.strip():
        return []
    lines, size = fit(layer, words.strip(), measure)
    leading = layer.leading * size
    spare = layer.height - leading * len(lines)
    top = layer.y + {"top": 0.0, "middle": spare / 2, "bottom": spare}[layer.valign]
    placed = []
    for number, line in enumerate(lines):
        clusters = tuple(shape(line))
        places = offsets(clusters, layer.tracking, layer.gap, layer.squeeze)
        left = layer.x + (layer.width - places[-1] * size) * _SIDES[layer.align]
        baseline = top + leading * number + (leading - size) / 2 + _EM_ASCENT * size
        placed.append(Line(line, size, baseline, clusters, tuple(left + at * size for at in places[:-1])))
    return placed
