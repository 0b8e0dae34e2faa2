"""A poster as a PDF page for the printer: the page at 300 dpi, its codes as lines that no raster blurs.

Its sizes are real: TrimBox what remains after the cut, BleedBox with the bleed around it, MediaBox with
crop marks. Colours are RGB (DeviceRGB): the printer's own profile makes CMYK of them better than we
could without knowing press and paper. Codes should be printed in black or a dark ink of one plate.
"""

import io
import zlib
from collections.abc import Sequence

from PIL import Image

from chalicelib.posters.canvas import Code
from chalicelib.posters.rules import DPI, Frame
from chalicelib.posters.types import Template

_POINTS = 72 / DPI  # of a pixel
_MM = 72 / 25.4
_SLUG_MM, _MARK_MM, _GAP_MM = (
    8.0,
    5.0,
    2.0,
)  # beyond the bleed: room for marks; a mark; its distance from the trim
_JPEG_QUALITY = 93


def document(picture: Image.Image, codes: Sequence[Code], template: Template, frame: Frame) -> bytes:
    """The PDF. picture: the page with its bleed, without the codes' modules, in RGB or with a palette."""
    width, height = picture.width * _POINTS, picture.height * _POINTS
    bleed = template.bleed_mm * _MM
    slug = _SLUG_MM * _MM if bleed else 0.0
    media = (0.0, 0.0, width + 2 * slug, height + 2 * slug)
    bleeds = (slug, slug, slug + width, slug + height)
    trim = (slug + bleed, slug + bleed, slug + width - bleed, slug + height - bleed)
    drawn = [f"q {width:.3f} 0 0 {height:.3f} {slug:.3f} {slug:.3f} cm /Page Do Q"]
    drawn += [_modules(code, slug, slug + height) for code in codes]
    if bleed:
        drawn.append(_marks(trim, bleed))
    content = zlib.compress("\n".join(drawn).encode())
    boxes = " ".join(
        f"/{name} [{' '.join(f'{edge:.3f}' for edge in box)}]"
        for name, box in (("MediaBox", media), ("BleedBox", bleeds), ("TrimBox", trim))
    )
    return _file(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R {boxes} /Contents 4 0 R "
        "/Resources << /XObject << /Page 5 0 R >> >> >>".encode(),
        _stream("/Filter /FlateDecode", content),
        _image(picture),
        b"<< /Producer (Millrace) /Trapped /False >>",
    )


def _modules(code: Code, left: float, top: float) -> str:
    """The dark modules as one path: runs in a row are one rectangle, and no seam shows between rows."""
    module, parts = code.square.module * _POINTS, []
    x0, y0 = left + code.square.x * _POINTS, top - code.square.y * _POINTS
    for number, row in enumerate(code.rows):
        y = y0 - (number + 1) * module
        at = 0
        while (start := row.find(1, at)) >= 0:
            end = row.find(0, start)
            at = end if end >= 0 else len(row)
            parts.append(f"{x0 + start * module:.3f} {y:.3f} {(at - start) * module:.3f} {module:.3f} re")
    red, green, blue = (int(code.qr.dark[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return f"{red:.4f} {green:.4f} {blue:.4f} rg\n" + "\n".join(parts) + "\nf"


def _marks(trim: tuple[float, float, float, float], bleed: float) -> str:
    """Two lines at each corner of the trim, outside the bleed."""
    gap = max(_GAP_MM * _MM, bleed)
    length = _MARK_MM * _MM
    lines = []
    for x, out_x in ((trim[0], -1), (trim[2], 1)):
        for y, out_y in ((trim[1], -1), (trim[3], 1)):
            lines.append(_line(x + out_x * gap, y, x + out_x * (gap + length), y))
            lines.append(_line(x, y + out_y * gap, x, y + out_y * (gap + length)))
    return "0 0 0 RG 0.25 w\n" + "\n".join(lines)


def _line(x: float, y: float, x2: float, y2: float) -> str:
    return f"{x:.3f} {y:.3f} m {x2:.3f} {y2:.3f} l S"


def _image(picture: Image.Image) -> bytes:
    size = (
        f"/Type /XObject /Subtype /Image /Width {picture.width} /Height {picture.height} /BitsPerComponent 8"
    )
    if picture.mode == "P":
        colours = bytes(picture.getpalette() or [])
        space = f"/ColorSpace [/Indexed /DeviceRGB {len(colours) // 3 - 1} <{colours.hex()}>]"
        return _stream(f"{size} {space} /Filter /FlateDecode", zlib.compress(picture.tobytes(), 6))
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return _stream(f"{size} /ColorSpace /DeviceRGB /Filter /DCTDecode", jpeg.getvalue())


def _stream(entries: str, data: bytes) -> bytes:
    return f"<< {entries} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _file(*objects: bytes) -> bytes:
    """The objects, numbered from 1, with their table; the last one tells of the file."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    starts = []
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % start for start in starts)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(out + trailer % (len(objects) + 1, len(objects), table))
