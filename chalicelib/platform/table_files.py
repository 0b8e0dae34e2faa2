"""Rows as a CSV or XLSX file that spreadsheets open as it is meant. openpyxl is imported for an XLSX alone.

CSV is UTF-8 with a mark that says so (Excel takes it for the system's encoding otherwise), and no text of it
is taken for a formula. In an XLSX a text is a text, an amount a number, a time a time.
"""

import csv
import io
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Literal

from chalicelib.platform.tabular import Cell

Format = Literal["csv", "xlsx"]
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SHEET_ROWS = 1_000_000  # Excel's limit is 1,048,576
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # what XML can't hold


class CsvFile:
    def __init__(self, headings: Sequence[str], out: IO[bytes]):
        self._out = out
        out.write("\ufeff".encode())
        self.write(headings)

    def write(self, cells: Sequence[Cell]) -> None:
        line = io.StringIO()
        csv.writer(line).writerow([_csv_cell(cell) for cell in cells])
        self._out.write(line.getvalue().encode())

    def close(self) -> None:
        """A CSV is whole at each line."""

    def abandon(self) -> None:
        """Nothing is kept of it but what was written."""


class XlsxFile:
    """Written to a temporary file as it goes on, and to `out` when it is closed."""

    def __init__(self, headings: Sequence[str], out: IO[bytes]):
        from openpyxl import Workbook

        self._headings, self._out, self._rows = headings, out, 0
        self._book = Workbook(write_only=True)
        self._sheet: Any = None
        self._begin_sheet()

    def write(self, cells: Sequence[Cell]) -> None:
        if self._rows == _SHEET_ROWS:
            self._begin_sheet()
        self._sheet.append([self._cell(cell) for cell in cells])
        self._rows += 1

    def close(self) -> None:
        self._book.save(self._out)

    def abandon(self) -> None:
        """Remove its temporary files."""
        for sheet in self._book.worksheets:
            if not sheet.closed:
                sheet.close()
            sheet._writer.cleanup()  # type: ignore[attr-defined]

    def _begin_sheet(self) -> None:
        from openpyxl.utils import get_column_letter

        self._sheet, self._rows = self._book.create_sheet(), 0
        self._sheet.freeze_panes = "A2"
        for number in range(1, len(self._headings) + 1):
            self._sheet.column_dimensions[get_column_letter(number)].width = 18
        self.write(self._headings)

    def _cell(self, value: Cell) -> Any:
        from openpyxl.cell import WriteOnlyCell

        if value is None or isinstance(value, (int, float)):
            return value
        if isinstance(value, str):
            text = WriteOnlyCell(self._sheet, _UNPRINTABLE.sub("", value)[:32_767])
            text.data_type = "s"  # also what begins with "="
            return text
        cell = WriteOnlyCell(self._sheet, value)  # type: ignore[arg-type]
        if isinstance(value, Decimal):
            cell.number_format = "0.00"
        elif isinstance(value, datetime):
            cell.number_format = "yyyy-mm-dd hh:mm:ss"
        elif isinstance(value, date):
            cell.number_format = "yyyy-mm-dd"
        return cell


def new(kind: Format, headings: Sequence[str], out: IO[bytes]) -> CsvFile | XlsxFile:
    """A file of that kind with its first line, to be written into `out`."""
    return CsvFile(headings, out) if kind == "csv" else XlsxFile(headings, out)


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:.2f}"
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(_FORMULA) else text
