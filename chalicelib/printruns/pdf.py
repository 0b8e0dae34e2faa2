"""Sheets of cards as one PDF, written in pieces by many and put together without being read again.

Every object's number is fixed by the piece and page it is of, so a piece is made knowing nothing of
the others; the whole is the head, the pieces one after another, and the table of where each object
begins. No library for PDF writes that way: they hold the document in memory until its end. What is the
same on all cards (texts, white ground of the code) is one object drawn on each; the QR code is one path
of rectangles, sharp at any resolution, and without the hairlines between them that separate paths get.
PDF 1.7 is ISO 32000-1; its units are points.
"""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.printruns.font import NAME, Font
from chalicelib.printruns.sheets import QUIET, Box, Face, Grid, Words, face, grid

_POINT = 72 / 25.4  # points in a mm
_INK, _PAPER = "0 0 0 rg", "1 1 1 rg"
_SMALLEST = 5.0  # points: a text that does not fit at this size loses its end
_LEADING = 1.35
_LABEL_SIZE = 8.0
_CATALOG, _ROOT, _FONT, _CID_FONT, _DESCRIPTOR, _OUTLINES, _UNICODE, _CARD, _MARKS, _INFO = range(1, 11)
_FIRST = _INFO + 1
_DARK = 0.55  # of a background's light: under it texts are white

_RUNS = re.compile(rb"\x01+")

Matrix = Sequence[bytes]  # rows of modules, 1 dark


@dataclass(frozen=True)
class Layout:
    """What each page needs to know. pages: of the whole file; piece: pages of each piece but the last."""

    grid: Grid
    face: Face
    font: Font
    pages: int
    piece: int

    @property
    def per_page(self) -> int:
        return len(self.grid.corners)

    def first(self, piece: int) -> int:
        """The number of a piece's first object: its page tree's node; then each page and its content."""
        return _FIRST + piece * (1 + 2 * self.piece)


