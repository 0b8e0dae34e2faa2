"""Whether codes on a template can be read, from its geometry and colours alone: pure.

Each finding names the field and says what is wrong with its figure. What only pixels show (ink that
reaches into the quiet zone, codes that no reader reads) is qr_read_check.py's.
"""

import math

from chalicelib.platform.errors import Issue, issue
from chalicelib.posters import rules
from chalicelib.posters.types import Qr, Template

QUARTER = 0.25  # what a chat app's thumbnail leaves of a poster
MIN_QUARTER_PX = 2.0  # a module there
MIN_MODULE_MM = 0.4  # printed: what a phone resolves at arm's length
MIN_CONTRAST = 4.0
MAX_LOGO_SHARE = 0.20  # of the code's area: level H bears 30 % of its codewords, and dirt wants its part


def find_issues(template: Template, length: int, modules: int, logo_modules: int) -> list[Issue]:
    """What makes codes of a link of `length` bytes unreadable on the template.

    modules: on a side of such a code. logo_modules: of a code at level H, for qrs with a logo.
    """
    issues: list[Issue] = []
    for number, layer in enumerate(template.layers):
        if isinstance(layer, Qr):
            side = logo_modules if layer.logo else modules
            path = f"layers[{number}]"
            issues += _check_colours(layer, path) + _check_size(template, layer, path, side, length)
            issues += _check_quiet_zone(template, layer, path, side)
            if layer.logo:
                issues += _check_logo(layer, path, side)
    return issues


def luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB, 0 to 1 (WCAG 2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2)."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def _check_colours(qr: Qr, path: str) -> list[Issue]:
    if luminance(qr.dark) >= luminance(qr.light):
        return [issue(f"{path}.dark", "code_inverted")]
    if (ratio := contrast(qr.dark, qr.light)) < MIN_CONTRAST:
        return [issue(f"{path}.dark", "code_contrast", ratio=round(ratio, 1), minimum=round(MIN_CONTRAST))]
    return []


def _check_size(template: Template, qr: Qr, path: str, modules: int, length: int) -> list[Issue]:
    total = modules + 2 * qr.quiet
    if template.unit == "mm":
        if (module := qr.size / total) < MIN_MODULE_MM:
            least = math.ceil(10 * MIN_MODULE_MM * total) / 10
            figures = {"module_mm": round(module, 2), "minimum_mm": MIN_MODULE_MM, "least_mm": least}
            return [issue(f"{path}.size", "module_too_small_mm", length=length, **figures)]
        return []
    module = math.floor(qr.size) // total * QUARTER
    if module < MIN_QUARTER_PX:
        least = math.ceil(MIN_QUARTER_PX / QUARTER) * total
        figures = {"module_px": module, "minimum_px": round(MIN_QUARTER_PX), "least_px": least}
        return [issue(f"{path}.size", "module_too_small_px", length=length, **figures)]
    return []


def _check_quiet_zone(template: Template, qr: Qr, path: str, modules: int) -> list[Issue]:
    """Whether the page ends, or a later layer begins, within the quiet zone."""
    module = qr.size / (modules + 2 * qr.quiet)
    inset = qr.quiet * module
    left, top = qr.x + inset, qr.y + inset
    right, bottom = qr.x + qr.size - inset, qr.y + qr.size - inset
    room = min(left, top, template.width - right, template.height - bottom) / module
    if room < rules.QUIET_MODULES - 0.01:
        modules_left = {"modules": _number(room), "wanted": rules.QUIET_MODULES}
        return [issue(f"{path}.quiet", "quiet_zone_edge", **modules_left)]
    return []


def find_over_quiet_zone(template: Template, number: int, modules: int, request: rules.Request) -> list[int]:
    """Numbers of the layers drawn after the qr of that number that reach into its quiet zone."""
    qr = template.layers[number]
    assert isinstance(qr, Qr)
    module = qr.size / (modules + 2 * qr.quiet)
    zone = (rules.QUIET_MODULES - qr.quiet) * module
    left, top, right, bottom = qr.x - zone, qr.y - zone, qr.x + qr.size + zone, qr.y + qr.size + zone
    numbers = []
    for later in range(number + 1, len(template.layers)):
        layer = template.layers[later]
        if rules.is_shown(layer.shown, request):
            x, y, x2, y2 = rules.box_of(layer)
            if x < right and x2 > left and y < bottom and y2 > top:
                numbers.append(later)
    return numbers


def _check_logo(qr: Qr, path: str, modules: int) -> list[Issue]:
    share = (rules.logo_modules(modules, qr.logo_side) / modules) ** 2
    if share > MAX_LOGO_SHARE:
        percent = {"percent": round(share * 100), "maximum": round(MAX_LOGO_SHARE * 100)}
        return [issue(f"{path}.logo_side", "logo_too_large", **percent)]
    return []


def _number(value: float) -> str:
    return f"{max(0.0, value):.1f}".removesuffix(".0")
