"""An XLSX's first sheet row by row, by openpyxl in its read-only mode, in bounded memory.

One row is held at a time. The shared texts, which openpyxl holds as a list (5 bytes of memory for each
byte of their XML), lie in a file of ours. Entities are refused by defusedxml, which openpyxl uses where
it is installed: it lies in the layer for that. To be imported where an XLSX is read: openpyxl takes 0.4 s.

Not by python-calamine 0.9.1, though it reads 1 M rows in 3 s of CPU where this takes 36 (327 MB to 144):
it lays a sheet out whole, empty cells included, so that a file of 5 KB with a cell in the last row and column
ends the process (an abort, no exception); and its numbers are floats, which rounds those of over 15 digits.
"""

import os
import tempfile
import warnings
import zipfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from chalicelib.prospects.table_columns import BadTable, Record

MAX_UNPACKED = 512 * 1024**2
MAX_TEXTS = 256 * 1024**2  # of that, shared texts: with the packed file they lie on Lambda's disk of 512 MB
MAX_HELD = 16 * 1024**2  # of that, all but sheets, texts and pictures: what is held in memory
MAX_ROWS = 1_048_576  # Excel's own
MAX_CELL = 1000
MAX_COLUMNS = 200
_TEXTS = "xl/sharedStrings.xml"
_NOT_HELD = ("xl/worksheets/", "xl/media/", _TEXTS)


class Book:
    """The first sheet of a workbook. BadTable. At most MAX_ROWS rows, MAX_COLUMNS cells of MAX_CELL signs."""

    def __init__(self, packed: IO[bytes]):
        # Its warnings quote cells.
        warnings.filterwarnings("ignore", module=r"openpyxl\.")
        with _refused("table_not_xlsx"):
            with zipfile.ZipFile(packed) as parts:
                _check(parts.infolist())
            reader = _Reader(packed, read_only=True, data_only=True, keep_links=False)
            reader.read()
            if not reader.wb.worksheets:
                raise BadTable("table_no_sheet")
            self._sheet: Any = reader.wb.worksheets[0]
            self._sheet.reset_dimensions()  # some writers write wrong ones, and rows beyond were lost

    def records(self) -> Iterator[Record]:
        """The rows, blank ones left out. BadTable."""
        rows = self._sheet.iter_rows(max_row=MAX_ROWS + 1, values_only=True)
        with _refused("table_damaged"):
            for number, row in enumerate(rows, 1):
                if number > MAX_ROWS:
                    raise BadTable("table_too_many_rows")
                values = tuple(map(_text, row[:MAX_COLUMNS]))
                if any(value.strip() for value in values):
                    yield Record(number, values, number, number + 1)


class _Texts:
    """The shared texts by their number, in a file that is gone with this."""

    def __init__(self, xml: IO[bytes]):
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the sheet is read)
        self._ends = array("Q", [0])
        for text in _texts(xml):
            self._ends.append(self._ends[-1] + self._file.write(text.encode()))
        self._file.flush()

    def __getitem__(self, number: int) -> str:
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._file.fileno(), end - start, start).decode()


class _Reader(ExcelReader):
    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
        if part is not None:
            with self.archive.open(part.PartName[1:]) as xml:
                self.shared_strings = cast(Any, _Texts(xml))  # only ever asked by number


def _texts(xml: IO[bytes]) -> Iterator[str]:
    """A text is of one piece (`t`) or of several (`r/t`); how it is pronounced (`rPh`) is no part of it."""
    item, piece, run = (f"{{{SHEET_MAIN_NS}}}{name}" for name in ("si", "t", "r"))
    steps = iterparse(xml, events=("start", "end"))
    _, root = next(steps)
    for step, node in steps:
        if step == "end" and node.tag == item:
            pieces = [node.findtext(piece), *(part.findtext(piece) for part in node.findall(run))]
            yield "".join(part for part in pieces if part)[:MAX_CELL]
            root.clear()


def _check(parts: list[zipfile.ZipInfo]) -> None:
    """BadTable for more than may be unpacked. No part is read beyond the size that stands here."""
    sizes = {part.filename: part.file_size for part in parts}
    if sum(sizes.values()) > MAX_UNPACKED:
        raise BadTable("table_too_large", megabytes=MAX_UNPACKED >> 20)
    if sizes.get(_TEXTS, 0) > MAX_TEXTS:
        raise BadTable("table_too_many_texts", megabytes=MAX_TEXTS >> 20)
    if sum(size for name, size in sizes.items() if not name.startswith(_NOT_HELD)) > MAX_HELD:
        raise BadTable("table_too_many_styles", megabytes=MAX_HELD >> 20)


def _text(value: object) -> str:
    """A cell as text; a number in the way a person writes it (the file holds 1.38E10 for a phone)."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)[:MAX_CELL]


@contextmanager
def _refused(code: str) -> Iterator[None]:
    """Whatever openpyxl trips over lies in the file: a damaged one raises anything from KeyError on."""
    try:
        yield
    except (BadTable, MemoryError):
        raise
    except Exception as error:
        raise BadTable(code) from error
