"""A poster as a PDF page for the printer: the page at 300 dpi, its codes as lines that no raster blurs.

Its sizes are real: TrimBox what remains after the cut, BleedBox with the bleed around it, MediaBox with
crop marks. Colours are RGB (DeviceRGB): the printer's own profile makes CMYK of them better than we
could without knowing press and paper. Codes should be printed in black or a dark ink of one plate.
"""

import io
from collections.abc import Iterator, Sequence

from PIL import Image
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]

from chalicelib.posters import print_pages
from chalicelib.posters.full_colour_page import Code
from chalicelib.posters.print_pages import MM, About, brand
from chalicelib.posters.rules import DPI
from chalicelib.posters.types import Template

__all__ = ["About", "brand", "document"]
_POINTS = 72 / DPI  # of a pixel
_SLUG, _MARK, _GAP = 8 * MM, 5 * MM, 2 * MM  # beyond the bleed: for marks; a mark; its distance from the trim
_JPEG_QUALITY = 93


def document(picture: Image.Image, codes: Sequence[Code], template: Template, about: About) -> bytes:
    """The PDF. picture: the page with its bleed, without the codes' modules, in RGB or with a palette."""
    width, height = picture.width * _POINTS, picture.height * _POINTS
    bleed = template.bleed_mm * MM
    slug = _SLUG if bleed else 0.0
    right, top = slug + width, slug + height
    trim = (slug + bleed, slug + bleed, right - bleed, top - bleed)
    out = io.BytesIO()
    page = print_pages.document(
        out, about, (width + 2 * slug, height + 2 * slug), trim, (slug, slug, right, top)
    )
    page.drawImage(_image(picture), slug, slug, width, height)
    for code in codes:
        square = code.square
        x, y, module = (pixels * _POINTS for pixels in (square.x, square.y, square.module))
        print_pages.draw_code(page, code.rows, slug + x, top - y, module, code.qr.dark)
    if bleed:
        print_pages.draw_marks(page, _marks(trim, max(_GAP, bleed)))
    page.save()
    return out.getvalue()


def _marks(trim: print_pages.Box, gap: float) -> Iterator[print_pages.Line]:
    """Two lines at each corner of the trim, outside the bleed."""
    far = gap + _MARK
    for x, out_x in ((trim[0], -1), (trim[2], 1)):
        for y, out_y in ((trim[1], -1), (trim[3], 1)):
            yield x + out_x * gap, y, x + out_x * far, y
            yield x, y + out_y * gap, x, y + out_y * far


def _image(picture: Image.Image) -> ImageReader:
    """Few colours stay as they are; a photograph goes as a JPEG."""
    if picture.mode == "P":
        return ImageReader(picture)
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    jpeg.seek(0)
    return ImageReader(jpeg)
