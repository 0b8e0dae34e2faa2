"""A card's code alone as a PNG for print: 1 bit a pixel; 12 pixels a module are 42 mm at 300 dpi."""

import io
from collections.abc import Sequence

from PIL import Image, ImageOps

from chalicelib.printruns.sheet_layout import QUIET

PIXELS = 12  # of a module
_DPI = (300, 300)


def draw_png(modules: Sequence[bytes]) -> bytes:
    """The code with its quiet zone, black on white."""
    count = len(modules)
    code = Image.frombytes("L", (count, count), b"".join(modules)).point([255] + [0] * 255)
    code = ImageOps.expand(code, QUIET, 255).resize(
        [(count + 2 * QUIET) * PIXELS] * 2, Image.Resampling.NEAREST
    )
    out = io.BytesIO()
    code.convert("1").save(out, "PNG", dpi=_DPI)
    return out.getvalue()