def layout(sheet: Mapping[str, Any], font: Font, count: int, piece_cards: int) -> Layout:
    where = grid(sheet)
    per_page = len(where.corners)
    return Layout(where, face(sheet), font, -(-count // per_page), -(-piece_cards // per_page))


def characters(sheet: Mapping[str, Any], prefix: str) -> str:
    """All that is written on a sheet's cards."""
    texts = "".join(line for words in face(sheet).texts for line in words.lines)
    return f"{texts}{prefix}-0123456789…"


def head(plan: Layout, sheet: Mapping[str, Any], title: str) -> tuple[bytes, list[int]]:
    """The file's beginning, and where its objects begin."""
    font, nodes = plan.font, range(0, plan.pages, plan.piece)
    kids = " ".join(f"{plan.first(n)} 0 R" for n in range(len(nodes)))
    widths = " ".join(f"{font.cids[c]} [{font.widths[c]}]" for c in font.cids)
    system = "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
    width, height = (round(mm * _POINT, 2) for mm in plan.grid.card)
    bleed = round(plan.grid.bleed * _POINT, 2)
    card_box = f"[{-bleed} {-bleed} {width + bleed:.2f} {height + bleed:.2f}]"
    page_box = " ".join(f"{mm * _POINT:.2f}" for mm in plan.grid.page)
    form = "/Type/XObject/Subtype/Form/Resources"
    objects = [
        f"<</Type/Catalog/Pages {_ROOT} 0 R>>".encode(),
        f"<</Type/Pages/Count {plan.pages}/Kids[{kids}]>>".encode(),
        f"<</Type/Font/Subtype/Type0/BaseFont/AAAAAA+{NAME}/Encoding/Identity-H"
        f"/DescendantFonts[{_CID_FONT} 0 R]/ToUnicode {_UNICODE} 0 R>>".encode(),
        f"<</Type/Font/Subtype/CIDFontType0/BaseFont/AAAAAA+{NAME}{system}"
        f"/FontDescriptor {_DESCRIPTOR} 0 R/DW 1000/W[{widths}]>>".encode(),
        f"<</Type/FontDescriptor/FontName/AAAAAA+{NAME}/Flags 4/ItalicAngle 0/StemV 80"
        f"/FontBBox[{' '.join(map(str, font.box))}]/Ascent {font.ascent}/Descent {font.descent}"
        f"/CapHeight {font.cap_height}/FontFile3 {_OUTLINES} 0 R>>".encode(),
        _stream(font.cff, "/Subtype/CIDFontType0C"),
        _stream(_unicode(font), ""),
        _stream(_card(plan, sheet), f"{form}<</Font<</F {_FONT} 0 R>>>>/BBox{card_box}"),
        _stream(_marks(plan.grid), f"{form}<<>>/BBox[0 0 {page_box}]"),
        f"<</Title<feff{title.encode('utf-16-be').hex()}>/Producer(Millrace)>>".encode(),
    ]
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    begins = _append(out, _CATALOG, objects)
    return bytes(out), begins


def piece(plan: Layout, number: int, cards: Sequence[tuple[str, Matrix]]) -> tuple[bytes, list[int]]:
    """The pages of the piece's cards (label, QR modules), and where each object begins, from its start."""
    node, per_page = plan.first(number), plan.per_page
    pages = [cards[at : at + per_page] for at in range(0, len(cards), per_page)]
    kids = " ".join(f"{node + 1 + 2 * n} 0 R" for n in range(len(pages)))
    width, height = (mm * _POINT for mm in plan.grid.page)
    objects = [
        f"<</Type/Pages/Parent {_ROOT} 0 R/Count {len(pages)}/Kids[{kids}]"
        f"/MediaBox[0 0 {width:.2f} {height:.2f}]"
        f"/Resources<</Font<</F {_FONT} 0 R>>/XObject<</C {_CARD} 0 R/M {_MARKS} 0 R>>>>>>".encode()
    ]
    trim, bleed = plan.grid.trim, plan.grid.bleed
    boxes = f"/TrimBox{_box(trim, 0)}/BleedBox{_box(trim, bleed)}"
    for at, shown in enumerate(pages):
        content = node + 2 + 2 * at
        objects.append(f"<</Type/Page/Parent {node} 0 R/Contents {content} 0 R{boxes}>>".encode())
        objects.append(_stream(_page(plan, shown), ""))
    out = bytearray()
    begins = _append(out, node, objects)
    return bytes(out), begins


def index(begins: Sequence[int]) -> bytes:
    """Where a piece's objects begin, as it is kept beside the piece."""
    return struct.pack(f"<{len(begins)}I", *begins)


def tail(
    head_begins: Sequence[int], indexes: Iterable[tuple[int, bytes]], size: int, mark: str
) -> Iterator[bytes]:
    """The file's end. indexes: (where the piece begins, its index), in order. mark: its identity, hex."""
    yield b"xref\n0 "
    rows = [b"0000000000 65535 f \n", *(b"%010d 00000 n \n" % at for at in head_begins)]
    parts = [b"".join(rows)]
    total = len(rows)
    for base, packed in indexes:
        begins = struct.unpack(f"<{len(packed) // 4}I", packed)
        total += len(begins)
        parts.append(b"".join(b"%010d 00000 n \n" % (base + at) for at in begins))
    yield b"%d\n" % total
    yield from parts
    yield (
        f"trailer\n<</Size {total}/Root {_CATALOG} 0 R/Info {_INFO} 0 R/ID[<{mark}><{mark}>]>>\n"
        f"startxref\n{size}\n%%EOF\n"
    ).encode()


def _append(out: bytearray, number: int, objects: Iterable[bytes]) -> list[int]:
    """Write objects from `number` on; where each begins."""
    begins = []
    for n, body in enumerate(objects, number):
        begins.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (n, body)
    return begins


def _stream(data: bytes, entries: str) -> bytes:
    packed = zlib.compress(data)
    begin = f"<<{entries}/Filter/FlateDecode/Length {len(packed)}>>\nstream\n".encode()
    return begin + packed + b"\nendstream"


def _box(box: Box, more: float) -> str:
    sides = (box.x - more, box.y - more, box.x + box.width + more, box.y + box.height + more)
    return f"[{_points(*sides)}]"


def _points(*lengths: float) -> str:
    return " ".join(f"{mm * _POINT:.2f}" for mm in lengths)


def _page(plan: Layout, cards: Sequence[tuple[str, Matrix]]) -> bytes:
    drawn = ["/M Do"]
    qr, label = plan.face.qr, plan.face.label
    for (words, modules), (x, y) in zip(cards, plan.grid.corners, strict=False):
        module = qr.width / (len(modules) + 2 * QUIET) * _POINT
        left, top = qr.x * _POINT + QUIET * module, (qr.y + qr.height) * _POINT - QUIET * module
        drawn.append(f"q 1 0 0 1 {x * _POINT:.3f} {y * _POINT:.3f} cm /C Do {_INK}")
        size = min(_LABEL_SIZE, label.width * _POINT / plan.font.width(words))
        at = (label.x + label.width / 2) * _POINT - plan.font.width(words) * size / 2
        drawn.append(_text(plan.font, words, size, at, (label.y + label.height * 0.3) * _POINT))
        drawn.append(f"{module:.4f} 0 0 {-module:.4f} {left:.3f} {top:.3f} cm {_path(modules)} f Q")
    return "\n".join(drawn).encode()


def _path(modules: Matrix) -> str:
    """Dark modules as rectangles, each as long as its row goes on."""
    return " ".join(
        f"{found.start()} {y} {found.end() - found.start()} 1 re"
        for y, row in enumerate(modules)
        for found in _RUNS.finditer(row)
    )


def _card(plan: Layout, sheet: Mapping[str, Any]) -> bytes:
    """What is the same on all cards."""
    width, height = (mm * _POINT for mm in plan.grid.card)
    bleed = plan.grid.bleed * _POINT
    red, green, blue = (int(sheet["background"][at : at + 2], 16) / 255 for at in (1, 3, 5))
    qr, label = plan.face.qr, plan.face.label
    drawn = [
        f"{red:.3f} {green:.3f} {blue:.3f} rg",
        f"{-bleed:.2f} {-bleed:.2f} {width + 2 * bleed:.2f} {height + 2 * bleed:.2f} re f",
        _PAPER,
        *(f"{_points(b.x, b.y, b.width, b.height)} re f" for b in (qr, label)),
        _INK if 0.299 * red + 0.587 * green + 0.114 * blue > _DARK else _PAPER,
    ]
    for words in plan.face.texts:
        drawn += _words(plan.font, words)
    return "\n".join(drawn).encode()


def _words(font: Font, words: Words) -> Iterator[str]:
    """Lines of text, as large as the box lets them be."""
    widest = max(font.width(line) for line in words.lines)
    width, height = words.box.width * _POINT, words.box.height * _POINT
    size = min(words.size, width / widest, height / (_LEADING * len(words.lines)))
    size = max(size, _SMALLEST)
    top = words.box.y * _POINT + (size * _LEADING * len(words.lines) if words.at_bottom else height)
    for n, line in enumerate(words.lines, 1):
        shown = _cut(font, line, width / size)
        x = words.box.x * _POINT + ((width - font.width(shown) * size) / 2 if words.centred else 0)
        yield _text(font, shown, size, x, top - n * size * _LEADING + size * (_LEADING - 1))


def _cut(font: Font, line: str, ems: float) -> str:
    """The line, or as much of it as there is room for and an ellipsis."""
    if font.width(line) <= ems + 1e-6:
        return line
    while line and font.width(line) + font.width("…") > ems:
        line = line[:-1]
    return line + "…"


def _text(font: Font, words: str, size: float, x: float, y: float) -> str:
    return f"BT /F {size:.2f} Tf {x:.2f} {y:.2f} Td {font.hex(words)} Tj ET"


def _marks(where: Grid) -> bytes:
    lines = [f"{_points(a, b)} m {_points(c, d)} l" for a, b, c, d in where.marks]
    return f"0.25 w {' '.join(lines)} S".encode() if lines else b""


def _unicode(font: Font) -> bytes:
    """Which character each number is, for who searches or copies the text."""
    rows = [f"<{cid:04x}> <{c.encode('utf-16-be').hex()}>" for c, cid in font.cids.items()]
    blocks = "".join(
        f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar\n"
        for part in (rows[at : at + 100] for at in range(0, len(rows), 100))
    )
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>> def\n"
        "/CMapName/Adobe-Identity-UCS def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{blocks}endcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()
