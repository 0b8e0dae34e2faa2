"""A workbook's package: what of it may be unpacked, its sheets, formats and texts.

Entities are refused by defusedxml, which openpyxl uses where it is installed: it lies in the layer for that.
Of openpyxl's reading we take manifest and workbook. Styles, names, themes and properties, which other
programs write in ways that it refuses, are not looked at but for the formats of numbers.
"""

import os
import re
import tempfile
import zipfile
from array import array
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Any

from msgspec import Struct
from openpyxl.packaging.manifest import Manifest
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring, iterparse

from chalicelib.tables.types import BadTable, Unreadable

MAX_CELL = 1000
_STYLES = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_TEXTS = "xl/sharedStrings.xml"
_NOT_HELD = ("xl/worksheets/", "xl/media/", _TEXTS)
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_ZEROS = re.compile("0{2,15}")
# Strict OOXML (ISO 29500), as Excel saves it on request, is the same under other names.
_STRICT = {
    b"http://purl.oclc.org/ooxml/spreadsheetml/main": SHEET_MAIN_NS.encode(),
    b"http://purl.oclc.org/ooxml/officeDocument/": b"http://schemas.openxmlformats.org/officeDocument/2006/",
}
_LONGEST = max(map(len, _STRICT))
_MOST_INSIDE = 200_000  # elements of a row: Excel has 16,384 cells in one


class Limits(Struct, frozen=True):
    """Bytes of what is unpacked: all of it; shared texts, which lie on the disk; what is held in memory."""

    unpacked: int
    texts: int
    held: int


# With the packed file they lie on Lambda's disk of 512 MB.
QUEUED = Limits(512 * 1024**2, 256 * 1024**2, 16 * 1024**2)
AT_A_DOOR = Limits(64 * 1024**2, 32 * 1024**2, 8 * 1024**2)  # 4 MB packed, and an answer within 29 s


class Formats(Struct, frozen=True):
    """By a cell's style, as the file names it: dates, lengths of time, digits that zeros fill up."""

    dates: frozenset[str] = frozenset()
    lengths: frozenset[str] = frozenset()
    zeros: dict[str, int] = {}


class Parts(ExcelReader):
    """The parts of a workbook that a table needs. Any exception for a damaged one."""

    def __init__(self, packed: IO[bytes], limits: Limits):
        with zipfile.ZipFile(packed) as parts:
            _check(parts.infolist(), limits)
        self.archive: zipfile.ZipFile = _Archive(packed)
        self.valid_files = self.archive.namelist()
        self.read_only, self.data_only, self.keep_vba, self.keep_links = True, True, False, False
        self.package: Manifest
        self.read_manifest()
        self.read_workbook()
        self.epoch: Any = self.wb.epoch
        self.texts = self._texts()
        self.formats = self._formats()

    def visible_sheets(self) -> list[str]:
        """Where the sheets lie that a person sees, in their order."""
        sheets = [
            (sheet.state, rel.target)
            for sheet, rel in self.parser.find_sheets()
            if rel.target in self.valid_files and "worksheet" in rel.Type
        ]
        return [target for state, target in sheets if state == "visible"] or [t for _, t in sheets]

    def _part(self, kind: str) -> str | None:
        part = self.package.find(kind)  # type: ignore[no-untyped-call]
        name = part.PartName[1:] if part is not None else ""
        return name if name in self.valid_files else None

    def _texts(self) -> "_Texts | tuple[()]":
        name = self._part(SHARED_STRINGS)
        if name is None:
            return ()
        with self.archive.open(name) as xml:
            return _Texts(xml)

    def _formats(self) -> Formats:
        name = self._part(_STYLES)
        if name is None:
            return Formats()
        root = fromstring(self.archive.read(name))
        codes: dict[int, str] = dict(BUILTIN_FORMATS)
        for node in root.iter(f"{{{SHEET_MAIN_NS}}}numFmt"):
            codes[int(node.get("numFmtId", 0))] = node.get("formatCode", "")
        styles = root.find(f"{{{SHEET_MAIN_NS}}}cellXfs")
        used = {
            str(n): codes.get(int(x.get("numFmtId", 0)), "")
            for n, x in enumerate(() if styles is None else styles)
        }
        return Formats(
            dates=frozenset(style for style, code in used.items() if is_date_format(code)),
            lengths=frozenset(style for style, code in used.items() if is_timedelta_format(code)),
            zeros={style: len(code) for style, code in used.items() if _ZEROS.fullmatch(code)},
        )


