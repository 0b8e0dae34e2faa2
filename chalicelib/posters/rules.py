"""What a poster is, and where everything on it goes: pure, without pixels or fonts.

A template is data in its own design units (its `width` × `height`); a poster of any width is the
same layout scaled. A QR code is drawn in whole pixels a module, with the four light modules around
it that ISO/IEC 18004 asks for. How text breaks into lines is in typeset.py.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.platform.errors import DomainError, Invalid

MIN_WIDTH, MAX_WIDTH = 240, 4096
MIN_MODULE_PX = 2  # below this a phone's camera sees grey
QUIET_MODULES = 4
MAX_URL = 300
MAX_TEXT = 200  # longer texts end in an ellipsis anyway

Face = Literal["sans", "serif"]
Shown = Literal["always", "staff", "no_staff"]


class Unreadable(DomainError):
    """A finished poster did not decode to its url, so nobody gets it. Asking again gives the same."""

    title = "The poster's QR code cannot be read"


@dataclass(frozen=True)
class Rect:
    """A filled rectangle; `radius` rounds its corners."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    radius: float = 0
    shown: Shown = "always"


@dataclass(frozen=True)
class Disc:
    """A filled circle around (x, y)."""

    x: float
    y: float
    radius: float
    fill: str
    shown: Shown = "always"


@dataclass(frozen=True)
class Text:
    """Text in a box, as large as fits between `size` and `min_size`, then cut with an ellipsis.

    `value` may hold {title}, {subtitle}, {staff_name} and {initial}. `weight` thickens the strokes,
    `tracking` spaces the characters, both in em; `leading` is the line's height in em.
    """

    value: str
    x: float
    y: float
    width: float
    height: float
    size: float
    colour: str
    min_size: float = 0
    max_lines: int = 1
    face: Face = "sans"
    align: Literal["left", "center"] = "center"
    valign: Literal["top", "middle", "bottom"] = "middle"
    leading: float = 1.4
    weight: float = 0
    tracking: float = 0
    shown: Shown = "always"


@dataclass(frozen=True)
class Qr:
    """The square for the dark modules. `light` is the ground there, and for the quiet zone around it."""

    x: float
    y: float
    size: float
    dark: str
    light: str
    align: Literal["left", "center"] = "center"  # left: flush with the box's left and bottom edges


@dataclass(frozen=True)
class Template:
    """`background` is one colour, or the top and the bottom colour of a gradient."""

    name: str
    width: int
    height: int
    background: tuple[str, ...]
    shapes: tuple[Rect | Disc, ...]
    texts: tuple[Text, ...]
    qr: Qr
    title: str
    subtitle: str


@dataclass(frozen=True)
class Request:
    """One poster. An empty title or subtitle is the template's own; no staff_name: no staff block."""

    url: str
    template: str
    width: int | None
    title: str = ""
    subtitle: str = ""
    staff_name: str = ""


@dataclass(frozen=True)
class Square:
    """Where a QR code lands, in pixels: its dark part's corner, and its module's side."""

    x: int
    y: int
    module: int


def parse_width(value: object) -> int | None:
    """A width in pixels from a query string or from JSON; None (the template's own) when absent."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,5}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not MIN_WIDTH <= value <= MAX_WIDTH:
        raise Invalid(("width", f"must be a whole number from {MIN_WIDTH} to {MAX_WIDTH}"))
    return value


def parse_request(data: object, templates: Mapping[str, Template], default: str) -> Request:
    """Reads {"url","title"?,"subtitle"?,"staff_name"?,"template"?,"width"?}; Invalid has every bad field."""
    if not isinstance(data, Mapping):
        raise Invalid(("", "must be an object"))
    wrong: list[tuple[str, str]] = []
    url = data.get("url")
    if not isinstance(url, str) or len(url) > MAX_URL or not re.fullmatch(r"https?://[!-~]+", url):
        wrong.append(("url", f"must be an http(s) address of at most {MAX_URL} ASCII characters"))
    template = data.get("template") or default
    if not isinstance(template, str) or template not in templates:
        wrong.append(("template", "must be one of " + ", ".join(sorted(templates))))
    texts: dict[str, str] = {}
    for name in ("title", "subtitle", "staff_name"):
        text = data.get(name) or ""
        if isinstance(text, str):
            texts[name] = " ".join(text[:MAX_TEXT].split())
        else:
            wrong.append((name, "must be text"))
    width = None
    try:
        width = parse_width(data.get("width"))
    except Invalid as error:
        wrong += error.errors
    if wrong:
        raise Invalid(*wrong)
    return Request(str(url), str(template), width, **texts)


def is_shown(shown: Shown, has_staff: bool) -> bool:
    """Whether a layer belongs on this poster."""
    return shown == "always" or (shown == "staff") == has_staff


def filled(value: str, template: Template, request: Request) -> str:
    """A text layer's words for this request. Values are put in once, never read as placeholders."""
    fields = {
        "title": request.title or template.title,
        "subtitle": request.subtitle or template.subtitle,
        "staff_name": request.staff_name,
        "initial": request.staff_name[:1].upper(),
    }
    return re.sub(r"\{(\w+)\}", lambda found: fields[found[1]], value)


def place_qr(template: Template, modules: int, width: int) -> Square:
    """The largest whole module that fits the box. Invalid("width"), with the least one, when under 2 px."""
    qr, scale = template.qr, width / template.width
    box = math.floor(qr.size * scale)
    module = box // modules
    if module < MIN_MODULE_PX:
        least = math.ceil(MIN_MODULE_PX * modules * template.width / qr.size)
        raise Invalid(("width", f"too small for this code's QR: at least {least}"))
    spare = box - module * modules
    left, above = (0.0, spare) if qr.align == "left" else (spare / 2, spare / 2)
    return Square(_snapped(qr.x * scale + left), _snapped(qr.y * scale + above), module)


def _snapped(pixels: float) -> int:
    """To every fourth pixel: shrunk to a half or a quarter by a chat app, the modules stay sharp."""
    return round(pixels / 4) * 4
