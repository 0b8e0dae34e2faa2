"""Colours: whether what is written in them can be read, and what a page makes of two of them. Pure.

Contrast is WCAG 2.2's, 4.5 : 1 for text. The first colour has white text on it, and is text on white and on
the second. Of the second, fields are made that soft grey text stands on, lightened as far as that needs.
"""

import colorsys
from collections.abc import Callable, Sequence
from functools import cache

from msgspec import Struct

from chalicelib.platform.errors import Issue, issue

DEFAULT_COLOURS = ("#0b7653", "#e6f4ee")
CONTRAST = 4.5
WHITE = "#ffffff"
_SOFT = "#55645d"  # base.css has the same
_NIGHT, _NIGHT_INK = "#18211d", "#0b100e"  # a card in the dark; what is written on a light button there
_NIGHT_GROUND = "#0d1411"
_LIGHT = 0.7  # of luminance: a ground for text rather than a colour of its own
_STEPS = 400  # of lightness


class Look(Struct, frozen=True):
    """What a page has of the brand. css: its custom properties, "" where they are base.css's own."""

    name: str = ""
    logo_url: str | None = None
    avatar_url: str | None = None
    colours: tuple[str, str] = DEFAULT_COLOURS

    @property
    def css(self) -> str:
        return "" if self.colours == DEFAULT_COLOURS else _css(*self.colours)


def luminance(colour: str) -> float:
    """Of WCAG: 0 for black, 1 for white."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in _parts(colour)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def find_issues(colours: Sequence[str]) -> list[Issue]:
    """What can't be read, each with the nearest colour that can.

    Of a first colour that is too light for a light second one, it is the first that is to change.
    """
    first, second = colours
    grounds = [WHITE, second] if luminance(second) >= _LIGHT else [WHITE]
    issues = []
    if wrong := [ground for ground in grounds if contrast(first, ground) < CONTRAST]:
        code = "contrast_on_white" if wrong[0] == WHITE else "contrast_on_second"
        issues.append(_low_contrast("colors[0]", code, first, wrong[0], grounds))
        first = str(issues[0].params["nearest"])
    if contrast(first, second) < CONTRAST:
        issues.append(_low_contrast("colors[1]", "contrast_of_colours", second, first, [first]))
    return issues


def nearest(colour: str, passes: Callable[[str], bool]) -> str:
    """The colour of the same hue whose lightness differs least and that passes; white when none does."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(colour))
    for step in range(_STEPS + 1):
        for other in (lightness - step / _STEPS, lightness + step / _STEPS):
            if 0 <= other <= 1:
                found = _hex(colorsys.hls_to_rgb(hue, other, saturation))
                if passes(found):
                    return found
    return WHITE


def mix(one: str, other: str, share: float) -> str:
    """`share` of the first in the second."""
    pairs = zip(_parts(one), _parts(other), strict=True)
    return _hex([a * share + b * (1 - share) for a, b in pairs])


@cache
def _css(first: str, second: str) -> str:
    tint = nearest(second, lambda c: min(contrast(c, _SOFT), contrast(c, first)) >= CONTRAST)
    ground = mix(tint, WHITE, 0.5)
    night_tint = mix(first, _NIGHT, 0.18)
    night = nearest(first, lambda c: min(contrast(c, night_tint), contrast(c, _NIGHT_INK)) >= CONTRAST)
    light = {"brand": first, "on": WHITE, "tint": tint, "glow": tint, "ground": ground}
    dark = {"brand": night, "on": _NIGHT_INK, "tint": night_tint}
    dark |= {"glow": mix(first, _NIGHT_GROUND, 0.25), "ground": _NIGHT_GROUND}
    by_night = f"@media (prefers-color-scheme:dark){{:root{{{_properties(dark)}}}}}"
    return f":root{{{_properties(light)}}}\n{by_night}\n"


def _properties(values: dict[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in values.items())


def _low_contrast(field: str, code: str, colour: str, against: str, others: Sequence[str]) -> Issue:
    passing = nearest(colour, lambda found: min(contrast(found, other) for other in others) >= CONTRAST)
    ratio = round(contrast(colour, against), 2)
    return issue(field, code, colour=colour, against=against, ratio=ratio, minimum=CONTRAST, nearest=passing)


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(parts: Sequence[float]) -> str:
    # Halves go up, as the console's colours.js has it, to which they come by another way.
    return "#" + "".join(f"{int(max(0.0, min(1.0, part)) * 255 + 0.5 + 1e-9):02x}" for part in parts)
