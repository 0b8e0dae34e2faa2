"""An XLSX's first sheet that a person sees, row by row, by openpyxl's parts and parser, in bounded memory.

One row is held at a time. The shared texts, which openpyxl holds as a list (5 bytes of memory for each
byte of their XML), lie in a file of ours. To be imported where an XLSX is read: openpyxl takes 0.4 s.

The cells are read here and not by openpyxl: it knows no formula without a value, makes a row of as many cells
as its last one's column says, and of a number of 19 digits another one.

Not by python-calamine 0.9.1, though it reads 1 M rows in 3 s of CPU where this takes half a minute (327 MB to
60): it lays a sheet out whole, empty cells included, so that a file of 5 KB with a cell in the last row and
column ends the process (an abort, no exception); and its numbers are floats, which rounds those of over 15
digits.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import IO, Any

from openpyxl.utils import column_index_from_string
from openpyxl.utils.datetime import from_excel
from openpyxl.xml.constants import SHEET_MAIN_NS

from chalicelib.tables import cells, xlsx_parts
from chalicelib.tables.types import BadTable, Record, Unreadable
from chalicelib.tables.xlsx_parts import MAX_CELL, Limits, Parts

MAX_ROWS = 1_048_576  # Excel's own
MAX_COLUMNS = 200
_ROW, _CELL, _VALUE, _FORMULA, _INLINE = (f"{{{SHEET_MAIN_NS}}}{tag}" for tag in ("row", "c", "v", "f", "is"))
_EXACT = 15  # digits of a number that Excel keeps


class Book:
    """A workbook's visible sheet: at most MAX_ROWS rows, MAX_COLUMNS cells of MAX_CELL signs. BadTable."""

    def __init__(self, packed: IO[bytes], limits: Limits = xlsx_parts.QUEUED):
        # Its warnings quote cells.
        warnings.filterwarnings("ignore", module=r"openpyxl\.")
        with _refused("table_not_xlsx"):
            self._parts = Parts(packed, limits)
            self._sheets = self._parts.visible_sheets()
            if not self._sheets:
                raise BadTable("table_no_sheet")

    def records(self) -> Iterator[Record]:
        """The rows of the first visible sheet that has any, blank ones left out. BadTable."""
        for sheet in self._sheets:
            rows = self._rows(sheet)
            for first in rows:
                yield first
                yield from rows
                return

    def _rows(self, sheet: str) -> Iterator[Record]:
        line = 0
        with _refused("table_damaged"), self._parts.archive.open(sheet) as xml:
            for row in xlsx_parts.each(_ROW, xml):
                number = int(row.get("r") or line + 1)
                if number > MAX_ROWS:
                    raise BadTable("table_too_many_rows")
                if number <= line:
                    raise Unreadable("table_damaged")
                line, values = number, self._values(row)
                if any(map(str.strip, values)):
                    yield Record(line, tuple(values), line, line + 1)

    def _values(self, row: Any) -> list[str]:
        values: list[str] = []
        column = 0
        for cell in row:
            if cell.tag != _CELL:
                continue
            place = cell.get("r")
            column = _column(place.rstrip("0123456789")) if place else column + 1
            if column > MAX_COLUMNS:
                continue
            if column > len(values):
                values.extend([""] * (column - len(values)))
            values[column - 1] = self._text(cell)
        return values

    def _text(self, cell: Any) -> str:
        """A cell as a person sees it."""
        kind, raw = cell.get("t", "n"), cell.findtext(_VALUE)
        if kind == "inlineStr":
            inline = cell.find(_INLINE)
            return xlsx_parts.joined(inline) if inline is not None else ""
        if not raw:
            formula = None if kind == "str" else cell.find(_FORMULA)
            if formula is None:
                return ""
            return f"={formula.text}"[:MAX_CELL] if formula.text else cells.FORMULA
        if kind == "s":
            return str(self._parts.texts[int(raw)])
        if kind == "n":
            return self._number(raw, cell.get("s", "0"))
        if kind == "b":
            return "TRUE" if int(raw) else "FALSE"
        return raw.removesuffix("T00:00:00") if kind == "d" else xlsx_parts.unescaped(raw[:MAX_CELL])

    def _number(self, raw: str, style: str) -> str:
        formats = self._parts.formats
        if style in formats.dates:
            return _date(float(raw), self._parts.epoch, is_length=style in formats.lengths)
        return _digits(raw).zfill(formats.zeros.get(style, 0))


@cache  # of at most 18,278 columns: openpyxl knows no more
def _column(letters: str) -> int:
    return int(column_index_from_string(letters))


def _digits(raw: str) -> str:
    """A number in the way a person writes it (the file holds 1.38E10 for a phone); 1.23E+15 if rounded."""
    if len(raw) <= _EXACT and raw.isascii() and raw.isdigit():
        return raw
    value = float(raw)
    if not value.is_integer():
        return format(value, f".{_EXACT}g")
    if abs(value) < 10**_EXACT:
        return str(int(value))
    mantissa, _, exponent = f"{value:.{_EXACT - 1}E}".partition("E")
    return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"


def _date(value: float, epoch: datetime, is_length: bool) -> str:
    try:
        at: Any = from_excel(value, epoch, timedelta=is_length)
    except (OverflowError, ValueError):
        return "#VALUE!"  # as Excel shows it
    if isinstance(at, timedelta):
        return str(at)
    if isinstance(at, datetime) and at.time() == time():
        return at.date().isoformat()
    if isinstance(at, time):
        return at.isoformat("minutes" if not at.second else "auto")
    return str(at) if isinstance(at, (date, datetime)) else ""


@contextmanager
def _refused(code: str) -> Iterator[None]:
    """Whatever the parser trips over lies in the file: a damaged one raises anything from KeyError on."""
    try:
        yield
    except (BadTable, MemoryError):
        raise
    except Exception as error:
        raise Unreadable(code) from error