class _Texts:
    """The shared texts by their number, in a file that is gone with this."""

    def __init__(self, xml: IO[bytes]):
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the sheet is read)
        self._ends = array("Q", [0])
        for text in _shared(xml):
            self._ends.append(self._ends[-1] + self._file.write(text.encode()))
        self._file.flush()

    def __getitem__(self, number: int) -> str:
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._file.fileno(), end - start, start).decode()


def _shared(xml: IO[bytes]) -> Iterator[str]:
    for item in each(f"{{{SHEET_MAIN_NS}}}si", xml):
        yield joined(item)


def each(tag: str, xml: IO[bytes]) -> Iterator[Any]:
    """The elements of that name, none of them in another, one at a time: nothing else is held."""
    around: list[Any] = []
    inside = 0  # elements of the one that is read
    for step, node in iterparse(xml, events=("start", "end")):
        if step == "start":
            if not inside:
                around.append(node)
            if inside or node.tag == tag:
                inside += 1
            if inside > _MOST_INSIDE:
                raise Unreadable("table_damaged")
        elif node is around[-1]:
            if node.tag == tag:
                inside = 0
                yield node
            around.pop()
            if around:
                around[-1].clear()


def joined(node: Any) -> str:
    """A text, of one piece (`t`) or of several (`r/t`); how it is pronounced (`rPh`) is no part of it."""
    piece, run = (f"{{{SHEET_MAIN_NS}}}{name}" for name in ("t", "r"))
    pieces = [node.findtext(piece), *(part.findtext(piece) for part in node.findall(run))]
    return unescaped("".join(part for part in pieces if part)[:MAX_CELL])


def unescaped(text: str) -> str:
    """`_x000D_` is how a workbook holds a sign that XML can't, or would change; `_x005F_` an underscore."""
    if "_x" not in text:
        return text
    units = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "")


def _check(parts: list[zipfile.ZipInfo], limits: Limits) -> None:
    """BadTable for more than may be unpacked. No part is read beyond the size that stands here."""
    sizes = {part.filename: part.file_size for part in parts}
    if sum(sizes.values()) > limits.unpacked:
        raise BadTable("table_too_large", megabytes=limits.unpacked >> 20)
    if sizes.get(_TEXTS, 0) > limits.texts:
        raise BadTable("table_too_many_texts", megabytes=limits.texts >> 20)
    if sum(size for name, size in sizes.items() if not name.startswith(_NOT_HELD)) > limits.held:
        raise BadTable("table_too_many_styles", megabytes=limits.held >> 20)


class _Archive(zipfile.ZipFile):
    """A workbook's parts under the names that openpyxl knows."""

    _strict = False

    def __init__(self, packed: IO[bytes]):
        super().__init__(packed)
        self._strict = b"http://purl.oclc.org/ooxml/" in self.read("_rels/.rels")

    def open(self, *args: Any, **options: Any) -> Any:
        part = super().open(*args, **options)
        return _Renamed(part) if self._strict else part


class _Renamed:
    """A part of a Strict workbook as the usual kind has it."""

    def __init__(self, part: IO[bytes]):
        self._part, self._held = part, b""

    def read(self, size: int = -1) -> bytes:
        data = b""
        while not data:
            more = self._part.read(size)
            data = self._held + more
            for strict, usual in _STRICT.items():
                data = data.replace(strict, usual)
            if not more or size < 0:
                self._held = b""
                return data
            data, self._held = data[:-_LONGEST], data[-_LONGEST:]
        return data

    def close(self) -> None:
        self._part.close()

    def __enter__(self) -> "_Renamed":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
