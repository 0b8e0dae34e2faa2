"""An XLSX's first sheet row by row, by openpyxl in its read-only mode.

One row is held at a time; all shared strings are (about 5 bytes of memory for each byte of their XML),
so what would not fit is refused before it is opened. Entities are refused by defusedxml, which openpyxl
uses where it is installed: it lies in the layer for that.
"""

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from chalicelib.prospects.sheets import BadTable, Record

# Whoever goes on reads past all rows before: 0.4 to 0.6 s of CPU a MB, in 300 s of 0.58 processors.
MAX_UNPACKED = 256 * 1024**2
MAX_HELD = 128 * 1024**2  # of that, all but sheets and pictures: what openpyxl holds in memory
MAX_ROWS = 1_048_576  # Excel's own
MAX_CELL = 1000
MAX_COLUMNS = 200
_NOT_HELD = ("xl/worksheets/", "xl/media/")


class Book:
    """The first sheet of a workbook. `rows`: its last row's number as it says itself, or 0. BadTable."""

    def __init__(self, packed: IO[bytes]):
        import openpyxl  # only for whoever has an XLSX: 0.4 s

        # Its warnings quote cells.
        warnings.filterwarnings("ignore", module=r"openpyxl\.")
        with _told("is not an XLSX workbook"):
            with zipfile.ZipFile(packed) as parts:
                _check(parts.infolist())
            book = openpyxl.load_workbook(packed, read_only=True, data_only=True, keep_links=False)
            if not book.worksheets:
                raise BadTable("has no sheet")
            self._sheet: Any = book.worksheets[0]
            self.rows = min(self._sheet.max_row or 0, MAX_ROWS)
            self._sheet.reset_dimensions()  # some writers tell wrong ones, and rows beyond were lost

    def records(self, after: int = 0) -> Iterator[Record]:
        """The rows behind row number `after`, blank ones left out. BadTable."""
        rows = self._sheet.iter_rows(min_row=after + 1, max_row=MAX_ROWS + 1, values_only=True)
        with _told("is a damaged XLSX workbook"):
            for number, row in enumerate(rows, after + 1):
                if number > MAX_ROWS:
                    raise BadTable("has more rows than a sheet can")
                values = tuple(map(_text, row[:MAX_COLUMNS]))
                if any(value.strip() for value in values):
                    yield Record(number, values, number, number + 1)


def _check(parts: list[zipfile.ZipInfo]) -> None:
    """BadTable for more than may be unpacked. No part is read beyond the size told here."""
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise BadTable(f"unpacks to more than {MAX_UNPACKED >> 20} MB: save it as CSV")
    if sum(part.file_size for part in parts if not part.filename.startswith(_NOT_HELD)) > MAX_HELD:
        raise BadTable(f"has more than {MAX_HELD >> 20} MB of texts: save it as CSV")


def _text(value: object) -> str:
    """A cell as text; a number in the way a person writes it (the file holds 1.38E10 for a phone)."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)[:MAX_CELL]


@contextmanager
def _told(why: str) -> Iterator[None]:
    """Whatever openpyxl trips over lies in the file: a damaged one raises anything from KeyError on."""
    try:
        yield
    except (BadTable, MemoryError):
        raise
    except Exception as error:
        raise BadTable(why) from error
