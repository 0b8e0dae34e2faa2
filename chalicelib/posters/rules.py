"""What a poster request may say, and where everything on a poster goes: pure, without pixels or fonts.

A template is data in its own unit; a poster of any width is the same layout scaled. A QR code is drawn
in whole pixels a module, with the four light modules around it that ISO/IEC 18004 asks for. How text
breaks into lines is in typeset.py, whether codes on a template can be read in qr_rules.py.
"""

import base64
import binascii
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from chalicelib.platform.errors import DomainError, Invalid, Issue, issue
from chalicelib.posters.types import Disc, Layer, Qr, Shown, Template, Text

MIN_WIDTH, MAX_WIDTH = 240, 4096
MIN_MODULE_PX = 2  # below this a phone's camera sees grey
QUIET_MODULES = 4
MAX_URL = 300
MAX_TEXT = 200  # longer texts end in an ellipsis anyway
DPI, MM_PER_INCH = 300, 25.4
MAX_PIXELS = 20_000_000  # of a page: A3 with its bleed at 300 dpi
MAX_QRS = 4
MIN_MM, MAX_MM = 20, 600  # a side of a printed page
QUALITY = 88
MAX_QR_IMAGE = 400_000  # bytes of another QR code's picture
WORDS = ("title", "subtitle", "staff_name", "store_name", "code_name", "run_number")
PLACEHOLDERS = frozenset((*WORDS, "initial"))
TEMPLATE_ID = re.compile(r"pt_[2-9A-HJ-NP-Za-km-z]{12}")
# WeCom's and WeChat's own hosts of people's pictures; nothing else is ever fetched.
AVATAR_HOSTS = frozenset(
    ("wework.qpic.cn", "wx.qlogo.cn", "thirdwx.qlogo.cn", "p.qlogo.cn", "rescdn.qqmail.com")
)

Format = Literal["png", "jpg", "pdf"]


class Unreadable(DomainError):
    """A finished poster did not decode to its url, so nobody gets it. Asking again gives the same."""

    title = "The poster's QR code cannot be read"


class Request(Struct, frozen=True):
    """One poster. An empty title or subtitle is the template's own; no staff_name: no staff block.

    qr_image: the picture of another QR code, whose text takes the place of `url`.
    """

    url: str
    template: str
    width: int | None
    title: str = ""
    subtitle: str = ""
    staff_name: str = ""
    store_name: str = ""
    code_name: str = ""
    run_number: str = ""
    avatar_url: str = ""
    qr_image: bytes = b""
    format: Format = "png"
    quality: int = QUALITY


class Square(Struct, frozen=True):
    """Where a QR code lands, in pixels: its dark part's corner, and its module's side."""

    x: int
    y: int
    module: int


class Frame(Struct, frozen=True):
    """A page in pixels: `scale` of the template's unit, `bleed` pixels around the trim on each side."""

    scale: float
    width: int
    height: int
    bleed: float = 0

    def x(self, units: float) -> float:
        """Pixels from the page's left (and top) edge."""
        return units * self.scale + self.bleed


def own_width(template: Template) -> int:
    """The pixels of a template's width when nobody asks for others: for print, 300 dpi where that can be."""
    if template.unit == "px":
        return round(template.width)
    return min(MAX_WIDTH, round(template.width / MM_PER_INCH * DPI))


def frame(template: Template, width: int | None = None) -> Frame:
    """The trimmed page, `width` pixels wide."""
    width = width or own_width(template)
    scale = width / template.width
    return Frame(scale, width, round(template.height * scale))


def print_frame(template: Template) -> Frame:
    """The page with its bleed at 300 dpi. A template in pixels is taken to be at 300 dpi."""
    scale = 1.0 if template.unit == "px" else DPI / MM_PER_INCH
    bleed = template.bleed_mm * scale
    width, height = template.width * scale + 2 * bleed, template.height * scale + 2 * bleed
    return Frame(scale, round(width), round(height), bleed)


def parse_width(value: object) -> int | None:
    """A width in pixels from a query string or from JSON; None (the template's own) when absent."""
    return _whole("width", value, MIN_WIDTH, MAX_WIDTH)


def _whole(name: str, value: object, least: int, most: int) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,5}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(issue(name, "whole_number", minimum=least, maximum=most))
    return value


def parse_request(data: object, templates: Mapping[str, Template], default: str) -> Request:
    """Reads {"url" or "qr_image_base64", and any of "template", "width", "title", "subtitle", "staff_name",
    "store_name", "code_name", "run_number", "avatar_url", "format", "quality"}; Invalid has every bad field.
    """
    if not isinstance(data, Mapping):
        raise Invalid(issue("", "type", type="object"))
    issues: list[Issue] = []
    url, image = data.get("url") or "", b""
    if picture := data.get("qr_image_base64"):
        image = _decode_picture(picture, issues)
    elif not isinstance(url, str) or len(url) > MAX_URL or not re.fullmatch(r"https?://[!-~]+", url):
        issues.append(issue("url", "web_address", max_length=MAX_URL))
    template = data.get("template") or default
    if not isinstance(template, str) or not (template in templates or TEMPLATE_ID.fullmatch(template)):
        issues.append(issue("template", "template_id", built_in=sorted(templates)))
    texts: dict[str, str] = {}
    for name in WORDS:
        text = data.get(name) or ""
        if isinstance(text, str):
            texts[name] = _spaced(name, text[:MAX_TEXT])
        else:
            issues.append(issue(name, "type", type="string"))
    avatar = data.get("avatar_url") or ""
    if avatar and not (isinstance(avatar, str) and is_avatar(avatar)):
        issues.append(issue("avatar_url", "picture_host", hosts=sorted(AVATAR_HOSTS)))
    form = data.get("format") or "png"
    if form not in ("png", "jpg", "pdf"):
        issues.append(issue("format", "enum", allowed=["png", "jpg", "pdf"]))
    numbers: dict[str, int | None] = {}
    for name, least, most in (("width", MIN_WIDTH, MAX_WIDTH), ("quality", 40, 95)):
        try:
            numbers[name] = _whole(name, data.get(name), least, most)
        except Invalid as error:
            issues += error.issues
    if issues:
        raise Invalid(*issues)
    quality = numbers["quality"] or QUALITY
    return Request(
        str(url),
        str(template),
        numbers["width"],
        **texts,
        avatar_url=str(avatar),
        qr_image=image,
        format=form,  # type: ignore[arg-type]
        quality=quality,
    )


def _spaced(name: str, text: str) -> str:
    """Without needless spaces. In a title or subtitle a line feed, or \\n as it is typed into an address,
    begins a new line."""
    if name not in ("title", "subtitle"):
        return " ".join(text.split())
    lines = (" ".join(line.split()) for line in re.split(r"\r\n|[\n\r\u2028\u2029]|\\n", text))
    return "\n".join(lines).strip()


def _decode_picture(text: object, issues: list[Issue]) -> bytes:
    try:
        if isinstance(text, str) and len(text) <= MAX_QR_IMAGE * 4 // 3 + 4:
            return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    issues.append(issue("qr_image", "picture_base64", max_bytes=MAX_QR_IMAGE))
    return b""


def is_avatar(url: str) -> bool:
    """Whether a picture may be fetched there: https, a host of AVATAR_HOSTS, no port, no user."""
    match = re.fullmatch(r"https://([a-z0-9.-]+)/[!-~]{0,400}", url)
    return match is not None and match[1] in AVATAR_HOSTS


def is_shown(shown: Shown, request: Request) -> bool:
    """Whether a layer belongs on this poster."""
    match shown:
        case "staff" | "no_staff":
            return (shown == "staff") == bool(request.staff_name)
        case "store" | "no_store":
            return (shown == "store") == bool(request.store_name)
    return True


def filled(value: str, template: Template, request: Request) -> str:
    """A text layer's words for this request. Values are put in once, never read as placeholders."""
    fields = {name: getattr(request, name) for name in WORDS}
    fields["title"] = request.title or template.title
    fields["subtitle"] = request.subtitle or template.subtitle
    fields["initial"] = _find_initial(request.staff_name)
    return re.sub(r"\{(\w+)\}", lambda match: fields.get(match[1], match[0]), value)


def _find_initial(name: str) -> str:
    """A name's first character with the marks on it."""
    marks = next((n for n, c in enumerate(name[1:], 1) if unicodedata.category(c)[0] != "M"), len(name))
    return name[:marks].upper()


def place_qr(
    template: Template, modules: int, width: int, qr: Qr | None = None, page: Frame | None = None
) -> Square:
    """The largest whole module that fits the box. Invalid("width"), with the least one, when under 2 px."""
    qr, page = qr or template.qr, page or frame(template, width)
    total = modules + 2 * qr.quiet
    box = math.floor(qr.size * page.scale)
    module = box // total
    if module < MIN_MODULE_PX:
        least = math.ceil(MIN_MODULE_PX * total * template.width / qr.size)
        raise Invalid(issue("width", "width_for_code", minimum=least))
    spare = box - module * total
    left, above = (0.0, spare) if qr.align == "left" else (spare / 2, spare / 2)
    inset = qr.quiet * module
    return Square(_snapped(page.x(qr.x) + left + inset), _snapped(page.x(qr.y) + above + inset), module)


def _snapped(pixels: float) -> int:
    """To every fourth pixel: shrunk to a half or a quarter by a chat app, the modules stay sharp."""
    return round(pixels / 4) * 4


def logo_modules(modules: int, side: float) -> int:
    """The side of the logo's light square in whole modules, odd as the code's own side, so it is centred."""
    wanted = math.ceil(modules * side)
    return wanted + 1 - wanted % 2


def without_middle(rows: list[bytes], count: int) -> list[bytes]:
    """The modules with `count` × `count` in the middle light: where a logo goes."""
    if not count:
        return rows
    first = (len(rows) - count) // 2
    blank = bytes(count)
    return [
        row[:first] + blank + row[first + count :] if first <= number < first + count else row
        for number, row in enumerate(rows)
    ]


def find_issues(template: Template) -> list[Issue]:
    """What is wrong with a template beyond its types."""
    issues = _check_page(template)
    qrs = [layer for layer in template.layers if isinstance(layer, Qr)]
    if not 1 <= len(qrs) <= MAX_QRS:
        issues.append(issue("layers", "qr_layers", maximum=MAX_QRS))
    if not any(qr.shown == "always" for qr in qrs):
        issues.append(issue("layers", "qr_always"))
    for number, layer in enumerate(template.layers):
        path = f"layers[{number}]"
        if isinstance(layer, Text):
            issues += _check_text(layer, path)
        left, top, right, bottom = box_of(layer)
        bleed = template.bleed_mm
        if isinstance(layer, Qr) and not (
            left >= 0 and top >= 0 and right <= template.width and bottom <= template.height
        ):
            issues.append(issue(f"{path}.x", "qr_off_page"))
        elif right <= -bleed or bottom <= -bleed or left >= template.width + bleed:
            issues.append(issue(f"{path}.x", "off_page"))
        elif top >= template.height + bleed:
            issues.append(issue(f"{path}.y", "off_page"))
    return issues


def box_of(layer: Layer) -> tuple[float, float, float, float]:
    """A layer's left, top, right and bottom."""
    if isinstance(layer, Disc):
        return (
            layer.x - layer.radius,
            layer.y - layer.radius,
            layer.x + layer.radius,
            layer.y + layer.radius,
        )
    width = getattr(layer, "width", 0) or getattr(layer, "size", 0)
    height = getattr(layer, "height", 0) or getattr(layer, "size", 0)
    return layer.x, layer.y, layer.x + width, layer.y + height


def _check_page(template: Template) -> list[Issue]:
    if template.unit == "mm":
        if not (MIN_MM <= template.width <= MAX_MM and MIN_MM <= template.height <= MAX_MM):
            return [issue("width", "page_side_mm", minimum=MIN_MM, maximum=MAX_MM)]
        page = print_frame(template)
        return [issue("width", "page_too_large")] if page.width * page.height > MAX_PIXELS else []
    issues: list[Issue] = []
    for name, side in (("width", template.width), ("height", template.height)):
        if side != int(side) or not MIN_WIDTH <= side <= 2 * MAX_WIDTH:
            issues.append(issue(name, "whole_number", minimum=MIN_WIDTH, maximum=2 * MAX_WIDTH))
    if template.width > MAX_WIDTH:
        issues.append(issue("width", "maximum", maximum=MAX_WIDTH))
    if template.width * template.height > MAX_PIXELS:
        issues.append(issue("height", "page_pixels", maximum=MAX_PIXELS))
    if template.bleed_mm:
        issues.append(issue("bleed_mm", "only_for_mm"))
    return issues


def _check_text(text: Text, path: str) -> list[Issue]:
    issues: list[Issue] = []
    if unknown := set(re.findall(r"\{(\w+)\}", text.value)) - PLACEHOLDERS:
        known = sorted(PLACEHOLDERS)
        issues.append(issue(f"{path}.value", "no_such_placeholder", name=min(unknown), known=known))
    smallest = text.min_size or text.size
    if smallest > text.size:
        issues.append(issue(f"{path}.min_size", "maximum", maximum=text.size))
    if text.height + 0.01 < smallest * text.leading:
        issues.append(issue(f"{path}.height", "holds_no_line"))
    characters = 1 if text.value == "{initial}" or len(text.value) == 1 else 2
    if text.width < smallest * characters:
        issues.append(issue(f"{path}.width", "holds_too_little", characters=characters))
    return issues


def file_names(wanted: Iterable[tuple[str, ...]], extension: str) -> list[str]:
    """A file name of each poster's words: `静安寺店-李晓华.png`. Safe on every system, each once."""
    names: list[str] = []
    seen: set[str] = set()
    for words in wanted:
        stem = "-".join(filter(None, (_safe(word) for word in words))) or "海报"
        name, number = stem, 1
        while name.casefold() in seen:
            number += 1
            name = f"{stem} ({number})"
        seen.add(name.casefold())
        names.append(f"{name}.{extension}")
    return names


def _safe(word: str) -> str:
    """Without what a file system forbids, and short: 40 characters are 120 bytes."""
    kept = "".join(c if c.isprintable() and c not in '\\/:*?"<>|' else " " for c in word)
    return " ".join(kept.split())[:40].strip(" .")
