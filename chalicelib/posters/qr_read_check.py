"""The quality gate: a decoder that shares no code with the writer reads each poster before it is handed out.

As it is, as small as a chat app shows it, turned by 15 degrees, and with the noise of a bad JPEG.
The last two on the code and its surroundings alone: what a phone's camera is held over.
"""

import io
from typing import Any

import zxingcpp
from PIL import Image

from chalicelib.platform.errors import Issue, issue
from chalicelib.posters import qr_rules, rules
from chalicelib.posters.full_colour_page import Code
from chalicelib.posters.rules import Request, Unreadable
from chalicelib.posters.types import Template

ANGLE, JPEG_QUALITY = 15, 30
_AROUND = 0.25  # of the code's side, on each side of it
_CAMERA_PX = 4  # of a module: no more than a phone sees from across a table, and 10 times as quick
_INK = 0.35  # of the way from light to dark: what a quiet zone's pixel may stray


def decoded(grey: Image.Image, turned: bool = False) -> set[str]:
    """What a QR reader finds in the whole picture."""
    codes = zxingcpp.read_barcodes(
        grey,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        try_rotate=turned,
        try_downscale=False,
    )
    return {str(code.text) for code in codes}


def unread(grey: Image.Image, url: str, codes: list[Code], template: Template) -> list[str]:
    """In which ways the poster can't be read (words of platform.messages): empty when it may be handed out.

    grey: the poster, mode L.
    """
    failed = [] if decoded(grey) == {url} else ["as_is"]
    share = qr_rules.QUARTER * rules.own_width(template) / grey.width
    if share < 1:
        small = max(1, round(grey.width * share)), max(1, round(grey.height * share))
        if url not in decoded(grey.resize(small, Image.Resampling.BOX)):
            failed.append("quarter")
    for code in codes:
        part = _around(grey, code)
        # BICUBIC and a light corner: as a page that lies askew under a camera
        corner = part.getpixel((0, 0))
        turned = part.rotate(ANGLE, Image.Resampling.BICUBIC, expand=True, fillcolor=corner)
        if url not in decoded(turned, turned=True):
            failed.append("turned")
        noisy = io.BytesIO()
        part.save(noisy, "JPEG", quality=JPEG_QUALITY)
        if url not in decoded(Image.open(noisy).convert("L")):
            failed.append("noisy")
    return list(dict.fromkeys(failed))


def check(grey: Image.Image, url: str, codes: list[Code], template: Template) -> None:
    """Unreadable when the poster does not decode to its url in every state."""
    if failed := unread(grey, url, codes, template):
        raise Unreadable(code="poster_unread", ways=failed)


def quiet(grey: Image.Image, code: Code) -> int:
    """How many modules around the code are free of ink, up to four."""
    module, side = code.square.module, len(code.rows) * code.square.module
    light, dark = _grey(code.qr.light), _grey(code.qr.dark)
    lowest = light - _INK * (light - dark)
    for ring in range(rules.QUIET_MODULES):
        outer, inner = (ring + 1) * module, ring * module
        x, y = code.square.x, code.square.y
        far, near = side + outer, side + inner
        for box in (
            (x - outer, y - outer, x + far, y - inner),
            (x - outer, y + near, x + far, y + far),
            (x - outer, y - outer, x - inner, y + far),
            (x + near, y - outer, x + far, y + far),
        ):
            if box[0] < -2 or box[1] < -2 or box[2] > grey.width + 2 or box[3] > grey.height + 2:
                return ring
            least, _ = grey.crop(_inside(box, grey)).getextrema()
            if float(str(least)) < lowest:
                return ring
    return rules.QUIET_MODULES


def find_template_issues(
    grey: Image.Image, codes: list[Code], template: Template, request: Request
) -> list[Issue]:
    """What the pixels of a template's worst poster tell: narrow quiet zones, ink over them, unread codes."""
    issues: list[Issue] = []
    for code in codes:
        if (free := quiet(grey, code)) < rules.QUIET_MODULES:
            number = template.layers.index(code.qr)
            over = qr_rules.find_over_quiet_zone(template, number, len(code.rows), request)
            width: dict[str, Any] = {"modules": free, "wanted": rules.QUIET_MODULES}
            if over:
                width["layers"] = [f"layers[{n}]" for n in over]
            reason = "quiet_zone_ink" if over else "quiet_zone_dark"
            issues.append(issue(f"layers[{number}].quiet", reason, **width))
    if not issues and (failed := unread(grey, request.url, codes, template)):
        issues.append(issue("layers", "codes_unread", ways=failed))
    return issues


def _around(grey: Image.Image, code: Code) -> Image.Image:
    side = len(code.rows) * code.square.module
    more = round(side * _AROUND)
    x, y = code.square.x, code.square.y
    part = grey.crop(_inside((x - more, y - more, x + side + more, y + side + more), grey))
    factor = code.square.module // _CAMERA_PX
    return part.reduce(factor) if factor > 1 else part


def _inside(box: tuple[int, int, int, int], page: Image.Image) -> tuple[int, int, int, int]:
    left, top = max(0, box[0]), max(0, box[1])
    return left, top, max(left + 1, min(page.width, box[2])), max(top + 1, min(page.height, box[3]))


def _grey(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue
